#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "steelyard/matrix.hpp"

namespace steelyard {

/// What a sample may take of each stratum.
struct StratumLimits {
  Eigen::VectorXd population;  ///< units in each
  double least = 2;            ///< units to take at least, or all where there are fewer
};

/// Units to draw from each stratum, in proportion to some measure, of `size` in all: whole numbers
/// within the limits, by largest remainders.
///
/// Proportional allocation: measure = population; Neyman's: population * standard deviation; power
/// allocation: size^q * coefficient of variation.
/// @throws std::invalid_argument for a size that the limits do not allow, and measures that are
///         negative or all zero.
/// Reference: Cochran (1977), sections 5.5 to 5.9; Bankier (1988), Power allocations, The American
/// Statistician 42(3).
Eigen::VectorXd allocate(const Eigen::VectorXd& measure, std::int64_t size,
                         const StratumLimits& limits);

/// The cheapest units to draw from each stratum for totals of several variables, each to have at
/// most a given variance; not whole, but for strata that are taken whole or at the least.
///
/// @param variance strata x variables: of a unit within its stratum.
/// @param wanted   of each total, above 0.
/// @param cost     of a unit of each stratum, above 0.
/// @throws std::invalid_argument for other shapes or values.
/// Reference: Bethel (1989), Sample allocation in multivariate surveys, Survey Methodology 15(1).
Eigen::VectorXd allocate_for_precision(const RowMatrix& variance, const Eigen::VectorXd& wanted,
                                       const Eigen::VectorXd& cost, const StratumLimits& limits);

}  // namespace steelyard
