#include "steelyard/inequality.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "incomes.hpp"
#include "schools.hpp"

namespace steelyard::testing {
namespace {

using Problem = InvalidColumn::Problem;
using Make = std::function<EstimatorPtr(const Column&, const Design&, const Domains&)>;

std::vector<std::pair<const char*, Make>> all_measures() {
  return {{"gini", [](const Column& y, const Design& design,
                      const Domains& domains) { return gini(y, design, domains, 1); }},
          {"quintile share ratio",
           [](const Column& y, const Design& design, const Domains& domains) {
             return quintile_share_ratio(y, design, domains, 1);
           }},
          {"Palma ratio", [](const Column& y, const Design& design, const Domains& domains) {
             return share_ratio(y, design, domains, {0.1, 0.4}, 1);
           }}};
}

Estimated estimate_one(const Make& make, const Sample& sample, const Values& y,
                       const Domains& domains = {}) {
  const Design design = sample.design();
  return estimate(design, kSample, domains, std::vector{make(column(y), design, domains)}, 1);
}

void expect_figure(const Estimated& estimated, Eigen::Index i, double value, double error) {
  expect_close(estimated.estimates.values[i], value);
  expect_close(se(estimated, i), error);
}

// R 4.2.2, survey 4.1.1: D <- abs(outer(y, y, "-")); W <- sum(w); Y <- sum(w * y);
// d <- as.vector(D %*% w); G <- sum(w * d) / (2 * W * Y);
// SE(svytotal(d / (W * Y) - G * (1 / W + y / Y), design)), w and the influence 0 outside a domain.
TEST(Gini, EqualsItsDefinitionInR) {
  const Make make = all_measures()[0].second;
  expect_figure(estimate_one(make, clustered_schools(), cluster_enrolment()), 0,
                0.30717359371287573, 0.034348030112196656);
  expect_figure(estimate_one(make, stratified_schools(), enrolment()), 0, 0.34912620230506719,
                0.013787558646785106);
  expect_figure(estimate_one(make, stratified_schools(), performance()), 0, 0.10656405585896007,
                0.0047865584410563301);
  const Estimated by_type =
      estimate_one(make, stratified_schools(), enrolment(), {codes(school_type())});
  expect_figure(by_type, 0, 0.21587792120543212, 0.015481430619505463);
  expect_figure(by_type, 1, 0.28478988415234346, 0.030181238829912735);
  expect_figure(by_type, 2, 0.24791850855275804, 0.026301700068839265);
}

// The same: L <- function(p) with o <- order(y): sum(y[o] * pmin(w[o], pmax(0, p * sum(w) -
// (cumsum(w[o]) - w[o])))); ratio <- (sum(w * y) - L(0.8)) / L(0.2), with influences q p -
// pmax(q - y, 0) of L(p), q the smallest y whose cumulative weight exceeds p * sum(w).
TEST(ShareRatio, EqualsItsDefinitionInR) {
  const Make make = all_measures()[1].second;
  expect_figure(estimate_one(make, clustered_schools(), cluster_enrolment()), 0, 4.5316489361702104,
                0.8837673540280595);
  expect_figure(estimate_one(make, stratified_schools(), enrolment()), 0, 5.5598517238048171,
                0.41684830366000825);
  const Estimated by_type =
      estimate_one(make, stratified_schools(), enrolment(), {codes(school_type())});
  expect_figure(by_type, 0, 3.0176191551840974, 0.24845734418265403);
  expect_figure(by_type, 1, 5.4462548638132295, 1.1213102244855124);
  expect_figure(by_type, 2, 3.564484126984127, 0.50475780354715427);
  expect_figure(estimate_one(all_measures()[2].second, stratified_schools(), enrolment()), 0,
                1.4401065426328628, 0.09523182345772814);
}

TEST(Gini, OfAFewIsKnown) {
  const auto value = [](Values y, Values weights = {}) {
    const Sample sample{.rows = static_cast<Eigen::Index>(y.size()), .weights = std::move(weights)};
    return known_value(*gini(column(std::move(y)), sample.design(), {}));
  };
  EXPECT_EQ(value({0, 0, 0, 1}), 0.75);
  EXPECT_EQ(value({1, 2, 3, 4}), 0.25);
  EXPECT_EQ(value({7, 7, 7}), 0);
  EXPECT_DOUBLE_EQ(value({1, 3}, {3, 1}), 0.25);  // 2 * 3 * 1 * 2 / (2 * 4 * 6)
  EXPECT_TRUE(std::isnan(value({0, 0, 0})));
  // Distances, not values, are added: a large common part leaves the digits of the rest.
  expect_close(value({1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4}), 10.0 / 16 / (1e9 + 2.5), 1e-15);
}

TEST(ShareRatio, OfAFewIsKnown) {
  const auto value = [](Values y, const IncomeShares& shares) {
    const Sample sample{.rows = static_cast<Eigen::Index>(y.size())};
    return known_value(*share_ratio(column(std::move(y)), sample.design(), {}, shares));
  };
  EXPECT_DOUBLE_EQ(value({5, 1, 4, 2, 3}, {}), 5);
  EXPECT_DOUBLE_EQ(value({5, 1, 4, 2, 3}, {0.5, 0.5}), 10.5 / 4.5);  // half of the third each
  EXPECT_DOUBLE_EQ(value({1, 2}, {0.2, 0.2}), 2);
  EXPECT_DOUBLE_EQ(value({-1, 2, 3, 9}, {0.25, 0.5}), 9);
  EXPECT_TRUE(std::isnan(value({0, 2, 3, 4, 5}, {})));
  EXPECT_TRUE(std::isnan(value({-4, 1, 1, 1}, {0.25, 0.5})));
}

// Deville (1999): the influence of a row is the derivative of the estimate by its weight.
TEST(Inequality, InfluenceIsTheDerivativeByTheWeight) {
  const Incomes incomes = random_incomes(60, 7);
  for (const auto& [name, make] : all_measures()) {
    const Domains domains{incomes.domain};
    const Column y = column(incomes.y);
    const Values influence =
        influences(*make(y, incomes.sample.design(), domains), incomes.sample.rows, domains);
    for (std::size_t row = 0; row < incomes.y.size(); ++row) {
      const std::int32_t d = incomes.domain[static_cast<Eigen::Index>(row)];
      if (d < 0 || incomes.sample.weights[row] == 0 || std::isnan(incomes.y[row])) {
        continue;
      }
      constexpr double kStep = 1e-4;
      const auto moved = [&](double step) {
        Sample sample = incomes.sample;
        sample.weights[row] += step;
        return known_value(*make(y, sample.design(), domains), d);
      };
      const double slope = (moved(kStep) - moved(-kStep)) / (2 * kStep);
      EXPECT_NEAR(influence[row], slope, 1e-6 * std::abs(slope) + 1e-9) << name << ", row " << row;
    }
  }
}

TEST(Inequality, InfluencesAddUpToNothing) {
  const Incomes incomes = random_incomes(300, 8);
  for (const auto& [name, make] : all_measures()) {
    const Values influence =
        influences(*make(column(incomes.y), incomes.sample.design(), {}), incomes.sample.rows);
    double sum = 0;
    double size = 0;
    for (std::size_t row = 0; row < influence.size(); ++row) {
      if (incomes.sample.weights[row] > 0 && !std::isnan(incomes.y[row])) {
        sum += incomes.sample.weights[row] * influence[row];
        size += incomes.sample.weights[row] * std::abs(influence[row]);
      }
    }
    EXPECT_GT(size, 0.1) << name;
    EXPECT_NEAR(sum, 0, 1e-13 * size) << name;
  }
}

void expect_same(const Estimated& a, const Estimated& b, const char* name) {
  ASSERT_EQ(a.estimates.size(), b.estimates.size());
  for (Eigen::Index i = 0; i < a.estimates.size(); ++i) {
    ASSERT_GT(se(a, i), 0) << name;
    EXPECT_NEAR(a.estimates.values[i], b.estimates.values[i], 1e-12 * b.estimates.values[i])
        << name;
    EXPECT_NEAR(se(a, i), se(b, i), 1e-11 * se(b, i)) << name;
  }
}

TEST(Inequality, DoesNotDependOnUnitsOrRowOrderOrSplitRows) {
  const Incomes incomes = random_incomes(200, 9);
  Incomes scaled = incomes;
  for (std::size_t row = 0; row < incomes.y.size(); ++row) {
    scaled.y[row] *= 0.37;
    scaled.sample.weights[row] *= 512.9;
  }
  for (const auto& [name, make] : all_measures()) {
    const auto of = [&, &make = make](const Incomes& those) {
      return estimate_one(make, those.sample, those.y, {those.domain});
    };
    const Estimated whole = of(incomes);
    expect_same(of(scaled), whole, name);
    expect_same(of(reversed(incomes)), whole, name);
    expect_same(of(cut_in_two(incomes)), whole, name);
  }
}

TEST(Gini, OfEqualValuesInAnyOrderHasTheSameBits) {
  const Incomes incomes = random_incomes(200, 10);
  const Incomes other = reversed(incomes);
  EXPECT_EQ(known_value(*gini(column(incomes.y), incomes.sample.design(), {})),
            known_value(*gini(column(other.y), other.sample.design(), {})));
}

TEST(Inequality, OfADomainIsThatOfASampleOfIt) {
  const Incomes incomes = random_incomes(200, 11);
  for (const auto& [name, make] : all_measures()) {
    const Estimated all = estimate_one(make, incomes.sample, incomes.y, {incomes.domain});
    for (std::int32_t d = 0; d < 3; ++d) {
      const Estimated alone = estimate_one(make, only(incomes, d), incomes.y);
      EXPECT_DOUBLE_EQ(all.estimates.values[d], alone.estimates.values[0]) << name;
      EXPECT_NEAR(se(all, d), se(alone), 1e-13 * se(alone)) << name;
      EXPECT_EQ(all.used[static_cast<std::size_t>(d)], alone.used[0]);
      EXPECT_EQ(all.missing[static_cast<std::size_t>(d)], alone.missing[0]);
      EXPECT_GT(alone.missing[0], 0);
    }
  }
}

TEST(Inequality, IsTheSameOnThreadsAndWithoutDeviations) {
  Incomes incomes = random_incomes(3000, 12);
  incomes.sample.units.clear();
  const Design design = incomes.sample.design();
  const Domains domains{incomes.domain};
  const Column y = column(incomes.y);
  const Estimated one =
      estimate(design, kSample, domains,
               std::vector{gini(y, design, domains, 1), share_ratio(y, design, domains, {}, 1)}, 1);
  const std::vector<EstimatorPtr> again{gini(y, design, domains, 3),
                                        share_ratio(y, design, domains, {}, 3)};
  const Estimated three = estimate(design, kSample, domains, again, 3);
  EXPECT_TRUE(same_bits(one.estimates.values, three.estimates.values));
  EXPECT_EQ(one.estimates.deviations.matrix, three.estimates.deviations.matrix);
  const Estimated few = estimate(design, kSample, domains, again, 1, 10);
  EXPECT_TRUE(few.estimates.covariance().isApprox(one.estimates.covariance(), 1e-11));
}

TEST(Inequality, IsNotDefinedWithoutAnswers) {
  const Sample sample{.rows = 4};
  const Domains domains{Codes({0, 0, 1, 1}, 3)};
  for (const auto& [name, make] : all_measures()) {
    const Estimated result = estimate_one(make, sample, {1, 3, kNaN, kNaN}, domains);
    EXPECT_FALSE(std::isnan(result.estimates.values[0])) << name;
    EXPECT_TRUE(std::isnan(result.estimates.values[1])) << name;
    EXPECT_TRUE(std::isnan(se(result, 1))) << name;
    EXPECT_TRUE(std::isnan(result.estimates.values[2])) << name;
    EXPECT_EQ(result.missing[1], 2) << name;
  }
}

Problem problem_of(const std::function<void()>& call, std::int64_t count,
                   const std::vector<std::int64_t>& rows) {
  try {
    call();
  } catch (const InvalidColumn& error) {
    EXPECT_EQ(error.offence.count, count);
    EXPECT_EQ(error.offence.rows, rows);
    return error.problem;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Problem::kMissing;
}

TEST(Inequality, RefusesWrongColumns) {
  const Sample sample{.rows = 4, .weights = {1, 1, 1, 0}};
  const Design design = sample.design();
  const Domains domains{Codes({1, Codes::kNone, 0, 0}, 2)};
  EXPECT_EQ(problem_of([&] { gini(column({-1, -1, -1, -1}), design, domains); }, 2, {0, 2}),
            Problem::kNegative);
  EXPECT_NO_THROW(gini(column({1, -1, 1, -1}), design, domains));
  for (const auto& [name, make] : all_measures()) {
    const Make& one = make;
    EXPECT_EQ(problem_of([&] { one(column({1, 2, kInfinity, 3}), design, {}); }, 1, {2}),
              Problem::kInfinite)
        << name;
    EXPECT_EQ(problem_of([&] { one(column({1, 2}), design, {}); }, 2, {}), Problem::kWrongLength);
    EXPECT_EQ(problem_of([&] { one(column({1, 2, 3, 4}), design, {Codes({0, 0, 0}, 1)}); }, 1, {}),
              Problem::kWrongLength);
    const Sample heavy{.rows = 4, .weights = Values(4, 100)};
    EXPECT_THROW(one(column({1, 2, 1e308, 1e308}), heavy.design(), {}), std::overflow_error)
        << name;
  }
}

TEST(ShareRatio, RefusesSharesOutsideZeroToOne) {
  const Design design = Sample{.rows = 3}.design();
  for (const double wrong : {0.0, 1.0, -0.2, 1.2, kNaN}) {
    EXPECT_THROW(share_ratio(column({1, 2, 3}), design, {}, {wrong, 0.2}), std::invalid_argument);
    EXPECT_THROW(share_ratio(column({1, 2, 3}), design, {}, {0.2, wrong}), std::invalid_argument);
  }
}

}  // namespace
}  // namespace steelyard::testing
