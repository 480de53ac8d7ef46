#include "steelyard/ordinal.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

#include "steelyard/cumulative.hpp"
#include "steelyard/ordinal_newton.hpp"
#include "steelyard/reweighting.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

using Array = Eigen::ArrayXd;

class Coefficients final : public Estimator {
 public:
  explicit Coefficients(std::shared_ptr<const FittedOrdinal> model)
      : Estimator(model->data.columns(), model->inverse.rows()), model_(std::move(model)) {}

  Eigen::Index estimates() const override { return width(); }
  bool is_ratio() const override { return true; }

  void read(const RowBlock& rows, RowMatrix& buffer,
            std::vector<const double*>& into) const override {
    ModelBlock block;
    block.read(model_->data, rows.begin, rows.count);
    const Array known = block.response + block.offset +
                        block.x.leftCols(rows.count).colwise().sum().transpose().array();
    block.response = block.response.isNaN().select(0.0, block.response);
    RowMatrix z;
    model_->basis.apply(block.x, rows.count, z);
    CumulativeBlock at;
    evaluate_cumulative(model_->link, block.response,
                        (model_->slopes.transpose() * z).transpose().array() + block.offset,
                        model_->thresholds, at);
    RowMatrix scores(width(), rows.count);
    put_scores(at, block.response, z, scores);
    into.clear();
    for (Eigen::Index j = 0; j < width(); ++j) {
      buffer.row(j).head(rows.count) = scores.row(j).array() + 0 * known.transpose();
      into.push_back(buffer.row(j).data());
    }
  }

  Linearisation linearise(const DomainSums& sums) const override {
    Linearisation result{model_->values(), Eigen::MatrixXd(width(), features())};
    const Eigen::MatrixXd response = model_->to_columns * model_->inverse / model_->mean_weight;
    result.gradient.col(0) = response * sums.centre;
    result.gradient.rightCols(width()) = response;
    return result;
  }

  bool needs_refit() const override { return true; }
  RowMatrix refit(const Design& design, const Domains& domains) const override {
    try {
      const Ordinal again =
          fit_ordinal(design, domains, model_->data.matrix, model_->data.categories,
                      {.link = model_->link.link(), .offset = model_->data.offset, .threads = 1});
      if (again.model->basis.kept() == model_->basis.kept()) {
        return again.model->values().transpose();
      }
    } catch (const FitError&) {  // under these weights there is no fit
    }
    return RowMatrix::Constant(1, width(), kNotANumber);
  }

 private:
  std::shared_ptr<const FittedOrdinal> model_;
};

/// Slopes by the basis; thresholds take what centring took from the predictor.
Eigen::MatrixXd to_columns(const Basis& basis, Eigen::Index thresholds) {
  const Eigen::Index slopes = basis.size();
  Eigen::MatrixXd result = Eigen::MatrixXd::Identity(slopes + thresholds, slopes + thresholds);
  result.topLeftCorner(slopes, slopes) = basis.to_columns();
  result.bottomLeftCorner(thresholds, slopes).rowwise() = basis.shift().transpose();
  return result;
}

}  // namespace

Eigen::VectorXd FittedOrdinal::values() const {
  Eigen::VectorXd both(slopes.size() + thresholds.size());
  both << slopes, thresholds;
  return to_columns * both;
}

Ordinal fit_ordinal(const Design& design, const Domains& domains, ModelMatrix matrix,
                    Codes categories, const OrdinalOptions& options) {
  const MeanModel link(Family::kBinomial, options.link);
  if (categories.levels() < 2) {
    throw std::invalid_argument("ordered categories are at least two");
  }
  const Eigen::Index thresholds = categories.levels() - 1;
  ModelData data{std::move(matrix), {}, std::move(categories), options.offset};
  const ModelSample sample{data, design, domains, options.threads};
  sample.check();
  Basis basis = Basis::of(sample, true, [](double) { return true; });
  const NewtonResult found = maximise(sample, link, basis, options.most_iterations);
  Ordinal fit;
  fit.aliased = basis.aliased();
  fit.deviance = found.deviance;
  fit.null_deviance = found.null_deviance;
  fit.iterations = found.iterations;
  fit.converged = true;
  fit.used = basis.counts().used;
  fit.missing = basis.counts().missing;
  const Eigen::MatrixXd inverse = invert(found.information);
  const Eigen::MatrixXd map = to_columns(basis, thresholds);
  fit.information_inverse = map * inverse * map.transpose();
  fit.slopes.setConstant(data.matrix.columns(), kNotANumber);
  fit.model = std::make_shared<const FittedOrdinal>(FittedOrdinal{
      std::move(data), link, basis, found.coefficients.head(basis.size()),
      found.coefficients.tail(thresholds), inverse, map, basis.counts().mean_weight()});
  const Eigen::VectorXd values = fit.model->values();
  fit.slopes(basis.kept()) = values.head(basis.size());
  fit.thresholds = values.tail(thresholds);
  return fit;
}

EstimatorPtr coefficients(const Ordinal& fit) { return std::make_shared<Coefficients>(fit.model); }

}  // namespace steelyard
