#include "steelyard/interval.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
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

Interval agresti_coull_interval(double p, double n, double quantile) {
  const double z2 = quantile * quantile;
  const double centre = (p * n + z2 / 2) / (n + z2);
  const double half = quantile * std::sqrt(centre * (1 - centre) / (n + z2));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Interval arcsine_interval(const ProportionSummary& s, double quantile) {
  const double p = s.proportion;
  const double centre = std::asin(std::sqrt(p));
  const double half = quantile * s.se / (2 * std::sqrt(p * (1 - p)));
  const auto share = [](double angle) {
    const double root = std::sin(std::clamp(angle, 0.0, std::numbers::pi / 2));
    return root * root;
  };
  return {share(centre - half), share(centre + half)};
}

/// Divergence p log(p / p0) + q log(q / q0) of p <= 1/2, q = 1 - p from the p0 whose log odds are
/// those of p plus `shift`. What cancels in this form is worth a rounding of the shift.
double divergence(double p, double q, double shift) {
  constexpr double kOverflows = 700;
  const double log_of_q_ratio =
      shift < kOverflows ? std::log1p(p * std::expm1(shift)) : shift + std::log(p);
  return shift < kOverflows ? log_of_q_ratio - p * shift : q * shift + std::log(p);
}

/// The p0 on one side of p <= 1/2 (direction -1 or 1) at which the divergence equals `target`.
///
/// The divergence is convex in the log odds and, on each side, above the line from which Newton's
/// iteration starts; so it comes down to the root from outside, without a step too far.
double diverging_share(double p, double q, double target, double direction) {
  double shift = direction < 0 ? -(target - std::log(q)) / p : (target - std::log(p)) / q;
  const auto share = [&] { return 1 / (1 + q / p * std::exp(-shift)); };
  for (;;) {
    const double next = shift - (divergence(p, q, shift) - target) / (share() - p);
    if (!(std::abs(next) < std::abs(shift) && next * direction > 0)) {
      return share();
    }
    shift = next;
  }
}

Interval likelihood_interval(const ProportionSummary& s, double quantile) {
  const double p = s.proportion;
  const auto n = static_cast<double>(s.n);
  const double target = quantile * quantile * s.se * s.se / (2 * p * (1 - p)) * n / (n - 1);
  if (target == 0) {
    return {p, p};
  }
  if (!std::isfinite(target)) {
    return {0, 1};
  }
  const double outward = quantile < 0 ? -1 : 1;
  if (p > 0.5) {
    return {1 - diverging_share(1 - p, p, target, outward),
            1 - diverging_share(1 - p, p, target, -outward)};
  }
  return {diverging_share(p, 1 - p, target, -outward), diverging_share(p, 1 - p, target, outward)};
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
      case ProportionInterval::kAgrestiCoull:
        return agresti_coull_interval(p, effective, quantile);
      case ProportionInterval::kArcsine:
        return arcsine_interval(s, quantile);
      case ProportionInterval::kLikelihood:
        return likelihood_interval(s, quantile);
    }
    throw std::invalid_argument("unknown interval method");
  };
  return open_side(interval(), side, 0, 1);
}

double confidence_in_bound(const ProportionSummary& s, ProportionInterval method, Side side,
                           double bound) {
  constexpr int kHalvings = 60;
  constexpr double kCertain = 1e-12;  // quantiles overflow further out
  if (side == Side::kTwo) {
    throw std::invalid_argument("a bound is on one side");
  }
  if (std::isnan(s.proportion) || std::isnan(s.se) || std::isnan(bound)) {
    return kNotANumber;
  }
  // The higher the level, the further out the end.
  const auto holds_at = [&](double level) {
    const Interval found = proportion_interval(s, method, level, side);
    return side == Side::kLower ? found.low >= bound : found.high <= bound;
  };
  double less = kCertain;
  double more = 1 - kCertain;
  if (!holds_at(less)) {
    return 0;
  }
  if (holds_at(more)) {
    return 1;
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double level = (less + more) / 2;
    (holds_at(level) ? less : more) = level;
  }
  return (less + more) / 2;
}

double confidence_in_bound(double value, double se, double degrees_of_freedom, Side side,
                           double bound) {
  if (side == Side::kTwo) {
    throw std::invalid_argument("a bound is on one side");
  }
  if (std::isnan(value) || std::isnan(se) || std::isnan(bound)) {
    return kNotANumber;
  }
  const double distance = side == Side::kLower ? value - bound : bound - value;
  if (se == 0) {
    return distance >= 0 ? 1 : 0;
  }
  return 1 - t_upper_tail(distance / se, degrees_of_freedom);
}

}  // namespace steelyard
