#include "steelyard/model_rows.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "steelyard/error.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

void read_column(const Column& column, Eigen::Index begin, Eigen::Index rows,
                 Eigen::ArrayXd& into) {
  into.resize(rows);
  const double* values = column.read(begin, rows, into.data());
  if (values != into.data()) {
    std::copy(values, values + rows, into.data());
  }
}

void refuse_infinite(const ModelData& data) {
  for (const Column& column : data.columns()) {
    column.refuse(InvalidColumn::Problem::kInfinite, [](double x) { return std::isinf(x); });
  }
  throw std::overflow_error("products of columns exceed the range of double: rescale them");
}

void check_length(const std::string& name, Eigen::Index size, Eigen::Index rows) {
  if (size != rows) {
    throw InvalidColumn(name, InvalidColumn::Problem::kWrongLength, {std::abs(size - rows), {}});
  }
}

}  // namespace

std::vector<Column> ModelData::columns() const {
  std::vector<Column> result = matrix.numbers();
  for (const Column& column : {response, offset}) {
    if (column.size() > 0) {
      result.push_back(column);
    }
  }
  return result;
}

void ModelSample::check() const {
  const Eigen::Index rows = design.rows();
  if (domains.count() != 1) {
    throw std::invalid_argument("a model is fitted to one domain");
  }
  check_length("matrix", data.matrix.rows(), rows);
  if (data.categories.size() > 0) {
    check_length("categories", data.categories.size(), rows);
  } else {
    check_length(data.response.name(), data.response.size(), rows);
  }
  if (data.offset.size() > 0) {
    check_length(data.offset.name(), data.offset.size(), rows);
  }
  if (domains.codes.size() > 0) {
    check_length("domains", domains.codes.size(), rows);
  }
}

void ModelBlock::read(const ModelData& data, Eigen::Index begin, Eigen::Index rows) {
  count = rows;
  if (x.rows() != data.matrix.columns() || x.cols() < rows) {
    x.resize(data.matrix.columns(), std::max(rows, kBlockRows));
  }
  data.matrix.read(begin, rows, x);
  if (data.categories.size() > 0) {
    response.resize(rows);
    const std::int32_t* code = data.categories.data() + begin;
    for (Eigen::Index i = 0; i < rows; ++i) {
      response[i] = code[i] < 0 ? kNotANumber : static_cast<double>(code[i]);
    }
  } else {
    read_column(data.response, begin, rows, response);
  }
  if (data.offset.size() > 0) {
    read_column(data.offset, begin, rows, offset);
  } else {
    offset.setZero(rows);
  }
}

void ModelBlock::read_used(const ModelSample& sample, Eigen::Index begin, Eigen::Index rows) {
  const RowBlock of_domain = sample.domains.block(begin, rows);
  std::vector<double> room(static_cast<std::size_t>(rows));
  const double* w = sample.design.weights(begin, rows, room.data());
  std::vector<Eigen::Index> which;
  for (Eigen::Index i = 0; i < rows; ++i) {
    if (w[i] < 0) {
      throw WeightingError(WeightingError::Problem::kNegativeWeight);
    }
    if (of_domain.domain_of(i) >= 0 && w[i] > 0) {
      which.push_back(i);
    }
  }
  count = missing = 0;
  missing_weight = 0;
  if (which.empty()) {
    return;
  }
  read(sample.data, begin, rows);
  const Eigen::ArrayXd all =
      x.leftCols(rows).colwise().sum().transpose().array() + response + offset;
  std::size_t used = 0;
  for (const Eigen::Index i : which) {
    if (std::isnan(all[i])) {
      ++missing;
      missing_weight += w[i];
    } else if (std::isinf(all[i])) {
      refuse_infinite(sample.data);
    } else {
      which[used++] = i;
    }
  }
  which.resize(used);
  weight = Eigen::Map<const Eigen::ArrayXd>(w, rows);
  keep(which);
  row.resize(used);
  for (std::size_t i = 0; i < used; ++i) {
    row[i] = begin + which[i];
  }
}

void ModelBlock::keep(const std::vector<Eigen::Index>& which) {
  const auto rows = static_cast<Eigen::Index>(which.size());
  if (rows < count) {
    const auto move = [&](double* values) {
      for (Eigen::Index i = 0; i < rows; ++i) {
        values[i] = values[which[static_cast<std::size_t>(i)]];
      }
    };
    for (Eigen::Index j = 0; j < x.rows(); ++j) {
      move(x.row(j).data());
    }
    for (Eigen::ArrayXd* column : {&response, &offset, &weight}) {
      move(column->data());
      column->conservativeResize(rows);
    }
  }
  count = rows;
}

}  // namespace steelyard
