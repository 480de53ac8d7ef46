#pragma once

#include <cstdint>

#include "steelyard/design.hpp"
#include "steelyard/replicate.hpp"

namespace steelyard {

/// Replicates that each leave out one unit of the first stage: JK1 where there is one stratum, JKn
/// where there are several. The others of its stratum weigh n_h / (n_h - 1) as much; the scale is
/// (1 - f_h) (n_h - 1) / n_h. Strata that were taken whole, or whose lonely unit is certain or
/// removed, have none. Stages below the first vary with it, and their fractions do not count.
///
/// @throws std::invalid_argument for a variance that is a quadratic form, units drawn with unequal
///         probabilities, other policies for lonely strata, or more replicates than can be kept.
/// Reference: Wolter (2007), section 4.5; Särndal, Swensson & Wretman (1992), section 11.5.
Replicates jackknife(const Design& design, bool about_estimate);

/// Replicates that each leave out a random group of the units of the first stage, balanced over
/// strata: those that stay weigh n_h / (n_h - m) as much where m of n_h are left out. The scale is
/// (groups - 1) / groups.
///
/// @throws std::invalid_argument as above, for fewer than two groups, more groups than units, and a
///         group that would leave a stratum empty.
/// Reference: Kott (2001), The delete-a-group jackknife, Journal of Official Statistics 17(4).
Replicates random_groups(const Design& design, Eigen::Index groups, std::uint64_t seed,
                         bool about_estimate);

}  // namespace steelyard
