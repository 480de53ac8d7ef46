#pragma once

#include "steelyard/design.hpp"
#include "steelyard/replicate.hpp"

namespace steelyard {

/// Successive-difference replication, for units drawn systematically from an ordered list.
///
/// Units of the first stage stand in the order of their first rows, by stratum. Unit i weighs
/// 1 + sqrt(1 - f_h) 2^(-3/2) (a_i - a_{i+1}) as much, where a_i is a row of a Hadamard matrix and
/// the last unit of a stratum is followed by its first. The scale is 4 / replicates. While there
/// are fewer units than replicates, the variance of a total is exactly (1 - f_h) / 2 * sum (z_i -
/// z_{i+1})^2; rows are used again, in other pairs, where there are more.
///
/// @param replicates at least; the next order of a Hadamard matrix is taken.
/// @throws std::invalid_argument for designs that cannot be replicated.
/// Reference: Fay & Train (1995), Proceedings of the Section on Government Statistics; Ash (2014),
/// Survey Methodology 40(1).
Replicates successive_differences(const Design& design, Eigen::Index replicates,
                                  bool about_estimate);

}  // namespace steelyard
