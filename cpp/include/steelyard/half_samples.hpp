#pragma once

#include "steelyard/design.hpp"
#include "steelyard/replicate.hpp"

namespace steelyard {

/// Balanced half-samples: balanced repeated replication (BRR), and Fay's with rho above 0.
///
/// Each stratum's units of the first stage are paired in their order; one of each pair weighs
/// 2 - rho and the other rho, as a Hadamard matrix with more columns than pairs says. In a stratum
/// with an odd number the last three make a pair of one and two units, which weigh
/// 1 +- (1 - rho) sqrt(m' / m), with m units on a side and m' on the other: totals and the
/// variance of a total are then right on average, as for a pair; with rho below 0.3 the unit that
/// is one against two has negative weights in half of the replicates. The scale is 1 / (replicates
/// (1 - rho)^2). There is no finite population correction. A unit alone in its stratum, where the
/// design lets it be, does not vary.
///
/// @throws std::invalid_argument for rho outside [0, 1), and designs that cannot be replicated.
/// Reference: McCarthy (1969), Review of the International Statistical Institute 37; Judkins
/// (1990), Fay's method for variance estimation, Journal of Official Statistics 6(3); Wolter
/// (2007), chapter 3.
Replicates half_samples(const Design& design, double rho, bool about_estimate);

}  // namespace steelyard
