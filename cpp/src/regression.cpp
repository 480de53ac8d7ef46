#include "steelyard/regression.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "steelyard/error.hpp"
#include "steelyard/reweighting.hpp"
#include "steelyard/separation.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// Iteratively reweighted least squares, on its way.
class Iteration {
 public:
  Iteration(const ModelSample& sample, const MeanModel& mean, const Basis& basis, int most)
      : sample_(sample), mean_(mean), basis_(basis), pass_(sample, mean, basis), most_(most) {}

  struct Result {
    Eigen::VectorXd coefficients;
    WorkingSums sums;
    double null_deviance;
    int iterations;
  };

  Result run() {
    const WorkingSums first = pass_.start();
    null_deviance_ = first.null_deviance;
    const std::optional<Eigen::VectorXd> begin = first.step();
    coefficients_ = begin ? *begin : Eigen::VectorXd::Zero(basis_.size());
    for (int i = 1; i <= most_; ++i) {
      WorkingSums sums = pass_.at(coefficients_);
      if (must_halve(sums)) {
        continue;
      }
      const std::optional<Eigen::VectorXd> step = sums.step();
      if (!step) {
        give_up();
      }
      const double before = decrement_;
      decrement_ = step->dot(sums.score);
      history_.push_back(coefficients_);
      last_step_ = *step;
      deviance_ = sums.deviance;
      coefficients_ += *step;
      if (converged(sums, *step, before)) {
        return {coefficients_, std::move(sums), null_deviance_, i};
      }
      look_for_separation(i);
    }
    give_up();
  }

 private:
  const ModelSample& sample_;
  const MeanModel& mean_;
  const Basis& basis_;
  Reweighting pass_;
  int most_;
  int halvings_ = 0;
  double null_deviance_ = 0;
  double deviance_ = std::numeric_limits<double>::infinity();
  double decrement_ = std::numeric_limits<double>::infinity();
  Eigen::VectorXd coefficients_;
  Eigen::VectorXd last_step_;
  std::vector<Eigen::VectorXd> history_;

  /// Goes back half of a step that left the range of the family or made the deviance worse.
  bool must_halve(const WorkingSums& sums) {
    constexpr double kRounding = 1e-10;
    constexpr double kRoundingOfAPerfectFit = 1e-13;
    constexpr int kMostHalvings = 40;
    const bool worse = !(sums.deviance <= deviance_ + kRounding * std::abs(deviance_) +
                                              kRoundingOfAPerfectFit * null_deviance_);
    if (sums.valid && !worse) {
      halvings_ = 0;
      return false;
    }
    if (++halvings_ > kMostHalvings) {
      give_up();
    }
    coefficients_ = 0.5 * (coefficients_ + (history_.empty() ? constant() : history_.back()));
    return true;
  }

  /// Coefficients at which every mean is that of the responses, where the columns can do that.
  Eigen::VectorXd constant() const {
    Eigen::VectorXd result = Eigen::VectorXd::Zero(basis_.size());
    const double level =
        mean_.link_of(Eigen::ArrayXd::Constant(1, basis_.counts().mean_response()))[0];
    for (Eigen::Index i = 0; i < sample_.data.matrix.constant() && i < basis_.size(); ++i) {
      result[i] = level * basis_.scale()[i];
    }
    return result;
  }

  bool may_separate() const {
    return mean_.family() == Family::kBinomial || mean_.family() == Family::kPoisson;
  }

  /// The decrement is the squared length of the step in standard errors, times the dispersion.
  bool converged(const WorkingSums& sums, const Eigen::VectorXd& step, double before) const {
    constexpr double kSmallStep = 1e-22;
    constexpr double kRounding = 1e-29;
    constexpr double kStuckBelow = 1e-16;
    // A step along a direction that separates the data is short in standard errors, not in itself.
    if (may_separate() && step.cwiseAbs().maxCoeff() > 1e-6) {
      return false;
    }
    const double dispersion = sums.deviance / static_cast<double>(basis_.counts().used);
    const Eigen::MatrixXd information = sums.information.selfadjointView<Eigen::Lower>();
    const double size = coefficients_.dot(information * coefficients_);
    const double small = kSmallStep * dispersion + kRounding * size;
    const bool stuck = decrement_ > before / 4 && decrement_ < kStuckBelow * dispersion;
    return decrement_ <= small || stuck;
  }

  void look_for_separation(int iteration) {
    constexpr int kFirst = 12;
    constexpr int kEvery = 4;
    if (may_separate() && iteration >= kFirst && iteration % kEvery == 0 &&
        last_step_.cwiseAbs().maxCoeff() > 1e-3) {
      refuse_separation();
    }
  }

  /// Where the maximum lies at infinity, steps go on along the way there.
  void refuse_separation() const {
    if (!may_separate() || history_.size() < 2) {
      return;
    }
    const Eigen::VectorXd way = coefficients_ - history_[history_.size() / 2];
    for (const Eigen::VectorXd& direction : {last_step_, way}) {
      if (separates(sample_, basis_, direction, [&](double y) { return mean_.limit(y); })) {
        throw FitError(FitError::Problem::kSeparation,
                       columns_moved(sample_.data.matrix, basis_, direction));
      }
    }
  }

  [[noreturn]] void give_up() const {
    refuse_separation();
    throw FitError(FitError::Problem::kNoConvergence,
                   last_step_.size() == 0 ? std::vector<std::string>()
                                          : columns_moved(sample_.data.matrix, basis_, last_step_));
  }
};

/// Weighted variance of the Pearson residuals.
double dispersion_of(const WorkingSums& sums, const ModelCounts& counts) {
  const auto n = static_cast<double>(counts.used);
  const double weight = counts.weight / counts.mean_weight();
  const double mean = sums.pearson / weight;
  return n / (n - 1) * (sums.pearson_square / weight - mean * mean);
}

/// Sums the scores of the basis, whose weighted sums are nothing at the fit.
class Coefficients final : public Estimator {
 public:
  explicit Coefficients(std::shared_ptr<const FittedModel> model)
      : Estimator(model->data.columns(), model->basis.size()), model_(std::move(model)) {}

  Eigen::Index estimates() const override { return width(); }
  bool is_ratio() const override { return true; }

  void read(const RowBlock& rows, RowMatrix& buffer,
            std::vector<const double*>& into) const override {
    ModelBlock block;
    model_->read_scores(block, rows.begin, rows.count, buffer);
    into.clear();
    for (Eigen::Index j = 0; j < width(); ++j) {
      into.push_back(buffer.row(j).data());
    }
  }

  Linearisation linearise(const DomainSums& sums) const override {
    Linearisation result{model_->to_columns * model_->coefficients,
                         Eigen::MatrixXd(width(), features())};
    const Eigen::MatrixXd response = model_->to_columns * model_->inverse / model_->mean_weight;
    result.gradient.col(0) = response * sums.centre;
    result.gradient.rightCols(width()) = response;
    return result;
  }

  bool needs_refit() const override { return true; }
  RowMatrix refit(const Design& design, const Domains& domains) const override {
    const std::optional<Regression> again = steelyard::refit(*model_, design, domains);
    if (!again) {
      return RowMatrix::Constant(1, width(), kNotANumber);
    }
    return (again->model->to_columns * again->model->coefficients).transpose();
  }

 private:
  std::shared_ptr<const FittedModel> model_;
};

}  // namespace

Eigen::ArrayXd FittedModel::predictor(const ModelBlock& block, RowMatrix& z) const {
  basis.apply(block.x, block.count, z);
  return (coefficients.transpose() * z).transpose().array() + block.offset;
}

void FittedModel::read_scores(ModelBlock& block, Eigen::Index begin, Eigen::Index count,
                              RowMatrix& into) const {
  block.read(data, begin, count);
  RowMatrix z;
  const Eigen::ArrayXd at_rows = predictor(block, z);
  MeanBlock at;
  mean.evaluate(at_rows, at);
  Eigen::ArrayXd factor = mean.residual(block.response, at) * at.ratio;
  // Bounds on the predictor may have hidden a missing value, and columns left out are not in it.
  factor += 0 * (at_rows + block.x.leftCols(count).colwise().sum().transpose().array());
  into.topLeftCorner(basis.size(), count) = z.array().rowwise() * factor.transpose();
}

Regression fit_regression(const Design& design, const Domains& domains, ModelMatrix matrix,
                          Column response, const RegressionOptions& options) {
  const MeanModel mean(options.family, options.link);
  ModelData data{std::move(matrix), std::move(response), {}, options.offset};
  const ModelSample sample{data, design, domains, options.threads};
  sample.check();
  Basis basis = Basis::of(sample, false, [&](double y) { return mean.allows(y); });
  if (basis.size() == 0) {
    throw FitError(FitError::Problem::kNothingToFit, {});
  }
  Iteration::Result found = Iteration(sample, mean, basis, options.most_iterations).run();
  Regression fit;
  fit.aliased = basis.aliased();
  fit.dispersion = dispersion_of(found.sums, basis.counts());
  fit.deviance = found.sums.deviance;
  const bool null_has_to_be_fitted = data.offset.size() > 0 && data.matrix.constant() > 0;
  fit.null_deviance = null_has_to_be_fitted
                          ? Reweighting(sample, mean, basis).null_deviance_with_offset()
                          : found.null_deviance;
  fit.iterations = found.iterations;
  fit.converged = true;
  fit.used = basis.counts().used;
  fit.missing = basis.counts().missing;
  const Eigen::MatrixXd inverse = invert(found.sums.information);
  const Eigen::MatrixXd to_columns = basis.to_columns();
  fit.information_inverse = to_columns * inverse * to_columns.transpose();
  fit.coefficients.setConstant(data.matrix.columns(), kNotANumber);
  fit.coefficients(basis.kept()) = to_columns * found.coefficients;
  const double mean_weight = basis.counts().mean_weight();
  fit.model = std::make_shared<const FittedModel>(
      FittedModel{std::move(data), mean, std::move(basis), std::move(found.coefficients), inverse,
                  to_columns, mean_weight});
  return fit;
}

std::optional<Regression> refit(const FittedModel& model, const Design& design,
                                const Domains& domains) {
  try {
    Regression again = fit_regression(design, domains, model.data.matrix, model.data.response,
                                      {.family = model.mean.family(),
                                       .link = model.mean.link(),
                                       .offset = model.data.offset,
                                       .threads = 1});
    if (again.model->basis.kept() == model.basis.kept()) {
      return again;
    }
  } catch (const FitError&) {  // under these weights there is no fit
  }
  return std::nullopt;
}

EstimatorPtr coefficients(const Regression& fit) {
  return std::make_shared<Coefficients>(fit.model);
}

}  // namespace steelyard
