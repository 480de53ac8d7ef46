#include "steelyard/propensity.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <utility>

#include "steelyard/calibration.hpp"
#include "steelyard/design.hpp"
#include "steelyard/error.hpp"
#include "steelyard/regression.hpp"

namespace steelyard {
namespace {

/// Regressors of every row in the basis of a fit, and probabilities; NaN where a value is missing.
struct Fitted {
  std::shared_ptr<Eigen::MatrixXd> regressors;  // rows x columns of the basis
  Eigen::VectorXd probability;
};

Fitted evaluate(const FittedModel& model, Eigen::Index rows) {
  Fitted result{std::make_shared<Eigen::MatrixXd>(rows, model.coefficients.size()),
                Eigen::VectorXd(rows)};
  ModelBlock block;
  RowMatrix z;
  MeanBlock means;
  for (Eigen::Index begin = 0; begin < rows; begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, rows - begin);
    block.read(model.data, begin, count);
    model.mean.evaluate(model.predictor(block, z), means);
    result.probability.segment(begin, count) = means.mean.matrix();
    result.regressors->middleRows(begin, count) = z.leftCols(count).transpose();
  }
  return result;
}

Regression fit(const ModelMatrix& matrix, const Column& responded,
               const std::vector<std::uint8_t>& eligible, const Eigen::VectorXd& weights,
               int threads) {
  const Eigen::Index rows = weights.size();
  std::vector<std::int32_t> domain(eligible.size());
  std::transform(eligible.begin(), eligible.end(), domain.begin(),
                 [](std::uint8_t is) { return is != 0 ? 0 : Codes::kNone; });
  const Column column("weights", Column::Type::kFloat64, weights.data(), rows);
  const Design design =
      Design::stratified(rows, column, Codes(), Codes(), Column(), Lonely::kCertainty);
  return fit_regression(design, Domains{Codes(std::move(domain), 1)}, matrix, responded,
                        {.family = Family::kBinomial, .link = Link::kLogit, .threads = threads});
}

std::vector<Column> columns_of(const std::shared_ptr<Eigen::MatrixXd>& matrix) {
  std::vector<Column> columns;
  for (Eigen::Index j = 0; j < matrix->cols(); ++j) {
    columns.emplace_back("", Column::Type::kFloat64, matrix->col(j).data(), matrix->rows(), matrix);
  }
  return columns;
}

}  // namespace

Propensity::Propensity(ModelMatrix matrix, Column responded, std::vector<std::uint8_t> eligible,
                       int classes)
    : matrix_(std::move(matrix)),
      responded_(std::move(responded)),
      eligible_(std::move(eligible)),
      classes_(classes) {
  if (matrix_.rows() != responded_.size() ||
      matrix_.rows() != static_cast<Eigen::Index>(eligible_.size())) {
    throw std::invalid_argument("regressors and responses have different numbers of rows");
  }
  if (classes < 0 || classes == 1) {
    throw std::invalid_argument("two classes or more are needed, or none");
  }
}

Adjusted Propensity::apply(const Before& before, int threads) const {
  const Eigen::VectorXd& weights = before.weights;
  if (weights.size() != matrix_.rows()) {
    throw std::invalid_argument("weights have another number of rows than the step");
  }
  const Regression found = fit(matrix_, responded_, eligible_, weights, threads);
  const Fitted fitted = evaluate(*found.model, weights.size());
  Offence missing;
  for (Eigen::Index row = 0; row < weights.size(); ++row) {
    if (eligible_[static_cast<std::size_t>(row)] != 0 && weights[row] > 0 &&
        std::isnan(fitted.probability[row])) {
      missing.add(row);
    }
  }
  if (missing.count > 0) {
    throw InvalidColumn("regressors of response", InvalidColumn::Problem::kMissing, missing);
  }
  if (classes_ > 0) {
    return by_class(before, fitted.probability, threads);
  }
  Adjusted result;
  result.weights = weights;
  result.iterations = found.iterations;
  Projection& projection = result.projection;
  projection.cells = {Codes(), Controls({}, columns_of(fitted.regressors))};
  projection.part = Eigen::VectorXd::Zero(weights.size());
  projection.pull = Eigen::VectorXd::Zero(weights.size());
  Eigen::VectorXd information = Eigen::VectorXd::Zero(weights.size());
  for (Eigen::Index row = 0; row < weights.size(); ++row) {
    if (eligible_[static_cast<std::size_t>(row)] == 0 || !(weights[row] > 0)) {
      fitted.regressors->row(row).setZero();  // may not be numbers
      continue;
    }
    const double p = fitted.probability[row];
    const bool responds = responded_[row] != 0;
    result.weights[row] = responds ? weights[row] / p : 0;
    projection.part[row] = weights[row] * ((responds ? 1 : 0) - p);
    projection.pull[row] = responds ? 1 - p : 0;
    information[row] = weights[row] * p * (1 - p);
  }
  projection.information.emplace_back(
      projection.cells.controls.products(information, threads).front());
  return result;
}

Adjusted Propensity::by_class(const Before& before, const Eigen::VectorXd& probability,
                              int threads) const {
  const Eigen::VectorXd& weights = before.weights;
  const auto counts = [&](Eigen::Index row) {
    return eligible_[static_cast<std::size_t>(row)] != 0 && weights[row] > 0;
  };
  std::vector<double> ordered;
  for (Eigen::Index row = 0; row < weights.size(); ++row) {
    if (counts(row)) {
      ordered.push_back(probability[row]);
    }
  }
  std::sort(ordered.begin(), ordered.end());
  std::vector<double> cuts;
  for (int k = 1; k < classes_; ++k) {
    cuts.push_back(
        ordered[ordered.size() * static_cast<std::size_t>(k) / static_cast<std::size_t>(classes_)]);
  }
  std::vector<std::int32_t> codes(static_cast<std::size_t>(weights.size()), Codes::kNone);
  std::vector<std::uint8_t> stands(codes.size(), 0);
  for (Eigen::Index row = 0; row < weights.size(); ++row) {
    if (counts(row)) {
      const auto at = static_cast<std::size_t>(row);
      codes[at] = static_cast<std::int32_t>(
          std::upper_bound(cuts.begin(), cuts.end(), probability[row]) - cuts.begin());
      stands[at] = responded_[row] != 0 ? 1 : 0;
    }
  }
  return Calibration(Controls({Codes(std::move(codes), classes_)}, {}), std::move(stands),
                     eligible_, {})
      .apply(before, threads);
}

}  // namespace steelyard
