#include "steelyard/model_matrix.hpp"

#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <utility>

#include "steelyard/error.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

using Values = Eigen::Map<const Eigen::ArrayXd>;

}  // namespace

ModelMatrix::ModelMatrix(Eigen::Index rows, std::vector<Factor> factors,
                         std::vector<Product> columns)
    : rows_(rows),
      factors_(std::move(factors)),
      columns_(std::move(columns)),
      fixed_(factors_.size()) {
  for (const Factor& factor : factors_) {
    check(factor);
  }
  for (const Product& column : columns_) {
    for (const int factor : column.factors) {
      check(factor);
    }
  }
  constant_ = count_constant();
}

void ModelMatrix::check(const Factor& factor) const {
  const bool categorical = factor.value_of_level.size() > 0 || factor.codes.size() > 0;
  if (categorical && factor.value_of_level.size() != factor.codes.levels()) {
    throw std::invalid_argument("a factor needs a value for each of its levels");
  }
  const Eigen::Index size = categorical ? factor.codes.size() : factor.numbers.size();
  if (size != rows_) {
    throw InvalidColumn(categorical ? "levels" : factor.numbers.name(),
                        InvalidColumn::Problem::kWrongLength, {std::abs(size - rows_), {}});
  }
}

void ModelMatrix::check(int factor) const {
  if (factor < 0 || factor >= factors()) {
    throw std::out_of_range("a column is a product of factors that do not exist");
  }
}

std::vector<Column> ModelMatrix::numbers() const {
  std::vector<Column> result;
  for (const Factor& factor : factors_) {
    if (factor.value_of_level.size() == 0) {
      result.push_back(factor.numbers);
    }
  }
  return result;
}

Eigen::Index ModelMatrix::count_constant() const {
  if (!columns_.empty() && columns_.front().factors.empty()) {
    return 1;
  }
  Eigen::VectorXd sum;
  const std::int32_t* codes = nullptr;
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    if (columns_[j].factors.size() != 1) {
      return 0;
    }
    const Factor& factor = factors_[static_cast<std::size_t>(columns_[j].factors.front())];
    if (factor.value_of_level.size() == 0 || (j > 0 && factor.codes.data() != codes)) {
      return 0;
    }
    codes = factor.codes.data();
    sum = j == 0 ? factor.value_of_level : Eigen::VectorXd(sum + factor.value_of_level);
    if ((sum.array() == 1).all()) {
      return static_cast<Eigen::Index>(j) + 1;
    }
  }
  return 0;
}

std::vector<const double*> ModelMatrix::read_factors(Eigen::Index begin, Eigen::Index count,
                                                     RowMatrix& buffer) const {
  buffer.resize(factors(), count);
  std::vector<const double*> result;
  for (std::size_t f = 0; f < factors_.size(); ++f) {
    const Factor& factor = factors_[f];
    double* room = buffer.row(static_cast<Eigen::Index>(f)).data();
    if (fixed_[f]) {
      buffer.row(static_cast<Eigen::Index>(f)).setConstant(*fixed_[f]);
    } else if (factor.value_of_level.size() > 0) {
      const std::int32_t* level = factor.codes.data() + begin;
      const double* value = factor.value_of_level.data();
      for (Eigen::Index i = 0; i < count; ++i) {
        room[i] = level[i] < 0 ? kNotANumber : value[level[i]];
      }
    } else {
      result.push_back(factor.numbers.read(begin, count, room));
      continue;
    }
    result.push_back(room);
  }
  return result;
}

void ModelMatrix::read(Eigen::Index begin, Eigen::Index count, RowMatrix& into) const {
  RowMatrix buffer;
  const std::vector<const double*> factor = read_factors(begin, count, buffer);
  for (Eigen::Index j = 0; j < columns(); ++j) {
    const std::vector<int>& product = columns_[static_cast<std::size_t>(j)].factors;
    auto column = into.row(j).head(count).transpose().array();
    if (product.empty()) {
      column.setOnes();
      continue;
    }
    column = Values(factor[static_cast<std::size_t>(product.front())], count);
    for (std::size_t f = 1; f < product.size(); ++f) {
      column *= Values(factor[static_cast<std::size_t>(product[f])], count);
    }
  }
}

void ModelMatrix::read_slopes(int by, Eigen::Index begin, Eigen::Index count,
                              RowMatrix& into) const {
  check(by);
  RowMatrix buffer;
  const std::vector<const double*> factor = read_factors(begin, count, buffer);
  Eigen::ArrayXd others(count);
  for (Eigen::Index j = 0; j < columns(); ++j) {
    const std::vector<int>& product = columns_[static_cast<std::size_t>(j)].factors;
    auto column = into.row(j).head(count).transpose().array();
    column.setZero();
    for (std::size_t left_out = 0; left_out < product.size(); ++left_out) {
      if (product[left_out] != by) {
        continue;
      }
      others.setOnes();
      for (std::size_t f = 0; f < product.size(); ++f) {
        if (f != left_out) {
          others *= Values(factor[static_cast<std::size_t>(product[f])], count);
        }
      }
      column += others;
    }
  }
}

ModelMatrix ModelMatrix::with(int factor, double value) const {
  check(factor);
  ModelMatrix result = *this;
  result.fixed_[static_cast<std::size_t>(factor)] = value;
  return result;
}

}  // namespace steelyard
