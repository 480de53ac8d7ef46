#include "steelyard/column_means.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace steelyard {
namespace {

class ColumnMeans final : public Estimator {
 public:
  explicit ColumnMeans(std::shared_ptr<const FittedModel> model)
      : Estimator(model->data.columns(), model->data.matrix.columns()), model_(std::move(model)) {}

  Eigen::Index estimates() const override { return width(); }
  bool is_ratio() const override { return true; }

  void read(const RowBlock& rows, RowMatrix& buffer,
            std::vector<const double*>& into) const override {
    ModelBlock block;
    block.read(model_->data, rows.begin, rows.count);
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      // Only rows that the fit used.
      if (std::isnan(block.response[i]) || std::isnan(block.offset[i])) {
        block.x.col(i).setConstant(std::numeric_limits<double>::quiet_NaN());
      }
    }
    into.clear();
    for (Eigen::Index j = 0; j < width(); ++j) {
      buffer.row(j).head(rows.count) = block.x.row(j).head(rows.count);
      into.push_back(buffer.row(j).data());
    }
  }

  Linearisation linearise(const DomainSums& sums) const override {
    const double weight = sums.features[0];
    const Eigen::VectorXd mean = sums.features.tail(width()) / weight;
    Linearisation result{sums.centre.tail(width()) + mean,
                         Eigen::MatrixXd::Zero(width(), features())};
    result.gradient.col(0) = -mean / weight;
    result.gradient.rightCols(width()).diagonal().setConstant(1 / weight);
    return result;
  }

 private:
  std::shared_ptr<const FittedModel> model_;
};

}  // namespace

EstimatorPtr column_means(const Regression& fit) {
  return std::make_shared<ColumnMeans>(fit.model);
}

}  // namespace steelyard
