#include "steelyard/wald_test.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "steelyard/distribution.hpp"

namespace steelyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Distances from the hypothesis in standard errors, and the correlations of the values.
struct Standardised {
  Eigen::VectorXd distances;
  Eigen::MatrixXd correlation;
};

void check(const Eigen::VectorXd& values, const Eigen::MatrixXd& covariance,
           const Eigen::VectorXd& null, double degrees_of_freedom) {
  const Eigen::Index k = values.size();
  if (k == 0 || covariance.rows() != k || covariance.cols() != k || null.size() != k) {
    throw std::invalid_argument(
        "Wald test: values, their null and both sides of their covariance must be as many");
  }
  if (!values.allFinite() || !covariance.allFinite() || !null.allFinite()) {
    throw std::invalid_argument("Wald test: a value or a covariance is not a finite number");
  }
  if (!(degrees_of_freedom > 0)) {
    throw std::invalid_argument("Wald test: degrees of freedom must be positive");
  }
}

void refuse_certainty(Eigen::Index index) {
  throw std::invalid_argument("Wald test: value " + std::to_string(index) +
                              " (counted from 0) has no sampling error, or a combination with it"
                              " has none, and it is not the hypothesis's");
}

/// A standard error that is only rounding, beside the value it belongs to, is none.
Standardised standardise(const Eigen::VectorXd& values, const Eigen::MatrixXd& covariance,
                         const Eigen::VectorXd& null) {
  constexpr double kRounding = 1e-13;
  const Eigen::Index k = values.size();
  Standardised result{Eigen::VectorXd::Zero(k), covariance};
  for (Eigen::Index i = 0; i < k; ++i) {
    const double distance = values(i) - null(i);
    const double rounding = kRounding * std::max(std::abs(values(i)), std::abs(null(i)));
    const double error = std::sqrt(std::max(0.0, covariance(i, i)));
    const bool certain = !(error > rounding);
    if (certain && std::abs(distance) > rounding) {
      refuse_certainty(i);
    }
    const double scale = certain ? 0 : 1 / error;
    result.distances(i) = distance * scale;
    result.correlation.row(i) *= scale;
    result.correlation.col(i) *= scale;
  }
  return result;
}

struct Quadratic {
  double value;
  Eigen::Index rank;
};

Quadratic quadratic(const Standardised& from) {
  // What is left of the distances where they have no error comes from rounding, if it is small.
  constexpr double kLeftOver = 1e-7;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(from.correlation);
  const Eigen::VectorXd& roots = eigen.eigenvalues();
  const double smallest = kRankTolerance * roots.maxCoeff();
  if (!(smallest > 0)) {
    throw std::invalid_argument("Wald test: the values have no sampling error");
  }
  const Eigen::VectorXd components = eigen.eigenvectors().transpose() * from.distances;
  Quadratic result{0, 0};
  for (Eigen::Index i = 0; i < roots.size(); ++i) {
    if (roots(i) > smallest) {
      result.value += components(i) * components(i) / roots(i);
      ++result.rank;
    } else if (std::abs(components(i)) > kLeftOver * std::max(1.0, from.distances.norm())) {
      Eigen::Index worst = 0;
      eigen.eigenvectors().col(i).cwiseAbs().maxCoeff(&worst);
      refuse_certainty(worst);
    }
  }
  return result;
}

}  // namespace

TestResult wald_test(const Eigen::VectorXd& values, const Eigen::MatrixXd& covariance,
                     double degrees_of_freedom, WaldVariant variant, const Eigen::VectorXd& null) {
  const Eigen::VectorXd hypothesis =
      null.size() == 0 ? Eigen::VectorXd(Eigen::VectorXd::Zero(values.size())) : null;
  check(values, covariance, hypothesis, degrees_of_freedom);
  const Quadratic w = quadratic(standardise(values, covariance, hypothesis));
  const auto k = static_cast<double>(w.rank);
  if (variant == WaldVariant::kChiSquare) {
    return {w.value, k, kInfinity, chi_square_upper_tail(w.value, k)};
  }
  const bool adjusted = variant == WaldVariant::kAdjustedF && std::isfinite(degrees_of_freedom);
  const double ddf = adjusted ? degrees_of_freedom - k + 1 : degrees_of_freedom;
  if (!(ddf > 0)) {
    throw std::invalid_argument(
        "Wald test: the adjusted F needs at least as many degrees of freedom as hypotheses");
  }
  const double f = adjusted ? w.value / k * (ddf / degrees_of_freedom) : w.value / k;
  return {f, k, ddf, f_upper_tail(f, k, ddf)};
}

}  // namespace steelyard
