#include "steelyard/quantile_rule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "samples.hpp"
#include "steelyard/error.hpp"

namespace steelyard::testing {
namespace {

using Rule = QuantileRule;
using Table = std::map<std::string, Values>;

constexpr Rule kDiscrete[] = {Rule::kHf1, Rule::kHf2, Rule::kHf3, Rule::kSas2, Rule::kShahVaish};
constexpr Rule kLinear[] = {Rule::kHf4, Rule::kHf5, Rule::kHf6,        Rule::kHf7,
                            Rule::kHf8, Rule::kHf9, Rule::kSurveymeans};

void expect_quantiles(const WeightedSample& sample, const Values& at, const Table& expected) {
  for (const auto& [name, quantiles] : expected) {
    for (std::size_t i = 0; i < at.size(); ++i) {
      EXPECT_NEAR(sample.quantile(at[i], quantile_rule(name)) / quantiles[i], 1, 1e-14)
          << name << " at " << at[i];
    }
  }
}

/// api00 and pw of the 20 high schools in R survey's apiclus2; 631 occurs twice.
WeightedSample high_schools() {
  Values weights(20, 18.925000000000001);
  weights[9] = weights[10] = 136.25999999999999;
  weights[11] = weights[12] = 52.990000000000002;
  weights[13] = 26.495000000000001;
  return {{591, 453, 636, 698, 631, 622, 566, 547, 912, 660,
           479, 542, 645, 743, 631, 555, 608, 627, 670, 468},
          weights};
}

// R 4.2.2, survey 4.1.1: sapply(p, function(p) survey:::qrule_<name>(x, w, p)), which svyquantile()
// calls; for shahvaish with w / mean(w) in place of w.
TEST(Quantile, EqualsRSurveyOnHighSchools) {
  expect_quantiles(
      high_schools(), {0.1, 0.25, 0.5, 0.75, 0.9},
      {{"math", {479, 479, 627, 660, 670}},
       {"school", {479, 479, 627, 660, 670}},
       {"hf3", {479, 479, 627, 660, 670}},
       {"hf4", {470.50555555555559, 478.84722222222223, 623, 650.20833333333337, 667.6}},
       {"hf5", {473.74146341463415, 523.1, 625.5, 656.7, 677.28}},
       {"hf6", {470.65833333333336, 482.375, 625.5, 651.77083333333337, 688.48}},
       {"hf7", {492.475, 538.9375, 625.5, 662.43055555555554, 669.80555555555554}},
       {"hf8", {472.3, 514.19140625, 625.5, 654.63662790697674, 681.01333333333332}},
       {"hf9", {472.60307692307691, 516.69382022471916, 625.5, 655.10135135135135, 680.08}},
       {"shahvaish", {468, 479, 622, 645, 670}}});
}

// R 4.2.2, survey 4.1.1: oldsvyquantile(~api00, subset(clus2, stype == "H"), p, ties = "rounded",
// method = "linear") joins the same points as SAS. hf4 differs where values are equal.
TEST(Quantile, OfSurveymeansInterpolatesBetweenDistinctValues) {
  const Values at = {0.01, 0.1, 0.25, 0.5, 0.57, 0.75, 0.9};
  expect_quantiles(
      high_schools(), at,
      {{"surveymeans",
        {453, 470.50555555555553, 478.84722222222223, 623, 630.496, 650.20833333333337, 667.6}}});
  EXPECT_EQ(high_schools().quantile(0.57, Rule::kHf4), 631);
}

// R 4.2.2, survey 4.1.1: svyquantile(~births, hospital, p, qrule = <name>).
TEST(Quantile, EqualsRSurveyOnHospitals) {
  const WeightedSample hospitals(
      {480, 426, 342, 174, 2022, 576, 1999, 482, 836, 3108, 4674, 2539, 1610, 4618, 1781},
      {10.5, 10.5, 10.5, 10.5, 19.8, 19.8, 19.8, 19.8, 19.8, 17.0 / 6, 17.0 / 6, 17.0 / 6, 17.0 / 6,
       17.0 / 6, 17.0 / 6});
  expect_quantiles(hospitals, {0.25, 0.5, 0.75},
                   {{"math", {480, 576, 1999}},
                    {"hf7", {481.38888888888891, 783.25589225589238, 2009.8127104377104}}});
}

// R 4.2.2, survey 4.1.1: survey:::qrule_<name>(x, w, p), with exact ties at 0.25 and 0.75 and
// weights of mean 2 (1 for shahvaish).
TEST(Quantile, EqualsRSurveyWithEqualValues) {
  const WeightedSample sample({3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8},
                              {2, 1, 3, 1.5, 2, 1, 4, 2.5, 1, 2, 3, 1});
  expect_quantiles(sample, {0.25, 0.37, 0.5, 0.62, 0.75, 0.9, 0.96},
                   {{"math", {2, 3, 4, 5, 5, 6, 9}},
                    {"school", {2, 3, 4, 5, 5, 6, 9}},
                    {"hf3", {2, 3, 4, 5, 5, 6, 9}},
                    {"hf4", {1.875, 3, 3.5, 4.69, 5, 5.84, 8.04}},
                    {"hf5", {2.5, 3, 4, 5, 5, 6.9714285714285715, 8.54}},
                    {"hf6", {1.9375, 3, 3.6666666666666665, 5, 5, 7, 9}},
                    {"hf7", {2.8125, 3.005, 4.333333333333333, 5, 5.25, 6.96, 8.08}},
                    {"hf8", {2.34375, 3, 3.875, 5, 5, 6.9777777777777779, 8.6933333333333333}},
                    {"hf9", {2.3863636363636367, 3, 3.9047619047619051, 5, 5, 6.976, 8.655}},
                    {"shahvaish", {2, 3, 4, 5, 5, 6, 9}}});
}

// R 4.2.2: quantile(2^(0:9), p, type = 1 ... 9), and survey:::qrule_shahvaish with weights of 1.
// A tie at 0.5; type 3 is PCTLDEF=2 of SAS.
TEST(Quantile, WithEqualWeightsIsHyndmanAndFans) {
  const WeightedSample sample({1, 2, 4, 8, 16, 32, 64, 128, 256, 512}, Values(10, 30.97));
  expect_quantiles(sample, {0.05, 0.15, 0.25, 0.33, 0.5, 0.55, 0.65, 0.95},
                   {{"hf1", {1, 2, 4, 8, 16, 32, 64, 512}},
                    {"hf2", {1, 2, 4, 8, 24, 32, 64, 512}},
                    {"sas2", {1, 2, 2, 4, 16, 32, 32, 512}},
                    {"hf4", {1, 1.5, 3, 5.2, 16, 24, 48, 384}},
                    {"hf5", {1, 2, 4, 7.2, 24, 32, 64, 512}},
                    {"hf6", {1, 1.65, 3.5, 6.52, 24, 33.6, 73.6, 512}},
                    {"hf7", {1.45, 2.7, 5, 7.88, 24, 31.2, 59.2, 396.8}},
                    {"hf8",
                     {1, 1.8833333333333333, 3.8333333333333333, 6.9733333333333333, 24,
                      32.533333333333333, 67.2, 512}},
                    {"hf9", {1, 1.9125, 3.875, 7.03, 24, 32.4, 66.4, 512}},
                    {"shahvaish", {1, 1, 2, 4, 16, 32, 64, 512}}});
}

// R survey's rule is not type 3: survey:::qrule_hf3(2^(0:9), rep(1, 10), p).
TEST(Quantile, OfHf3TakesTheValueOfEvenRankAtATie) {
  const WeightedSample sample({1, 2, 4, 8, 16, 32, 64, 128, 256, 512}, Values(10, 1));
  expect_quantiles(sample, {0.33, 0.5}, {{"hf3", {8, 32}}});
  // Ranks are those of distinct values: here 2 of 4, at 1/2.
  const WeightedSample equal({1, 1, 2, 3, 4}, {1, 1, 1, 2, 1});
  EXPECT_EQ(equal.quantile(0.5, Rule::kHf3), 2);
}

TEST(Quantile, OfSas2IsTheNearestObservation) {
  const WeightedSample sample({1, 2, 3, 4}, {1, 2, 3, 4});  // shares 0.1, 0.3, 0.6, 1
  EXPECT_EQ(sample.quantile(0.19, Rule::kSas2), 1);
  EXPECT_EQ(sample.quantile(0.2, Rule::kSas2), 2);  // halfway: position 2 is even
  EXPECT_EQ(sample.quantile(0.45, Rule::kSas2), 2);
  EXPECT_EQ(sample.quantile(0.46, Rule::kSas2), 3);
  EXPECT_EQ(sample.quantile(0.8, Rule::kSas2), 4);
}

// R survey 4.1.1 gives the second observation, or 0.8 for hf4.
TEST(Quantile, BelowTheFirstShareIsTheFirstObservation) {
  const WeightedSample sample({1, 2, 3}, {5, 3, 2});
  for (const NamedQuantileRule& named : named_quantile_rules()) {
    if (named.rule != Rule::kHf7) {  // its first share is 0
      EXPECT_EQ(sample.quantile(0.1, named.rule), 1) << named.name;
    }
  }
}

TEST(Quantile, AtTheEndsIsTheSmallestAndTheLargest) {
  for (const NamedQuantileRule& named : named_quantile_rules()) {
    EXPECT_EQ(high_schools().quantile(0, named.rule), 453) << named.name;
    EXPECT_EQ(high_schools().quantile(1, named.rule), 912) << named.name;
    for (const double p : {0.0, 0.3, 1.0}) {
      EXPECT_EQ(WeightedSample({7}, {2.5}).quantile(p, named.rule), 7) << named.name;
    }
  }
}

TEST(Quantile, NeverFallsAsPRises) {
  for (const NamedQuantileRule& named : named_quantile_rules()) {
    double before = 453;
    for (int i = 0; i <= 5000; ++i) {
      const double quantile = high_schools().quantile(i / 5000.0, named.rule);
      EXPECT_GE(quantile, before) << named.name << " at " << i / 5000.0;
      before = quantile;
    }
  }
}

TEST(Quantile, DoesNotDependOnTheUnitOfTheWeightsOrRowsWithoutWeight) {
  Random random(6);
  Values values;
  Values weights;
  Values scaled;
  for (int i = 0; i < 301; ++i) {
    values.push_back(random.below(100));
    weights.push_back(i % 7 == 0 ? 0 : random.uniform(1, 20));
    scaled.push_back(weights.back() * 1234.567);
  }
  const WeightedSample sample(values, weights);
  const WeightedSample other(values, scaled);
  EXPECT_EQ(sample.size(), 258);
  for (int i = 0; i <= 1000; ++i) {
    for (const Rule rule : kDiscrete) {
      EXPECT_EQ(sample.quantile(i / 1000.0, rule), other.quantile(i / 1000.0, rule));
    }
    for (const Rule rule : kLinear) {
      EXPECT_NEAR(sample.quantile(i / 1000.0, rule), other.quantile(i / 1000.0, rule), 1e-11);
    }
  }
}

// The two would overflow if added or subtracted.
TEST(Quantile, OfTheLargestDoublesIsFinite) {
  const double largest = std::numeric_limits<double>::max();
  const WeightedSample sample({-largest, largest}, {1, 1});
  EXPECT_EQ(sample.quantile(0.5, Rule::kHf2), 0);
  EXPECT_EQ(sample.quantile(0.5, Rule::kHf5), 0);
}

TEST(Cdf, IsTheShareOfWeightAtOrBelow) {
  const WeightedSample sample({2, 1, 2, 4}, {1, 1, 2, 4});
  EXPECT_EQ(sample.total_weight(), 8);
  EXPECT_EQ(sample.cdf(0.5), 0);
  EXPECT_EQ(sample.cdf(1), 1.0 / 8);
  EXPECT_EQ(sample.cdf(2), 4.0 / 8);
  EXPECT_EQ(sample.cdf(3.9), 4.0 / 8);
  EXPECT_EQ(sample.cdf(kInfinity), 1);
  EXPECT_EQ(sample.cdf(-kInfinity), 0);
  EXPECT_THROW(sample.cdf(kNaN), std::invalid_argument);
}

TEST(QuantileRule, HasOneRuleForEachName) {
  std::set<std::string_view> names;
  for (const NamedQuantileRule& named : named_quantile_rules()) {
    EXPECT_EQ(quantile_rule(named.name), named.rule);
    names.insert(named.name);
  }
  EXPECT_EQ(names.size(), 19U);
  EXPECT_EQ(quantile_rule("stata"), quantile_rule("school"));
  EXPECT_EQ(quantile_rule("sas4"), quantile_rule("hf6"));
  EXPECT_THROW(quantile_rule("hf10"), std::invalid_argument);
}

TEST(WeightedSample, RefusesAPThatIsNoProbability) {
  for (const double p : {-1e-9, 1 + 1e-9, 50.0, kNaN}) {
    EXPECT_THROW(high_schools().quantile(p, Rule::kHf1), std::invalid_argument);
  }
}

void expect_refused(const Values& values, const Values& weights, const std::string& column,
                    InvalidColumn::Problem problem, const std::vector<std::int64_t>& rows) {
  try {
    const WeightedSample sample(values, weights);
    ADD_FAILURE() << "not refused";
  } catch (const InvalidColumn& error) {
    EXPECT_EQ(error.column, column);
    EXPECT_EQ(error.problem, problem);
    EXPECT_EQ(error.offence.rows, rows);
  }
}

TEST(WeightedSample, RefusesWhatHasNoQuantile) {
  using Problem = InvalidColumn::Problem;
  expect_refused({1, kNaN, kNaN}, {1, 1, 1}, "value", Problem::kNaN, {1, 2});
  expect_refused({1, -kInfinity}, {1, 1}, "value", Problem::kInfinite, {1});
  expect_refused({1, 2}, {kNaN, 1}, "weight", Problem::kNaN, {0});
  expect_refused({1, 2}, {1, kInfinity}, "weight", Problem::kInfinite, {1});
  expect_refused({1, 2, 3}, {1, 1, -1}, "weight", Problem::kNegative, {2});
  expect_refused({1, 2}, {0, 0}, "weight", Problem::kAllZero, {0, 1});
  expect_refused({}, {}, "weight", Problem::kAllZero, {});
  expect_refused({1, 2}, {1}, "weight", Problem::kWrongLength, {});
  const double largest = std::numeric_limits<double>::max();
  EXPECT_THROW(WeightedSample({1, 2}, {largest, largest}), std::overflow_error);
}

}  // namespace
}  // namespace steelyard::testing
