#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "samples.hpp"
#include "steelyard/estimate.hpp"
#include "steelyard/regression.hpp"
#include "textbook.hpp"

namespace steelyard::testing {
namespace {

/// Rows with a year, values around 1e9, a small column and answers that depend on all of them.
struct Simulated {
  Values weights;
  Values year;
  Values money;
  Values small;
  Values yes;
  Values number;

  explicit Simulated(std::int32_t rows, std::uint64_t seed = 71) {
    Random random(seed);
    for (std::int32_t row = 0; row < rows; ++row) {
      weights.push_back(random.uniform(1, 9));
      year.push_back(2019 + random.below(5));
      const double a = random.normal();
      const double b = random.normal();
      money.push_back(1e9 + a);
      small.push_back(1e-5 * b);
      const double predictor = 0.3 * (year.back() - 2021) + 0.5 * a - 0.4 * b;
      yes.push_back(random.uniform() < 1 / (1 + std::exp(-predictor)) ? 1 : 0);
      number.push_back(predictor + random.normal());
    }
  }
  Eigen::Index rows() const { return static_cast<Eigen::Index>(year.size()); }
  Design design(double factor = 1) const {
    Sample sample{.rows = rows(), .weights = weights};
    for (double& w : sample.weights) {
      w *= factor;
    }
    return sample.design();
  }
  ModelMatrix matrix() const {
    return {rows(),
            {{column(year, "year"), {}, {}},
             {column(money, "money"), {}, {}},
             {column(small, "small"), {}, {}}},
            {{"(Intercept)", {}}, {"year", {0}}, {"money", {1}}, {"small", {2}}}};
  }
  /// The same regression on columns near 0 with variances near 1.
  ModelMatrix tame() const {
    Values moved = year;
    Values scaled = small;
    Values near = money;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      moved[i] -= 2021;
      scaled[i] *= 0x1p17;
      near[i] -= 1e9;
    }
    return {rows(),
            {{column(moved), {}, {}}, {column(near), {}, {}}, {column(scaled), {}, {}}},
            {{"(Intercept)", {}}, {"year", {0}}, {"money", {1}}, {"small", {2}}}};
  }
};

/// Textbook least squares with 113 bits, by Gauss's elimination.
std::vector<double> wide_least_squares(const Simulated& s) {
  using textbook::Wide;
  constexpr std::size_t kColumns = 4;
  std::array<std::array<Wide, kColumns + 1>, kColumns> a{};
  for (std::size_t i = 0; i < s.year.size(); ++i) {
    const std::array<double, kColumns + 1> row = {1, s.year[i], s.money[i], s.small[i],
                                                  s.number[i]};
    for (std::size_t j = 0; j < kColumns; ++j) {
      for (std::size_t k = 0; k <= kColumns; ++k) {
        a[j][k] +=
            static_cast<Wide>(s.weights[i]) * static_cast<Wide>(row[j]) * static_cast<Wide>(row[k]);
      }
    }
  }
  for (std::size_t p = 0; p < kColumns; ++p) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      const Wide factor = a[j][p] / a[p][p];
      for (std::size_t k = p; j != p && k <= kColumns; ++k) {
        a[j][k] -= factor * a[p][k];
      }
    }
  }
  std::vector<double> result;
  for (std::size_t j = 0; j < kColumns; ++j) {
    result.push_back(static_cast<double>(a[j][kColumns] / a[j][j]));
  }
  return result;
}

TEST(RegressionAccuracy, IsAccurateOnColumnsOfAnyScale) {
  const Simulated s(5000);
  const Regression fit = fit_regression(s.design(), {}, s.matrix(), column(s.number), {});
  const std::vector<double> expected = wide_least_squares(s);
  for (Eigen::Index j = 0; j < 4; ++j) {
    EXPECT_NEAR(fit.coefficients[j] / expected[static_cast<std::size_t>(j)], 1, 1e-11) << j;
  }
}

TEST(RegressionAccuracy, IsUnchangedByCentringAndScalingColumns) {
  const Simulated s(5000);
  const Design design = s.design();
  const Regression wild =
      fit_regression(design, {}, s.matrix(), column(s.yes), {Family::kBinomial, Link::kLogit});
  const Regression tame =
      fit_regression(design, {}, s.tame(), column(s.yes), {Family::kBinomial, Link::kLogit});
  const Estimated first = estimate_all(design, {coefficients(wild)});
  const Estimated second = estimate_all(design, {coefficients(tame)});
  const Values scale = {1, 1, 0x1p17};
  for (Eigen::Index j = 1; j < 4; ++j) {
    const double factor = scale[static_cast<std::size_t>(j - 1)];
    EXPECT_NEAR(wild.coefficients[j] / (factor * tame.coefficients[j]), 1, 1e-11);
    EXPECT_NEAR(se(first, j) / (factor * se(second, j)), 1, 1e-11);
  }
  EXPECT_NEAR(wild.deviance / tame.deviance, 1, 1e-13);
}

TEST(RegressionAccuracy, IsUnchangedByTheScaleOfWeights) {
  const Simulated s(3000);
  for (const Family family : {Family::kGaussian, Family::kBinomial}) {
    const bool linear = family == Family::kGaussian;
    const RegressionOptions options{family, linear ? Link::kIdentity : Link::kLogit};
    const Column response = column(linear ? s.number : s.yes);
    const Regression once = fit_regression(s.design(), {}, s.matrix(), response, options);
    const Estimated estimated = estimate_all(s.design(), {coefficients(once)});
    for (const double factor : {1e-6, 1e9}) {
      const Design design = s.design(factor);
      const Regression scaled = fit_regression(design, {}, s.matrix(), response, options);
      const Estimated again = estimate_all(design, {coefficients(scaled)});
      for (Eigen::Index j = 0; j < 4; ++j) {
        EXPECT_NEAR(scaled.coefficients[j] / once.coefficients[j], 1, 1e-11);
        EXPECT_NEAR(se(again, j) / se(estimated, j), 1, 1e-11);
      }
      EXPECT_NEAR(scaled.deviance / once.deviance, 1, 1e-12);
      EXPECT_NEAR(scaled.dispersion / once.dispersion, 1, 1e-12);
    }
  }
}

TEST(RegressionAccuracy, IsTheSameForAnyNumberOfThreads) {
  const Simulated s(200'000);
  const Design design = s.design();
  RegressionOptions options{Family::kBinomial, Link::kLogit};
  options.threads = 1;
  const Regression one = fit_regression(design, {}, s.matrix(), column(s.yes), options);
  for (const int threads : {2, 3}) {
    options.threads = threads;
    const Regression other = fit_regression(design, {}, s.matrix(), column(s.yes), options);
    EXPECT_TRUE(same_bits(one.coefficients, other.coefficients));
    EXPECT_TRUE(same_bits(one.information_inverse, other.information_inverse));
    EXPECT_EQ(one.deviance, other.deviance);
  }
}

TEST(RegressionAccuracy, HasTheSameErrorWithoutDeviationsByUnit) {
  const Simulated s(4000);
  const Design design = s.design();
  const Regression fit =
      fit_regression(design, {}, s.matrix(), column(s.yes), {Family::kBinomial, Link::kLogit});
  const Estimated by_unit = estimate_all(design, {coefficients(fit)});
  const Estimated by_element = estimate_all(design, {coefficients(fit)}, 1, 0);
  EXPECT_FALSE(by_element.estimates.deviations.by_unit);
  for (Eigen::Index j = 0; j < 4; ++j) {
    EXPECT_NEAR(se(by_element, j) / se(by_unit, j), 1, 1e-9);
  }
}

TEST(RegressionAccuracy, LeavesOutColumnsThatAreCombinationsOfEarlierOnes) {
  const Simulated s(2000);
  Values twice = s.year;
  Values both = s.year;
  for (std::size_t i = 0; i < both.size(); ++i) {
    twice[i] = 2 * s.year[i] + 3;
    both[i] = 1e-9 * s.money[i] - s.year[i];
  }
  const ModelMatrix matrix(s.rows(),
                           {{column(s.year), {}, {}},
                            {column(twice), {}, {}},
                            {column(s.money), {}, {}},
                            {column(both), {}, {}},
                            {column(s.small), {}, {}},
                            {column(Values(s.year.size(), 0.1)), {}, {}}},
                           {{"(Intercept)", {}},
                            {"year", {0}},
                            {"twice", {1}},
                            {"money", {2}},
                            {"both", {3}},
                            {"constant", {5}},
                            {"small", {4}}});
  const Regression fit = fit_regression(s.design(), {}, matrix, column(s.number), {});
  EXPECT_EQ(fit.aliased, (std::vector<bool>{false, false, true, false, true, true, false}));
  const Regression without = fit_regression(s.design(), {}, s.matrix(), column(s.number), {});
  for (const auto& [with, alone] : {std::pair{0, 0}, {1, 1}, {3, 2}, {6, 3}}) {
    EXPECT_NEAR(fit.coefficients[with] / without.coefficients[alone], 1, 1e-11);
  }
  EXPECT_TRUE(std::isnan(fit.coefficients[2]));
  EXPECT_EQ(coefficients(fit)->estimates(), 4);
  EXPECT_EQ(fit.information_inverse.rows(), 4);
}

// A column that is nearly, but not quite, a combination of others stays, as in R, and its
// coefficients keep the digits that its values have.
TEST(RegressionAccuracy, KeepsColumnsThatAreNearlyCombinations) {
  const Simulated s(2000);
  Values near = s.year;
  for (std::size_t i = 0; i < near.size(); ++i) {
    near[i] = (s.year[i] - 2021) + 0x1p-20 * std::round(0x1p10 * 1e5 * s.small[i]) * 0x1p-10;
  }
  const auto with = [&](const Values& second) {
    return ModelMatrix(s.rows(), {{column(s.year), {}, {}}, {column(second), {}, {}}},
                       {{"(Intercept)", {}}, {"year", {0}}, {"second", {1}}});
  };
  Values alone = near;
  for (std::size_t i = 0; i < near.size(); ++i) {
    alone[i] = near[i] - (s.year[i] - 2021);
  }
  const Regression fit = fit_regression(s.design(), {}, with(near), column(s.number), {});
  const Regression apart = fit_regression(s.design(), {}, with(alone), column(s.number), {});
  EXPECT_FALSE(fit.aliased[2]);
  EXPECT_NEAR(fit.coefficients[2] / apart.coefficients[2], 1, 1e-8);
}

/// Rows [from, to) of a column.
Values part(const Values& values, std::size_t from, std::size_t to) {
  return {values.begin() + static_cast<std::ptrdiff_t>(from),
          values.begin() + static_cast<std::ptrdiff_t>(to)};
}

TEST(RegressionAccuracy, InADomainIsThatOfItsRowsAlone) {
  const Simulated all(6000);
  Labels inside(6000, Codes::kNone);
  std::fill(inside.begin() + 3000, inside.begin() + 4000, 0);
  const Domains domain{Codes(inside, 1)};
  Simulated alone = all;
  for (Values* values : {&alone.weights, &alone.year, &alone.money, &alone.small, &alone.yes}) {
    *values = part(*values, 3000, 4000);
  }
  const RegressionOptions options{Family::kBinomial, Link::kLogit};
  const Regression fit =
      fit_regression(all.design(), domain, all.matrix(), column(all.yes), options);
  const Regression expected =
      fit_regression(alone.design(), {}, alone.matrix(), column(alone.yes), options);
  EXPECT_EQ(fit.used, 1000);
  for (Eigen::Index j = 0; j < 4; ++j) {
    EXPECT_NEAR(fit.coefficients[j] / expected.coefficients[j], 1, 1e-10) << j;
  }
}

}  // namespace
}  // namespace steelyard::testing
