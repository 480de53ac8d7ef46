#include "steelyard/controls.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "replicates.hpp"
#include "steelyard/parallel.hpp"
#include "weightings.hpp"

namespace steelyard::testing {
namespace {

constexpr std::int32_t kFirst = 3;
constexpr std::int32_t kSecond = 4;
constexpr std::int32_t kGroups = 2;

/// Labels of so many levels, of which one in ten is missing.
Labels random_labels(Eigen::Index rows, std::int32_t levels, Random& random) {
  Labels labels;
  for (Eigen::Index row = 0; row < rows; ++row) {
    labels.push_back(random.uniform() < .1 ? Codes::kNone : random.below(levels));
  }
  return labels;
}

/// Controls of two margins and columns of three types, and the same numbers as they were made.
struct Made {
  Labels first;
  Labels second;
  Labels group;
  Values doubles;
  std::vector<float> floats;
  std::vector<std::int8_t> bytes;
  VectorXd factor;

  Made(Eigen::Index rows, std::uint64_t seed) : factor(rows) {
    Random random(seed);
    first = random_labels(rows, kFirst, random);
    second = random_labels(rows, kSecond, random);
    group = random_labels(rows, kGroups, random);
    for (Eigen::Index row = 0; row < rows; ++row) {
      doubles.push_back(random.normal());
      floats.push_back(static_cast<float>(random.uniform(0, 5)));
      bytes.push_back(static_cast<std::int8_t>(random.below(100) - 50));
      factor[row] = random.uniform(-1, 3);
    }
  }

  std::vector<Codes> margins() const { return {Codes(first, kFirst), Codes(second, kSecond)}; }
  Codes groups(bool grouped) const { return grouped ? Codes(group, kGroups) : Codes(); }
  Controls controls(bool grouped) const {
    return {
        margins(),
        {column(doubles), typed(Column::Type::kFloat32, floats), typed(Column::Type::kInt8, bytes)},
        groups(grouped)};
  }
  /// x of a row, from the labels and numbers themselves.
  VectorXd x(std::size_t row) const {
    VectorXd result = VectorXd::Zero(kFirst + kSecond + 3);
    if (first[row] >= 0) {
      result[first[row]] = 1;
    }
    if (second[row] >= 0) {
      result[kFirst + second[row]] = 1;
    }
    result.tail(3) << doubles[row], static_cast<double>(floats[row]), bytes[row];
    return result;
  }
};

TEST(Controls, SumWhatTheyReadByGroup) {
  const Made made(1300, 1);
  for (const bool grouped : {false, true}) {
    const Controls controls = made.controls(grouped);
    const Eigen::Index width = kFirst + kSecond + 3;
    ASSERT_EQ(controls.width(), width);
    ASSERT_EQ(controls.groups(), grouped ? kGroups : 1);
    RowMatrix b(controls.groups(), width);
    Random random(2);
    b = b.unaryExpr([&](double) { return random.normal(); }).eval();
    RowMatrix totals = RowMatrix::Zero(controls.groups(), width);
    std::vector<MatrixXd> products(static_cast<std::size_t>(controls.groups()),
                                   MatrixXd::Zero(width, width));
    VectorXd scores = VectorXd::Zero(controls.rows());
    for (Eigen::Index row = 0; row < controls.rows(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      if (const std::int32_t g = grouped ? made.group[at] : 0; g >= 0) {
        const VectorXd x = made.x(at);
        totals.row(g) += made.factor[row] * x.transpose();
        products[static_cast<std::size_t>(g)] += made.factor[row] * x * x.transpose();
        scores[row] = b.row(g).dot(x);
      }
    }
    EXPECT_LE((controls.totals(made.factor) - totals).norm(), 1e-12 * totals.norm());
    expect_near(controls.scores(b), scores, 1e-12);
    const std::vector<MatrixXd> found = controls.products(made.factor);
    ASSERT_EQ(found.size(), products.size());
    for (std::size_t g = 0; g < found.size(); ++g) {
      const MatrixXd lower = found[g].triangularView<Eigen::Lower>();
      const MatrixXd expected = products[g].triangularView<Eigen::Lower>();
      EXPECT_LE((lower - expected).norm(), 1e-12 * expected.norm());
    }
  }
}

// So many rows are summed in several segments.
TEST(Controls, DoNotDependOnTheNumberOfThreads) {
  constexpr Eigen::Index kRows = (1 << 16) + 77;
  const Made made(kRows, 3);
  for (const bool grouped : {false, true}) {
    const Controls controls = made.controls(grouped);
    ASSERT_GT(segment_count(kRows, controls.groups() * controls.width() * controls.width()), 1);
    const RowMatrix totals = controls.totals(made.factor, 1);
    const std::vector<MatrixXd> products = controls.products(made.factor, 1);
    const VectorXd scores = controls.scores(totals, 1);
    for (const int threads : {2, 3, 8}) {
      EXPECT_TRUE(same_bits(controls.totals(made.factor, threads), totals));
      EXPECT_TRUE(same_bits(controls.scores(totals, threads), scores));
      const std::vector<MatrixXd> again = controls.products(made.factor, threads);
      for (std::size_t g = 0; g < again.size(); ++g) {
        EXPECT_TRUE(same_bits(again[g], products[g]));
      }
    }
  }
}

TEST(Controls, NeedEqualLengthsAndSomething) {
  const Codes three = codes({0, 1, 0});
  EXPECT_THROW(Controls({}, {}), std::invalid_argument);
  EXPECT_THROW(Controls({}, {}, three), std::invalid_argument);
  EXPECT_THROW(Controls({three, codes({0, 1})}, {}), std::invalid_argument);
  EXPECT_THROW(Controls({three}, {column({1, 2})}), std::invalid_argument);
  EXPECT_THROW(Controls({three}, {}, codes({0, 1})), std::invalid_argument);
}

TEST(Cells, AreTheCombinationsOfMarginsThatOccur) {
  const Made made(700, 4);
  for (const bool grouped : {false, true}) {
    const Controls controls(made.margins(), {}, made.groups(grouped));
    const Cells cells = cells_of(controls);
    std::set<std::tuple<std::int32_t, std::int32_t, std::int32_t>> combinations;
    for (std::size_t row = 0; row < made.first.size(); ++row) {
      combinations.emplace(made.first[row], made.second[row], grouped ? made.group[row] : 0);
    }
    EXPECT_EQ(cells.count(), static_cast<Eigen::Index>(combinations.size()));
    const VectorXd factor = cells.sums(made.factor);
    EXPECT_LE((cells.controls.totals(factor) - controls.totals(made.factor)).norm(), 1e-11);
    const RowMatrix b = controls.totals(made.factor);
    const VectorXd scores = controls.scores(b);
    const VectorXd of_cells = cells.controls.scores(b);
    for (Eigen::Index row = 0; row < controls.rows(); ++row) {
      EXPECT_EQ(of_cells[cells.cell(row)], scores[row]) << row;
    }
  }
}

TEST(Cells, AreRowsWhereThereAreColumns) {
  const Made made(50, 5);
  const Cells cells = cells_of(made.controls(true));
  EXPECT_EQ(cells.count(), 50);
  EXPECT_EQ(cells.cell(37), 37);
  EXPECT_EQ(cells.sums(made.factor), made.factor);
}

// Households of persons with weights 1 and 3, of 2 and 2, and of nobody with a weight.
TEST(CellsOfClusters, HaveTheWeightedMeanOfTheirRows) {
  const Controls controls({}, {column({4, 8, 1, 3, 7})});
  const Cells cells =
      cells_of_clusters(controls, codes({0, 0, 1, 1, 2}), vector_of({1, 3, 2, 2, 0}));
  ASSERT_EQ(cells.count(), 3);
  RowMatrix x(3, 1);
  cells.controls.read(0, 3, x);
  EXPECT_EQ(x, (RowMatrix(3, 1) << 7, 2, 0).finished());
}

TEST(CellsOfClusters, KeepWeightedTotals) {
  Made made(600, 6);
  Labels cluster;
  for (std::size_t row = 0; row < 600; ++row) {
    cluster.push_back(static_cast<std::int32_t>(row / 3));
    made.group[row] = made.group[row / 3 * 3];
  }
  const VectorXd weights = made.factor.cwiseAbs();
  for (const bool grouped : {false, true}) {
    const Controls controls = made.controls(grouped);
    const Cells cells = cells_of_clusters(controls, codes(cluster), weights);
    EXPECT_EQ(cells.count(), 200);
    const RowMatrix totals = controls.totals(weights);
    EXPECT_LE((cells.controls.totals(cells.sums(weights)) - totals).norm(), 1e-12 * totals.norm());
  }
}

TEST(CellsOfClusters, LieInOneGroup) {
  const Controls controls({}, {column({4, 8, 1})}, codes({0, 1, 1}));
  EXPECT_THROW(cells_of_clusters(controls, codes({0, 0, 1}), VectorXd::Ones(3)),
               std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
