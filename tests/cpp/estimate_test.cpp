#include "steelyard/estimate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "samples.hpp"
#include "textbook.hpp"

namespace steelyard::testing {
namespace {

LevelSets one_set(std::initializer_list<double> levels) {
  LevelSets sets(1, static_cast<Eigen::Index>(levels.size()));
  std::copy(levels.begin(), levels.end(), sets.data());
  return sets;
}

// R 4.2.2, survey 4.1.1: svymean(~gpa, design), svytotal(~gpa, design), svymean(~I(gpa >= 3),
// design) with design = svydesign(~suite, fpc = ~N, weights = ~w): Lohr (2010), example 5.2.
TEST(Estimate, EqualsRSurveyOnClusters) {
  const Values gpa = grade_point_averages();
  Labels good;
  for (const double g : gpa) {
    good.push_back(g >= 3 ? 1 : 0);
  }
  const Estimated result = estimate_all(
      suites().design(),
      {mean(column(gpa)), total(column(gpa)), proportion(codes(good), one_set({0, 1}))});
  EXPECT_NEAR(result.estimates.values[0], 2.8260000000000001, 1e-14);
  EXPECT_NEAR(se(result, 0), 0.16366490155192107, 1e-14);
  EXPECT_NEAR(result.estimates.values[1], 1130.3999999999999, 1e-11);
  EXPECT_NEAR(se(result, 1), 65.465960620768413, 1e-11);
  EXPECT_EQ(result.estimates.values[2], 0.5);
  EXPECT_NEAR(se(result, 2), 0.13346347815039142, 1e-14);
}

// R 4.2.2, survey 4.1.1: svytotal(~x, design) on data(fpc), with and without fpc.
TEST(Estimate, EqualsRSurveyOnStrata) {
  Sample sample = fpc_sample();
  const Estimated with = estimate_all(sample.design(), {total(column(fpc_values()))});
  sample.fpc.clear();
  EXPECT_NEAR(with.estimates.values[0], 147.099999189376831, 1e-12);
  EXPECT_NEAR(se(with), 16.633099434860622, 1e-12);
  EXPECT_NEAR(se(estimate_all(sample.design(), {total(column(fpc_values()))})), 20.014244822757934,
              1e-12);
}

/// The textbook's figures in the order of `all_estimators`, domain after domain.
std::vector<textbook::Figure> textbook_figures(const Survey& survey) {
  std::vector<textbook::Figure> figures;
  const Sample& sample = survey.sample;
  for (std::int32_t d = 0; d < survey.domain.levels(); ++d) {
    const auto used = [&](const std::vector<const Values*>& columns) {
      return textbook::used_rows(sample.rows, columns, &survey.domain, d);
    };
    figures.push_back(textbook::mean(sample, survey.y, used({&survey.y})));
    figures.push_back(textbook::total(sample, survey.y, used({&survey.y})));
    figures.push_back(textbook::ratio(sample, survey.y, survey.x, used({&survey.y, &survey.x})));
    std::vector<Values> in_set(3);
    for (Eigen::Index row = 0; row < sample.rows; ++row) {
      const std::int32_t level = survey.answer[row];
      const double answered = level < 0 ? kNaN : 1;
      in_set[0].push_back(answered * (level == 0 ? 1 : 0));
      in_set[1].push_back(answered * (level >= 2 ? 1 : 0));
      in_set[2].push_back(answered);
    }
    for (const Values& indicator : in_set) {
      figures.push_back(textbook::total(sample, indicator, used({&indicator})));
    }
    for (const Values& indicator : in_set) {
      figures.push_back(textbook::mean(sample, indicator, used({&indicator})));
    }
  }
  return figures;
}

void expect_textbook(const Survey& survey) {
  const Estimated result =
      estimate(survey.sample.design(), kSample, {survey.domain}, all_estimators(survey), 1);
  const auto figures = textbook_figures(survey);
  ASSERT_EQ(result.estimates.size(), static_cast<Eigen::Index>(figures.size()));
  const Eigen::MatrixXd covariance = result.estimates.covariance();
  const Eigen::VectorXd error = result.estimates.standard_errors();
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const auto a = static_cast<Eigen::Index>(i);
    EXPECT_NEAR(result.estimates.values[a], figures[i].value, 1e-12 * std::abs(figures[i].value));
    for (std::size_t j = 0; j <= i; ++j) {
      const auto b = static_cast<Eigen::Index>(j);
      const double expected =
          textbook::covariance(survey.sample, figures[i].influence, figures[j].influence);
      EXPECT_NEAR(covariance(a, b), expected, 1e-11 * error[a] * error[b]) << i << ", " << j;
    }
  }
}

TEST(Estimate, HasTheCovariancesOfTheTextbookOnClusters) {
  expect_textbook(random_survey(700, 3, 9, 31));
}

TEST(Estimate, HasTheCovariancesOfTheTextbookOnElements) {
  expect_textbook(random_survey(300, 4, 0, 32));
}

TEST(Estimate, OrdersByDomainThenEstimatorThenLevel) {
  const Sample sample{.rows = 4};
  const Codes answer = codes({0, 1, 1, 0});
  const Estimated result = estimate(
      sample.design(), kSample, {codes({0, 0, 1, 1})},
      std::vector{count(answer, LevelSets::Identity(2, 2)), total(column({1, 2, 3, 4}))}, 1);
  EXPECT_EQ(result.estimates.values, (Eigen::VectorXd(6) << 1, 1, 3, 1, 1, 7).finished());
}

TEST(Estimate, ProportionIsTheMeanOfItsIndicator) {
  const Survey survey = random_survey(800, 3, 12, 33);
  Values indicator;
  for (Eigen::Index row = 0; row < 800; ++row) {
    const std::int32_t level = survey.answer[row];
    indicator.push_back(level < 0 ? kNaN : (level >= 2 ? 1 : 0));
  }
  const Estimated result = estimate(
      survey.sample.design(), kSample, {survey.domain},
      std::vector{proportion(survey.answer, one_set({0, 0, 1, 1})), mean(column(indicator))}, 1);
  for (Eigen::Index d = 0; d < 3; ++d) {
    EXPECT_NEAR(result.estimates.values[2 * d], result.estimates.values[2 * d + 1], 1e-14);
    EXPECT_NEAR(se(result, 2 * d), se(result, 2 * d + 1), 1e-14);
    EXPECT_NEAR(result.deff[2 * d], result.deff[2 * d + 1], 1e-11);
  }
  EXPECT_EQ(result.used[0], result.used[1]);
  EXPECT_EQ(result.missing[0], result.missing[1]);
}

TEST(Estimate, DomainMeanIsARatioOfTotals) {
  const Survey survey = random_survey(800, 3, 12, 34);
  Values y;
  Values in;
  for (Eigen::Index row = 0; row < 800; ++row) {
    const double value = survey.y[static_cast<std::size_t>(row)];
    const bool used = survey.domain[row] == 1 && !std::isnan(value);
    y.push_back(used ? value : 0);
    in.push_back(used ? 1 : 0);
  }
  const Design design = survey.sample.design();
  const Estimated domains =
      estimate(design, kSample, {survey.domain}, std::vector{mean(column(survey.y))}, 1);
  const Estimated quotient = estimate_all(design, {ratio(column(y), column(in, "in"))});
  EXPECT_NEAR(domains.estimates.values[1] / quotient.estimates.values[0], 1, 1e-14);
  EXPECT_NEAR(se(domains, 1) / se(quotient), 1, 1e-12);
}

TEST(Estimate, CountsAddUp) {
  const Survey survey = random_survey(800, 3, 12, 35);
  const Estimated result =
      estimate_all(survey.sample.design(), {count(survey.answer, LevelSets::Identity(4, 4)),
                                            count(survey.answer, LevelSets::Ones(1, 4)),
                                            proportion(survey.answer, LevelSets::Identity(4, 4))});
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(2, 9);
  sums.block(0, 0, 1, 4).setOnes();
  sums.block(1, 5, 1, 4).setOnes();
  const Estimates added = result.estimates.contrast(sums);
  EXPECT_NEAR(added.values[0] / result.estimates.values[4], 1, 1e-14);
  EXPECT_NEAR(added.standard_errors()[0] / se(result, 4), 1, 1e-12);
  EXPECT_NEAR(added.values[1], 1, 1e-15);
  EXPECT_LT(added.standard_errors()[1], 1e-16);
}

TEST(Estimate, CountsRowsUnitsAndStrataUsed) {
  const Survey survey = random_survey(300, 4, 3, 36);
  const Estimated result = estimate(survey.sample.design(), kSample, {survey.domain},
                                    std::vector{mean(column(survey.y))}, 1);
  for (std::int32_t d = 0; d < 3; ++d) {
    std::set<std::int32_t> units;
    std::set<std::int32_t> strata;
    std::int64_t used = 0;
    std::int64_t missing = 0;
    for (Eigen::Index row = 0; row < 300; ++row) {
      const auto i = static_cast<std::size_t>(row);
      if (survey.domain[row] == d && survey.sample.weights[i] > 0) {
        const bool answered = !std::isnan(survey.y[i]);
        ++(answered ? used : missing);
        if (answered) {
          units.insert(survey.sample.units[i]);
          strata.insert(survey.sample.strata[i]);
        }
      }
    }
    const auto at = static_cast<std::size_t>(d);
    EXPECT_EQ(result.used[at], used);
    EXPECT_EQ(result.missing[at], missing);
    EXPECT_EQ(result.units[at], static_cast<std::int64_t>(units.size()));
    EXPECT_EQ(result.strata[at], static_cast<std::int64_t>(strata.size()));
  }
}

TEST(Estimate, OfADomainWithoutAnswersIsNotKnown) {
  const Sample sample{.rows = 6, .units = {0, 0, 1, 1, 2, 2}};
  const Column y = column({1, kNaN, 2, kNaN, 4, kNaN});
  const Estimated result = estimate(sample.design(), kSample, {Codes({0, 1, 0, 1, 0, 1}, 3)},
                                    std::vector{mean(y), total(y)}, 1);
  EXPECT_FALSE(std::isnan(se(result, 0)));
  for (Eigen::Index i = 2; i < 6; ++i) {
    EXPECT_TRUE(std::isnan(result.estimates.values[i]));
    EXPECT_TRUE(std::isnan(se(result, i)));
    EXPECT_TRUE(std::isnan(result.deff[i]));
  }
  EXPECT_EQ(result.missing[2], 3);
  EXPECT_EQ(result.missing[4], 0);
}

TEST(Estimate, OfAMeanInsideOneClusterHasNoKnownError) {
  const Sample sample{.rows = 6, .units = {0, 0, 1, 1, 2, 2}};
  const Column y = column({1, 3, 2, 5, 4, 6});
  const Estimated result = estimate(sample.design(), kSample, {codes({0, 0, 1, 1, 1, 1})},
                                    std::vector{mean(y), total(y)}, 1);
  EXPECT_EQ(result.estimates.values[0], 2);
  EXPECT_TRUE(std::isnan(se(result, 0)));
  EXPECT_GT(se(result, 1), 0);  // a total varies with the clusters drawn
  EXPECT_GT(se(result, 2), 0);
  EXPECT_EQ(result.units, (std::vector<std::int64_t>{1, 1, 2, 2}));
}

TEST(Estimate, OfAColumnWithoutAnswersIsNotKnown) {
  const Codes nobody({Codes::kNone, Codes::kNone, Codes::kNone}, 2);
  const Estimated result =
      estimate_all(Sample{.rows = 3}.design(),
                   {mean(column(Values(3, kNaN))), proportion(nobody, one_set({1, 0}))});
  EXPECT_TRUE(result.estimates.values.array().isNaN().all());
  EXPECT_EQ(result.missing, (std::vector<std::int64_t>{3, 3}));
}

TEST(Estimate, ScalesWithItsWeights) {
  Survey survey = random_survey(500, 2, 9, 37);
  const std::vector<EstimatorPtr> estimators = all_estimators(survey);
  const Estimated once = estimate_all(survey.sample.design(), estimators);
  for (double& w : survey.sample.weights) {
    w *= 1024;
  }
  const Estimated scaled = estimate_all(survey.sample.design(), estimators);
  for (const Eigen::Index mean_or_share : {0, 2, 6, 7, 8}) {
    EXPECT_EQ(scaled.estimates.values[mean_or_share], once.estimates.values[mean_or_share]);
    EXPECT_EQ(se(scaled, mean_or_share), se(once, mean_or_share));
  }
  for (const Eigen::Index sum : {1, 3, 4, 5}) {
    EXPECT_EQ(scaled.estimates.values[sum], 1024 * once.estimates.values[sum]);
    EXPECT_EQ(se(scaled, sum), 1024 * se(once, sum));
  }
}

TEST(Estimate, ReadsEveryStoredType) {
  const std::vector<std::int8_t> stored = {1, 5, 2, 4, 4, 3};
  const Values converted(stored.begin(), stored.end());
  const Design design = Sample{.rows = 6}.design();
  const Estimated small =
      estimate_all(design, {mean(Column("y", Column::Type::kInt8, stored.data(), 6))});
  const Estimated large = estimate_all(design, {mean(column(converted))});
  EXPECT_TRUE(same_bits(small.estimates.deviations.matrix, large.estimates.deviations.matrix));
}

TEST(Estimate, NamesUnitsStrataAndSample) {
  const Sample sample{.rows = 4, .strata = {0, 0, 1, 1}, .units = {0, 1, 2, 3}};
  const std::vector<EstimatorPtr> estimators = {mean(column({1, 2, 3, 5}))};
  const SampleKeys keys{5, {11, 12, 13, 14}, {21, 22}};
  const Deviations named = estimate(sample.design(), keys, {}, estimators).estimates.deviations;
  EXPECT_EQ(named.units, keys.units);
  EXPECT_EQ(named.strata, (std::vector<std::uint64_t>{21, 21, 22, 22}));
  EXPECT_EQ(named.samples, (std::vector<std::uint64_t>{5}));
  const Deviations plain = estimate(sample.design(), kSample, {}, estimators).estimates.deviations;
  EXPECT_EQ(shared_units(plain, plain).first_stage, 4);
  const Deviations other =
      estimate(sample.design(), SampleKeys(2), {}, estimators).estimates.deviations;
  EXPECT_EQ(shared_units(plain, other).first_stage, 0);
  EXPECT_TRUE(plain.by_unit);
}

// Schools have names, and the pupils below them none; fractions are those of schools.
TEST(Estimate, SaysWhichUnitsHaveNamesAndTheirFractions) {
  const std::vector<Stage::Columns> stages{
      {codes({0, 0, 0, 1, 1, 1}), codes({0, 0, 1, 2, 2, 3}), column({4, 4, 4, 8, 8, 8}, "fpc")},
      {{}, {}, column(Values(6, 0.5), "fpc")}};
  const Design design = Design::sampled(6, {}, stages, {.lonely = Lonely::kRemove});
  SampleKeys keys{5, {}, {}};
  for (std::uint64_t unit = 1; unit <= 4 + 6; ++unit) {
    keys.units.push_back(unit);
  }
  const std::vector<EstimatorPtr> estimators = {mean(column({1, 2, 3, 5, 8, 9}))};
  keys.names = 4;
  const Deviations found = estimate(design, keys, {}, estimators).estimates.deviations;
  EXPECT_EQ(found.named, (std::vector<char>{1, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(found.fractions, (Values{0.5, 0.5, 0.25, 0.25, 0, 0, 0, 0, 0, 0}));
  EXPECT_NO_THROW(check(found));
  keys.names = 10;
  EXPECT_EQ(estimate(design, keys, {}, estimators).estimates.deviations.named,
            std::vector<char>(10, 1));
  const Deviations plain = estimate(design, kSample, {}, estimators).estimates.deviations;
  EXPECT_EQ(plain.named, std::vector<char>(10, 0));
}

TEST(Estimate, OfNothingIsEmpty) {
  const Estimated result = estimate_all(Sample{.rows = 3}.design(), {});
  EXPECT_EQ(result.estimates.size(), 0);
  EXPECT_EQ(result.estimates.degrees_of_freedom(), 2);
}

// A question that nobody answered has no levels.
TEST(Estimate, OfNoLevelsIsNotKnown) {
  const Codes nobody({Codes::kNone, Codes::kNone, Codes::kNone}, 0);
  const Estimated result =
      estimate_all(Sample{.rows = 3}.design(), {proportion(nobody, LevelSets::Zero(1, 0))});
  EXPECT_TRUE(std::isnan(result.estimates.values[0]));
  EXPECT_EQ(result.missing[0], 3);
}

}  // namespace
}  // namespace steelyard::testing
