#pragma once

#include <Eigen/Core>
#include <vector>

#include "steelyard/matrix.hpp"

namespace steelyard {

/// A variance that is given as a quadratic form in the totals of units: z^T Q z.
///
/// Q lies in blocks. Each is factorised once, as Q = R^T diag(sign) R, and R z are its deviations;
/// a sign of -1 stands where an estimated Q is not positive semi-definite.
///
/// Reference: Särndal, Swensson & Wretman (1992), sections 2.8 and 9.3.
class VarianceForm {
 public:
  struct Block {
    std::vector<Eigen::Index> units;
    Eigen::MatrixXd coefficients;  ///< units x units, symmetric
  };
  /// Units in a block above which the factors would cost too much.
  static constexpr Eigen::Index kMostUnits = 5000;
  /// To be asked before the coefficients of so many units are made.
  /// @throws std::invalid_argument for more.
  static void check_size(Eigen::Index units);

  /// @throws std::invalid_argument for a block with more units, or of another shape.
  explicit VarianceForm(const std::vector<Block>& blocks);

  /// Adds rows of nothing, until there are so many.
  void pad(Eigen::Index rows);

  Eigen::Index rows() const { return signs_.size(); }
  /// +1 or -1 for each row of deviations; empty where all are +1.
  const Eigen::VectorXd& signs() const { return has_negative_ ? signs_ : none_; }
  /// @param totals units x estimates.
  RowMatrix deviate(const RowMatrix& totals) const;
  /// The transposed map.
  /// @param multipliers rows x any number.
  /// @return units x as many.
  RowMatrix transpose(const RowMatrix& multipliers, Eigen::Index units) const;

 private:
  struct Factor {
    std::vector<Eigen::Index> units;
    RowMatrix root;  // rows x units of the block
  };
  std::vector<Factor> factors_;
  Eigen::VectorXd signs_;
  Eigen::VectorXd none_;
  bool has_negative_ = false;
};

}  // namespace steelyard
