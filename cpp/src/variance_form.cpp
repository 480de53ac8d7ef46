#include "steelyard/variance_form.hpp"

#include <Eigen/Cholesky>
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
  if (size > VarianceForm::kMostUnits) {
    throw std::invalid_argument("joint probabilities of " + std::to_string(size) +
                                " units are too many to factorise (at most " +
                                std::to_string(VarianceForm::kMostUnits) +
                                "): use Brewer's approximation");
  }
}

}  // namespace

VarianceForm::VarianceForm(const std::vector<Block>& blocks) {
  std::vector<double> signs;
  for (const Block& block : blocks) {
    check(block);
    if (block.units.empty()) {
      continue;
    }
    const Eigen::LDLT<Eigen::MatrixXd> pivoted(block.coefficients);
    const Eigen::VectorXd pivots = pivoted.vectorD();
    const double smallest = kRounding * pivots.cwiseAbs().maxCoeff();
    const Eigen::MatrixXd upper = pivoted.matrixU();
    const Eigen::MatrixXd order =
        pivoted.transpositionsP() * Eigen::MatrixXd::Identity(upper.rows(), upper.cols());
    const Eigen::MatrixXd columns = upper * order;
    std::vector<Eigen::Index> kept;
    for (Eigen::Index i = 0; i < pivots.size(); ++i) {
      if (std::abs(pivots[i]) > smallest) {
        kept.push_back(i);
        signs.push_back(pivots[i] > 0 ? 1.0 : -1.0);
        has_negative_ = has_negative_ || pivots[i] < 0;
      }
    }
    const Eigen::VectorXd roots = pivots(kept).cwiseAbs().cwiseSqrt();
    factors_.push_back({block.units, roots.asDiagonal() * columns(kept, Eigen::all)});
  }
  // A row of nothing, so that there are rows for all units that count.
  signs.push_back(1);
  signs_ = Eigen::Map<Eigen::VectorXd>(signs.data(), static_cast<Eigen::Index>(signs.size()));
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

}  // namespace steelyard
