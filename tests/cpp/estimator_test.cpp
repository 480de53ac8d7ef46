#include "steelyard/estimator.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

struct Case {
  const char* name;
  EstimatorPtr estimator;
  DomainSums sums;
};

LevelSets some_sets() {
  LevelSets sets(3, 3);
  sets << 1, 0, 0, 0, 1, 1, 1, 1, 1;
  return sets;
}

std::vector<Case> cases() {
  const Column y = column({1, 2});
  const Column x = column({1, 2}, "x");
  const Codes answer = codes({0, 1, 2});
  return {
      {"total", total(y), {Eigen::Vector2d(40, 6), Eigen::VectorXd::Constant(1, 2.5)}},
      {"mean", mean(y), {Eigen::Vector2d(40, 6), Eigen::VectorXd::Constant(1, 2.5)}},
      {"ratio", ratio(y, x), {Eigen::Vector3d(40, 6, -4), Eigen::Vector2d(2.5, 3)}},
      {"count", count(answer, some_sets()), {Eigen::Vector3d(10, 20, 5), {}}},
      {"proportion", proportion(answer, some_sets()), {Eigen::Vector3d(10, 20, 5), {}}},
  };
}

/// Sums of which feature `j` is larger by `step`.
DomainSums moved(const DomainSums& sums, Eigen::Index j, double step) {
  DomainSums result = sums;
  result.features[j] += step;
  return result;
}

// Deville (1999): the influence of a row is the derivative of the estimate by its weight. With
// centred columns a weight moves the sums about a centre that stays.
TEST(Estimator, GradientIsTheDerivativeByTheSums) {
  constexpr double kStep = 1e-4;
  for (const Case& c : cases()) {
    const Linearisation linear = c.estimator->linearise(c.sums);
    ASSERT_EQ(linear.value.size(), c.estimator->estimates()) << c.name;
    ASSERT_EQ(linear.gradient.cols(), c.estimator->features()) << c.name;
    for (Eigen::Index j = 0; j < c.sums.features.size(); ++j) {
      const Eigen::VectorXd slope = (c.estimator->linearise(moved(c.sums, j, kStep)).value -
                                     c.estimator->linearise(moved(c.sums, j, -kStep)).value) /
                                    (2 * kStep);
      EXPECT_LT((slope - linear.gradient.col(j)).cwiseAbs().maxCoeff(), 1e-8) << c.name << j;
    }
  }
}

TEST(Estimator, InfluenceOfARatioAddsUpToNothing) {
  for (const Case& c : cases()) {
    const Linearisation linear = c.estimator->linearise(c.sums);
    const Eigen::VectorXd sum = linear.gradient * c.sums.features;
    if (c.estimator->is_ratio()) {
      EXPECT_LT(sum.cwiseAbs().maxCoeff(), 1e-15) << c.name;
    } else {
      EXPECT_TRUE(sum.isApprox(linear.value, 1e-15)) << c.name;
    }
  }
}

TEST(Estimator, ValuesAreThoseOfTheDefinition) {
  const std::vector<Case> all = cases();
  EXPECT_DOUBLE_EQ(all[0].estimator->linearise(all[0].sums).value[0], 106);  // 40 * 2.5 + 6
  EXPECT_DOUBLE_EQ(all[1].estimator->linearise(all[1].sums).value[0], 106.0 / 40);
  EXPECT_DOUBLE_EQ(all[2].estimator->linearise(all[2].sums).value[0], 106.0 / 116);
  EXPECT_EQ(all[3].estimator->linearise(all[3].sums).value, Eigen::Vector3d(10, 25, 35));
  EXPECT_TRUE(all[4]
                  .estimator->linearise(all[4].sums)
                  .value.isApprox(Eigen::Vector3d(10, 25, 35) / 35, 1e-15));
}

TEST(Estimator, ProportionOfAllLevelsIsExactlyOne) {
  const EstimatorPtr all = proportion(codes({0, 1, 2}), LevelSets::Ones(1, 3));
  const Linearisation linear = all->linearise({Eigen::Vector3d(0.1, 0.2, 0.7), {}});
  EXPECT_EQ(linear.value[0], 1);
  EXPECT_EQ(linear.gradient.cwiseAbs().maxCoeff(), 0);
}

TEST(Estimator, WithoutWeightAMeanIsNotDefinedAndATotalIsNothing) {
  for (const Case& c : cases()) {
    const DomainSums nothing{Eigen::VectorXd::Zero(c.sums.features.size()),
                             Eigen::VectorXd::Zero(c.sums.centre.size())};
    const Linearisation linear = c.estimator->linearise(nothing);
    EXPECT_EQ(linear.value.hasNaN(), c.estimator->is_ratio()) << c.name;
    EXPECT_FALSE(linear.gradient.hasNaN()) << c.name;
  }
}

TEST(Estimator, RatioToNothingIsNotDefined) {
  const Linearisation linear = ratio(column({1}), column({0}, "x"))
                                   ->linearise({Eigen::Vector3d(4, 2, 0), Eigen::Vector2d(1, 0)});
  EXPECT_TRUE(std::isnan(linear.value[0]));
  EXPECT_EQ(linear.gradient.cwiseAbs().maxCoeff(), 0);
}

TEST(Estimator, SaysWhatItReads) {
  const std::vector<Case> all = cases();
  EXPECT_EQ(all[2].estimator->columns()[1].name(), "x");
  EXPECT_EQ(all[2].estimator->features(), 3);
  EXPECT_FALSE(all[2].estimator->of_levels());
  EXPECT_TRUE(all[4].estimator->of_levels());
  EXPECT_EQ(all[4].estimator->levels().levels(), 3);
  EXPECT_EQ(all[4].estimator->features(), 3);
  EXPECT_EQ(all[0].estimator->estimates(), 1);
}

}  // namespace
}  // namespace steelyard::testing
