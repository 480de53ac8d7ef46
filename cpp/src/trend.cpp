#include "steelyard/trend.hpp"

#include <Eigen/QR>
#include <cmath>
#include <stdexcept>

namespace steelyard {
namespace {

constexpr double kSmallestWeight = 1e-12;  // of the largest: below, least squares lose digits

void check(const Eigen::VectorXd& times, const Eigen::VectorXd& weights, Eigen::Index fewest) {
  if (times.size() != weights.size() || times.size() < fewest) {
    throw std::invalid_argument(
        "a trend needs a weight a period, and more periods than its degree");
  }
  for (Eigen::Index i = 0; i < times.size(); ++i) {
    const bool ascends = std::isfinite(times[i]) && (i == 0 || times[i] > times[i - 1]);
    if (!ascends || !(weights[i] > 0 && std::isfinite(weights[i]))) {
      throw std::invalid_argument("times ascend, and weights are above 0");
    }
  }
  if (weights.minCoeff() < kSmallestWeight * weights.maxCoeff()) {
    throw std::invalid_argument("weights of periods differ too much to fit a trend by them");
  }
}

/// Rows that give the coefficients of least squares from the levels: (X'WX)^-1 X'W.
Eigen::MatrixXd least_squares(const Eigen::MatrixXd& columns, const Eigen::VectorXd& weights) {
  const Eigen::VectorXd root = (weights / weights.maxCoeff()).cwiseSqrt();
  const Eigen::MatrixXd scaled = root.asDiagonal() * columns;
  const Eigen::MatrixXd inverse = scaled.completeOrthogonalDecomposition().pseudoInverse();
  return inverse * root.asDiagonal();
}

/// Time from the middle, in units of half the range: columns of powers are then well apart.
struct Scaled {
  double unit;
  Eigen::VectorXd times;
};

Scaled scaled(const Eigen::VectorXd& times) {
  const double middle = (times[0] + times[times.size() - 1]) / 2;
  const double unit = (times[times.size() - 1] - times[0]) / 2;
  return {unit, (times.array() - middle) / unit};
}

}  // namespace

Eigen::MatrixXd trend_contrasts(const Eigen::VectorXd& times, const Eigen::VectorXd& weights,
                                int degree) {
  if (degree < 1) {
    throw std::invalid_argument("a trend has a degree of at least 1");
  }
  check(times, weights, degree + 1);
  const Scaled time = scaled(times);
  Eigen::MatrixXd powers = Eigen::MatrixXd::Ones(times.size(), degree + 1);
  Eigen::MatrixXd result(degree, times.size());
  for (int d = 1; d <= degree; ++d) {
    powers.col(d) = powers.col(d - 1).cwiseProduct(time.times);
    result.row(d - 1) =
        least_squares(powers.leftCols(d + 1), weights).row(d) / std::pow(time.unit, d);
  }
  return result;
}

Eigen::MatrixXd joinpoint_contrasts(const Eigen::VectorXd& times, const Eigen::VectorXd& weights) {
  constexpr Eigen::Index kFewest = 4;
  check(times, weights, kFewest);
  const Scaled time = scaled(times);
  Eigen::MatrixXd columns(times.size(), 3);
  columns.col(0).setOnes();
  columns.col(1) = time.times;
  Eigen::MatrixXd result(3 * (times.size() - 2), times.size());
  for (Eigen::Index k = 1; k + 1 < times.size(); ++k) {
    columns.col(2) = (time.times.array() - time.times[k]).cwiseMax(0.0);
    const Eigen::MatrixXd rows = least_squares(columns, weights) / time.unit;
    const Eigen::Index at = 3 * (k - 1);
    result.row(at) = rows.row(1);
    result.row(at + 1) = rows.row(1) + rows.row(2);
    result.row(at + 2) = rows.row(2);
  }
  return result;
}

Eigen::MatrixXd step_contrasts(Eigen::Index periods) {
  if (periods < 2) {
    throw std::invalid_argument("a step is between two periods");
  }
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(periods - 1, periods);
  result.diagonal().setConstant(-1);
  result.diagonal<1>().setConstant(1);
  return result;
}

Eigen::MatrixXd average_contrasts(const Eigen::VectorXd& weights, Eigen::Index window) {
  const Eigen::Index periods = weights.size();
  if (window < 1 || window > periods) {
    throw std::invalid_argument("a window has one period at least, and not more than there are");
  }
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(periods - window + 1, periods);
  for (Eigen::Index first = 0; first < result.rows(); ++first) {
    const auto inside = weights.segment(first, window);
    if (!(inside.minCoeff() >= 0 && inside.sum() > 0 && std::isfinite(inside.sum()))) {
      throw std::invalid_argument("weights of periods are not negative, and one is above 0");
    }
    result.row(first).segment(first, window) = inside.transpose() / inside.sum();
  }
  return result;
}

}  // namespace steelyard
