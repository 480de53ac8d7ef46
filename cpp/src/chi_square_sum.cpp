#include "steelyard/chi_square_sum.hpp"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/log1p.hpp>
#include <cmath>
#include <complex>
#include <stdexcept>

#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

using Complex = std::complex<double>;

/// Where a falling function is zero, to the last bit. It is not called at the ends.
template <typename Function>
double falling_root(double low, double high, const Function& function) {
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (!(middle > low && middle < high)) {
      return middle;
    }
    (function(middle) > 0 ? low : high) = middle;
  }
}

/// log(1 - 2 a s), precise where that is near 1 as well as where it is near 0.
double log_factor(const ScaledChiSquare& term, double u) {
  const double away = (1 - u) * term.coefficient;
  return std::abs(away) < 0.5 ? std::log1p(-away) : std::log(ChiSquareSum::factor(term, u));
}

/// t - log(1 + t), where 1 + t = 1 / factor.
double second_order_excess(double t, double factor) {
  return std::abs(t) < 0.5 ? -boost::math::log1pmx(t) : t + std::log(factor);
}

/// log(1 + t) - t + t^2 / 2, which is of third order.
double third_order_excess(double t, double factor) {
  if (std::abs(t) >= 0.1) {
    return t * t / 2 - t - std::log(factor);
  }
  double sum = 0;
  double power = t * t * t;
  for (int k = 3; k < 24; ++k, power *= -t) {
    sum += power / k;
  }
  return sum;
}

/// w and v of the saddlepoint formula, squared, and the difference of the squares.
struct Saddle {
  double w2 = 0;
  double v2 = 0;
  double difference = 0;
};

Saddle saddle_at(const ChiSquareSum& sum, double u) {
  Saddle saddle;
  for (const ScaledChiSquare& term : sum.terms) {
    const double factor = ChiSquareSum::factor(term, u);
    const double t = (1 - u) * term.coefficient / factor;
    saddle.w2 += term.degrees_of_freedom * second_order_excess(t, factor);
    saddle.v2 += term.degrees_of_freedom * t * t / 2;
    saddle.difference += term.degrees_of_freedom * third_order_excess(t, factor);
  }
  return saddle;
}

double standardised_skewness(const ChiSquareSum& sum) {
  double second = 0;
  double third = 0;
  for (const ScaledChiSquare& term : sum.terms) {
    const double a = term.coefficient;
    second += 2 * term.degrees_of_freedom * a * a;
    third += 8 * term.degrees_of_freedom * a * a * a;
  }
  return third / std::pow(second, 1.5);
}

/// log(1 + z) for |z| of any size.
Complex log1p(Complex z) {
  return {std::log1p(2 * z.real() + std::norm(z)) / 2, std::atan2(z.imag(), 1 + z.real())};
}

/// The integrand exp(K(s) - s level) / s on a hyperbola s = c + z(t) through the point c of the
/// real axis, over exp(K(c) - c level).
class Path {
 public:
  Path(const ChiSquareSum& sum, double u) : sum_(sum), u_(u), centre_((1 - u) / 2) {
    double second = 0;
    double third = 0;
    for (const ScaledChiSquare& term : sum.terms) {
      const double ratio = term.coefficient / ChiSquareSum::factor(term, u);
      second += 2 * term.degrees_of_freedom * ratio * ratio;
      third += 8 * term.degrees_of_freedom * ratio * ratio * ratio;
    }
    width_ = 1 / std::sqrt(second + 1 / (centre_ * centre_));
    bend_ = std::clamp(width_ * third / (3 * second), -1.0, 1.0);
    constexpr int kStraighter = 8;
    for (int i = 0; i < kStraighter && climbs(); ++i) {
      bend_ /= 2;
    }
  }

  /// exp(K(c) - c level).
  double height() const {
    double exponent = -centre_ * sum_.level;
    for (const ScaledChiSquare& term : sum_.terms) {
      exponent -= term.degrees_of_freedom * log_factor(term, u_) / 2;
    }
    return std::exp(exponent);
  }

  /// Integrand times ds/dt.
  Complex operator()(double t) const {
    const Complex z = offset(t);
    const Complex derivative = width_ * Complex(bend_ * std::sinh(t), std::cosh(t));
    return std::exp(exponent(z)) * derivative / (centre_ + z);
  }

 private:
  Complex offset(double t) const {
    const double half = std::sinh(t / 2);
    return width_ * Complex(bend_ * 2 * half * half, std::sinh(t));
  }

  /// K(c + z) - K(c) - z level.
  Complex exponent(Complex z) const {
    Complex value = -sum_.level * z;
    for (const ScaledChiSquare& term : sum_.terms) {
      const double ratio = 2 * term.coefficient / ChiSquareSum::factor(term, u_);
      value -= term.degrees_of_freedom * log1p(-ratio * z) / 2.0;
    }
    return value;
  }

  /// Steepest descent from c has this bend, but further on it may lead over a hill.
  bool climbs() const {
    constexpr double kAllowed = 1;
    constexpr double kFar = 40;
    for (double t = 0.25; t < kFar; t += 0.25) {
      const double height = exponent(offset(t)).real();
      if (height > kAllowed || height < -kFar) {
        return height > 0;
      }
    }
    return false;
  }

  const ChiSquareSum& sum_;
  double u_;
  double centre_;
  double width_;
  double bend_;
};

/// Sum of the integrand at start, start + step, ..., until nothing is left to add.
double sum_along(const Path& path, double start, double step) {
  constexpr double kNegligible = 1e-18;
  double sum = 0;
  double largest = 0;
  for (double t = start;; t += step) {
    const Complex value = path(t);
    sum += value.imag();
    const double size = std::abs(value);
    largest = std::max(largest, size);
    if (!(size > kNegligible * largest)) {
      return sum;
    }
  }
}

/// The integral over both halves of the path, over 2 pi i. The trapezoidal rule on an analytic
/// integrand: each halving of the step doubles the digits.
double integrate(const Path& path) {
  constexpr double kPrecision = 1e-13;
  constexpr int kHalvings = 12;
  double step = 0.5;
  double integral = step * (path(0).imag() / 2 + sum_along(path, step, step));
  for (int i = 0; i < kHalvings; ++i) {
    const double finer = integral / 2 + step / 2 * sum_along(path, step / 2, step);
    const double change = std::abs(finer - integral);
    integral = finer;
    step /= 2;
    if (change <= kPrecision * std::abs(integral)) {
      return integral / boost::math::constants::pi<double>();
    }
  }
  throw std::runtime_error("quadratic form: the integral did not converge");
}

}  // namespace

double ChiSquareSum::mean() const {
  double total = 0;
  for (const ScaledChiSquare& term : terms) {
    total += term.coefficient * term.degrees_of_freedom;
  }
  return total;
}

double ChiSquareSum::slope(double u) const {
  double total = -level;
  for (const ScaledChiSquare& term : terms) {
    total += term.degrees_of_freedom * term.coefficient / factor(term, u);
  }
  return total;
}

double ChiSquareSum::highest(double extra) const {
  double lowest = 0;
  double freedom = extra;
  for (const ScaledChiSquare& term : terms) {
    lowest = std::min(lowest, term.coefficient);
    freedom += term.degrees_of_freedom;
  }
  return lowest < 0 ? 1 - 1 / lowest : 1 + freedom / level;
}

double saddlepoint_upper_tail(const ChiSquareSum& sum) {
  const double u = falling_root(0, sum.highest(0), [&](double at) { return sum.slope(at); });
  const Saddle saddle = saddle_at(sum, u);
  if (!(saddle.w2 > 0)) {
    return t_upper_tail(standardised_skewness(sum) / 6, HUGE_VAL);
  }
  const double w = std::copysign(std::sqrt(saddle.w2), 1 - u);
  const double log_ratio = std::log1p(saddle.difference / saddle.w2) / 2;
  return t_upper_tail(w + log_ratio / w, HUGE_VAL);
}

double inverted_upper_tail(const ChiSquareSum& sum) {
  // Beyond the mean the pole at s = 0 lies left of the path; before it, the path is left of the
  // pole and integrates to the lower tail, negative.
  const bool upper = sum.mean() <= sum.level;
  const auto slope = [&](double u) { return sum.slope(u) - 2 / (1 - u); };
  const double u = upper ? falling_root(0, 1, slope) : falling_root(1, sum.highest(2), slope);
  const Path path(sum, u);
  const double integral = path.height() * integrate(path);
  return upper ? integral : 1 + integral;
}

}  // namespace steelyard
