#include "steelyard/separation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "samples.hpp"
#include "steelyard/error.hpp"
#include "steelyard/regression.hpp"

namespace steelyard::testing {
namespace {

/// @return the error of fitting, or one without columns when there is none.
FitError error_of(const ModelMatrix& matrix, const Values& y, const RegressionOptions& options,
                  const Values& weights = {}) {
  try {
    fit_regression(Sample{.rows = matrix.rows(), .weights = weights}.design(), {}, matrix,
                   column(y, "y"), options);
  } catch (const FitError& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return FitError(FitError::Problem::kNothingToFit, {});
}

ModelMatrix on_x_and_group(const Values& x, const Labels& group) {
  return {static_cast<Eigen::Index>(x.size()),
          {{column(x, "x"), {}, {}}, {{}, codes(group), Eigen::Vector2d(0, 1)}},
          {{"(Intercept)", {}}, {"x", {0}}, {"group", {1}}}};
}

TEST(Separation, IsRefused) {
  const Values x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const Labels group = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  for (const Link link : {Link::kLogit, Link::kProbit, Link::kCloglog}) {
    const RegressionOptions options{Family::kBinomial, link};
    const ModelMatrix matrix = on_x_and_group(x, group);
    // x > 5 tells all responses apart.
    const FitError complete = error_of(matrix, {0, 0, 0, 0, 0, 1, 1, 1, 1, 1}, options);
    EXPECT_EQ(complete.problem, FitError::Problem::kSeparation);
    EXPECT_NE(std::find(complete.columns.begin(), complete.columns.end(), "x"),
              complete.columns.end());
    // All of the second group answer 1, others overlap.
    const FitError quasi = error_of(matrix, {0, 1, 1, 1, 0, 1, 1, 1, 0, 1}, options);
    EXPECT_EQ(quasi.problem, FitError::Problem::kSeparation);
    EXPECT_EQ(quasi.columns, std::vector<std::string>{"group"});
    // All the same.
    EXPECT_EQ(error_of(matrix, Values(10, 1), options).problem, FitError::Problem::kSeparation);
  }
  const FitError zeros = error_of(on_x_and_group(x, group), {3, 0, 1, 0, 5, 0, 2, 0, 4, 0},
                                  {Family::kPoisson, Link::kLog});
  EXPECT_EQ(zeros.problem, FitError::Problem::kSeparation);
  EXPECT_EQ(zeros.columns, std::vector<std::string>{"group"});
}

// One row on the wrong side of a threshold makes the maximum finite, however far it lies.
TEST(Separation, IsNotWhatIsNearlySeparated) {
  const ModelMatrix matrix(12, {{column({1, 2, 3, 4, 5, 5.001, 7, 8, 9, 10, 11, 12}), {}, {}}},
                           {{"(Intercept)", {}}, {"x", {0}}});
  const Values y = {0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1};
  for (const Link link : {Link::kLogit, Link::kProbit, Link::kCloglog}) {
    const Regression fit = fit_regression(Sample{.rows = 12}.design(), {}, matrix, column(y),
                                          {Family::kBinomial, link});
    EXPECT_TRUE(fit.converged);
    EXPECT_TRUE(fit.coefficients.allFinite());
  }
}

// With a weight of 1e-9 for the rows of the other answer in a group its coefficient is near 20, and
// finite.
TEST(Separation, IsNotARareAnswer) {
  Values x;
  Values y;
  Values weights;
  Labels group;
  for (std::int32_t row = 0; row < 40; ++row) {
    x.push_back(row % 7);
    group.push_back(row % 2);
    y.push_back(row % 2 == 1 ? (row > 1 ? 1 : 0) : row % 3 == 0);
    weights.push_back(row == 1 ? 1e-9 : 1);
  }
  const Regression fit =
      fit_regression(Sample{.rows = 40, .weights = weights}.design(), {}, on_x_and_group(x, group),
                     column(y), {Family::kBinomial, Link::kLogit});
  EXPECT_GT(fit.coefficients[2], 15);
  EXPECT_LT(fit.coefficients[2], 40);
}

TEST(Separation, RaisesNoFalseAlarm) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    Values x;
    Values y;
    Labels group;
    const double slope = random.uniform(0, 8);
    for (std::int32_t row = 0; row < 60; ++row) {
      x.push_back(random.normal());
      group.push_back(random.below(2));
      y.push_back(random.uniform() < 1 / (1 + std::exp(-slope * x.back())) ? 1 : 0);
    }
    // Two pairs that overlap in each group: no direction separates the data.
    for (const std::int32_t g : {0, 1}) {
      for (const double at : {-0.2, 0.2}) {
        for (const double answer : {0.0, 1.0}) {
          x.push_back(at);
          group.push_back(g);
          y.push_back(answer);
        }
      }
    }
    for (const Link link : {Link::kLogit, Link::kProbit, Link::kCloglog}) {
      EXPECT_NO_THROW(fit_regression(Sample{.rows = 68}.design(), {}, on_x_and_group(x, group),
                                     column(y), {Family::kBinomial, link}))
          << seed;
    }
  }
}

TEST(FitErrors, RefuseResponsesOutOfRange) {
  const ModelMatrix matrix = on_x_and_group({1, 2, 3, 4, kNaN}, {0, 1, 0, 1, 0});
  // The last row is left out, and may have any response.
  const FitError binomial = error_of(matrix, {0, 1.5, -1, 1, 7}, {Family::kBinomial, Link::kLogit});
  EXPECT_EQ(binomial.problem, FitError::Problem::kOutOfRange);
  EXPECT_EQ(binomial.columns, std::vector<std::string>{"y"});
  EXPECT_EQ(binomial.offence.count, 2);
  EXPECT_EQ(binomial.offence.rows, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(error_of(matrix, {0, -1, 2, 3, 4}, {Family::kPoisson, Link::kLog}).problem,
            FitError::Problem::kOutOfRange);
  EXPECT_EQ(error_of(matrix, {0, 1, 2, 3, 4}, {Family::kGamma, Link::kLog}).problem,
            FitError::Problem::kOutOfRange);
}

TEST(FitErrors, RefuseWhatItCannotFit) {
  const ModelMatrix matrix = on_x_and_group({1, 2, 3, kNaN}, {0, 1, 0, 1});
  EXPECT_EQ(error_of(matrix, {kNaN, kNaN, kNaN, 1}, {}).problem, FitError::Problem::kNothingToFit);
  const ModelMatrix zero(4, {{column(Values(4, 0)), {}, {}}}, {{"zero", {0}}});
  EXPECT_EQ(error_of(zero, {1, 2, 3, 4}, {}).problem, FitError::Problem::kNothingToFit);
  const ModelMatrix overlapping = on_x_and_group({1, 2, 3, 4, 5, 6}, {0, 1, 0, 1, 1, 0});
  EXPECT_EQ(error_of(overlapping, {0, 1, 1, 0, 0, 1}, {Family::kBinomial, Link::kLogit, {}, 1, 1})
                .problem,
            FitError::Problem::kNoConvergence);
  const Design design = Sample{.rows = 4}.design();
  EXPECT_THROW(fit_regression(design, {codes({0, 1, 0, 1})}, matrix, column({1, 2, 3, 4}), {}),
               std::invalid_argument);
  EXPECT_THROW(fit_regression(design, {}, matrix, column({1, 2, 3}), {}), InvalidColumn);
  EXPECT_THROW(fit_regression(design, {}, matrix, column({1, kInfinity, 3, 4}), {}), InvalidColumn);
}

}  // namespace
}  // namespace steelyard::testing
