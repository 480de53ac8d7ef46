#include "steelyard/replication.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "replicates.hpp"
#include "steelyard/bootstrap.hpp"
#include "steelyard/half_samples.hpp"
#include "steelyard/jackknife.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/quantile.hpp"

namespace steelyard::testing {
namespace {

const Quantiles::Options kByReplicates = [] {
  Quantiles::Options options;
  options.errors = QuantileErrors::kReplicates;
  return options;
}();

/// Values of a survey in clusters, its replicates, and estimates of all kinds in its domains.
class ReplicatedSurvey : public ::testing::Test {
 protected:
  Survey survey_ = random_survey(600, 3, 6, 11);
  Design design_ = survey_.sample.design();

  Estimated estimated(const Replicates& replicates) const {
    return estimate(design_.with_replicates(replicates), kSample, {survey_.domain},
                    all_estimators(survey_));
  }
};

TEST_F(ReplicatedSurvey, SaysTheSameByUnitAndByRow) {
  const Replicates made = rescaled_bootstrap(design_, {.replicates = 40, .seed = 3});
  const Estimated by_unit = estimated(made);
  for (const bool combined : {true, false}) {
    const std::vector<Column> columns = supplied(design_.with_replicates(made), combined);
    const Estimated by_row = estimated(Replicates::of_rows(columns, combined, rule_of(made)));
    EXPECT_EQ(by_row.left_out, by_unit.left_out);
    const RowMatrix& one = by_unit.estimates.deviations.matrix;
    const RowMatrix& other = by_row.estimates.deviations.matrix;
    ASSERT_EQ(one.rows(), 40);
    for (Eigen::Index j = 0; j < one.cols(); ++j) {
      EXPECT_LE((one.col(j) - other.col(j)).norm(), 1e-11 * one.col(j).norm()) << j;
    }
  }
}

// Each replicate's estimates are those of a sample with its weights.
TEST_F(ReplicatedSurvey, DeviatesByWhatTheSampleWouldSay) {
  for (const bool about_estimate : {true, false}) {
    const Replicates made = jackknife(design_, about_estimate);
    const Design replicated = design_.with_replicates(made);
    const Estimated found = estimated(made);
    Eigen::MatrixXd values(made.count(), found.estimates.size());
    for (Eigen::Index r = 0; r < made.count(); ++r) {
      values.row(r) = estimate(replicated.under_replicate(r), kSample, {survey_.domain},
                               all_estimators(survey_))
                          .estimates.values.transpose();
    }
    const Eigen::RowVectorXd centre =
        about_estimate ? found.estimates.values.transpose().eval() : values.colwise().mean().eval();
    for (Eigen::Index j = 0; j < values.cols(); ++j) {
      double variance = 0;
      for (Eigen::Index r = 0; r < made.count(); ++r) {
        variance += made.scale(r) * (values(r, j) - centre[j]) * (values(r, j) - centre[j]);
      }
      EXPECT_NEAR(se(found, j), std::sqrt(variance), 1e-11 * std::abs(centre[j])) << j;
    }
  }
}

TEST_F(ReplicatedSurvey, OfATotalIsTaylorsWithTheJackknife) {
  const EstimatorPtr all = total(column(survey_.y));
  EXPECT_NEAR(se(estimate_all(design_.with_replicates(jackknife(design_, false)), {all})) /
                  se(estimate_all(design_, {all})),
              1, 1e-12);
}

/// The same estimates for any number of threads.
void expect_same_on_all_threads(const Survey& survey, const Design& design) {
  std::vector<EstimatorPtr> estimators = all_estimators(survey);
  const Quantiles quartiles(design, {survey.domain}, column(survey.y), {.25, .5}, kByReplicates);
  estimators.push_back(quartiles.estimator());
  const auto on = [&](int threads) {
    return estimate(design, kSample, {survey.domain}, estimators, threads);
  };
  const Estimated one = on(1);
  ASSERT_EQ(one.estimates.deviations.matrix.rows(), design.replicates()->count());
  EXPECT_TRUE(one.estimates.deviations.matrix.allFinite());
  EXPECT_GT(segment_count(design.rows(), 17 * 3 * design.replicates()->count()), 1);
  for (const int threads : {2, 3, 8}) {
    const Estimated more = on(threads);
    EXPECT_TRUE(same_bits(one.estimates.values, more.estimates.values));
    EXPECT_TRUE(same_bits(one.estimates.deviations.matrix, more.estimates.deviations.matrix));
  }
}

// So many rows are summed in several segments.
TEST(Replication, DoesNotDependOnTheNumberOfThreads) {
  constexpr Eigen::Index kRows = (1 << 17) + 77;
  const Survey survey = random_survey(kRows, 3, 4, 12);
  const Design design = survey.sample.design();
  expect_same_on_all_threads(survey,
                             design.with_replicates(rescaled_bootstrap(design, {.replicates = 4})));
  Random random(13);
  std::vector<Column> columns;
  for (int r = 0; r < 4; ++r) {
    Values values(static_cast<std::size_t>(kRows));
    std::generate(values.begin(), values.end(), [&] { return random.uniform(0, 20); });
    columns.push_back(column(std::move(values), "w"));
  }
  expect_same_on_all_threads(
      survey, design.with_replicates(Replicates::of_rows(columns, true, equal_scales(4, .25))));
}

TEST(Replication, ReadsSinglePrecisionAsTheNumbersItHolds) {
  const Survey survey = random_survey(300, 3, 0, 14);
  Random random(15);
  std::vector<Column> single;
  std::vector<Column> wide;
  for (int r = 0; r < 6; ++r) {
    std::vector<float> values(300);
    std::generate(values.begin(), values.end(),
                  [&] { return static_cast<float>(random.uniform(0, 20)); });
    wide.push_back(column(Values(values.begin(), values.end())));
    single.push_back(typed(Column::Type::kFloat32, std::move(values)));
  }
  const auto found = [&](const std::vector<Column>& columns) {
    const Replicates replicates = Replicates::of_rows(columns, true, equal_scales(6, .2));
    return estimate_all(survey.sample.design().with_replicates(replicates), all_estimators(survey));
  };
  EXPECT_TRUE(same_bits(found(single).estimates.deviations.matrix,
                        found(wide).estimates.deviations.matrix));
}

// Half-samples of two pairs: one of the four takes neither of the two units of the domain, one
// takes both, and two take one: the squares of +-(2 - 8) / 2, twice, over 4.
TEST(Replication, LeavesOutAReplicateWithoutTheDomain) {
  const Design design = Sample{.rows = 4, .strata = {0, 0, 1, 1}}.design();
  const Values y = {2, 5, 8, 11};
  const std::vector<EstimatorPtr> estimators{mean(column(y)), total(column(y))};
  for (const bool about_estimate : {true, false}) {
    const Estimated result =
        estimate(design.with_replicates(half_samples(design, 0, about_estimate)), kSample,
                 {codes({0, 1, 0, 1})}, estimators);
    EXPECT_EQ(result.left_out, (std::vector<std::int64_t>{1, 0, 1, 0}));
    EXPECT_EQ(result.estimates.values[0], 5);
    EXPECT_DOUBLE_EQ(se(result, 0) * se(result, 0), 2 * 3 * 3 / 4.0);
    // A total is known to be 0: Taylor's 2^2 + 8^2.
    EXPECT_DOUBLE_EQ(se(result, 1) * se(result, 1), 4 + 64);
  }
}

TEST(Replication, SaysNothingFromASingleReplicate) {
  const Column some = column({1, 1, 1, 1});
  const Column none = column({1, 0, 1, 0});
  const Design design = Sample{.rows = 4}.design().with_replicates(
      Replicates::of_rows({some, none, none}, true, equal_scales(3, 1)), 3);
  const Values y = {2, 5, 8, 11};
  const Estimated result =
      estimate(design, kSample, {codes({0, 1, 0, 1})}, std::vector{mean(column(y))});
  EXPECT_EQ(result.left_out, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(se(result, 0), 0);
  EXPECT_TRUE(std::isnan(se(result, 1)));
}

// Totals 6, 10 and 100, of which the last has a scale of nothing: 2^2 + 2^2 about the mean of 8,
// and 3 times 1 + 9 about the estimate, 7.
TEST(Replication, CentresAtReplicatesThatCount) {
  const auto variance = [&](const Eigen::Vector3d& scales, bool about_estimate) {
    std::vector<Column> weights;
    for (const double half : {3.0, 5.0, 50.0}) {
      weights.push_back(column({half, half}));
    }
    const Design design = Sample{.rows = 2, .weights = {3.5, 3.5}}.design().with_replicates(
        Replicates::of_rows(weights, true, {scales, about_estimate}), 1);
    const double error = se(estimate_all(design, {total(column({1, 1}))}));
    return error * error;
  };
  EXPECT_DOUBLE_EQ(variance({1, 1, 0}, false), 4 + 4);
  EXPECT_DOUBLE_EQ(variance({3, 3, 0}, true), 3 * (1 + 9));
  EXPECT_DOUBLE_EQ(variance({0, 1, 1}, false), 2 * 45 * 45);
}

// Without one of the lower three of 1, 2, 4, 7, 20, 21 the median is 7, else 4.
TEST(Replication, FindsQuantilesUnderEachReplicate) {
  const Design plain = Sample{.rows = 6}.design();
  const Design design = plain.with_replicates(jackknife(plain, true));
  const Quantiles median(design, {}, column({7, 1, 21, 2, 20, 4}), {.5}, kByReplicates);
  const Estimated result = estimate_all(design, {median.estimator()});
  EXPECT_EQ(result.estimates.values[0], 4);
  EXPECT_NEAR(se(result) * se(result), 5.0 / 6 * 3 * 9, 1e-12);
}

}  // namespace
}  // namespace steelyard::testing
