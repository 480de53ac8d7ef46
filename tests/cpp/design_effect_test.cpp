#include "steelyard/design_effect.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

// R 4.2.2, survey 4.1.1: deff(svymean(~gpa, design, deff = TRUE)) and deff = "replace".
TEST(DesignEffect, EqualsRSurvey) {
  const Estimated gpa = estimate_all(suites().design(), {mean(column(grade_point_averages()))});
  EXPECT_NEAR(gpa.deff[0], 2.1295733888791726, 1e-13);
  EXPECT_NEAR(gpa.deff_replace[0], 2.023094719435214, 1e-13);
}

Sample simple_random(Eigen::Index rows, double fraction) {
  Sample sample{.rows = rows, .weights = Values(static_cast<std::size_t>(rows), 1 / fraction)};
  sample.fpc = Values(static_cast<std::size_t>(rows), fraction);
  return sample;
}

TEST(DesignEffect, OfSimpleRandomSamplingIsOne) {
  const Survey survey = random_survey(300, 1, 0, 12);
  Values complete = survey.y;
  for (double& y : complete) {
    y = std::isnan(y) ? 3 : y;
  }
  Sample sample = simple_random(300, 0.2);
  Labels answer(300);
  for (std::int32_t i = 0; i < 300; ++i) {
    answer[static_cast<std::size_t>(i)] = i % 7 % 3;
  }
  const std::vector<EstimatorPtr> estimators = {
      mean(column(complete)), total(column(complete)),
      proportion(codes(answer), LevelSets::Identity(3, 3)),
      count(codes(answer), LevelSets::Identity(3, 3))};
  const Estimated without = estimate_all(sample.design(), estimators);
  sample.fpc.clear();
  const Estimated with = estimate_all(sample.design(), estimators);
  for (Eigen::Index i = 0; i < without.deff.size(); ++i) {
    EXPECT_NEAR(without.deff[i], 1, 1e-12);
    EXPECT_NEAR(with.deff_replace[i], 1, 1e-12);
  }
}

TEST(DesignEffect, OfDuplicatedRowsIsNearlyTheirNumber) {
  Sample sample{.rows = 400, .weights = Values(400, 1.0)};
  Values y;
  Random random(13);
  for (std::int32_t row = 0; row < 400; ++row) {
    sample.units.push_back(row / 4);
    y.push_back(row % 4 == 0 ? random.normal() : y.back());
  }
  // s^2 has n - 1 = 399 instead of 99 below it: exactly 4 * (100 / 99) * (399 / 400).
  EXPECT_NEAR(estimate_all(sample.design(), {mean(column(y))}).deff_replace[0],
              4 * (100.0 / 99) * (399.0 / 400), 1e-12);
}

TEST(SimpleRandomVariance, IsTheFormula) {
  // Four rows of weight 5: y = 1, 2, 3, 6 with mean 3, s^2 = 14 / 3; the total.
  const Eigen::Vector2d gradient(0, 1);
  const Eigen::Vector2d sums(20, 60);
  Eigen::Matrix2d second;
  second << 20, 60, 60, 250;
  const double replaced = 20 * 20 * (14.0 / 3) / 4;
  EXPECT_NEAR(simple_random_variance({4, 20}, gradient, sums, second, true), replaced, 1e-12);
  EXPECT_NEAR(simple_random_variance({4, 20}, gradient, sums, second, false),
              replaced * (1 - 4.0 / 20), 1e-12);
}

TEST(SimpleRandomVariance, NeedsTwoRowsAndHasNoneInACensus) {
  const Eigen::Vector2d sums(4, 4);
  const Eigen::Matrix2d second = Eigen::Matrix2d::Identity();
  const auto variance = [&](std::int64_t n, double population, bool replacement) {
    return simple_random_variance({n, population}, sums, sums, second, replacement);
  };
  EXPECT_TRUE(std::isnan(variance(1, 4, true)));
  EXPECT_TRUE(std::isnan(variance(0, 0, false)));
  EXPECT_EQ(variance(4, 4, false), 0);
  EXPECT_EQ(variance(4, 2, false), 0);  // weights that do not add up to the population
}

}  // namespace
}  // namespace steelyard::testing
