#include "steelyard/bias_reduction.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "linear_models.hpp"
#include "samples.hpp"
#include "steelyard/error.hpp"

namespace steelyard::testing {
namespace {

void expect_dense(const Linear& model, const BiasReductionOptions& options, bool centred,
                  double tolerance = 1e-11) {
  const BiasReduced found = model.reduce(options);
  const Dense expected =
      dense(model, options.working == WorkingVariance::kInverseToWeight, centred);
  const MatrixXd difference =
      found.estimates.deviations.matrix - expected.deviations().cast<double>();
  const VectorXd se = found.estimates.standard_errors();
  for (Eigen::Index j = 0; j < se.size(); ++j) {
    EXPECT_LT(difference.col(j).norm(), tolerance * se[j]) << j;
  }
  expect_relative(found.degrees_of_freedom, expected.degrees_of_freedom().cast<double>(),
                  tolerance);
}

TEST(BiasReduction, EqualsTheFormulasWithMatricesOfAllRows) {
  for (const bool equal : {true, false}) {
    for (const WorkingVariance working :
         {WorkingVariance::kEqual, WorkingVariance::kInverseToWeight}) {
      expect_dense(random_model(1, equal, false), {working, ScoreCentring::kStratified, 1}, false);
      expect_dense(random_model(2, equal, false), {working, ScoreCentring::kAlways, 1}, true);
      expect_dense(random_model(3, equal, true), {working, ScoreCentring::kStratified, 1}, true);
    }
  }
}

// A mean in each domain is the regression on a full set of indicators: their columns meet no row
// together.
TEST(BiasReduction, OfMeansIsTheRegressionOnIndicators) {
  const Survey survey = random_survey(300, 3, 5, 7);
  const Design design = survey.sample.design();
  const Domains domains{survey.domain};
  const BiasReduced means = reduce_bias_of_means(column(survey.y), design, kSample, domains);
  std::vector<ModelMatrix::Factor> factors;
  std::vector<ModelMatrix::Product> products;
  for (int d = 0; d < 3; ++d) {
    factors.push_back({{}, survey.domain, VectorXd::Unit(3, d)});
    products.push_back({"d", {d}});
  }
  const Regression fit =
      fit_regression(design, {}, ModelMatrix(300, factors, products), column(survey.y), {});
  const BiasReduced together = reduce_bias(fit, design, kSample, {});
  expect_relative(means.estimates.values, together.estimates.values);
  const MatrixXd covariance = means.estimates.covariance();
  EXPECT_LT((covariance - together.estimates.covariance()).norm(), 1e-11 * covariance.norm());
  expect_relative(means.degrees_of_freedom, together.degrees_of_freedom);
  expect_relative(means.expectation, together.expectation);
}

TEST(BiasReduction, OfRowsLeftOutIsThatOfTheOthers) {
  Linear whole = random_model(5, false, false);
  Linear part{{}, {}, {{}, {}}};
  Labels domain;
  for (std::size_t row = 0; row < 60; ++row) {
    const bool in = row % 5 != 1 && row % 7 != 3 && row != 20;
    domain.push_back(row % 5 != 1 ? 0 : Codes::kNone);
    whole.y[row] = row % 7 != 3 ? whole.y[row] : kNaN;
    whole.sample.weights[row] = row != 20 ? whole.sample.weights[row] : 0;
    if (in) {
      part.sample.units.push_back(whole.sample.units[row]);
      part.sample.weights.push_back(whole.sample.weights[row]);
      part.y.push_back(whole.y[row]);
      part.columns[0].push_back(whole.columns[0][row]);
      part.columns[1].push_back(whole.columns[1][row]);
    }
  }
  part.sample.rows = static_cast<Eigen::Index>(part.y.size());
  std::vector<std::int32_t> code(11, -1);  // units without a row have none
  std::int32_t next = 0;
  for (std::int32_t& unit : part.sample.units) {
    std::int32_t& mine = code[static_cast<std::size_t>(unit)];
    mine = mine < 0 ? next++ : mine;
    unit = mine;
  }
  whole.domains = {Codes(domain, 1)};
  const BiasReduced found = whole.reduce();
  const BiasReduced expected = part.reduce();
  expect_relative(found.estimates.values, expected.estimates.values, 1e-9);
  expect_relative(found.estimates.standard_errors(), expected.estimates.standard_errors());
  expect_relative(found.degrees_of_freedom, expected.degrees_of_freedom, 1e-9);
}

TEST(BiasReduction, OfACombination) {
  const Linear model = random_model(6, false, true);
  const BiasReduced all = model.reduce();
  MatrixXd combinations(2, 3);
  combinations << 1, 14, 0, 0, 0, -2;
  const BiasReduced found = model.reduce({}, combinations);
  const Estimates expected = all.estimates.contrast(combinations);
  expect_relative(found.estimates.values, expected.values);
  expect_relative(found.estimates.standard_errors(), expected.standard_errors(), 1e-9);
  EXPECT_NEAR(found.degrees_of_freedom[1] / all.degrees_of_freedom[2], 1, 1e-12);
  // Another origin of x makes the first combination a coefficient.
  Linear moved = model;
  for (double& x : moved.columns[0]) {
    x -= 14;
  }
  EXPECT_NEAR(moved.reduce().degrees_of_freedom[0] / found.degrees_of_freedom[0], 1, 1e-9);
}

TEST(BiasReduction, DependsOnNoUnitOfMeasurement) {
  Linear model = random_model(8, false, true);
  const BiasReduced found = model.reduce();
  for (double& w : model.sample.weights) {
    w *= 1e7;
  }
  for (double& x : model.columns[0]) {
    x = 1e-6 * (x + 1000);
  }
  const BiasReduced scaled = model.reduce();
  expect_relative(scaled.degrees_of_freedom.tail(2), found.degrees_of_freedom.tail(2), 1e-9);
  const VectorXd se = found.estimates.standard_errors();
  const VectorXd scaled_se = scaled.estimates.standard_errors();
  EXPECT_NEAR(scaled_se[1] / se[1], 1e6, 1e-3);
  EXPECT_NEAR(scaled_se[2] / se[2], 1, 1e-9);
}

TEST(BiasReduction, HasTheSameBitsForAnyNumberOfThreads) {
  const Linear model = random_model(9, false, true);
  const BiasReduced one = model.reduce({.threads = 1});
  const BiasReduced four = model.reduce({.threads = 4});
  EXPECT_TRUE(same_bits(one.estimates.deviations.matrix, four.estimates.deviations.matrix));
  EXPECT_TRUE(same_bits(one.degrees_of_freedom, four.degrees_of_freedom));
}

// An indicator of one unit has all its leverage: the unit says nothing about its own error, and
// the other coefficients are those of the other units.
TEST(BiasReduction, OfAnIndicatorOfOneUnitSeesTheOthersOnly) {
  for (const WorkingVariance working :
       {WorkingVariance::kEqual, WorkingVariance::kInverseToWeight}) {
    Linear model = random_model(10, false, false);
    model.columns.erase(model.columns.begin());
    for (std::size_t row = 0; row < 60; ++row) {
      model.columns[0][row] = model.sample.units[row] == 2 ? 1 : 0;
    }
    const BiasReductionOptions options{.working = working};
    expect_dense(model, options, false);
    const BiasReduced found = model.reduce(options);
    const RowMatrix& deviations = found.estimates.deviations.matrix;
    EXPECT_LT(deviations.row(2).norm(), 1e-12 * deviations.norm());
    EXPECT_NEAR(found.expectation[0], 1, 1e-12);
    EXPECT_LT(found.expectation[1], 0.9);
    EXPECT_GT(found.expectation[1], 0);
  }
}

// Nearly so: its leverage lacks a millionth of 1, by which what is left of its residuals is
// divided.
TEST(BiasReduction, KeepsItsDigitsWhereAUnitNearlyDecidesAlone) {
  constexpr double kTolerance = 1e-8;  // a part in 2^52, times a million
  Linear model = random_model(11, true, true);
  for (std::size_t row = 0; row < 60; ++row) {
    model.columns[1][row] = model.sample.units[row] == 2 ? 1 : 0;
  }
  model.columns[1][0] = 1e-3;
  expect_dense(model, {}, true, kTolerance);
  model.sample.strata.clear();
  model.sample.fpc.clear();
  expect_dense(model, {}, false, kTolerance);
}

// Coefficients that are the means of single units: no residual shows their error.
TEST(BiasReduction, IsNotANumberWhereNothingIsSeen) {
  const Sample sample{.rows = 6, .units = {0, 0, 1, 1, 1, 2}};
  const Codes unit = codes(sample.units);
  const Design design = sample.design();
  const Regression fit = fit_regression(
      design, {},
      ModelMatrix(6, {{{}, unit, VectorXd::Unit(3, 0)}, {{}, unit, VectorXd::Unit(3, 1)}},
                  {{"1", {}}, {"a", {0}}, {"b", {1}}}),
      column({1, 2, 3, 5, 4, 7}), {});
  const BiasReduced found = reduce_bias(fit, design, kSample, {});
  for (Eigen::Index j = 0; j < 3; ++j) {
    EXPECT_FALSE(std::isnan(found.estimates.values[j]));
    EXPECT_TRUE(std::isnan(found.estimates.standard_errors()[j]));
    EXPECT_TRUE(std::isnan(found.degrees_of_freedom[j]));
    EXPECT_LT(found.expectation[j], 1e-12);
  }
}

TEST(BiasReduction, OfACensusHasNoError) {
  Linear model = random_model(13, false, false);
  model.sample.fpc = Values(60, 1.0);
  const BiasReduced found = model.reduce();
  EXPECT_EQ(found.estimates.standard_errors(), VectorXd::Zero(3));
  EXPECT_EQ(found.degrees_of_freedom, VectorXd::Constant(3, 10));
}

TEST(BiasReduction, OfADomainInOneUnitIsNotANumber) {
  const Sample sample{.rows = 6, .units = {0, 0, 1, 1, 2, 2}};
  const Domains domains{Codes({0, 0, 0, 1, 0, 1}, 4)};
  const Domains lone{Codes({0, 1, 0, 1, 0, 2}, 4)};
  const Design design = sample.design();
  const Column y = column({1, 2, 3, 5, 4, 7});
  EXPECT_GT(reduce_bias_of_means(y, design, kSample, domains).degrees_of_freedom[1], 0.99);
  const BiasReduced found = reduce_bias_of_means(y, design, kSample, lone);
  EXPECT_EQ(found.estimates.values[2], 7);
  EXPECT_TRUE(std::isnan(found.estimates.values[3]));
  for (const Eigen::Index d : {2, 3}) {
    EXPECT_TRUE(std::isnan(found.degrees_of_freedom[d]));
    EXPECT_TRUE(std::isnan(found.estimates.standard_errors()[d]));
  }
  EXPECT_FALSE(std::isnan(found.degrees_of_freedom[0] + found.degrees_of_freedom[1]));
}

TEST(BiasReduction, RefusesTooFewUnits) {
  Linear model{{.rows = 6, .units = {0, 0, 0, 0, 1, 1}},
               {1, 2, 3, 5, 4, 7},
               {{1, 2, 3, 4, 5, 6}},
               {Codes({0, 0, 0, 0, -1, -1}, 1)}};
  try {
    model.reduce();
    FAIL() << "no error";
  } catch (const DesignError& error) {
    EXPECT_EQ(error.problem, DesignError::Problem::kNoDegreesOfFreedom);
  }
}

TEST(BiasReduction, RefusesWhatItIsNotDefinedFor) {
  const Linear model = random_model(12, false, false);
  const Regression fit = model.fit();
  const auto refused = [&](const Design& design, const Domains& domains = {}) {
    EXPECT_THROW(reduce_bias(fit, design, kSample, domains), std::invalid_argument);
  };
  Sample lonely = model.sample;
  lonely.lonely = Lonely::kAdjust;
  for (const std::int32_t unit : lonely.units) {
    lonely.strata.push_back(unit == 0 ? 0 : 1);
  }
  refused(lonely.design());
  const Stage::Columns clusters{{}, codes(model.sample.units), column(Values(60, 0.5), "fpc")};
  const std::vector<Stage::Columns> stages{clusters, {}};
  refused(Design::sampled(60, {}, stages, {.lonely = Lonely::kRemove}));
  refused(Design::sampled(60, {}, std::span(&clusters, 1), {.lonely_domain = Lonely::kRemove}));
  Labels some(60, 0);
  some[3] = Codes::kNone;
  refused(model.sample.design(), {Codes(some, 1)});
  EXPECT_THROW(reduce_bias(fit, model.sample.design(), kSample, {}, {}, MatrixXd::Ones(1, 2)),
               std::invalid_argument);
  Linear constant = model;
  constant.columns.clear();
  const Regression gamma = fit_regression(model.sample.design(), {}, constant.matrix(),
                                          column(model.y), {Family::kGamma, Link::kLog});
  EXPECT_THROW(reduce_bias(gamma, model.sample.design(), kSample, {}), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
