#pragma once

#include <cstdint>

#include "steelyard/design.hpp"
#include "steelyard/replicate.hpp"

namespace steelyard {

struct BootstrapOptions {
  Eigen::Index replicates = 500;
  std::uint64_t seed = 0;
  bool about_estimate = false;
};

/// Rao and Wu's rescaled bootstrap of the units of the first stage.
///
/// In each stratum n_h - 1 units are drawn with replacement; a unit drawn t times weighs
/// 1 - c + c t n_h / (n_h - 1), with c = sqrt(1 - f_h). The scale is 1 / (replicates - 1).
/// @throws std::invalid_argument for designs that cannot be replicated.
/// Reference: Rao & Wu (1988), JASA 83; Rao, Wu & Yue (1992), Survey Methodology 18(2).
Replicates rescaled_bootstrap(const Design& design, const BootstrapOptions& options);

/// Canty and Davison's bootstrap: n_h units are drawn without replacement from a population of
/// copies of them, N_h in number; with replacement where there is no correction.
///
/// The scale is m / ((m - 1) (replicates - 1)), with m the harmonic mean of n_h over strata.
/// Reference: Canty & Davison (1999), The Statistician 48(3); as R survey's type "bootstrap".
Replicates canty_davison_bootstrap(const Design& design, const BootstrapOptions& options);

/// Preston's bootstrap of all stages: at each, half of the units of a stratum are drawn without
/// replacement within those drawn above.
///
/// The scale is 1 / (replicates - 1). A unit that is alone in its stratum does not vary.
/// Reference: Preston (2009), Rescaled bootstrap for stratified multistage sampling, Survey
/// Methodology 35(2); as R survey's type "mrbbootstrap".
Replicates multistage_bootstrap(const Design& design, const BootstrapOptions& options);

}  // namespace steelyard
