#include "steelyard/model_matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/error.hpp"

namespace steelyard::testing {
namespace {

constexpr std::int32_t kRows = 1300;
constexpr int kX = 0;
constexpr int kSmall = 1;
constexpr int kHigh = 2;

struct Data {
  Values x;
  std::vector<std::int16_t> small;
  Labels level;

  Data() {
    Random random(91);
    for (std::int32_t row = 0; row < kRows; ++row) {
      x.push_back(random.uniform() < 0.1 ? kNaN : random.normal());
      small.push_back(static_cast<std::int16_t>(random.below(100)));
      level.push_back(random.uniform() < 0.1 ? Codes::kNone : random.below(3));
    }
  }
  std::vector<ModelMatrix::Factor> factors() const {
    return {{column(x, "x"), {}, {}},
            {{"small", Column::Type::kInt16, small.data(), kRows}, {}, {}},
            {{}, Codes(level, 3), Eigen::Vector3d(-1, 0, 2)}};
  }
  ModelMatrix matrix() const {
    return {kRows,
            factors(),
            {{"1", {}},
             {"x", {kX}},
             {"x^2", {kX, kX}},
             {"high", {kHigh}},
             {"x small high", {kX, kSmall, kHigh}}}};
  }
};

double level_value(std::int32_t level) {
  return level < 0 ? kNaN : Values{-1, 0, 2}[static_cast<std::size_t>(level)];
}

void expect_same(double found, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(found));
  } else {
    EXPECT_EQ(found, expected);
  }
}

TEST(ModelMatrix, MultipliesFactorsRowByRow) {
  const Data data;
  const ModelMatrix matrix = data.matrix();
  ASSERT_EQ(matrix.columns(), 5);
  EXPECT_EQ(matrix.name(2), "x^2");
  RowMatrix block(5, 512);
  for (const auto& [begin, count] : {std::pair<Eigen::Index, Eigen::Index>{0, 512}, {1024, 276}}) {
    matrix.read(begin, count, block);
    for (Eigen::Index i = 0; i < count; ++i) {
      const auto row = static_cast<std::size_t>(begin + i);
      const double high = level_value(data.level[row]);
      EXPECT_EQ(block(0, i), 1);
      expect_same(block(1, i), data.x[row]);
      expect_same(block(2, i), data.x[row] * data.x[row]);
      expect_same(block(3, i), high);
      expect_same(block(4, i), data.x[row] * data.small[row] * high);
    }
  }
}

TEST(ModelMatrix, HasTheSlopesOfItsColumns) {
  const Data data;
  RowMatrix block(5, 512);
  data.matrix().read_slopes(kX, 512, 512, block);
  for (Eigen::Index i = 0; i < 512; ++i) {
    const auto row = static_cast<std::size_t>(512 + i);
    EXPECT_EQ(block(0, i), 0);
    EXPECT_EQ(block(1, i), 1);
    expect_same(block(2, i), 2 * data.x[row]);
    EXPECT_EQ(block(3, i), 0);
    expect_same(block(4, i), data.small[row] * level_value(data.level[row]));
  }
}

TEST(ModelMatrix, SetsAFactorInEveryRow) {
  const Data data;
  const ModelMatrix matrix = data.matrix().with(kX, 3);
  RowMatrix block(5, 512);
  matrix.read(0, 512, block);
  for (Eigen::Index i = 0; i < 512; ++i) {
    const auto row = static_cast<std::size_t>(i);
    EXPECT_EQ(block(1, i), 3);
    EXPECT_EQ(block(2, i), 9);
    expect_same(block(4, i), 3 * data.small[row] * level_value(data.level[row]));
  }
}

TEST(ModelMatrix, KnowsWhichColumnsAddUpToOne) {
  const Codes codes({0, 1, 2}, 3);
  const auto indicator = [&](std::int32_t level) {
    return ModelMatrix::Factor{{}, codes, Eigen::Vector3d::Unit(level)};
  };
  const std::vector<ModelMatrix::Factor> factors = {
      indicator(0), indicator(1), indicator(2), {column({1, 2, 3}), {}, {}}};
  const auto constant = [&](const std::vector<ModelMatrix::Product>& columns) {
    return ModelMatrix(3, factors, columns).constant();
  };
  EXPECT_EQ(constant({{"1", {}}, {"b", {1}}}), 1);
  EXPECT_EQ(constant({{"a", {0}}, {"b", {1}}, {"c", {2}}, {"x", {3}}}), 3);
  EXPECT_EQ(constant({{"a", {0}}, {"b", {1}}, {"x", {3}}}), 0);
  EXPECT_EQ(constant({{"x", {3}}, {"1", {}}}), 0);
  EXPECT_EQ(constant({}), 0);
}

TEST(ModelMatrix, ListsItsColumnsOfNumbers) {
  const std::vector<Column> numbers = Data().matrix().numbers();
  ASSERT_EQ(numbers.size(), 2U);
  EXPECT_EQ(numbers[0].name(), "x");
  EXPECT_EQ(numbers[1].name(), "small");
}

TEST(ModelMatrix, RefusesFactorsThatDoNotFit) {
  const ModelMatrix::Factor short_one{column({1, 2}, "x"), {}, {}};
  EXPECT_THROW(ModelMatrix(3, {short_one}, {}), InvalidColumn);
  const ModelMatrix::Factor short_levels{{}, Codes({0, 1}, 2), Eigen::Vector2d(0, 1)};
  EXPECT_THROW(ModelMatrix(3, {short_levels}, {}), InvalidColumn);
  const ModelMatrix::Factor few_values{{}, Codes({0, 1}, 2), Eigen::VectorXd::Ones(1)};
  EXPECT_THROW(ModelMatrix(2, {few_values}, {}), std::invalid_argument);
  EXPECT_THROW(ModelMatrix(2, {short_one}, {{"x", {1}}}), std::out_of_range);
  EXPECT_THROW(ModelMatrix(2, {short_one}, {{"x", {0}}}).with(1, 0), std::out_of_range);
  RowMatrix block(1, 2);
  EXPECT_THROW(ModelMatrix(2, {short_one}, {{"x", {0}}}).read_slopes(-1, 0, 2, block),
               std::out_of_range);
}

}  // namespace
}  // namespace steelyard::testing
