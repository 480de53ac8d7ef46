#include "steelyard/replicate.hpp"

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "steelyard/error.hpp"

namespace steelyard {
namespace {

void check(const Replicates::Rule& rule, Eigen::Index count) {
  if (count < 2) {
    throw std::invalid_argument("two replicates or more are needed");
  }
  if (rule.scales.size() != count) {
    throw std::invalid_argument("one scale is needed for each of " + std::to_string(count) +
                                " replicates");
  }
  if (!rule.scales.allFinite() || rule.scales.minCoeff() < 0 || rule.scales.maxCoeff() == 0) {
    throw std::invalid_argument("scales of replicates are finite, none negative, one positive");
  }
}

}  // namespace

Replicates Replicates::of_units(RowMatrix factors, Rule rule) {
  check(rule, factors.cols());
  Replicates result;
  result.factors_ = std::move(factors);
  result.rule_ = std::move(rule);
  return result;
}

Replicates Replicates::of_rows(std::vector<Column> columns, bool combined, Rule rule) {
  check(rule, static_cast<Eigen::Index>(columns.size()));
  for (const Column& column : columns) {
    if (column.size() != columns.front().size()) {
      throw InvalidColumn(column.name(), InvalidColumn::Problem::kWrongLength,
                          {std::abs(column.size() - columns.front().size()), {}});
    }
    column.refuse(InvalidColumn::Problem::kNaN, [](double v) { return std::isnan(v); });
    column.refuse(InvalidColumn::Problem::kInfinite, [](double v) { return std::isinf(v); });
  }
  Replicates result;
  result.columns_ = std::move(columns);
  result.combined_ = combined;
  result.rule_ = std::move(rule);
  return result;
}

Replicates Replicates::replayed(std::vector<Column> columns, Rule rule) {
  check(rule, static_cast<Eigen::Index>(columns.size()));
  Replicates result;
  for (const Column& column : columns) {
    result.undefined_.push_back(column.rows_where([](double v) { return std::isnan(v); }).count >
                                0);
  }
  result.columns_ = std::move(columns);
  result.combined_ = true;
  result.rule_ = std::move(rule);
  return result;
}

void Replicates::read(Eigen::Index begin, Eigen::Index count, const double* weight,
                      const std::int32_t* unit_of_row, Eigen::Ref<RowMatrix> into) const {
  if (by_unit()) {
    for (Eigen::Index i = 0; i < count; ++i) {
      const Eigen::Index unit = unit_of_row == nullptr ? begin + i : unit_of_row[i];
      into.row(i) = weight[i] * factors_.row(unit);
    }
    return;
  }
  std::vector<double> buffer(static_cast<std::size_t>(count));
  for (std::size_t r = 0; r < columns_.size(); ++r) {
    const double* values = columns_[r].read(begin, count, buffer.data());
    for (Eigen::Index i = 0; i < count; ++i) {
      into(i, static_cast<Eigen::Index>(r)) = combined_ ? values[i] : values[i] * weight[i];
    }
  }
}

void Replicates::read_one(Eigen::Index r, Eigen::Index begin, Eigen::Index count,
                          const double* weight, const std::int32_t* unit_of_row,
                          double* into) const {
  if (by_unit()) {
    for (Eigen::Index i = 0; i < count; ++i) {
      const Eigen::Index unit = unit_of_row == nullptr ? begin + i : unit_of_row[i];
      into[i] = weight[i] * factors_(unit, r);
    }
    return;
  }
  const double* values = columns_[static_cast<std::size_t>(r)].read(begin, count, into);
  for (Eigen::Index i = 0; i < count; ++i) {
    into[i] = combined_ ? values[i] : values[i] * weight[i];
  }
}

// Cholesky's method column by column: one that the earlier ones nearly give adds no rank.
double rank_degrees_of_freedom(const Eigen::MatrixXd& products) {
  constexpr double kTolerance = 1e-10;  // R's 1e-5 of a length, squared
  Eigen::MatrixXd left = products;
  Eigen::Index rank = 0;
  for (Eigen::Index r = 0; r < left.cols(); ++r) {
    if (left(r, r) <= kTolerance * products(r, r)) {
      continue;
    }
    ++rank;
    const Eigen::VectorXd column = left.col(r) / std::sqrt(left(r, r));
    left.noalias() -= column * column.transpose();
  }
  return static_cast<double>(rank - 1);
}

}  // namespace steelyard
