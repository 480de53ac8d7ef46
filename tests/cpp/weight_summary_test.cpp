#include "steelyard/weight_summary.hpp"

#include <gtest/gtest.h>

#include "weightings.hpp"

namespace steelyard::testing {
namespace {

TEST(WeightSummary, LooksAtRowsWithAWeight) {
  const WeightSummary summary = summarise(vector_of({4, 0, 1, 7, 0, 2}));
  EXPECT_EQ(summary.rows, 4);
  EXPECT_EQ(summary.sum, 14);
  EXPECT_EQ(summary.smallest, 1);
  EXPECT_EQ(summary.median, 3);
  EXPECT_EQ(summary.mean, 3.5);
  EXPECT_EQ(summary.largest, 7);
  EXPECT_DOUBLE_EQ(summary.effect, 4 * (16 + 1 + 49 + 4) / 196.0);
  EXPECT_EQ(summary.top_share, 0.5);
  EXPECT_EQ(summarise(vector_of({9, 3, 5})).median, 5);
}

// Kish (1992): one and the squared coefficient of variation.
TEST(WeightSummary, HasTheEffectOfItsVariation) {
  Random random(1);
  const VectorXd w = VectorXd::NullaryExpr(300, [&] { return random.uniform(1, 9); });
  const double variance = (w.array() - w.mean()).square().mean();
  EXPECT_NEAR(summarise(w).effect, 1 + variance / (w.mean() * w.mean()), 1e-14);
  EXPECT_DOUBLE_EQ(summarise(VectorXd::Constant(7, .3)).effect, 1);
}

TEST(WeightSummary, SumsTheLargestOfAHundred) {
  VectorXd weights = VectorXd::Ones(299);
  weights[7] = 20;
  weights[250] = 30;
  EXPECT_DOUBLE_EQ(summarise(weights).top_share, 50.0 / (297 + 50));
  weights.conservativeResize(199);
  EXPECT_DOUBLE_EQ(summarise(weights).top_share, 20.0 / (198 + 20));
}

TEST(WeightSummary, OfNoWeightsIsNothing) {
  const WeightSummary summary = summarise(VectorXd::Zero(3));
  EXPECT_EQ(summary.rows, 0);
  EXPECT_EQ(summary.sum, 0);
  EXPECT_EQ(summary.effect, 0);
  EXPECT_EQ(summary.top_share, 0);
}

}  // namespace
}  // namespace steelyard::testing
