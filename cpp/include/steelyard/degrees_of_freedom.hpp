#pragma once

#include <Eigen/Core>

#include "steelyard/deviations.hpp"

namespace steelyard {

/// Degrees of freedom of each estimate's variance where strata vary by different amounts:
/// (sum of v_h)^2 / sum of v_h^2 / (n_h - 1), with v_h the variance that stratum h adds and n_h its
/// units that count.
///
/// Equals units minus strata where all strata add the same for each of their degrees of freedom,
/// and is smaller otherwise. Where there is no variance: the design's degrees of freedom.
/// @throws std::invalid_argument where deviations were not kept by unit.
/// References: Satterthwaite (1946), Biometrics Bulletin 2(6); Cochran (1977), section 5.4.
Eigen::VectorXd satterthwaite(const Deviations& deviations);

}  // namespace steelyard
