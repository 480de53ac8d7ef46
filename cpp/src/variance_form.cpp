#include "steelyard/variance_form.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <stdexcept>
#include <string>

namespace steelyard {
namespace {

/// Pivots below this share of the largest are rounding.
constexpr double kRounding = 1e-13;

void check(const VarianceForm::Block& block) {
  const auto size = static_cast<Eigen::Index>(block.units.size());
  if (block.coefficients.rows() != size || block.coefficients.cols() != size) {
    throw std::invalid_argument("a block has one row and one column of coefficients a unit");
  }
  VarianceForm::check_size(size);
}

/// Q = rows^T diag(signs) rows.
struct Root {
  RowMatrix rows;
  std::vector<double> signs;
};

Root root_by_rank(const Eigen::VectorXd& size, const Eigen::MatrixXd& rows) {
  const double smallest = kRounding * size.cwiseAbs().maxCoeff();
  Root root;
  std::vector<Eigen::Index> kept;
  for (Eigen::Index i = 0; i < size.size(); ++i) {
    if (std::abs(size[i]) > smallest) {
      kept.push_back(i);
      root.signs.push_back(size[i] > 0 ? 1.0 : -1.0);
    }
  }
  const Eigen::VectorXd scale = size(kept).cwiseAbs().cwiseSqrt();
  root.rows = scale.asDiagonal() * rows(kept, Eigen::all);
  return root;
}

/// By Cholesky's method where Q is positive semi-definite; that has pivots of single rows only, so
/// otherwise by eigenvectors.
Root root_of(const Eigen::MatrixXd& coefficients) {
  const Eigen::LDLT<Eigen::MatrixXd> pivoted(coefficients);
  const Eigen::VectorXd pivots = pivoted.vectorD();
  const bool is_definite = pivoted.info() == Eigen::Success &&
                           pivots.minCoeff() >= -kRounding * pivots.cwiseAbs().maxCoeff();
  if (is_definite) {
    const Eigen::MatrixXd upper = pivoted.matrixU();
    const Eigen::MatrixXd order =
        pivoted.transpositionsP() * Eigen::MatrixXd::Identity(upper.rows(), upper.cols());
    return root_by_rank(pivots, upper * order);
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> spectrum(coefficients);
  return root_by_rank(spectrum.eigenvalues(), spectrum.eigenvectors().transpose());
}

}  // namespace

void VarianceForm::check_size(Eigen::Index units) {
  if (units > kMostUnits) {
    throw std::invalid_argument("the variance comes from pairs of units, and " +
                                std::to_string(units) + " are too many (at most " +
                                std::to_string(kMostUnits) + " that depend on each other)");
  }
}

VarianceForm::VarianceForm(const std::vector<Block>& blocks) {
  std::vector<double> signs;
  for (const Block& block : blocks) {
    check(block);
    if (block.units.empty()) {
      continue;
    }
    const Root root = root_of(block.coefficients);
    for (const double sign : root.signs) {
      signs.push_back(sign);
      has_negative_ = has_negative_ || sign < 0;
    }
    factors_.push_back({block.units, root.rows});
  }
  signs_ = Eigen::Map<Eigen::VectorXd>(signs.data(), static_cast<Eigen::Index>(signs.size()));
}

void VarianceForm::pad(Eigen::Index rows) {
  const Eigen::Index present = signs_.size();
  if (present < rows) {
    signs_.conservativeResize(rows);
    signs_.tail(rows - present).setOnes();
  }
}

RowMatrix VarianceForm::deviate(const RowMatrix& totals) const {
  RowMatrix result(rows(), totals.cols());
  Eigen::Index at = 0;
  for (const Factor& factor : factors_) {
    result.middleRows(at, factor.root.rows()).noalias() =
        factor.root * totals(factor.units, Eigen::all);
    at += factor.root.rows();
  }
  result.bottomRows(rows() - at).setZero();
  return result;
}

RowMatrix VarianceForm::transpose(const RowMatrix& multipliers, Eigen::Index units) const {
  RowMatrix result = RowMatrix::Zero(units, multipliers.cols());
  Eigen::Index at = 0;
  for (const Factor& factor : factors_) {
    const Eigen::Index own = factor.root.rows();
    result(factor.units, Eigen::all) += factor.root.transpose() * multipliers.middleRows(at, own);
    at += own;
  }
  return result;
}

}  // namespace steelyard
