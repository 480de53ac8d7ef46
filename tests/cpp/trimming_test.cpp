#include "steelyard/trimming.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "weightings.hpp"

namespace steelyard::testing {
namespace {

using Sharing = Trimming::Sharing;
using Unit = Trimming::Unit;

Trimming::Options options(double low, double high, Sharing sharing, bool repeats = true) {
  return {low, high, Unit::kWeight, sharing, repeats, false, Codes()};
}
VectorXd trimmed(const Values& weights, const Trimming::Options& options) {
  const VectorXd w = vector_of(weights);
  return Trimming(w.size(), options).apply(before(w), 1).weights;
}

// What lies above 8 is 6; the three others weigh 6.
TEST(Trimming, SharesOutWhatIsCutOff) {
  const Values w{1, 2, 0, 3, 14};
  expect_near(trimmed(w, options(0, 8, Sharing::kNone)), vector_of({1, 2, 0, 3, 8}), 0);
  expect_near(trimmed(w, options(0, 8, Sharing::kEqual)), vector_of({3, 4, 0, 5, 8}), 1e-15);
  expect_near(trimmed(w, options(0, 8, Sharing::kProportional)), vector_of({2, 4, 0, 6, 8}), 1e-15);
}

// Raising 1 to 4 takes 3 from 6 and 12, which weigh 18.
TEST(Trimming, TakesFromOthersWhatItRaises) {
  const Values w{1, 6, 12};
  expect_near(trimmed(w, options(4, 20, Sharing::kEqual)), vector_of({4, 4.5, 10.5}), 1e-15);
  expect_near(trimmed(w, options(4, 20, Sharing::kProportional)), vector_of({4, 5, 10}), 1e-14);
  expect_near(trimmed(w, options(4, 10, Sharing::kNone)), vector_of({4, 6, 10}), 0);
}

// 7 of 15 are shared out over 9; one of 7 then lies above 8 itself. In the end two weigh 8.
TEST(Trimming, RepeatsUntilAllLieInside) {
  const Values w{1, 1, 7, 15};
  expect_near(trimmed(w, options(0, 8, Sharing::kProportional, false)),
              vector_of({16 / 9.0, 16 / 9.0, 7 * 16 / 9.0, 8}), 1e-14);
  expect_near(trimmed(w, options(0, 8, Sharing::kProportional)), vector_of({4, 4, 8, 8}), 1e-10);
  expect_near(trimmed(w, options(0, 8, Sharing::kEqual)), vector_of({4, 4, 8, 8}), 1e-10);
}

TEST(Trimming, MeasuresBoundsByWeightsAboveNothing) {
  const Values w{0, 1, 2, 3, 14};  // median 2.5, mean 5
  Trimming::Options some = options(.8, 2, Sharing::kNone);
  some.unit = Unit::kMedian;
  expect_near(trimmed(w, some), vector_of({0, 2, 2, 3, 5}), 1e-15);
  some.unit = Unit::kMean;
  expect_near(trimmed(w, some), vector_of({0, 4, 4, 4, 10}), 1e-15);
}

TEST(Trimming, KeepsTheSumOfEachGroup) {
  const Rows rows = random_rows(200, 1);
  Labels group;
  for (std::size_t row = 0; row < 200; ++row) {
    group.push_back(row < 10 ? Codes::kNone : static_cast<std::int32_t>(row % 3));
  }
  const VectorXd& w = rows.weights;
  for (const Sharing sharing : {Sharing::kEqual, Sharing::kProportional}) {
    Trimming::Options some = options(8, 16, sharing);
    some.groups = Codes(group, 3);
    const VectorXd found = Trimming(200, some).apply(before(w), 1).weights;
    EXPECT_EQ(found.head(10), w.head(10));
    VectorXd change = VectorXd::Zero(3);
    for (Eigen::Index row = 10; row < 200; ++row) {
      change[group[static_cast<std::size_t>(row)]] += found[row] - w[row];
      if (w[row] == 0) {
        EXPECT_EQ(found[row], 0);
      } else {
        EXPECT_GE(found[row], 8 - 1e-10);
        EXPECT_LE(found[row], 16 + 1e-10);
      }
    }
    expect_near(change, VectorXd::Zero(3), 1e-10);
  }
}

TEST(Trimming, LeavesWeightsInsideAsTheyAre) {
  const VectorXd w = vector_of({1, 2, 3});
  const Adjusted result = Trimming(3, options(1, 3, Sharing::kProportional)).apply(before(w), 1);
  EXPECT_EQ(result.weights, w);
}

TEST(Trimming, NeedsSomebodyToShareOutTo) {
  Trimming::Options some = options(0, 8, Sharing::kProportional);
  some.groups = codes({0, 0, 1, 1});
  const WeightingError error = weighting_error([&] { trimmed({1, 2, 11, 0}, some); });
  EXPECT_EQ(error.problem, Problem::kNobodyLeft);
  ASSERT_EQ(error.misses.size(), 1U);
  EXPECT_EQ(error.misses[0].group, 1);
  EXPECT_EQ(error.misses[0].wanted, 3);
}

// Three weights of at most 8 do not add up to 34.
TEST(Trimming, SaysWhereNoWeightsLieInside) {
  for (const Sharing sharing : {Sharing::kEqual, Sharing::kProportional}) {
    const WeightingError error =
        weighting_error([&] { trimmed({7, 7, 20}, options(0, 8, sharing)); });
    EXPECT_EQ(error.problem, Problem::kNobodyLeft);
  }
}

TEST(Trimming, RefusesBoundsAndWeightsThatMakeNoSense) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(Trimming(2, options(-1, 2, Sharing::kNone)), std::invalid_argument);
  EXPECT_THROW(Trimming(2, options(2, 2, Sharing::kNone)), std::invalid_argument);
  EXPECT_THROW(Trimming(2, options(kNaN, infinite, Sharing::kNone)), std::invalid_argument);
  Trimming::Options some = options(0, 2, Sharing::kNone);
  EXPECT_THROW(Trimming(2, some).apply(before(VectorXd::Ones(3)), 1), std::invalid_argument);
  some.groups = codes({0, 0, 1});
  EXPECT_THROW(Trimming(2, some), std::invalid_argument);
  EXPECT_EQ(weighting_error([&] { trimmed({1, -1}, options(0, 2, Sharing::kNone)); }).problem,
            Problem::kNegativeWeight);
}

// R survey's trimWeights takes factors as known.
TEST(Trimming, MovesNoInfluenceWhereItsFactorsAreKnown) {
  const VectorXd w = vector_of({1, 2, 3, 14});
  Trimming::Options some = options(0, 8, Sharing::kProportional);
  EXPECT_TRUE(Trimming(4, some).apply(before(w), 1).projection.has_parameters());
  some.is_fixed = true;
  const Projection fixed = Trimming(4, some).apply(before(w), 1).projection;
  EXPECT_FALSE(fixed.has_parameters());
  EXPECT_EQ(fixed.keep.size(), 0);
  // Without sharing, a row that is cut off has the bound's weight whatever its own was.
  const Projection none = Trimming(4, options(0, 8, Sharing::kNone)).apply(before(w), 1).projection;
  EXPECT_FALSE(none.has_parameters());
  EXPECT_EQ(none.keep, vector_of({1, 1, 1, 0}));
}

// A row that counts twice is as two rows of its weight.
TEST(Trimming, CutsOffTheWeightOfEachTimeThatARowCounts) {
  const VectorXd counts = vector_of({2, 0, 1, 3});
  const Before replicate{vector_of({2, 0, 3, 42}), counts, vector_of({2, 0, 3, 42})};
  for (const Sharing sharing : {Sharing::kNone, Sharing::kEqual, Sharing::kProportional}) {
    const VectorXd found = Trimming(4, options(0, 8, sharing)).replay(replicate, 1);
    const VectorXd apart = trimmed({1, 1, 3, 14, 14, 14}, options(0, 8, sharing));
    expect_near(found, vector_of({2 * apart[0], 0, apart[2], 3 * apart[3]}), 1e-12);
  }
}

}  // namespace
}  // namespace steelyard::testing
