#pragma once

#include <Eigen/Core>
#include <vector>

namespace steelyard {

/// A number that knows its derivatives: forward automatic differentiation.
///
/// Any function written with these operations gives its value and Jacobian, which is all that the
/// delta method needs.
struct Dual {
  double value = 0;
  Eigen::VectorXd gradient;  ///< empty: a constant

  Dual operator-() const;
};

Dual operator+(const Dual& a, const Dual& b);
Dual operator-(const Dual& a, const Dual& b);
Dual operator*(const Dual& a, const Dual& b);
Dual operator/(const Dual& a, const Dual& b);
Dual exp(const Dual& a);
Dual log(const Dual& a);
Dual sqrt(const Dual& a);
Dual pow(const Dual& a, const Dual& b);

/// The independent variables at `values`.
std::vector<Dual> variables(const Eigen::VectorXd& values);

}  // namespace steelyard
