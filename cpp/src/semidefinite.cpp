#include "steelyard/semidefinite.hpp"

#include <algorithm>
#include <cmath>

namespace steelyard {
namespace {

/// Shares of a diagonal below which what is left of it is rounding.
constexpr double kRounding = 1e-12;

}  // namespace

Semidefinite::Semidefinite(const Eigen::MatrixXd& matrix)
    : lower_(Eigen::MatrixXd::Zero(matrix.rows(), matrix.cols())),
      root_(matrix.diagonal().cwiseMax(0).cwiseSqrt()) {
  const Eigen::Index size = matrix.rows();
  // Where each row begins: margins make most of the matrix 0, and what is left of that stays so.
  std::vector<Eigen::Index> start(static_cast<std::size_t>(size));
  for (Eigen::Index i = 0; i < size; ++i) {
    Eigen::Index first = 0;
    while (first < i && matrix(i, first) == 0) {
      ++first;
    }
    start[static_cast<std::size_t>(i)] = first;
  }
  for (Eigen::Index j = 0; j < size; ++j) {
    const double left = 1 - lower_.row(j).head(j).squaredNorm();
    if (!(root_[j] > 0) || !(left > kRounding)) {
      redundant_.push_back(j);
      lower_.row(j).setZero();
      continue;
    }
    lower_(j, j) = std::sqrt(left);
    for (Eigen::Index i = j + 1; i < size; ++i) {
      const Eigen::Index from =
          std::max(start[static_cast<std::size_t>(i)], start[static_cast<std::size_t>(j)]);
      if (root_[i] > 0 && start[static_cast<std::size_t>(i)] <= j) {
        const double own = matrix(i, j) / (root_[i] * root_[j]);
        const Eigen::Index length = std::max<Eigen::Index>(0, j - from);
        const double known =
            lower_.row(i).segment(from, length).dot(lower_.row(j).segment(from, length));
        lower_(i, j) = (own - known) / lower_(j, j);
      }
    }
  }
  for (const Eigen::Index j : redundant_) {
    lower_(j, j) = 1;
    lower_.col(j).tail(size - j - 1).setZero();
  }
}

Eigen::MatrixXd Semidefinite::solve(const Eigen::MatrixXd& right) const {
  Eigen::VectorXd inverse = Eigen::VectorXd::Zero(root_.size());
  for (Eigen::Index j = 0; j < root_.size(); ++j) {
    inverse[j] = root_[j] > 0 ? 1 / root_[j] : 0;
  }
  for (const Eigen::Index j : redundant_) {
    inverse[j] = 0;
  }
  Eigen::MatrixXd solution = inverse.asDiagonal() * right;
  lower_.triangularView<Eigen::Lower>().solveInPlace(solution);
  lower_.triangularView<Eigen::Lower>().transpose().solveInPlace(solution);
  return inverse.asDiagonal() * solution;
}

}  // namespace steelyard
