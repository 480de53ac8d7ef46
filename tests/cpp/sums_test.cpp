#include "steelyard/sums.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

std::vector<FeatureSums> sum(const Sample& sample, const std::vector<EstimatorPtr>& estimators,
                             const Domains& domains = {}, Grouping grouping = Grouping::kUnit) {
  return sum_rows(sample.design(), domains, estimators, grouping, 1);
}

TEST(SumRows, AddsWeightsAndCentredAnswersByUnitAndDomain) {
  const Sample sample{.rows = 5, .weights = {1, 2, 3, 4, 5}, .units = {0, 1, 0, 1, 1}};
  const Domains domains{Codes({0, 0, 1, 1, Codes::kNone}, 2)};
  const FeatureSums sums = sum(sample, {mean(column({2, 4, 6, 8, 10}))}, domains)[0];
  ASSERT_EQ(sums.features, 2);
  ASSERT_EQ(sums.by_group.rows(), 2);
  ASSERT_EQ(sums.by_group.cols(), 4);
  RowMatrix expected(2, 4);  // w, w (y - c) of each domain; c is the mean of the column
  const double c = sums.centre(0, 0);
  expected << 1, 1 * (2 - c), 3, 3 * (6 - c), 2, 2 * (4 - c), 4, 4 * (8 - c);
  EXPECT_EQ(sums.by_group, expected);
  EXPECT_EQ(sums.second(0, 0), 1 * (2 - c) * (2 - c) + 2 * (4 - c) * (4 - c));
  EXPECT_EQ(sums.used(0, 0), 2);
  EXPECT_EQ(sums.used(0, 1), 2);
}

TEST(SumRows, AddsWeightsByLevel) {
  const Sample sample{.rows = 4, .weights = {1, 2, 3, 4}};
  const Codes answer({1, 0, Codes::kNone, 1}, 2);
  const FeatureSums sums =
      sum(sample, {count(answer, LevelSets::Identity(2, 2))}, {}, Grouping::kStratum)[0];
  EXPECT_EQ(sums.by_group, (RowMatrix(1, 2) << 2, 5).finished());
  EXPECT_EQ(sums.used(0, 0), 3);
  EXPECT_EQ(sums.missing(0, 0), 1);
}

TEST(SumRows, LeavesOutMissingAnswersAndRowsWithoutWeight) {
  const Sample sample{.rows = 5, .weights = {1, 0, 1, 1, 1}, .strata = {0, 0, 0, 1, 1}};
  const Column y = column({kNaN, 5, 6, 7, 8});
  const Column x = column({1, 2, kNaN, 4, kNaN}, "x");
  const std::vector<FeatureSums> sums = sum(sample, {mean(y), mean(x), ratio(y, x)});
  const auto counts = [](const FeatureSums& s) {
    return std::vector<std::int64_t>{s.used(0, 0), s.missing(0, 0), s.used(1, 0), s.missing(1, 0)};
  };
  EXPECT_EQ(counts(sums[0]), (std::vector<std::int64_t>{1, 1, 2, 0}));
  EXPECT_EQ(counts(sums[1]), (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_EQ(counts(sums[2]), (std::vector<std::int64_t>{0, 2, 1, 1}));
}

TEST(SumRows, ByStratumIsTheSumOverItsUnits) {
  const Survey survey = random_survey(5000, 4, 6, 9);
  const Domains domains{survey.domain};
  const auto estimators = all_estimators(survey);
  const auto by_unit = sum(survey.sample, estimators, domains, Grouping::kUnit);
  const auto by_stratum = sum(survey.sample, estimators, domains, Grouping::kStratum);
  for (std::size_t e = 0; e < estimators.size(); ++e) {
    const RowMatrix added = sum_by_stratum(survey.sample.design(), by_unit[e]);
    EXPECT_LT((added - by_stratum[e].by_group).cwiseAbs().maxCoeff(),
              1e-12 * by_stratum[e].by_group.cwiseAbs().maxCoeff());
    EXPECT_EQ(sum_by_stratum(survey.sample.design(), by_stratum[e]), by_stratum[e].by_group);
    EXPECT_EQ(by_unit[e].used, by_stratum[e].used);
    EXPECT_EQ(by_unit[e].missing, by_stratum[e].missing);
  }
}

TEST(SumRows, CentresWhereTheDataAre) {
  Sample sample{.rows = 2000};
  Values y;
  for (std::int32_t row = 0; row < 2000; ++row) {
    sample.strata.push_back(row % 2);
    y.push_back(1e9 * (row % 2) + row % 3);
  }
  const FeatureSums sums = sum(sample, {total(column(y))})[0];
  EXPECT_NEAR(sums.centre(0, 0), 1, 0.01);
  EXPECT_NEAR(sums.centre(1, 0), 1e9 + 1, 0.01);
  EXPECT_LT(sum_by_stratum(sample.design(), sums).col(1).cwiseAbs().maxCoeff(), 0.1);
}

TEST(SumRows, TakesAMissingColumn) {
  const FeatureSums sums = sum({.rows = 3}, {mean(column({kNaN, kNaN, kNaN}))})[0];
  EXPECT_EQ(sums.missing(0, 0), 3);
  EXPECT_EQ(sums.used(0, 0), 0);
  EXPECT_EQ(sums.by_group, RowMatrix::Zero(3, 2));
}

}  // namespace
}  // namespace steelyard::testing
