#include "steelyard/prediction.hpp"

#include <algorithm>
#include <stdexcept>

#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

using Array = Eigen::ArrayXd;

void check(const ModelMatrix& of_fit, const ModelMatrix& rows, const Column& offset) {
  if (rows.columns() != of_fit.columns()) {
    throw std::invalid_argument("predictions need the columns of the fit");
  }
  if (offset.size() > 0 && offset.size() != rows.rows()) {
    throw std::invalid_argument("predictions need an offset for every row, or none");
  }
}

/// Rows of a matrix, and what their columns add up to: NaN where one is missing.
struct PredictedRows {
  RowMatrix x;
  Array offset;
  Array known;

  PredictedRows(const ModelMatrix& rows, const Column& offsets)
      : x(rows.columns(), rows.rows()), offset(Array::Zero(rows.rows())) {
    rows.read(0, rows.rows(), x);
    for (Eigen::Index i = 0; i < offsets.size(); ++i) {
      offset[i] = offsets[i];
    }
    known = 0 * (x.colwise().sum().transpose().array() + offset);
  }
};

/// Probabilities of one row's categories, with their derivatives by slopes and thresholds.
void predict_row(const MeanModel& link, const Eigen::VectorXd& x, double predictor,
                 const Eigen::VectorXd& thresholds, Eigen::Ref<Eigen::VectorXd> value,
                 Eigen::Ref<Eigen::MatrixXd> jacobian) {
  MeanBlock at;
  link.evaluate(thresholds.array() - predictor, at);
  const Eigen::Index last = thresholds.size();
  for (Eigen::Index j = 0; j <= last; ++j) {
    const bool in_upper_tail = j > 0 && at.mean[j - 1] > 0.5;
    const double below = j == 0 ? 0 : at.mean[j - 1];
    const double above = j == last ? 0 : at.rest[j];
    value[j] = in_upper_tail ? at.rest[j - 1] - above : (j == last ? 1 : at.mean[j]) - below;
    if (j < last) {
      jacobian(j, x.size() + j) += at.slope[j];
      jacobian.row(j).head(x.size()) -= at.slope[j] * x.transpose();
    }
    if (j > 0) {
      jacobian(j, x.size() + j - 1) -= at.slope[j - 1];
      jacobian.row(j).head(x.size()) += at.slope[j - 1] * x.transpose();
    }
  }
}

}  // namespace

Prediction predict(const Regression& fit, const ModelMatrix& rows, PredictionScale scale,
                   const Column& offset) {
  const FittedModel& model = *fit.model;
  check(model.data.matrix, rows, offset);
  const PredictedRows at_rows(rows, offset);
  RowMatrix z;
  model.basis.apply(at_rows.x, rows.rows(), z);
  const Array predictor =
      (model.coefficients.transpose() * z).transpose().array() + at_rows.offset + at_rows.known;
  Prediction result{predictor, at_rows.x(model.basis.kept(), Eigen::indexing::all).transpose()};
  if (scale == PredictionScale::kMean) {
    MeanBlock at;
    model.mean.evaluate(predictor, at);
    result.value = at.mean + at_rows.known;
    result.jacobian = at.slope.matrix().asDiagonal() * result.jacobian;
  }
  return result;
}

Prediction predict(const Ordinal& fit, const ModelMatrix& rows, const Column& offset) {
  const FittedOrdinal& model = *fit.model;
  check(model.data.matrix, rows, offset);
  const PredictedRows at_rows(rows, offset);
  RowMatrix z;
  model.basis.apply(at_rows.x, rows.rows(), z);
  const Array predictor =
      (model.slopes.transpose() * z).transpose().array() + at_rows.offset + at_rows.known;
  const Eigen::MatrixXd x = at_rows.x(model.basis.kept(), Eigen::indexing::all);
  const Eigen::Index categories = model.thresholds.size() + 1;
  Prediction result{Eigen::VectorXd(categories * rows.rows()),
                    Eigen::MatrixXd::Zero(categories * rows.rows(), model.inverse.rows())};
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    predict_row(model.link, x.col(i), predictor[i], model.thresholds,
                result.value.segment(i * categories, categories),
                result.jacobian.middleRows(i * categories, categories));
    result.value.segment(i * categories, categories).array() += at_rows.known[i];
  }
  return result;
}

}  // namespace steelyard
