#include "steelyard/unit_form.hpp"

#include <cmath>

namespace steelyard {

UnitMap::UnitMap(const Design& design, bool centred)
    : design_(design), centred_(centred), factor_(design.units()) {
  for (Eigen::Index unit = 0; unit < design.units(); ++unit) {
    const Stage& stage = design.first();
    factor_[unit] = std::sqrt(centred ? stage.scale(unit) : 1 - stage.fraction(unit));
  }
}

RowMatrix UnitMap::centre(RowMatrix values) const {
  RowMatrix mean = RowMatrix::Zero(design_.strata(), values.cols());
  for (Eigen::Index unit = 0; unit < values.rows(); ++unit) {
    const std::int32_t h = design_.stratum_of_unit(unit);
    mean.row(h) += values.row(unit) / static_cast<double>(design_.stratum(h).units);
  }
  for (Eigen::Index unit = 0; unit < values.rows(); ++unit) {
    values.row(unit) -= mean.row(design_.stratum_of_unit(unit));
  }
  return values;
}

RowMatrix UnitMap::apply(const RowMatrix& scores) const {
  return factor_.asDiagonal() * (centred_ ? centre(scores) : scores);
}

RowMatrix UnitMap::apply_transposed(const RowMatrix& deviations) const {
  const RowMatrix scaled = factor_.asDiagonal() * deviations;
  return centred_ ? centre(scaled) : scaled;
}

// Element i, j of one stratum, with a = factor^2 and x_i = d_i / n - sum of d / (2 n^2), squared:
// a_i a_j (d_i [i = j] - x_i - x_j)^2.
UnitMap::Traces UnitMap::traces(const Eigen::VectorXd& d) const {
  const Eigen::ArrayXd a = factor_.array().square();
  if (!centred_) {
    const Eigen::ArrayXd scaled = a * d.array();
    return {scaled.sum(), scaled.square().sum()};
  }
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(design_.strata());
  for (Eigen::Index unit = 0; unit < d.size(); ++unit) {
    sum[design_.stratum_of_unit(unit)] += d[unit];
  }
  Traces result;
  RowMatrix moments = RowMatrix::Zero(design_.strata(), 3);
  for (Eigen::Index unit = 0; unit < d.size(); ++unit) {
    const std::int32_t h = design_.stratum_of_unit(unit);
    const auto n = static_cast<double>(design_.stratum(h).units);
    const double x = d[unit] / n - sum[h] / (2 * n * n);
    moments.row(h) += a[unit] * Eigen::RowVector3d(1, x, x * x);
    result.trace += a[unit] * (d[unit] - 2 * x);
    result.squares += a[unit] * a[unit] * d[unit] * (d[unit] - 4 * x);
  }
  result.squares += 2 * (moments.col(0).dot(moments.col(2)) + moments.col(1).squaredNorm());
  return result;
}

// Without the units apart, G = diag(d) + U S U^T; their rows and columns are added whole, as
// e r^T + r e^T. So T G T^T = T diag(d) T^T + V S' V^T with V = T (U, e ..., r ...).
UnitMap::Traces UnitForm::traces(const UnitMap& map) const {
  const Eigen::Index r = u.cols();
  const auto whole = static_cast<Eigen::Index>(apart.size());
  Eigen::VectorXd rest = diagonal - (u * s).cwiseProduct(u).rowwise().sum();
  RowMatrix low = RowMatrix::Zero(u.rows(), r + 2 * whole);
  low.leftCols(r) = u;
  Eigen::MatrixXd middle = Eigen::MatrixXd::Zero(low.cols(), low.cols());
  middle.topLeftCorner(r, r) = s;
  for (Eigen::Index j = 0; j < whole; ++j) {
    const Eigen::Index unit = apart[static_cast<std::size_t>(j)];
    low(unit, r + j) = 1;
    auto row = low.col(r + whole + j);
    row = u * (s * u.row(unit).transpose());
    row[unit] = diagonal[unit];
    for (const Eigen::Index other : apart) {
      row[other] /= 2;
    }
    middle(r + j, r + whole + j) = middle(r + whole + j, r + j) = 1;
  }
  for (const Eigen::Index unit : apart) {
    low.row(unit).head(r).setZero();
    rest[unit] = 0;
  }
  const RowMatrix v = map.apply(low);
  const RowMatrix back = map.apply_transposed(v);
  const Eigen::MatrixXd product = middle * (v.transpose() * v);
  const Eigen::MatrixXd with_rest = back.transpose() * rest.asDiagonal() * back;
  UnitMap::Traces result = map.traces(rest);
  result.trace += product.trace();
  result.squares +=
      2 * middle.cwiseProduct(with_rest).sum() + product.cwiseProduct(product.transpose()).sum();
  return result;
}

}  // namespace steelyard
