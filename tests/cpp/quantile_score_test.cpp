#include "steelyard/quantile_score.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "incomes.hpp"
#include "schools.hpp"
#include "steelyard/distribution.hpp"
#include "steelyard/distribution_function.hpp"

namespace steelyard::testing {
namespace {

const Values kProbabilities{0.1, 0.25, 0.5, 0.75, 0.9};

void expect_intervals(const std::vector<Interval>& found, const std::vector<Interval>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].low, expected[i].low) << i;
    EXPECT_EQ(found[i].high, expected[i].high) << i;
  }
}

// R 4.2.2, survey 4.1.1, over all theta: s <- sapply(sort(unique(y)), function(x) { m <-
// svymean(as.numeric(y <= x), design); c(coef(m), SE(m)) }); the first theta with s[1, ] - p >=
// -qt(0.975, df) * s[2, ], and the one after the last with s[1, ] - p <= qt(0.975, df) * s[2, ].
// On the clusters svyquantile(~enroll, design, p, interval.type = "score", df = 14) gives 196-312,
// 300-379, 391-532, 504-695 and 631-1344; on the strata, where weights differ, 190-266, 271-334,
// 365-424, 492-583 and 681-893.
TEST(ScoreIntervals, EqualAScanOfAllAnswersInR) {
  expect_intervals(score_intervals(clustered_schools().design(), {}, column(cluster_enrolment()),
                                   kProbabilities),
                   {{205, 320}, {302, 381}, {396, 532}, {504, 695}, {637, 1344}});
  const Design strata = stratified_schools().design();
  expect_intervals(score_intervals(strata, {}, column(enrolment()), kProbabilities),
                   {{195, 278}, {298, 364}, {423, 515}, {613, 715}, {1033, 1345}});
  expect_intervals(score_intervals(strata, {}, column(performance()), kProbabilities),
                   {{477, 522}, {535, 597}, {638, 681}, {724, 777}, {788, 861}});
}

/// The same by trying every answer, without a search.
std::vector<Interval> scan(const Incomes& incomes, const Values& probabilities, double level) {
  const Design design = incomes.sample.design();
  const Domains domains{incomes.domain};
  Values answers = incomes.y;
  std::erase_if(answers, [](double y) { return std::isnan(y); });
  std::sort(answers.begin(), answers.end());
  answers.erase(std::unique(answers.begin(), answers.end()), answers.end());
  const auto size = static_cast<Eigen::Index>(answers.size());
  const RowMatrix points = Eigen::Map<const RowMatrix>(answers.data(), 1, size);
  const Estimated all =
      estimate(design, kSample, domains,
               std::vector{distribution_function(column(incomes.y), domains, points)}, 1);
  const Eigen::VectorXd errors = all.estimates.standard_errors();
  std::vector<Interval> result;
  for (Eigen::Index d = 0; d < domains.count(); ++d) {
    for (const double p : probabilities) {
      Interval interval{kInfinity, -kInfinity};
      const auto first = static_cast<std::size_t>(d * size);
      const auto freedom = static_cast<double>(all.units[first] - all.strata[first]);
      for (Eigen::Index k = size; k-- > 0;) {
        const double error = t_quantile((1 + level) / 2, freedom) * errors[d * size + k];
        const double share = all.estimates.values[d * size + k];
        const double at = answers[static_cast<std::size_t>(k)];
        interval.low = share - p >= -error ? at : interval.low;
        if (interval.high == -kInfinity && share - p <= error) {
          // F steps at the domain's own answers only.
          Eigen::Index next = k + 1;
          while (all.estimates.values[d * size + next] == share) {
            ++next;
          }
          interval.high = answers[static_cast<std::size_t>(next)];
        }
      }
      result.push_back(interval);
    }
  }
  return result;
}

TEST(ScoreIntervals, EqualAScanOfAllAnswersInSmallSamples) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Incomes incomes = random_incomes(120, seed);
    for (const double level : {0.5, 0.95}) {
      const Values probabilities{0.3, 0.6};
      expect_intervals(score_intervals(incomes.sample.design(), {incomes.domain}, column(incomes.y),
                                       probabilities, {.level = level}),
                       scan(incomes, probabilities, level));
    }
  }
}

// Of n rows with equal weights, drawn with replacement, F = k / n has the error
// sqrt(F (1 - F) / (n - 1)), which is Wilson's interval.
TEST(ScoreIntervals, OfASimpleSampleAreThoseOfWilson) {
  constexpr int kRows = 60000;
  Values y;
  for (int row = 0; row < kRows; ++row) {
    y.push_back((row * 7919) % kRows + 1);
  }
  const Design design = Sample{.rows = kRows}.design();
  const auto found =
      score_intervals(design, {}, column(y), kProbabilities, {.degrees_of_freedom = kInfinity});
  for (std::size_t j = 0; j < kProbabilities.size(); ++j) {
    const double p = kProbabilities[j];
    const double c = std::pow(t_quantile(0.975, kInfinity), 2) / (kRows - 1);
    const double half = std::sqrt(c * (p * (1 - p) + c / 4));
    EXPECT_EQ(found[j].low, std::ceil(kRows * (p + c / 2 - half) / (1 + c))) << p;
    EXPECT_EQ(found[j].high, std::floor(kRows * (p + c / 2 + half) / (1 + c)) + 1) << p;
  }
}

// With many answers, few are tried: those on either side of both ends decide.
TEST(ScoreIntervals, EndBetweenAnswersThatAreTestedOtherwise) {
  Incomes incomes = random_incomes(5000, 5);
  Random random(6);
  for (double& y : incomes.y) {
    y = random.normal();
  }
  const Design design = incomes.sample.design();
  const Interval found = score_intervals(design, {}, column(incomes.y), {0.3}, {.level = 0.9})[0];
  const auto test = [&](double theta) {
    const Estimated share = estimate_all(
        design, {distribution_function(column(incomes.y), {}, RowMatrix::Constant(1, 1, theta))});
    return (share.estimates.values[0] - 0.3) / se(share) / t_quantile(0.95, 10);
  };
  EXPECT_GE(test(found.low), -1);
  EXPECT_LT(test(std::nextafter(found.low, -kInfinity)), -1);
  EXPECT_GT(test(found.high), 1);
  EXPECT_LE(test(std::nextafter(found.high, -kInfinity)), 1);
}

TEST(ScoreIntervals, AreTheSameOnThreadsAndInAnyRowOrder) {
  const Incomes incomes = random_incomes(3000, 31);
  const Incomes other = reversed(incomes);
  const auto one =
      score_intervals(incomes.sample.design(), {incomes.domain}, column(incomes.y), {0.4});
  expect_intervals(
      score_intervals(incomes.sample.design(), {incomes.domain}, column(incomes.y), {0.4}, {}, 3),
      one);
  expect_intervals(score_intervals(other.sample.design(), {other.domain}, column(other.y), {0.4}),
                   one);
}

TEST(ScoreIntervals, AreOpenWhereNotBounded) {
  const Design design = clustered_schools().design();
  const Column y = column(cluster_enrolment());
  const auto of = [&](double p, double level, Side side) {
    return score_intervals(design, {}, y, {p}, {.level = level, .side = side})[0];
  };
  EXPECT_EQ(of(0, 0.95, Side::kTwo).low, -kInfinity);
  EXPECT_TRUE(std::isfinite(of(0, 0.95, Side::kTwo).high));
  EXPECT_EQ(of(1, 0.95, Side::kTwo).high, kInfinity);
  EXPECT_TRUE(std::isfinite(of(1, 0.95, Side::kTwo).low));
  const Interval both = of(0.5, 0.9, Side::kTwo);
  const Interval lower = of(0.5, 0.95, Side::kLower);
  const Interval upper = of(0.5, 0.95, Side::kUpper);
  EXPECT_EQ(lower.low, both.low);
  EXPECT_EQ(lower.high, kInfinity);
  EXPECT_EQ(upper.low, -kInfinity);
  EXPECT_EQ(upper.high, both.high);
}

TEST(ScoreIntervals, WithoutSamplingErrorAreThePopulationsQuantile) {
  const Sample census{.rows = 6, .fpc = Values(6, 6)};
  expect_intervals(score_intervals(census.design(), {}, column({1, 2, 3, 4, 5, 6}), {0.4}),
                   {{3, 3}});
  // Half of the population is at or below anything from 3 to 4.
  expect_intervals(score_intervals(census.design(), {}, column({1, 2, 3, 4, 5, 6}), {0.5}),
                   {{3, 4}});
  expect_intervals(score_intervals(Sample{.rows = 3}.design(), {}, column({2, 2, 2}), {0.4}),
                   {{2, 2}});
}

TEST(ScoreIntervals, AreNotDefinedWithoutAnswersOrError) {
  const Sample sample{.rows = 6, .units = {0, 1, 2, 3, 3, 1}};
  const Domains domains{Codes({0, 0, 0, 1, 1, 2}, 3)};
  const auto found =
      score_intervals(sample.design(), domains, column({1, 2, 3, 4, 5, kNaN}), {0.5});
  EXPECT_FALSE(std::isnan(found[0].low));
  EXPECT_TRUE(std::isnan(found[1].low) && std::isnan(found[1].high));  // one unit
  EXPECT_TRUE(std::isnan(found[2].low) && std::isnan(found[2].high));  // no answer
}

TEST(ScoreIntervals, RefuseWrongArguments) {
  const Design design = Sample{.rows = 3}.design();
  const Column y = column({1, 2, 3});
  EXPECT_THROW(score_intervals(design, {}, y, {}), std::invalid_argument);
  for (const double wrong : {-0.1, 1.1, kNaN}) {
    EXPECT_THROW(score_intervals(design, {}, y, {wrong}), std::invalid_argument);
  }
  for (const double wrong : {0.0, 1.0, kNaN}) {
    EXPECT_THROW(score_intervals(design, {}, y, {0.5}, {.level = wrong}), std::invalid_argument);
  }
  EXPECT_THROW(score_intervals(design, {}, column({1, 2}), {0.5}), InvalidColumn);
  EXPECT_THROW(score_intervals(design, {}, column({1, -kInfinity, 3}), {0.5}), InvalidColumn);
}

}  // namespace
}  // namespace steelyard::testing
