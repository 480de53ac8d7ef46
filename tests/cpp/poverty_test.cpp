#include "steelyard/poverty.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "incomes.hpp"
#include "schools.hpp"

namespace steelyard::testing {
namespace {

using Options = PovertyLine::Options;

std::vector<EstimatorPtr> figures(const PovertyLine& line, const PovertyGroup& group = {}) {
  return {line.threshold(), line.rate(group), line.gap(group)};
}

Estimated poverty(const Sample& sample, const Values& y, const Options& options,
                  const PovertyGroup& group = {}, const Domains& domains = {}) {
  const Design design = sample.design();
  return estimate(design, kSample, domains,
                  figures(PovertyLine(design, domains, column(y), options), group), 1);
}

void expect_figures(const Estimated& estimated, const Values& values, const Values& errors) {
  ASSERT_EQ(estimated.estimates.size(), static_cast<Eigen::Index>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    expect_close(estimated.estimates.values[at], values[i]);
    expect_close(se(estimated, at), errors[i]);
  }
}

// R 4.2.2, survey 4.1.1, with x(p) the smallest y whose cumulative weight reaches p * sum(w):
// N <- sum(w); q <- x(0.5); t <- 0.6 * q; h <- sqrt(sum(w * (y - sum(w * y) / N)^2) / N) * N^-0.2
// f <- function(x) sum(w * dnorm((x - y) / h)) / (N * h)
// zt <- -0.6 * ((y <= q) - 0.5) / (N * f(q)); R <- sum(w * (y < t)) / N
// zr <- ((y < t) - R) / N + f(t) * zt; m <- x(0.5) of the y < t
// zm <- (zr / 2 - ((y <= m) - R / 2) / N) / f(m); zg <- m * zt / t^2 - zm / t
// and SE(svytotal(z, design)).
TEST(PovertyLine, EqualsItsDefinitionInR) {
  expect_figures(poverty(clustered_schools(), cluster_enrolment(), {}),
                 {277.19999999999999, 0.10928961748633879, 0.26046176046176039},
                 {19.055667715830513, 0.048331728345349066, 0.037788077580502989});
  expect_figures(poverty(stratified_schools(), enrolment(), {}),
                 {267.59999999999997, 0.13193897186425177, 0.20403587443946181},
                 {12.812176768637674, 0.027351420035835489, 0.053317104815906131});
}

// The same, with w, y, N, f, R and m those of the schools of one type, and t and zt of all schools;
// what is not f(t) * zt is 0 elsewhere.
TEST(PovertyLine, OfAGroupEqualsItsDefinitionInR) {
  const Codes type = codes(school_type());
  const Sample sample = stratified_schools();
  expect_figures(poverty(sample, enrolment(), {}, {type, 0}),
                 {267.59999999999997, 0.17000000000000001, 0.20403587443946181},
                 {12.812176768637674, 0.039187966697944596, 0.074484278210539753});
  expect_figures(poverty(sample, enrolment(), {}, {type, 1}),
                 {267.59999999999997, 0.059999999999999998, 0.27130044843049317},
                 {12.812176768637674, 0.032586215509950917, 0.28398546799454133});
  expect_figures(poverty(sample, enrolment(), {}, {type, 2}),
                 {267.59999999999997, 0.02, 0.33109118086696554},
                 {12.812176768637674, 0.019576051082973642, 0.25645914517661045});
  expect_figures(poverty(sample, enrolment(), {.share = 0.7, .probability = 0.4}, {type, 0}),
                 {271.59999999999997, 0.19, 0.16421207658321046},
                 {13.909224602311689, 0.037838541368113668, 0.064830517426480661});
}

// Of an exponential distribution the influences are known: F(x) = 1 - exp(-x), q = log 2. With
// weights that sum to 10^8 the bandwidth is 0.025.
TEST(PovertyLine, HasTheInfluencesOfAnExponentialDistribution) {
  constexpr Eigen::Index kRows = 512;
  constexpr double kSum = 1e8;
  const Sample sample{.rows = kRows, .weights = Values(kRows, kSum / kRows)};
  Values y;
  for (int i = 0; i < kRows; ++i) {
    y.push_back(-std::log1p(-(i + 0.5) / kRows));
  }
  const PovertyLine line(sample.design(), {}, column(y), {});
  const double t = 0.6 * std::numbers::ln2;
  const double rate = 1 - std::exp(-t);
  const double m = -std::log1p(-rate / 2);
  const auto figure = figures(line);
  EXPECT_NEAR(known_value(*figure[0]), t, 2e-3);
  EXPECT_NEAR(known_value(*figure[1]), rate, 2e-3);
  EXPECT_NEAR(known_value(*figure[2]), 1 - m / t, 4e-3);
  const Values z_line = influences(*figure[0], kRows);
  const Values z_rate = influences(*figure[1], kRows);
  const Values z_gap = influences(*figure[2], kRows);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (std::abs(y[i] - t) < 0.01 || std::abs(y[i] - m) < 0.01 ||
        std::abs(y[i] - std::numbers::ln2) < 0.01) {
      continue;  // which side of a jump they are on depends on the sample
    }
    const double of_line = -0.6 * ((y[i] <= std::numbers::ln2 ? 1 : 0) - 0.5) / 0.5;
    const double of_rate = (y[i] < t ? 1 : 0) - rate + std::exp(-t) * of_line;
    const double of_median = (of_rate / 2 - ((y[i] <= m ? 1 : 0) - rate / 2)) / std::exp(-m);
    EXPECT_NEAR(kSum * z_line[i], of_line, 0.01);
    EXPECT_NEAR(kSum * z_rate[i], of_rate, 0.01);
    EXPECT_NEAR(kSum * z_gap[i], m * of_line / (t * t) - of_median / t, 0.03);
  }
}

// The part of the influence that a fixed line leaves.
TEST(PovertyLine, InfluenceOfARateBelowAFixedLineIsTheDerivativeByTheWeight) {
  const Incomes incomes = random_incomes(60, 21);
  const PovertyGroup group{incomes.domain, 1};
  const auto make = [&](const Sample& sample) {
    return PovertyLine(sample.design(), {}, column(incomes.y), {.fixed = 12.0}).rate(group);
  };
  const Values influence = influences(*make(incomes.sample), 60);
  double size = 0;
  for (std::size_t row = 0; row < 60; ++row) {
    if (incomes.sample.weights[row] == 0 || std::isnan(incomes.y[row])) {
      continue;
    }
    const auto moved = [&](double step) {
      Sample sample = incomes.sample;
      sample.weights[row] += step;
      return known_value(*make(sample));
    };
    const double slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
    EXPECT_NEAR(influence[row], slope, 1e-6 * std::abs(slope) + 1e-10) << row;
    size += std::abs(slope);
  }
  EXPECT_GT(size, 0.01);
}

TEST(PovertyLine, FixedGivesTheProportionBelow) {
  const Incomes incomes = random_incomes(300, 22);
  const Design design = incomes.sample.design();
  const Domains domains{incomes.domain};
  const Column y = column(incomes.y);
  const PovertyLine line(design, {}, y, {.fixed = 12.0});
  const Estimated plain =
      estimate(design, kSample, domains, std::vector{share_below(y, domains, 12)}, 1);
  for (std::int32_t d = 0; d < 3; ++d) {
    const Estimated rate =
        estimate(design, kSample, {}, std::vector{line.rate({incomes.domain, d})}, 1);
    expect_close(rate.estimates.values[0], plain.estimates.values[d], 1e-14);
    expect_close(se(rate), se(plain, d));
    EXPECT_GT(se(rate), 0);
  }
  const Estimated fixed = estimate(design, kSample, {}, std::vector{line.threshold()}, 1);
  EXPECT_EQ(fixed.estimates.values[0], 12);
  EXPECT_EQ(se(fixed), 0);
}

TEST(PovertyLine, DoesNotCountThoseOnTheLine) {
  const Sample sample{.rows = 5};
  const Design design = sample.design();
  const Column y = column({6, 10, 10, 10, 3});
  const PovertyLine line(design, {}, y, {});
  EXPECT_EQ(line.thresholds()[0], 6);
  EXPECT_EQ(known_value(*line.rate()), 0.2);
  EXPECT_EQ(known_value(*line.gap()), 0.5);
  const Estimated below = estimate_all(design, {share_below(y, {}, 6), share_below(y, {}, 6.5)});
  EXPECT_EQ(below.estimates.values, Eigen::Vector2d(0.2, 0.4));
}

TEST(PovertyLine, RatesOfGroupsAverageToTheRateOfAll) {
  Incomes incomes = random_incomes(400, 23);
  Labels group;
  Random random(24);
  for (int row = 0; row < 400; ++row) {
    group.push_back(random.below(3));
  }
  const Codes groups = codes(group);
  const Design design = incomes.sample.design();
  const PovertyLine line(design, {}, column(incomes.y), {});
  Values weight(3);
  for (std::size_t row = 0; row < 400; ++row) {
    weight[static_cast<std::size_t>(group[row])] +=
        std::isnan(incomes.y[row]) ? 0 : incomes.sample.weights[row];
  }
  double average = 0;
  for (std::int32_t g = 0; g < 3; ++g) {
    average += weight[static_cast<std::size_t>(g)] * known_value(*line.rate({groups, g})) /
               (weight[0] + weight[1] + weight[2]);
  }
  expect_close(average, known_value(*line.rate()), 1e-14);
}

// The line of all is known better than that of a group, and only rows outside the group tell them
// apart.
TEST(PovertyLine, RowsOutsideTheGroupCountThroughTheLine) {
  const Incomes incomes = random_incomes(300, 25);
  const PovertyGroup group{incomes.domain, 1};
  const PovertyLine line(incomes.sample.design(), {}, column(incomes.y), {});
  const Values influence = influences(*line.rate(group), 300);
  const Values of_line = influences(*line.threshold(), 300);
  double ratio = 0;
  for (std::size_t row = 0; row < 300; ++row) {
    if (incomes.domain[static_cast<Eigen::Index>(row)] == 1 || std::isnan(incomes.y[row])) {
      continue;
    }
    ratio = ratio == 0 ? influence[row] / of_line[row] : ratio;  // the group's density at the line
    expect_close(influence[row], ratio * of_line[row], 1e-14);
  }
  EXPECT_GT(ratio, 0);
}

TEST(PovertyLine, OfADomainIsThatOfASampleOfIt) {
  const Incomes incomes = random_incomes(300, 26);
  const Estimated all = poverty(incomes.sample, incomes.y, {}, {}, {incomes.domain});
  for (std::int32_t d = 0; d < 3; ++d) {
    const Estimated alone = poverty(only(incomes, d), incomes.y, {});
    for (Eigen::Index j = 0; j < 3; ++j) {
      expect_close(all.estimates.values[3 * d + j], alone.estimates.values[j]);
      expect_close(se(all, 3 * d + j), se(alone, j));
      EXPECT_GT(se(alone, j), 0);
    }
    EXPECT_EQ(all.used[static_cast<std::size_t>(3 * d)], alone.used[0]);
    EXPECT_EQ(all.missing[static_cast<std::size_t>(3 * d)], alone.missing[0]);
  }
}

void expect_same(const Estimated& a, const Estimated& b) {
  ASSERT_EQ(a.estimates.size(), b.estimates.size());
  for (Eigen::Index i = 0; i < a.estimates.size(); ++i) {
    expect_close(a.estimates.values[i], b.estimates.values[i]);
    expect_close(se(a, i), se(b, i), 1e-11);
    EXPECT_GT(se(a, i), 0);
  }
}

TEST(PovertyLine, DoesNotDependOnRowOrderOrSplitRowsOrTheUnitOfIncome) {
  const Incomes incomes = random_incomes(200, 27);
  const auto of = [](const Incomes& those) {
    return poverty(those.sample, those.y, {}, {those.domain, 2});
  };
  const Estimated whole = of(incomes);
  expect_same(of(reversed(incomes)), whole);
  expect_same(of(cut_in_two(incomes)), whole);
  Incomes scaled = incomes;
  for (double& y : scaled.y) {
    y *= 4;
  }
  Estimated larger = of(scaled);
  EXPECT_EQ(larger.estimates.values[0], 4 * whole.estimates.values[0]);
  expect_close(se(larger, 0), 4 * se(whole, 0));
  for (const Eigen::Index j : {1, 2}) {
    expect_close(larger.estimates.values[j], whole.estimates.values[j], 1e-14);
    expect_close(se(larger, j), se(whole, j));
  }
}

TEST(PovertyLine, IsTheSameOnThreads) {
  const Incomes incomes = random_incomes(3000, 28);
  const Design design = incomes.sample.design();
  const Domains domains{incomes.domain};
  const auto of = [&](int threads) {
    return estimate(design, kSample, domains,
                    figures(PovertyLine(design, domains, column(incomes.y), {}, threads)), threads);
  };
  const Estimated one = of(1);
  const Estimated three = of(3);
  EXPECT_EQ(one.estimates.values, three.estimates.values);
  EXPECT_EQ(one.estimates.deviations.matrix, three.estimates.deviations.matrix);
}

TEST(PovertyLine, SaysWhatIsNotDefined) {
  const Estimated none = poverty({.rows = 4}, {9, 10, 10, 11}, {});
  EXPECT_EQ(none.estimates.values[1], 0);  // nobody is below 6
  EXPECT_GT(se(none, 0), 0);
  EXPECT_TRUE(std::isnan(none.estimates.values[2]));
  EXPECT_TRUE(std::isnan(se(none, 2)));
  const Estimated equal = poverty({.rows = 4}, {10, 10, 10, 10}, {});
  EXPECT_EQ(equal.estimates.values[0], 6);  // no spread, no bandwidth
  EXPECT_TRUE(std::isnan(se(equal, 0)));
  EXPECT_TRUE(std::isnan(se(equal, 1)));
  EXPECT_EQ(equal.used[0], 4);
  const Estimated negative = poverty({.rows = 4}, {-3, -2, -1, 5}, {});
  EXPECT_TRUE(std::isnan(negative.estimates.values[2]));
  const Codes group({0, 0, 0, 1}, 3);
  EXPECT_TRUE(
      std::isnan(poverty({.rows = 4}, {1, 5, 9, kNaN}, {}, {group, 1}).estimates.values[1]));
  const Estimated empty = poverty({.rows = 2}, {kNaN, kNaN}, {});
  EXPECT_TRUE(empty.estimates.values.hasNaN());
  EXPECT_EQ(empty.missing[0], 2);
}

TEST(PovertyLine, RefusesWrongOptionsAndColumns) {
  const Design design = Sample{.rows = 3}.design();
  const Column y = column({1, 2, 3});
  const auto line = [&](const Options& options) { PovertyLine(design, {}, y, options); };
  for (const double wrong : {0.0, -1.0, kInfinity, kNaN}) {
    EXPECT_THROW(line({.share = wrong}), std::invalid_argument);
  }
  for (const double wrong : {0.0, 1.0, kNaN}) {
    EXPECT_THROW(line({.probability = wrong}), std::invalid_argument);
  }
  EXPECT_THROW(line({.fixed = kInfinity}), std::invalid_argument);
  EXPECT_THROW(share_below(y, {}, kNaN), std::invalid_argument);
  EXPECT_THROW(PovertyLine(design, {}, column({1, kInfinity, 3}), {}), InvalidColumn);
  EXPECT_THROW(PovertyLine(design, {}, column({1, 2}), {}), InvalidColumn);
  EXPECT_THROW(PovertyLine(design, {}, y, {}).rate({codes({0, 1}), 0}), InvalidColumn);
  EXPECT_THROW(PovertyLine(design, {}, y, {}).gap({codes({0, 1}), 0}), InvalidColumn);
}

}  // namespace
}  // namespace steelyard::testing
