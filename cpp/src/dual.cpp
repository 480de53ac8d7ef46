#include "steelyard/dual.hpp"

#include <cmath>

namespace steelyard {
namespace {

/// a * scale_a + b * scale_b, where an empty gradient is zero.
Eigen::VectorXd combine(const Eigen::VectorXd& a, double scale_a, const Eigen::VectorXd& b,
                        double scale_b) {
  if (a.size() == 0) {
    return scale_b * b;
  }
  if (b.size() == 0) {
    return scale_a * a;
  }
  return scale_a * a + scale_b * b;
}

}  // namespace

Dual Dual::operator-() const { return {-value, -gradient}; }

Dual operator+(const Dual& a, const Dual& b) {
  return {a.value + b.value, combine(a.gradient, 1, b.gradient, 1)};
}

Dual operator-(const Dual& a, const Dual& b) {
  return {a.value - b.value, combine(a.gradient, 1, b.gradient, -1)};
}

Dual operator*(const Dual& a, const Dual& b) {
  return {a.value * b.value, combine(a.gradient, b.value, b.gradient, a.value)};
}

Dual operator/(const Dual& a, const Dual& b) {
  const double value = a.value / b.value;
  return {value, combine(a.gradient, 1 / b.value, b.gradient, -value / b.value)};
}

Dual exp(const Dual& a) {
  const double value = std::exp(a.value);
  return {value, value * a.gradient};
}

Dual log(const Dual& a) { return {std::log(a.value), a.gradient / a.value}; }

Dual sqrt(const Dual& a) {
  const double value = std::sqrt(a.value);
  return {value, a.gradient / (2 * value)};
}

Dual pow(const Dual& a, const Dual& b) {
  const double value = std::pow(a.value, b.value);
  if (b.gradient.size() == 0 && b.value == 0) {
    return {value, 0 * a.gradient};  // 1 everywhere, at 0 as well
  }
  if (b.gradient.size() == 0) {
    return {value, b.value * std::pow(a.value, b.value - 1) * a.gradient};
  }
  return {value, combine(a.gradient, b.value * std::pow(a.value, b.value - 1), b.gradient,
                         value * std::log(a.value))};
}

std::vector<Dual> variables(const Eigen::VectorXd& values) {
  std::vector<Dual> result;
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    result.push_back({values[i], Eigen::VectorXd::Unit(values.size(), i)});
  }
  return result;
}

}  // namespace steelyard
