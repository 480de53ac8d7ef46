#pragma once

#include <Eigen/Core>

#include "steelyard/deviations.hpp"

namespace steelyard {

/// Values and their deviations: all that inference needs.
struct Estimates {
  Eigen::VectorXd values;
  Deviations deviations;

  Eigen::Index size() const { return values.size(); }
  double degrees_of_freedom() const { return deviations.degrees_of_freedom; }
  Eigen::MatrixXd covariance() const { return deviations.covariance(); }
  Eigen::VectorXd standard_errors() const;

  /// A smooth function of the estimates, by its value and Jacobian (functions x estimates).
  Estimates delta(const Eigen::VectorXd& value, const Eigen::MatrixXd& jacobian) const;
  /// Linear combinations, one a row.
  Estimates contrast(const Eigen::MatrixXd& combinations) const;
  /// @throws std::out_of_range when there is no estimate at an index.
  Estimates select(const std::vector<Eigen::Index>& indices) const;
};

/// Both side by side, covarying through the units they share; see join of Deviations.
Estimates join(const Estimates& first, const Estimates& second);

/// The probability that |T| exceeds |value - null| / se, for T on `degrees_of_freedom`. Not a
/// number where there is no error to compare with.
double two_sided_p_value(double value, double se, double degrees_of_freedom, double null = 0);

}  // namespace steelyard
