#include "steelyard/interval.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

void check_level(double level) {
  if (!(level > 0 && level < 1)) {
    throw std::invalid_argument("the confidence level must lie between 0 and 1");
  }
}

/// Error probability of each bounded side.
double tail_of(double level, Side side) { return side == Side::kTwo ? (1 - level) / 2 : 1 - level; }

Interval open_side(Interval interval, Side side, double lowest, double highest) {
  if (side == Side::kUpper) {
    interval.low = lowest;
  }
  if (side == Side::kLower) {
    interval.high = highest;
  }
  return interval;
}

Interval logit_interval(const ProportionSummary& s, double quantile) {
  const double p = s.proportion;
  const double centre = std::log(p / (1 - p));
  const double half = quantile * s.se / (p * (1 - p));
  return {1 / (1 + std::exp(half - centre)), 1 / (1 + std::exp(-half - centre))};
}

Interval wilson_interval(double p, double n, double quantile) {
  const double z2 = quantile * quantile;
  const double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = quantile / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Interval beta_interval(double p, double n, double tail) {
  return {beta_quantile(tail, n * p, n * (1 - p) + 1),
          beta_quantile(1 - tail, n * p + 1, n * (1 - p))};
}

/// All answers alike: only one side can be bounded, and it is exact.
Interval extreme_interval(const ProportionSummary& s, double level) {
  const double far = std::pow(1 - level, 1 / static_cast<double>(s.n));
  return s.proportion <= 0 ? Interval{0, 1 - far} : Interval{far, 1};
}

/// The effective sample size of Korn & Graubard: adjusted for the design's degrees of freedom.
double adjusted_size(double effective, const ProportionSummary& s, double tail) {
  if (tail == 0.5) {
    return effective;
  }
  const double simple = t_quantile(tail, static_cast<double>(s.n) - 1);
  const double design = t_quantile(tail, s.degrees_of_freedom);
  return effective * (simple / design) * (simple / design);
}

}  // namespace

Interval wald_interval(double value, double se, double degrees_of_freedom, double level,
                       Side side) {
  check_level(level);
  if (std::isnan(value) || std::isnan(se)) {
    return {kNotANumber, kNotANumber};
  }
  const double half = -t_quantile(tail_of(level, side), degrees_of_freedom) * se;
  return open_side({value - half, value + half}, side, -kInfinity, kInfinity);
}

Interval proportion_interval(const ProportionSummary& s, ProportionInterval method, double level,
                             Side side) {
  check_level(level);
  if (std::isnan(s.proportion) || std::isnan(s.se)) {
    return {kNotANumber, kNotANumber};
  }
  if (!s.census && (s.proportion <= 0 || s.proportion >= 1)) {
    return open_side(extreme_interval(s, level), side, 0, 1);
  }
  if (s.se == 0) {
    return open_side({s.proportion, s.proportion}, side, 0, 1);
  }
  const double p = s.proportion;
  const double tail = tail_of(level, side);
  const double effective = p * (1 - p) / (s.se * s.se);
  const double quantile = -t_quantile(tail, s.degrees_of_freedom);
  const auto interval = [&]() -> Interval {
    switch (method) {
      case ProportionInterval::kWald:
        return {p - quantile * s.se, p + quantile * s.se};
      case ProportionInterval::kLogit:
        return logit_interval(s, quantile);
      case ProportionInterval::kWilson:
        return wilson_interval(p, effective, quantile);
      case ProportionInterval::kBeta:
        return beta_interval(p, adjusted_size(effective, s, tail), tail);
      case ProportionInterval::kKornGraubard:
        return beta_interval(
            p, std::min(static_cast<double>(s.n), adjusted_size(effective, s, tail)), tail);
      case ProportionInterval::kClopperPearson:
        return beta_interval(p, effective, tail);
    }
    throw std::invalid_argument("unknown interval method");
  };
  return open_side(interval(), side, 0, 1);
}

}  // namespace steelyard
