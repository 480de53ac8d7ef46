#pragma once

#include "steelyard/interval.hpp"

namespace steelyard {

/// Does a value lie within margins, by two one-sided tests?
struct Equivalence {
  double above_low;   ///< p-value of the hypothesis that the value is `low` or less
  double below_high;  ///< p-value of the hypothesis that the value is `high` or more
  double p_value;     ///< of the two, the larger
  Interval interval;  ///< at 1 - 2 alpha: within the margins exactly where both are rejected
};

/// @param low, high margins; one may be infinite, and only the other is then tested
///                  (non-inferiority, non-superiority). The interval is then one-sided.
/// @param alpha     of each one-sided test.
/// @throws std::invalid_argument unless low < high, one of them is finite, and alpha lies between 0
///         and 0.5.
///
/// Reference: Schuirmann (1987), J Pharmacokinet Biopharm 15(6).
Equivalence equivalence(double value, double se, double degrees_of_freedom, double low, double high,
                        double alpha);

/// The smallest change that a two-sided test at `level` finds with a probability of `power`:
/// (t_{(1 + level) / 2} + t_power) se, on the design's degrees of freedom.
/// Reference: Bloom (1995), Evaluation Review 19(5).
/// @throws std::invalid_argument for a level or power that is not a probability above what chance
///         gives.
double minimum_detectable(double se, double degrees_of_freedom, double level, double power);

}  // namespace steelyard
