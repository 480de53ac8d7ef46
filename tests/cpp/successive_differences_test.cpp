#include "steelyard/successive_differences.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "replicates.hpp"

namespace steelyard::testing {
namespace {

/// (1 - f) / 2 * sum of (z_i - z_(i+1))^2 around the circle of units in their order.
void add_circle(const std::vector<Eigen::Index>& order, double fraction,
                Eigen::MatrixXd& covariance) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    Eigen::VectorXd difference = Eigen::VectorXd::Zero(covariance.rows());
    difference[order[i]] += 1;
    difference[order[(i + 1) % order.size()]] -= 1;
    covariance += (1 - fraction) / 2 * difference * difference.transpose();
  }
}

TEST(SuccessiveDifferences, AreThoseOfNeighboursWithinStrata) {
  const Design design = two_strata().design();
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(7, 7);
  add_circle({0, 2}, .5, expected);
  add_circle({1, 3, 4, 5, 6}, .25, expected);
  for (const Eigen::Index replicates : {8, 20, 100}) {
    for (const bool about_estimate : {false, true}) {
      EXPECT_LT(
          (covariance_of(successive_differences(design, replicates, about_estimate)) - expected)
              .norm(),
          1e-13);
    }
  }
}

TEST(SuccessiveDifferences, FollowTheOrderOfFirstRows) {
  const Sample sample{.rows = 6, .units = {3, 1, 3, 0, 2, 0}};
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(4, 4);
  add_circle({3, 1, 0, 2}, 0, expected);
  EXPECT_LT((covariance_of(successive_differences(sample.design(), 8, true)) - expected).norm(),
            1e-14);
}

TEST(SuccessiveDifferences, ComeInTheNextOrderOfAHadamardMatrix) {
  const Replicates replicates = successive_differences(Sample{.rows = 5}.design(), 9, false);
  EXPECT_EQ(replicates.count(), 12);
  EXPECT_DOUBLE_EQ(replicates.scale(11), 4.0 / 12);
}

// Factors of a unit whose row differs from that of its neighbour: half are 1, and the others lie
// sqrt((1 - f) / 2) from it on both sides.
TEST(SuccessiveDifferences, MoveEachUnitInHalfOfTheReplicates) {
  const RowMatrix factors = successive_differences(two_strata().design(), 8, false).factors();
  for (Eigen::Index unit = 0; unit < 7; ++unit) {
    const double size = std::sqrt((unit == 0 || unit == 2 ? .5 : .75) / 2);
    const Eigen::ArrayXd moves = factors.row(unit).transpose().array() - 1;
    EXPECT_EQ((moves == 0).count(), 4);
    EXPECT_EQ(((moves - size).abs() < 1e-15).count(), 2);
    EXPECT_EQ(((moves + size).abs() < 1e-15).count(), 2);
  }
}

TEST(SuccessiveDifferences, MoveNeitherLoneUnitsNorWholeStrata) {
  const Sample sample{.rows = 6,
                      .strata = {0, 0, 1, 2, 2, 2},
                      .fpc = {.5, .5, .5, 1, 1, 1},
                      .lonely = Lonely::kRemove};
  const RowMatrix factors = successive_differences(sample.design(), 8, false).factors();
  EXPECT_EQ(factors.bottomRows(4), RowMatrix::Ones(4, 8));
  EXPECT_NE(factors.topRows(2), RowMatrix::Ones(2, 8));
}

TEST(SuccessiveDifferences, AreRefusedForFewReplicatesAndOtherDesigns) {
  EXPECT_THROW(successive_differences(Sample{.rows = 5}.design(), 3, false), std::invalid_argument);
  const Sample lone{.rows = 3, .strata = {0, 0, 1}, .lonely = Lonely::kAdjust};
  EXPECT_THROW(successive_differences(lone.design(), 4, false), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
