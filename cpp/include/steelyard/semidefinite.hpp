#pragma once

#include <Eigen/Core>
#include <vector>

namespace steelyard {

/// A symmetric, positive semi-definite matrix, factorised by Cholesky's method in the order given:
/// a row that the earlier ones give, but for rounding, is left out, and has a solution of 0.
class Semidefinite {
 public:
  /// @param matrix of which the lower triangle counts.
  explicit Semidefinite(const Eigen::MatrixXd& matrix);

  Eigen::MatrixXd solve(const Eigen::MatrixXd& right) const;
  /// Rows left out.
  const std::vector<Eigen::Index>& redundant() const { return redundant_; }

 private:
  Eigen::MatrixXd lower_;  // of the matrix with a diagonal of 1
  Eigen::VectorXd root_;   // of the diagonal
  std::vector<Eigen::Index> redundant_;
};

}  // namespace steelyard
