#include "steelyard/unit_adjustment.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "steelyard/basis.hpp"

namespace steelyard {
namespace {

struct SquaredWeights {
  Eigen::MatrixXd products;  // lower triangle

  void merge(const SquaredWeights& part) { products += part.products; }
};

}  // namespace

UnitAdjustment::UnitAdjustment(const FittedModel& model, const ModelSample& sample,
                               WorkingVariance working)
    : model_(model), sample_(sample), working_(working), covariance_(model.inverse) {
  find_runs();
  if (working == WorkingVariance::kInverseToWeight) {
    return;
  }
  const Eigen::Index k = model.basis.size();
  const SquaredWeights sums =
      sum_blocks(sample, SquaredWeights{Eigen::MatrixXd::Zero(k, k)}, k * k,
                 [&](const ModelBlock& block, SquaredWeights& into) {
                   if (block.count > 0) {
                     RowMatrix z;
                     model.basis.apply(block.x, block.count, z);
                     add_gram(z, (block.weight / model.mean_weight).square(), into.products);
                   }
                 });
  const Eigen::MatrixXd products = sums.products.selfadjointView<Eigen::Lower>();
  covariance_ = model.inverse * products * model.inverse;
}

void UnitAdjustment::find_runs() {
  const Design& design = sample_.design;
  const std::int32_t* unit_of_row = design.unit_of_row();
  const auto unit = [&](Eigen::Index row) {
    return design.rows_are_units() ? row : static_cast<Eigen::Index>(unit_of_row[row]);
  };
  const auto for_each_run = [&](const auto& visit) {
    for (Eigen::Index row = 0; row < design.rows();) {
      const Eigen::Index begin = row;
      while (row < design.rows() && unit(row) == unit(begin)) {
        ++row;
      }
      visit(static_cast<std::size_t>(unit(begin)), Run{begin, row - begin});
    }
  };
  first_run_.assign(static_cast<std::size_t>(design.units()) + 1, 0);
  for_each_run([&](std::size_t i, const Run&) { ++first_run_[i + 1]; });
  for (std::size_t i = 1; i < first_run_.size(); ++i) {
    first_run_[i] += first_run_[i - 1];
  }
  runs_.resize(first_run_.back());
  std::vector<std::size_t> next = first_run_;
  for_each_run([&](std::size_t i, const Run& run) { runs_[next[i]++] = run; });
}

Eigen::MatrixXd UnitAdjustment::read(Eigen::Index unit) const {
  const auto at = static_cast<std::size_t>(unit);
  Eigen::Index most = 0;
  for (std::size_t r = first_run_[at]; r < first_run_[at + 1]; ++r) {
    most += runs_[r].count;
  }
  const bool equal = working_ == WorkingVariance::kEqual;
  const Eigen::Index k = model_.basis.size();
  Eigen::MatrixXd result(most, (equal ? 2 * k : k) + 1);
  Eigen::Index used = 0;
  ModelBlock block;
  RowMatrix z;
  for (std::size_t r = first_run_[at]; r < first_run_[at + 1]; ++r) {
    const Eigen::Index end = runs_[r].begin + runs_[r].count;
    for (Eigen::Index row = runs_[r].begin; row < end; row += kBlockRows) {
      block.read_used(sample_, row, std::min(kBlockRows, end - row));
      if (block.count == 0) {
        continue;
      }
      const Eigen::ArrayXd predictor = model_.predictor(block, z);
      const Eigen::ArrayXd weight = block.weight / model_.mean_weight;
      const Eigen::ArrayXd root = weight.pow(equal ? 0.0 : 0.5);
      auto rows = result.middleRows(used, block.count);
      rows.leftCols(k) = root.matrix().asDiagonal() * z.transpose();
      if (equal) {
        rows.middleCols(k, k) = weight.matrix().asDiagonal() * z.transpose();
      }
      rows.rightCols(1) = (root * (block.response - predictor)).matrix();
      used += block.count;
    }
  }
  return result.topRows(used);
}

AdjustedUnit UnitAdjustment::adjust(Eigen::Index unit) const {
  constexpr double kSingular = 1e-12;
  const Eigen::Index k = model_.basis.size();
  AdjustedUnit result(k);
  const Eigen::MatrixXd table = read(unit);
  result.rows = table.rows();
  if (table.rows() == 0) {
    return result;
  }
  const Eigen::Index spanned = std::min(table.rows(), table.cols() - 1);
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(table);
  const Eigen::MatrixXd r = qr.matrixQR().topRows(spanned).triangularView<Eigen::Upper>();
  const Eigen::MatrixXd x = r.leftCols(k);
  const Eigen::MatrixXd wx =
      working_ == WorkingVariance::kEqual ? r.middleCols(k, k) : r.leftCols(k);
  const Eigen::MatrixXd cross = x * model_.inverse * wx.transpose();
  const Eigen::MatrixXd b = Eigen::MatrixXd::Identity(spanned, spanned) - cross -
                            cross.transpose() + x * covariance_ * x.transpose();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(b);
  const Eigen::VectorXd& value = eigen.eigenvalues();
  const double floor = kSingular * std::max(1.0, value.maxCoeff());
  const auto root = [floor](double v) { return v > floor ? 1 / std::sqrt(v) : 0.0; };
  const auto range = [floor](double v) { return v > floor ? 1.0 : 0.0; };
  const Eigen::MatrixXd along = eigen.eigenvectors().transpose() * wx;
  const Eigen::MatrixXd adjusted = value.unaryExpr(root).asDiagonal() * along;
  result.score = adjusted.transpose() * (eigen.eigenvectors().transpose() * r.rightCols(1));
  result.seen = x.transpose() * eigen.eigenvectors() * adjusted;
  result.weighted = along.transpose() * adjusted;
  result.kept = along.transpose() * value.unaryExpr(range).asDiagonal() * along;
  result.whole = wx.transpose() * wx;
  result.smallest = value.minCoeff();
  return result;
}

}  // namespace steelyard
