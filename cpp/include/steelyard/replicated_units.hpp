#pragma once

#include <span>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// Numbers in a matrix of factors above which replicates are not made.
inline constexpr Eigen::Index kMostFactors = Eigen::Index{1} << 27;

/// Refuses to keep more than kMostFactors numbers, and designs that have replicates or whose
/// variance depends on the domain.
/// @throws std::invalid_argument for those.
void check_capacity(const Design& design, Eigen::Index replicates);

/// Refuses quadratic forms, and policies that centre or average lonely strata of some stages.
/// @throws std::invalid_argument for those.
void check_drawn(const Design& design, std::span<const Stage> stages);

/// Refuses also designs whose first stage cannot be replicated as one of units drawn with equal
/// probabilities.
/// @throws std::invalid_argument as above, and for unequal probabilities.
void check_replicable(const Design& design, Eigen::Index replicates);

/// Units of a stage by stratum, in the order of the design.
std::vector<std::vector<Eigen::Index>> units_by_stratum(const Stage& stage);

/// Factors of the units of the first stage as those of the last: what lies in a unit goes with it.
RowMatrix spread_to_last_stage(const Design& design, RowMatrix factors);

}  // namespace steelyard
