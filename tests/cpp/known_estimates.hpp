#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "steelyard/estimates.hpp"

/// Estimates whose deviations are written by hand.
namespace steelyard::testing {

inline Eigen::VectorXd numbers(const std::vector<double>& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

/// Of a sample of one stratum: a row of deviations for each of its units, which are numbered.
inline Estimates known(const Eigen::VectorXd& values, const Eigen::MatrixXd& deviations,
                       std::uint64_t first_unit = 1, std::uint64_t sample = 1) {
  const auto units = static_cast<std::size_t>(deviations.rows());
  Estimates result;
  result.values = values;
  result.deviations.matrix = deviations;
  for (std::uint64_t i = 0; i < units; ++i) {
    result.deviations.units.push_back(first_unit + i);
  }
  result.deviations.strata.assign(units, sample);
  result.deviations.counted.assign(units, 1);
  result.deviations.samples = {sample};
  result.deviations.degrees_of_freedom = static_cast<double>(units) - 1;
  return result;
}

/// Estimates that have no unit in common, with these standard errors.
inline Estimates unrelated(const Eigen::VectorXd& values, const Eigen::VectorXd& errors) {
  return known(values, Eigen::MatrixXd(errors.asDiagonal()));
}

inline Estimates with_known_errors(const Eigen::VectorXd& values, const Eigen::VectorXd& errors,
                                   std::uint64_t identity) {
  return {values, known_errors(Eigen::MatrixXd(errors.cwiseAbs2().asDiagonal()), identity)};
}

/// Covariance of functions of estimates, with derivatives by central differences.
/// @param function takes the values and returns those of the functions.
template <typename Function>
Eigen::MatrixXd covariance_by_differences(const Estimates& of, const Function& function) {
  constexpr double kStep = 1e-5;
  Eigen::MatrixXd jacobian(function(of.values).size(), of.size());
  for (Eigen::Index i = 0; i < of.size(); ++i) {
    Eigen::VectorXd above = of.values;
    Eigen::VectorXd below = of.values;
    above[i] += kStep * std::abs(of.values[i]);
    below[i] -= kStep * std::abs(of.values[i]);
    jacobian.col(i) = (function(above) - function(below)) / (above[i] - below[i]);
  }
  return jacobian * of.covariance() * jacobian.transpose();
}

/// Equal in units of the standard errors expected.
inline double covariance_difference(const Eigen::MatrixXd& found, const Eigen::MatrixXd& expected) {
  const Eigen::VectorXd error = expected.diagonal().cwiseSqrt().cwiseMax(1e-300);
  return (found - expected).cwiseQuotient(error * error.transpose()).cwiseAbs().maxCoeff();
}

}  // namespace steelyard::testing
