#pragma once

#include <vector>

namespace steelyard {

/// coefficient * chi-square(degrees_of_freedom).
struct ScaledChiSquare {
  double coefficient;
  double degrees_of_freedom;
};

/// Terms whose independent sum is compared with a level. The largest coefficient is 1; none is 0;
/// the level is positive, or it is 0 and one coefficient is negative.
///
/// The cumulant function K(s) = -1/2 sum(d log(1 - 2 a s)) is looked at from its upper pole, by
/// u = 1 - 2 s, so that no digits are lost near it: far in the tail is where s is needed.
struct ChiSquareSum {
  std::vector<ScaledChiSquare> terms;
  double level;

  double mean() const;
  /// 1 - 2 a s.
  static double factor(const ScaledChiSquare& term, double u) {
    return (1 - term.coefficient) + u * term.coefficient;
  }
  /// K'(s) - level, which falls with u.
  double slope(double u) const;
  /// Where 1 - 2 a s is zero for the most negative coefficient, or a bound that roots of
  /// K'(s) - level = extra / s stay below.
  double highest(double extra) const;
};

/// P(sum > level) by Kuonen's (1999) saddlepoint approximation.
double saddlepoint_upper_tail(const ChiSquareSum& sum);

/// P(sum > level) by integrating the moment generating function; see quadratic_form.hpp.
double inverted_upper_tail(const ChiSquareSum& sum);

}  // namespace steelyard
