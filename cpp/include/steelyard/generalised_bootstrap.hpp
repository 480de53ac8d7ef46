#pragma once

#include <optional>

#include "steelyard/bootstrap.hpp"
#include "steelyard/design.hpp"
#include "steelyard/replicate.hpp"

namespace steelyard {

/// Replicates for any variance that a design gives, as a quadratic form or in stages.
///
/// With D the design's map from unit totals to deviations, the factors of a replicate are
/// 1 + D^T e / tau, where e has random signs: their covariance is that of the design, over tau^2.
/// The scale is tau^2 / replicates about the estimate, else tau^2 / (replicates - 1).
///
/// @param tau at least 1; if not given, the smallest that leaves every factor 0.01 or more, so that
///            whatever is estimated by weights is by those of a replicate.
/// @throws std::invalid_argument for a form that is not positive semi-definite, as an estimated one
///         may be, and for more replicates than can be kept.
/// Reference: Beaumont & Patak (2012), On the generalized bootstrap for sample surveys with special
/// attention to Poisson sampling, International Statistical Review 80(1).
Replicates generalised_bootstrap(const Design& design, const BootstrapOptions& options,
                                 std::optional<double> tau);

}  // namespace steelyard
