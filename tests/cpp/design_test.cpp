#include "steelyard/design.hpp"

#include <gtest/gtest.h>

#include <span>
#include <stdexcept>
#include <vector>

#include "replicates.hpp"
#include "samples.hpp"
#include "steelyard/estimate.hpp"
#include "steelyard/joint_inclusion.hpp"
#include "textbook.hpp"

namespace steelyard::testing {
namespace {

// Lohr (2010), example 5.2: mean 2.826, standard error 0.164 with n/N = 5/100.
TEST(Design, ReproducesLohrExample52) {
  const Estimated mean_gpa =
      estimate_all(suites().design(), {mean(column(grade_point_averages()))});
  EXPECT_NEAR(mean_gpa.estimates.values[0], 2.826, 5e-4);
  EXPECT_NEAR(se(mean_gpa), 0.164, 5e-4);
  EXPECT_EQ(mean_gpa.estimates.degrees_of_freedom(), 4);
}

// Stata, Survey Data Reference Manual, svyset with fpc: mean 5.448148, standard error .6160407;
// .7412683 without the finite population correction.
TEST(Design, ReproducesStataWithAndWithoutFpc) {
  Sample sample = fpc_sample();
  const Estimated with = estimate_all(sample.design(), {mean(column(fpc_values()))});
  sample.fpc.clear();
  const Estimated without = estimate_all(sample.design(), {mean(column(fpc_values()))});
  EXPECT_NEAR(with.estimates.values[0], 5.448148, 5e-7);
  EXPECT_NEAR(se(with), 0.6160407, 5e-8);
  EXPECT_NEAR(se(without), 0.7412683, 5e-8);
  EXPECT_EQ(with.estimates.degrees_of_freedom(), 6);
}

TEST(Design, FractionsAndPopulationSizesAreOneCorrection) {
  Sample sample = fpc_sample();
  const double counts = se(estimate_all(sample.design(), {mean(column(fpc_values()))}));
  sample.fpc = {5.0 / 15, 5.0 / 15, 5.0 / 15, 5.0 / 15, 5.0 / 15, 0.25, 0.25, 0.25};
  EXPECT_DOUBLE_EQ(se(estimate_all(sample.design(), {mean(column(fpc_values()))})), counts);
  EXPECT_DOUBLE_EQ(sample.design().stratum(1).fraction, 0.25);
}

TEST(Design, WithoutWeightsARowStandsForTheInverseOfItsFraction) {
  Sample sample = fpc_sample();
  sample.weights.clear();
  const Design design = sample.design();
  Values buffer(8);
  const double* weights = design.weights(3, 4, buffer.data());
  EXPECT_EQ(Values(weights, weights + 4), (Values{3, 3, 4, 4}));
  sample.fpc.clear();
  EXPECT_EQ(sample.design().weights(3, 4, buffer.data())[3], 1);
}

TEST(Design, CountsUnitsStrataAndDegreesOfFreedom) {
  Sample sample{.rows = 7, .strata = {0, 0, 0, 1, 1, 1, 1}, .units = {0, 1, 0, 2, 3, 4, 4}};
  const Design design = sample.design();
  EXPECT_EQ(design.units(), 5);
  EXPECT_EQ(design.strata(), 2);
  EXPECT_EQ(design.stratum(1).units, 3);
  EXPECT_EQ(design.degrees_of_freedom(), 3);
  EXPECT_FALSE(design.rows_are_units());
  EXPECT_EQ(design.stratum_of_unit(2), 1);
  EXPECT_EQ(design.unit_of_row()[6], 4);
  sample.weights = {1, 1, 1, 1, 1, 0, 0};  // unit 4 weighs nothing: R's degf counts it neither
  EXPECT_EQ(sample.design().degrees_of_freedom(), 2);
  sample.weights = {1, 0, 1, 0, 0, 1, 0};  // one unit in each stratum is left
  EXPECT_THROW(sample.design(), DesignError);
}

TEST(Design, DeviationsAreTheFormula) {
  const Sample sample{.rows = 5, .strata = {0, 1, 0, 1, 0}, .fpc = {0.5, 0.2, 0.5, 0.2, 0.5}};
  RowMatrix totals(5, 2);
  totals << 1, 10, 2, 30, 4, 70, 8, 20, 7, 10;
  totals = sample.design().deviate(totals);
  const double first = std::sqrt(0.5 * 3 / 2);  // sqrt((1 - f) n / (n - 1))
  const double second = std::sqrt(0.8 * 2 / 1);
  RowMatrix expected(5, 2);
  expected << -3 * first, -20 * first, -3 * second, 5 * second, 0, 40 * first, 3 * second,
      -5 * second, 3 * first, -20 * first;
  EXPECT_TRUE(totals.isApprox(expected, 1e-15));
}

TEST(Design, UnitsThatAreAlikeDeviateByExactlyNothing) {
  const Sample sample{.rows = 7, .weights = Values(7, 0.1)};
  RowMatrix totals = RowMatrix::Constant(7, 1, 0.1);
  totals = sample.design().deviate(totals);
  EXPECT_EQ(totals.cwiseAbs().maxCoeff(), 0);
}

TEST(Design, ACensusHasNoError) {
  Sample sample = fpc_sample();
  sample.fpc = {5, 5, 5, 5, 5, 3, 3, 3};
  EXPECT_EQ(se(estimate_all(sample.design(), {mean(column(fpc_values()))})), 0);
  sample.fpc = Values(8, 1.0);
  EXPECT_EQ(se(estimate_all(sample.design(), {mean(column(fpc_values()))})), 0);
}

TEST(Design, ARowIsAClusterOfOne) {
  const Survey survey = random_survey(600, 3, 0, 2);
  Sample clustered = survey.sample;
  for (std::int32_t row = 0; row < 600; ++row) {
    clustered.units.push_back(row);
  }
  const auto estimators = all_estimators(survey);
  const Estimated rows =
      estimate(survey.sample.design(), kSample, {survey.domain}, estimators, 1, kKeptDeviations);
  const Estimated clusters =
      estimate(clustered.design(), kSample, {survey.domain}, estimators, 1, kKeptDeviations);
  EXPECT_TRUE(same_bits(rows.estimates.values, clusters.estimates.values));
  EXPECT_TRUE(rows.estimates.covariance().isApprox(clusters.estimates.covariance(), 1e-14));
  EXPECT_EQ(rows.units, clusters.units);
}

/// Stratum 2 has a single unit of a population of 4.
class LonelyStratum : public ::testing::Test {
 protected:
  Sample sample_{.rows = 5,
                 .weights = {2, 2, 4, 4, 4},
                 .strata = {0, 0, 1, 1, 2},
                 .fpc = {0.5, 0.5, 0.25, 0.25, 0.25}};
  Values y_ = {1, 4, 2, 8, 6};

  double variance(Lonely policy, double shift = 0) const {
    Sample sample = sample_;
    sample.lonely = policy;
    Values y = y_;
    y.back() += shift;
    const double error = se(estimate_all(sample.design(), {total(column(y))}));
    return error * error;
  }
  // (1 - f) n sum of squares / (n - 1) of w y: 0.5 * 2 * 18 and 0.75 * 2 * 288.
  static constexpr double kOthers = 0.5 * 2 * 18 + 0.75 * 2 * 288;
};

TEST_F(LonelyStratum, IsRefusedByDefault) { EXPECT_THROW(variance(Lonely::kFail), DesignError); }

TEST_F(LonelyStratum, AddsNothingWhenRemovedOrCertain) {
  EXPECT_DOUBLE_EQ(variance(Lonely::kRemove), kOthers);
  EXPECT_DOUBLE_EQ(variance(Lonely::kCertainty), kOthers);
}

TEST_F(LonelyStratum, AddsTheMeanOfTheOthersWhenAveraged) {
  EXPECT_DOUBLE_EQ(variance(Lonely::kAverage), kOthers * 3 / 2);
}

TEST_F(LonelyStratum, IsCentredAtTheMeanOfAllUnitsWhenAdjusted) {
  const double distance = 24 - (2 + 8 + 8 + 32 + 24) / 5.0;
  EXPECT_DOUBLE_EQ(variance(Lonely::kAdjust), kOthers + 0.75 * distance * distance);
}

// A stratum far from the others is summed at a centre of its own.
TEST_F(LonelyStratum, IsAdjustedHoweverFarItLies) {
  const double shift = 1e7;
  const double lone = 24 + 4 * shift;
  const double distance = lone - (2 + 8 + 8 + 32 + lone) / 5.0;
  const double expected = kOthers + 0.75 * distance * distance;
  EXPECT_NEAR(variance(Lonely::kAdjust, shift) / expected, 1, 1e-9);
}

TEST_F(LonelyStratum, IsOfNoImportanceInACensus) {
  sample_.fpc.back() = 1;
  sample_.weights.back() = 1;
  EXPECT_DOUBLE_EQ(variance(Lonely::kFail), kOthers);
  EXPECT_FALSE(sample_.design().stratum(2).lonely);
}

TEST_F(LonelyStratum, CannotBeAveragedWithoutOthers) {
  const Sample alone{.rows = 2, .strata = {0, 1}, .lonely = Lonely::kAverage};
  EXPECT_THROW(alone.design(), DesignError);
}

// A level that no row has is no stratum.
TEST(Design, StratumLevelsWithoutRowsChangeNothing) {
  const Values y = {1, 4, 2, 8};
  const Design plain = Design::stratified(4, {}, codes({0, 0, 1, 1}), {}, {}, Lonely::kFail);
  const Design gap = Design::stratified(4, {}, Codes({0, 0, 2, 2}, 4), {}, {}, Lonely::kFail);
  for (const Eigen::Index kept : {Eigen::Index{0}, kKeptDeviations}) {
    EXPECT_DOUBLE_EQ(se(estimate_all(gap, {total(column(y))}, 1, kept)),
                     se(estimate_all(plain, {total(column(y))}, 1, kept)));
  }
  EXPECT_EQ(gap.degrees_of_freedom(), plain.degrees_of_freedom());
}

// They would count as sampled: the caller leaves them out.
TEST(Design, RefusesClusterLevelsWithoutRows) {
  const Codes gap({0, 2, 3, 5}, 7);
  for (const Codes& strata : {Codes(), codes({0, 0, 1, 1})}) {
    EXPECT_THROW(Design::stratified(4, {}, strata, gap, {}, Lonely::kFail), std::invalid_argument);
  }
}

TEST(Design, KnowsTheUnitOfEachRowAtEachStage) {
  const std::vector<Stage::Columns> stages{
      {{}, codes({1, 0, 0, 1, 0, 1}), column(Values(6, .5), "fpc")},
      {{}, codes({3, 0, 1, 2, 0, 3}), column(Values(6, .4), "fpc")},
      {{}, {}, column(Values(6, .1), "fpc")}};
  const Design design = Design::sampled(6, {}, stages, {.lonely = Lonely::kRemove});
  EXPECT_EQ(design.row_units(0), (Labels{1, 0, 0, 1, 0, 1}));
  EXPECT_EQ(design.row_units(1), (Labels{3, 0, 1, 2, 0, 3}));
  EXPECT_EQ(design.row_units(2), (Labels{0, 1, 2, 3, 4, 5}));
  EXPECT_THROW(design.row_units(3), std::out_of_range);
  EXPECT_EQ(design.row_fractions(1), Eigen::VectorXd::Constant(6, .4));
  EXPECT_THROW(design.row_fractions(3), std::out_of_range);
}

TEST(Design, OfOneStageKnowsTheUnitOfEachRow) {
  const Sample clustered{.rows = 5, .units = {2, 0, 1, 0, 2}};
  EXPECT_EQ(clustered.design().row_units(0), clustered.units);
  EXPECT_EQ(Sample{.rows = 3}.design().row_units(0), (Labels{0, 1, 2}));
  EXPECT_THROW(Sample{.rows = 3}.design().row_units(1), std::out_of_range);
}

/// The map from multipliers of deviations is the matrix of that to deviations, transposed.
void expect_adjoint(const Design& design) {
  const Eigen::MatrixXd map = design.deviate(RowMatrix::Identity(design.units(), design.units()));
  ASSERT_EQ(map.rows(), design.deviations());
  const Eigen::MatrixXd transposed =
      design.transpose(RowMatrix::Identity(design.deviations(), design.deviations()));
  ASSERT_EQ(transposed.rows(), design.units());
  EXPECT_GT(map.norm(), 1);
  EXPECT_LT((transposed.transpose() - map).norm(), 1e-14);
}

TEST(DesignTranspose, IsTheAdjointOfOneStage) {
  expect_adjoint(Sample{.rows = 6}.design());
  expect_adjoint(two_strata().design());
  expect_adjoint(suites().design());
  expect_adjoint(Design::stratified(4, {}, Codes({0, 0, 2, 2}, 4), {}, {}, Lonely::kFail));
}

TEST(DesignTranspose, IsTheAdjointOfStages) { expect_adjoint(three_stages()); }

TEST(DesignTranspose, IsTheAdjointWithLonelyStrata) {
  for (const Lonely policy :
       {Lonely::kRemove, Lonely::kCertainty, Lonely::kAdjust, Lonely::kAverage}) {
    expect_adjoint(
        Sample{.rows = 6, .strata = {0, 1, 0, 2, 1, 3}, .fpc = Values(6, .3), .lonely = policy}
            .design());
    // Lonely at the second stage, within clusters of 3 and 5 rows.
    const std::vector<Stage::Columns> stages{
        {{}, codes({0, 0, 0, 1, 1, 1, 1, 1}), column(Values(8, .5), "fpc")},
        {codes({0, 0, 1, 2, 2, 3, 3, 4}), {}, column(Values(8, .1), "fpc")}};
    expect_adjoint(Design::sampled(8, {}, stages, {.lonely = policy}));
  }
}

TEST(DesignTranspose, IsTheAdjointWithUnequalProbabilities) {
  const Stage::Columns stage{codes({0, 1, 0, 1, 1}), {}, column({.5, .4, .3, .2, 1}, "fpc")};
  expect_adjoint(Design::sampled(5, {}, std::span(&stage, 1), {.selection = Selection::kBrewer}));
}

// Blocks may have units in common, and leave some out; there are as many rows as degrees of
// freedom ask for, and one more.
TEST(DesignTranspose, IsTheAdjointOfAQuadraticForm) {
  Eigen::MatrixXd definite(2, 2);
  definite << 2, 1, 1, 3;
  Eigen::MatrixXd indefinite(3, 3);
  indefinite << 1, 2, 0, 2, 1, 4, 0, 4, -3;
  const VarianceForm form({{{4, 1}, definite}, {{1, 0, 2}, indefinite}});
  EXPECT_LT(form.signs().minCoeff(), 0);
  for (const double degrees_of_freedom : {2.0, 11.0}) {
    const Design design = Design::with_form(6, {}, {}, form, degrees_of_freedom);
    expect_adjoint(design);
    EXPECT_GE(design.deviations(), static_cast<Eigen::Index>(degrees_of_freedom) + 1);
  }
  const Eigen::Vector4d probability(.5, .4, .3, 1);
  expect_adjoint(
      Design::with_form(4, {}, {}, overton(probability, {}, JointVariance::kHorvitzThompson)));
}

}  // namespace
}  // namespace steelyard::testing
