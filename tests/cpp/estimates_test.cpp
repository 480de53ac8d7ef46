#include "steelyard/estimates.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/dual.hpp"

namespace steelyard::testing {
namespace {

/// Means of grade point averages by place in the suite: four domains of five rows.
Estimates means_by_place() {
  Labels place;
  for (std::int32_t row = 0; row < 20; ++row) {
    place.push_back(row % 4);
  }
  return estimate(suites().design(), kSample, {codes(place)},
                  std::vector{mean(column(grade_point_averages()))}, 1)
      .estimates;
}

/// The first is not known, as a domain without answers.
Estimates with_unknown() {
  Estimates estimates = means_by_place();
  estimates.values[0] = kNaN;
  estimates.deviations.matrix.col(0).setConstant(kNaN);
  return estimates;
}

TEST(Estimates, StandardErrorsAreRootsOfTheVariances) {
  const Estimates estimates = means_by_place();
  EXPECT_EQ(estimates.size(), 4);
  EXPECT_EQ(estimates.degrees_of_freedom(), 4);
  EXPECT_TRUE(
      estimates.standard_errors().isApprox(estimates.covariance().diagonal().cwiseSqrt(), 1e-15));
}

TEST(Contrast, CovarianceOfADifferenceIsTheGramOfTheDifference) {
  const Estimates estimates = means_by_place();
  const Eigen::RowVector4d weights(1, -1, 0, 0);
  const Estimates difference = estimates.contrast(weights);
  const Eigen::MatrixXd c = estimates.covariance();
  EXPECT_DOUBLE_EQ(difference.values[0], estimates.values[0] - estimates.values[1]);
  EXPECT_NEAR(difference.covariance()(0, 0) / (c(0, 0) + c(1, 1) - 2 * c(0, 1)), 1, 1e-13);
  const Eigen::VectorXd column_difference =
      estimates.deviations.matrix.col(0) - estimates.deviations.matrix.col(1);
  EXPECT_DOUBLE_EQ(difference.covariance()(0, 0), column_difference.squaredNorm());
  EXPECT_EQ(difference.degrees_of_freedom(), 4);
  EXPECT_EQ(difference.deviations.units, estimates.deviations.units);
}

TEST(Contrast, OfEqualEstimatesIsExactlyNothing) {
  const Estimates one = means_by_place();
  const Estimates difference =
      join(one, one).contrast((Eigen::MatrixXd(1, 8) << 0, 1, 0, 0, 0, -1, 0, 0).finished());
  EXPECT_EQ(difference.values[0], 0);
  EXPECT_EQ(difference.standard_errors()[0], 0);
}

TEST(Contrast, OfContrastsIsTheirProduct) {
  const Estimates estimates = means_by_place();
  Eigen::MatrixXd first(2, 4);
  first << 1, -1, 0, 0, 0.25, 0.25, 0.25, 0.25;
  Eigen::MatrixXd second(1, 2);
  second << 2, -3;
  const Estimates steps = estimates.contrast(first).contrast(second);
  const Estimates once = estimates.contrast(second * first);
  EXPECT_NEAR(steps.values[0], once.values[0], 1e-14);
  EXPECT_NEAR(steps.standard_errors()[0], once.standard_errors()[0], 1e-14);
}

TEST(Delta, OfARatioIsTheRatioEstimator) {
  const Values y = grade_point_averages();
  Values x;
  for (std::size_t i = 0; i < y.size(); ++i) {
    x.push_back(1 + static_cast<double>(i % 3));
  }
  const Estimated all = estimate_all(suites().design(), {total(column(y)), total(column(x, "x")),
                                                         ratio(column(y), column(x, "x"))});
  const Estimates totals = all.estimates.select({0, 1});
  const std::vector<Dual> at = variables(totals.values);
  const Dual quotient = at[0] / at[1];
  const Estimates by_delta =
      totals.delta(Eigen::VectorXd::Constant(1, quotient.value), quotient.gradient.transpose());
  EXPECT_NEAR(by_delta.values[0] / all.estimates.values[2], 1, 1e-14);
  EXPECT_NEAR(by_delta.standard_errors()[0] / se(all, 2), 1, 1e-13);
}

TEST(Delta, OfALogarithmHasTheRelativeStandardError) {
  const Estimates estimates = means_by_place();
  const Estimates logs =
      estimates.delta(estimates.values.array().log().matrix(),
                      Eigen::MatrixXd(estimates.values.cwiseInverse().asDiagonal()));
  EXPECT_TRUE(logs.standard_errors().isApprox(
      estimates.standard_errors().cwiseQuotient(estimates.values), 1e-14));
}

TEST(Unknown, SpreadsToWhatDependsOnItAndNoFurther) {
  const Estimates estimates = with_unknown();
  Eigen::MatrixXd combinations(3, 4);
  combinations << 0, 1, -1, 0, 1, -1, 0, 0, 0, 0, 0, 2;
  const Estimates result = estimates.contrast(combinations);
  const Estimates known = means_by_place().contrast(combinations);
  EXPECT_TRUE(std::isnan(result.values[1]));
  EXPECT_TRUE(std::isnan(result.standard_errors()[1]));
  for (const Eigen::Index i : {0, 2}) {
    EXPECT_EQ(result.values[i], known.values[i]);
    EXPECT_EQ(result.standard_errors()[i], known.standard_errors()[i]);
  }
}

// The value may be known where its error is not: a mean over one cluster.
TEST(Unknown, ErrorLeavesTheValueAsItIs) {
  Estimates estimates = means_by_place();
  estimates.deviations.matrix.col(0).setConstant(kNaN);
  const Estimates difference = estimates.contrast(Eigen::RowVector4d(1, -1, 0, 0));
  EXPECT_DOUBLE_EQ(difference.values[0], estimates.values[0] - estimates.values[1]);
  EXPECT_TRUE(std::isnan(difference.standard_errors()[0]));
}

TEST(Unknown, SlopeIsNotTakenForNone) {
  const Estimates estimates = means_by_place();
  const Estimates result =
      estimates.delta(Eigen::VectorXd::Constant(1, kNaN), Eigen::RowVector4d(0, kNaN, 0, 0));
  EXPECT_TRUE(std::isnan(result.standard_errors()[0]));
}

TEST(Select, PicksEstimatesInTheOrderAsked) {
  const Estimates estimates = means_by_place();
  const Estimates chosen = estimates.select({3, 1, 3});
  EXPECT_EQ(chosen.values,
            Eigen::Vector3d(estimates.values[3], estimates.values[1], estimates.values[3]));
  EXPECT_EQ(chosen.covariance()(0, 1), estimates.covariance()(3, 1));
  EXPECT_EQ(chosen.covariance()(0, 2), chosen.covariance()(0, 0));
  EXPECT_EQ(estimates.select({}).size(), 0);
}

TEST(Select, RefusesAPositionThatThereIsNot) {
  EXPECT_THROW(means_by_place().select({0, 4}), std::out_of_range);
  EXPECT_THROW(means_by_place().select({-1}), std::out_of_range);
}

TEST(JoinedEstimates, OfSeparateCallsCovaryAsIfAskedTogether) {
  const Survey survey = random_survey(900, 3, 8, 11);
  const Design design = survey.sample.design();
  const auto estimators = all_estimators(survey);
  const Estimated together = estimate_all(design, estimators);
  Estimates joined = estimate_all(design, {estimators[0]}).estimates;
  for (std::size_t e = 1; e < estimators.size(); ++e) {
    joined = join(joined, estimate_all(design, {estimators[e]}).estimates);
  }
  EXPECT_TRUE(same_bits(joined.values, together.estimates.values));
  EXPECT_TRUE(same_bits(joined.deviations.matrix, together.estimates.deviations.matrix));
  EXPECT_EQ(joined.degrees_of_freedom(), together.estimates.degrees_of_freedom());
}

// R 4.2.2: 2 * pt(-2.5, 4).
TEST(PValue, IsTwoSided) {
  EXPECT_NEAR(two_sided_p_value(2.5, 0.2, 4, 2), 0.066766544811988127, 1e-15);
  EXPECT_EQ(two_sided_p_value(1.5, 0.2, 4, 2), two_sided_p_value(2.5, 0.2, 4, 2));
  EXPECT_EQ(two_sided_p_value(2, 0.2, 4, 2), 1);
  EXPECT_GT(two_sided_p_value(1e3, 1, 10), 0);
}

TEST(PValue, WithoutAnErrorIsNotKnown) {
  EXPECT_TRUE(std::isnan(two_sided_p_value(2, 0, 4, 2)));
  EXPECT_TRUE(std::isnan(two_sided_p_value(2.1, 0, 4, 2)));
  EXPECT_TRUE(std::isnan(two_sided_p_value(kNaN, 1, 4)));
  EXPECT_TRUE(std::isnan(two_sided_p_value(1, kNaN, 4)));
}

}  // namespace
}  // namespace steelyard::testing
