#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "steelyard/estimates.hpp"
#include "steelyard/interval.hpp"

namespace steelyard {

enum class Multiplicity {
  kBonferroni,
  kHolm,               ///< step-down; any dependence
  kHochberg,           ///< step-up; independence or positive dependence
  kBenjaminiHochberg,  ///< false discovery rate; independence or positive dependence
};

/// P-values as they are after all of them were looked at. Those that are not numbers are none of
/// the tests, and stay so.
///
/// References: Holm (1979), Scand J Stat 6(2); Hochberg (1988), Biometrika 75(4); Benjamini &
/// Hochberg (1995), JRSS B 57(1).
Eigen::VectorXd adjusted_p_values(const Eigen::VectorXd& p_values, Multiplicity adjustment);

/// The most extreme of several t statistics, by their joint distribution.
struct MaxT {
  double critical;           ///< from estimate to the end of a simultaneous interval, in errors
  Eigen::VectorXd p_values;  ///< adjusted; not numbers where an estimate has no sampling error
};

/// How the largest t statistic is distributed, by random multiples of the deviations.
///
/// A standard normal multiplier for every row of the deviations gives estimates of the covariance
/// that the sample has; each draw is divided by the root of a chi-square over its degrees of
/// freedom, so that one estimate alone has its t distribution. Multiples of a square root of the
/// covariance have the same distribution and are drawn instead. The simultaneous intervals are
/// those of Dunnett and of Tukey where theirs apply. Draws depend on the seed alone.
///
/// References: Hothorn, Bretz & Westfall (2008), Biometrical Journal 50(3); Chernozhukov,
/// Chetverikov & Kato (2013), Annals of Statistics 41(6), for the multiplier bootstrap.
///
/// @param null  one a statistic.
/// @param side  kLower: estimates below `null` are extreme, kUpper: those above, kTwo: both.
/// @param draws at least 1000.
/// @throws std::invalid_argument for a level, degrees of freedom or number of draws out of range (a
///         level needs level / (1 - level) draws at least), for another number of hypotheses than
///         of estimates, and when no estimate has a value, a sampling error and a hypothesis.
MaxT max_t(const Estimates& estimates, const Eigen::VectorXd& null, double degrees_of_freedom,
           Side side, double level, Eigen::Index draws, std::uint64_t seed, int threads = 0);

}  // namespace steelyard
