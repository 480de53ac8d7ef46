#include "steelyard/cross_products.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

constexpr Eigen::Index kAll = Eigen::Index{1} << 40;

/// Largest difference of two covariances in units of the standard errors; the same are unknown.
double farthest(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  double result = 0;
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
      if (std::isnan(a(i, j)) != std::isnan(b(i, j))) {
        return kInfinity;
      }
      const double scale = std::sqrt(b(i, i) * b(j, j));
      const double difference = std::abs(a(i, j) - b(i, j));
      if (!std::isnan(difference) && difference > 0) {
        result = std::max(result, difference / scale);
      }
    }
  }
  return result;
}

/// Deviations that were accumulated are those that were kept.
void expect_same(const Sample& sample, const std::vector<EstimatorPtr>& estimators,
                 const Domains& domains, double tolerance = 1e-12) {
  const Design design = sample.design();
  const Estimated kept = estimate(design, kSample, domains, estimators, 1, kAll);
  const Estimated accumulated = estimate(design, kSample, domains, estimators, 1, 0);
  ASSERT_TRUE(kept.estimates.deviations.by_unit);
  ASSERT_FALSE(accumulated.estimates.deviations.by_unit);
  EXPECT_LE(accumulated.estimates.deviations.matrix.rows(), accumulated.estimates.size() + 1);
  EXPECT_LT(farthest(accumulated.estimates.covariance(), kept.estimates.covariance()), tolerance);
  EXPECT_EQ(accumulated.used, kept.used);
  EXPECT_EQ(accumulated.missing, kept.missing);
  EXPECT_EQ(accumulated.units, kept.units);
  EXPECT_EQ(accumulated.strata, kept.strata);
  EXPECT_EQ(accumulated.estimates.degrees_of_freedom(), kept.estimates.degrees_of_freedom());
  for (Eigen::Index i = 0; i < kept.estimates.size(); ++i) {
    if (std::isnan(kept.estimates.values[i])) {
      EXPECT_TRUE(std::isnan(accumulated.estimates.values[i]));
      continue;
    }
    EXPECT_NEAR(accumulated.estimates.values[i] / kept.estimates.values[i], 1, 1e-13);
    // Not finite for the number of all who answered: simple random sampling would not vary it.
    EXPECT_EQ(std::isfinite(accumulated.deff[i]), std::isfinite(kept.deff[i]));
    if (std::isfinite(kept.deff[i])) {
      EXPECT_NEAR(accumulated.deff[i], kept.deff[i], 1e-11 * kept.deff[i]);
    }
  }
}

TEST(ElementCovariance, EqualsTheGramOfTheDeviations) {
  const Survey survey = random_survey(4000, 4, 0, 21);
  expect_same(survey.sample, all_estimators(survey), {survey.domain});
  expect_same(survey.sample, all_estimators(survey), {});
}

TEST(ElementCovariance, TakesOneEstimatorAtATime) {
  const Survey survey = random_survey(1500, 2, 0, 22);
  for (const EstimatorPtr& estimator : all_estimators(survey)) {
    expect_same(survey.sample, {estimator}, {survey.domain});
  }
}

TEST(ElementCovariance, TakesOneStratumAndNoWeights) {
  Survey survey = random_survey(1500, 1, 0, 23);
  survey.sample.strata.clear();
  survey.sample.weights.clear();
  expect_same(survey.sample, all_estimators(survey), {survey.domain});
  survey.sample.fpc.clear();
  expect_same(survey.sample, all_estimators(survey), {survey.domain});
}

TEST(ElementCovariance, TakesDomainsWithoutAnswersAndOfOneRow) {
  Survey survey = random_survey(900, 3, 0, 24);
  Labels domain(900, 0);
  domain[17] = 1;  // an answer
  domain[18] = 2;  // none
  survey.y[17] = 4;
  survey.y[18] = kNaN;
  survey.sample.weights[17] = survey.sample.weights[18] = 3;
  expect_same(survey.sample, {mean(column(survey.y)), total(column(survey.y))}, {Codes(domain, 4)});
}

// As many ones as zeros: both estimates are 1/2 and vary alike, and yet one is the other's
// opposite.
TEST(ElementCovariance, TellsAShareFromItsComplement) {
  Sample sample;
  sample.rows = 400;
  std::vector<double> y(400);
  std::vector<double> other(400);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = i % 2 == 0 ? 1 : 0;
    other[i] = 1 - y[i];
  }
  const Design design = sample.design();
  const auto of = [&](const std::vector<double>& values) {
    const std::vector<EstimatorPtr> estimators{mean(column(values))};
    return estimate(design, kSample, {}, estimators, 1, 0).estimates.deviations;
  };
  EXPECT_NO_THROW(join(of(y), of(y)));
  EXPECT_THROW(join(of(y), of(other)), std::invalid_argument);
}

// Clusters have names by which another sample finds them: they are kept however many they are.
TEST(ElementCovariance, IsNotForClusters) {
  Survey survey = random_survey(4000, 4, 30, 25);
  const Estimated result =
      estimate(survey.sample.design(), kSample, {survey.domain}, all_estimators(survey), 1, 0);
  EXPECT_TRUE(result.estimates.deviations.by_unit);
}

TEST(ElementCovariance, FollowsThePolicyForLonelyStrata) {
  Survey survey = random_survey(900, 3, 0, 26);
  survey.sample.strata[5] = 3;  // alone
  survey.sample.weights[5] = 7;
  survey.sample.fpc[5] = 0.5;
  survey.y[5] = 4;
  for (const Lonely policy : {Lonely::kRemove, Lonely::kCertainty, Lonely::kAdjust}) {
    survey.sample.lonely = policy;
    expect_same(survey.sample, all_estimators(survey), {survey.domain});
  }
}

TEST(ElementCovariance, AdjustsLonelyStrata) {
  Survey survey = random_survey(900, 3, 0, 26);
  survey.sample.strata[5] = 3;
  survey.sample.weights[5] = 7;
  survey.sample.fpc[5] = 0.5;
  survey.y[5] = 4;
  survey.sample.lonely = Lonely::kAdjust;
  expect_same(survey.sample, all_estimators(survey), {survey.domain});
}

// Rounding of 1e12 in a double alone is 1e-4: what is compared are the paths, not the data.
TEST(ElementCovariance, KeepsItsDigitsFarFromZero) {
  Survey survey = random_survey(4000, 4, 0, 27);
  survey.sample.weights.assign(4000, 2.5);
  for (double& y : survey.y) {
    y += 1e12;
  }
  expect_same(survey.sample, {mean(column(survey.y))}, {survey.domain}, 1e-9);
  for (double& y : survey.y) {
    y = std::isnan(y) ? 1e12 : y;
  }
  expect_same(survey.sample, {total(column(survey.y))}, {}, 1e-9);
}

}  // namespace
}  // namespace steelyard::testing
