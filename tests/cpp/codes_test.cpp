#include "steelyard/codes.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <stdexcept>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

Labels labels_of(const Codes& codes) { return {codes.data(), codes.data() + codes.size()}; }

Values values_of(const Factor& factor) { return {factor.values.begin(), factor.values.end()}; }

TEST(Codes, CountsTheRowsOfEachLevel) {
  const Codes codes({2, 0, Codes::kNone, 2, 2}, 4);
  EXPECT_EQ(codes.size(), 5);
  EXPECT_EQ(codes.levels(), 4);
  EXPECT_EQ(codes.counts(), (std::vector<std::int64_t>{1, 0, 3, 0}));
}

TEST(Codes, RefusesACodeOutsideItsLevels) {
  EXPECT_THROW(Codes({0, 1, 2}, 2), std::out_of_range);
  EXPECT_THROW(Codes({0, -2}, 2), std::out_of_range);
  EXPECT_NO_THROW(Codes({0, Codes::kNone}, 1));
}

TEST(Codes, AreEmptyByDefault) {
  const Codes none;
  EXPECT_EQ(none.size(), 0);
  EXPECT_EQ(none.levels(), 0);
  EXPECT_EQ(none.data(), nullptr);
}

TEST(Codes, CopiesShareTheRows) {
  const Codes codes({0, 1}, 2);
  const Codes copy = codes;  // NOLINT(performance-unnecessary-copy-initialization)
  EXPECT_EQ(copy.data(), codes.data());
}

TEST(Factorize, OrdersLevelsAscendingAndGivesNaNNone) {
  const Factor factor = factorize(column({3, -2, kNaN, 3, 0}));
  EXPECT_EQ(values_of(factor), (Values{-2, 0, 3}));
  EXPECT_EQ(labels_of(factor.codes), (Labels{2, 0, Codes::kNone, 2, 1}));
}

TEST(Factorize, TakesFractionsWideRangesAndInfinities) {
  const Factor factor = factorize(column({0.5, -kInfinity, 1e300, 0.25, kInfinity, 0.5}));
  EXPECT_EQ(values_of(factor), (Values{-kInfinity, 0.25, 0.5, 1e300, kInfinity}));
  EXPECT_EQ(labels_of(factor.codes), (Labels{2, 0, 3, 1, 4, 2}));
  EXPECT_EQ(values_of(factorize(column({1e12, 0, 1e12}))), (Values{0, 1e12}));
  EXPECT_EQ(values_of(factorize(column({kInfinity, kInfinity}))), (Values{kInfinity}));
}

TEST(Factorize, OfNothingButNaNHasNoLevels) {
  const Factor factor = factorize(column({kNaN, kNaN}));
  EXPECT_EQ(factor.codes.levels(), 0);
  EXPECT_EQ(labels_of(factor.codes), (Labels{Codes::kNone, Codes::kNone}));
  EXPECT_EQ(factorize(column({})).codes.size(), 0);
}

TEST(Factorize, GivesBackEveryValueByATableOrBySorting) {
  Random random(1);
  for (const double step : {1.0, 0.5, 1e7}) {
    Values values;
    for (int i = 0; i < 3000; ++i) {
      values.push_back(i % 7 == 0 ? kNaN : step * random.below(900) - 300);
    }
    const Factor factor = factorize(column(values));
    const Values levels = values_of(factor);
    EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int32_t code = factor.codes[static_cast<Eigen::Index>(i)];
      if (std::isnan(values[i])) {
        EXPECT_EQ(code, Codes::kNone);
      } else {
        EXPECT_EQ(factor.values[code], values[i]);
      }
    }
    for (const std::int64_t count : factor.codes.counts()) {
      EXPECT_GT(count, 0);
    }
  }
}

// Identifiers that are hashes or long register numbers: as double, 2^53 and 2^53 + 1 are one.
TEST(Factorize, DoesNotMixUpLargeWholeNumbers) {
  std::vector<std::int64_t> ids = {9007199254740991, -9007199254740991, 9007199254740990};
  const Column stored("id", Column::Type::kInt64, ids.data(), 3);
  EXPECT_EQ(labels_of(factorize(stored).codes), (Labels{2, 0, 1}));
  ids[0] = 9007199254740993;
  EXPECT_THROW(factorize(stored), std::out_of_range);
}

TEST(Cross, CodesTheCombinationsThatOccurInOrder) {
  const std::vector<Codes> columns = {codes({1, 0, 1, 0, 1}), codes({0, 2, 0, 1, 2})};
  const Crossing crossing = cross(columns, {}, 5);
  Eigen::Matrix<std::int32_t, 4, 2> expected;
  expected << 0, 1, 0, 2, 1, 0, 1, 2;
  EXPECT_EQ(crossing.combinations, expected);
  EXPECT_EQ(labels_of(crossing.codes), (Labels{2, 1, 2, 0, 3}));
  EXPECT_EQ(crossing.ungrouped.count, 0);
}

TEST(Cross, NamesTheKeptRowsWithoutAGroup) {
  const std::vector<Codes> columns = {Codes({0, Codes::kNone, 1, 1, Codes::kNone}, 2),
                                      Codes({0, 0, Codes::kNone, 1, 0}, 2)};
  const std::vector<std::uint8_t> keep = {0, 1, 1, 1, 0};
  const Crossing crossing = cross(columns, keep, 5);
  EXPECT_EQ(labels_of(crossing.codes),
            (Labels{Codes::kNone, Codes::kNone, Codes::kNone, 0, Codes::kNone}));
  EXPECT_EQ(crossing.combinations.rows(), 1);
  EXPECT_EQ(crossing.ungrouped.count, 2);
  EXPECT_EQ(crossing.ungrouped.rows, (std::vector<std::int64_t>{1, 2}));
}

TEST(Cross, OfNoColumnsIsOneGroupOfTheKeptRows) {
  const std::vector<std::uint8_t> keep = {1, 0, 1};
  const Crossing crossing = cross({}, keep, 3);
  EXPECT_EQ(labels_of(crossing.codes), (Labels{0, Codes::kNone, 0}));
  EXPECT_EQ(crossing.combinations.cols(), 0);
}

// Beyond 2^22 possible combinations they are sorted, below that counted in a table.
TEST(Cross, EqualsSortingByTableOrBySorting) {
  constexpr Eigen::Index kRows = 4000;
  for (const std::int32_t levels : {7, 300, 3000}) {
    Random random(static_cast<std::uint64_t>(levels));
    std::vector<Codes> columns;
    for (int c = 0; c < 3; ++c) {
      Labels labels;
      for (Eigen::Index row = 0; row < kRows; ++row) {
        labels.push_back(random.uniform() < 0.01 ? Codes::kNone : random.below(levels));
      }
      columns.emplace_back(std::move(labels), levels);
    }
    std::set<Labels> distinct;
    const auto combination = [&](Eigen::Index row) {
      return Labels{columns[0][row], columns[1][row], columns[2][row]};
    };
    const auto complete = [](const Labels& c) { return c[0] >= 0 && c[1] >= 0 && c[2] >= 0; };
    for (Eigen::Index row = 0; row < kRows; ++row) {
      if (complete(combination(row))) {
        distinct.insert(combination(row));
      }
    }
    const Crossing crossing = cross(columns, {}, kRows);
    ASSERT_EQ(crossing.combinations.rows(), static_cast<Eigen::Index>(distinct.size()));
    Eigen::Index group = 0;
    for (const Labels& labels : distinct) {
      const auto row = crossing.combinations.row(group++);
      ASSERT_EQ(Labels(row.begin(), row.end()), labels);
    }
    for (Eigen::Index row = 0; row < kRows; ++row) {
      const Labels labels = combination(row);
      if (!complete(labels)) {
        ASSERT_EQ(crossing.codes[row], Codes::kNone);
        continue;
      }
      const auto found = crossing.combinations.row(crossing.codes[row]);
      ASSERT_EQ(Labels(found.begin(), found.end()), labels);
    }
  }
}

}  // namespace
}  // namespace steelyard::testing
