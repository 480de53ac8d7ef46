#include "steelyard/trend.hpp"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "known_estimates.hpp"
#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Periods = Eigen::VectorXd;

Periods alike(Eigen::Index count) { return Periods::Ones(count); }

/// Periods with gaps, weights, and levels.
const Periods kYears = numbers({2001, 2004, 2005, 2010, 2012, 2019});
const Periods kWeights = numbers({1, 2, 0.5, 3, 1, 4});
const Periods kLevels = numbers({3.1, 2.4, 4.0, 5.2, 4.9, 7.7});

// R 4.2.2: coef(lm(y ~ t, weights = w)), with I(t^2), with I(t^3), of t = years - 2010.
TEST(TrendContrasts, EqualLeastSquaresInR) {
  const Eigen::VectorXd found = trend_contrasts(kYears, kWeights, 3) * kLevels;
  ASSERT_EQ(found.size(), 3);
  EXPECT_NEAR(found[0], 0.30119853613906665, 1e-14);
  EXPECT_NEAR(found[1], 0.00307826196878424, 1e-15);
  EXPECT_NEAR(found[2], -0.00203172996904269, 1e-15);
}

/// Least squares by normal equations in long double, of columns in time from the first period.
Eigen::MatrixXd normal_equations(const Eigen::MatrixXd& columns, const Periods& weights) {
  using Matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
  const Matrix x = columns.cast<long double>();
  const Matrix xw = x.transpose() * Matrix(weights.cast<long double>().asDiagonal());
  return Matrix((xw * x).fullPivLu().solve(xw)).cast<double>();
}

TEST(TrendContrasts, AreTheRowsOfTheNormalEquations) {
  const Eigen::MatrixXd found = trend_contrasts(kYears, kWeights, 4);
  for (int degree = 1; degree <= 4; ++degree) {
    Eigen::MatrixXd columns = Eigen::MatrixXd::Ones(kYears.size(), degree + 1);
    for (int d = 1; d <= degree; ++d) {
      columns.col(d) = columns.col(d - 1).cwiseProduct((kYears.array() - 2010).matrix());
    }
    const Eigen::RowVectorXd expected = normal_equations(columns, kWeights).row(degree);
    EXPECT_TRUE(found.row(degree - 1).isApprox(expected, 1e-11)) << degree;
  }
}

// Fisher & Yates (1963), Statistical Tables, table XXIII: orthogonal polynomials of five equally
// spaced levels.
TEST(TrendContrasts, OfFiveEquallySpacedPeriodsAreThoseOfFisherAndYates) {
  const Eigen::MatrixXd found =
      trend_contrasts(numbers({2019, 2020, 2021, 2022, 2023}), alike(5), 4);
  Eigen::MatrixXd printed(4, 5);
  printed << -2, -1, 0, 1, 2, 2, -1, -2, -1, 2, -1, 2, 0, -2, 1, 1, -4, 6, -4, 1;
  const Eigen::Vector4d scale(1.0 / 10, 1.0 / 14, 1.0 / 12, 1.0 / 24);
  EXPECT_LT((found - scale.asDiagonal() * printed).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(TrendContrasts, OfLowerPowersAreNothing) {
  const Eigen::MatrixXd found = trend_contrasts(kYears, kWeights, 3);
  Periods power = alike(kYears.size());
  const Periods time = (kYears.array() - 2010).matrix() / 10;
  for (Eigen::Index d = 0; d < 3; ++d) {
    for (Eigen::Index row = d; row < 3; ++row) {
      EXPECT_NEAR(found.row(row).dot(power), 0, 1e-15) << row << " of degree " << d;
    }
    power = power.cwiseProduct(time);
    EXPECT_NEAR(found.row(d).dot(power) * std::pow(10, d + 1), 1, 1e-13);
  }
}

TEST(TrendContrasts, GiveTheCoefficientsOfAnExactPolynomial) {
  const auto quadratic = [](double t) {
    return 12 - 0.3 * (t - 2010) + 0.04 * std::pow(t - 2010, 2);
  };
  const Periods levels = kYears.unaryExpr(quadratic);
  EXPECT_NEAR(trend_contrasts(kYears, kWeights, 2).row(1).dot(levels), 0.04, 1e-15);
  const auto line = [](double t) { return 12 - 0.3 * (t - 2010); };
  EXPECT_NEAR(trend_contrasts(kYears, kWeights, 1).row(0).dot(kYears.unaryExpr(line)), -0.3, 1e-15);
}

// Neither where time is counted from nor its unit matters: years, days, and seconds since 1970.
TEST(TrendContrasts, AreWellConditionedForDates) {
  const Periods steps = numbers({0, 1, 2, 3, 4});
  const Eigen::MatrixXd plain = trend_contrasts(steps, alike(5), 2);
  const auto dated = [&](double origin, double unit) {
    const Periods dates = (origin + unit * steps.array()).matrix();
    const Eigen::Vector2d units(unit, unit * unit);
    return Eigen::MatrixXd(units.asDiagonal() * trend_contrasts(dates, alike(5), 2));
  };
  for (const auto& [origin, unit] : {std::pair{2019.0, 1.0}, {17897.0, 365.0}, {1.5e9, 3.1e7}}) {
    EXPECT_LT((dated(origin, unit) - plain).cwiseAbs().maxCoeff(), 1e-14) << origin;
  }
}

TEST(TrendContrasts, CountWeightsInProportion) {
  const Eigen::MatrixXd once = trend_contrasts(kYears, kWeights, 2);
  EXPECT_TRUE(trend_contrasts(kYears, 1e8 * kWeights, 2).isApprox(once, 1e-14));
  EXPECT_FALSE(trend_contrasts(kYears, alike(6), 2).isApprox(once, 1e-3));
}

// Var of the slope of independent levels: sigma^2 / sum (t - mean)^2 = 0.5^2 / 10.
TEST(TrendContrasts, HaveTheErrorOfASlope) {
  const Estimates levels = unrelated(Eigen::VectorXd::Zero(5), Eigen::VectorXd::Constant(5, 0.5));
  const Periods years = numbers({2019, 2020, 2021, 2022, 2023});
  EXPECT_NEAR(levels.contrast(trend_contrasts(years, alike(5), 1)).standard_errors()[0],
              0.5 / std::sqrt(10.0), 1e-15);
}

// R 4.2.2: b = coef(lm(y ~ t + pmax(t - k, 0), weights = w)); b[2], b[2] + b[3], b[3].
TEST(JoinpointContrasts, EqualLeastSquaresInR) {
  const Eigen::VectorXd found = joinpoint_contrasts(kYears, kWeights) * kLevels;
  ASSERT_EQ(found.size(), 3 * 4);
  const Eigen::Vector3d of_2005(0.0896494448815458, 0.3292092840283241, 0.2395598391467783);
  const Eigen::Vector3d of_2010(0.2946959528964565, 0.3057287431544092, 0.0110327902579527);
  EXPECT_TRUE(found.segment<3>(3).isApprox(of_2005, 1e-12));
  EXPECT_TRUE(found.segment<3>(6).isApprox(of_2010, 1e-12));
}

TEST(JoinpointContrasts, RecoverBothSlopesOfABrokenLine) {
  for (Eigen::Index k = 1; k < 5; ++k) {
    const double at = kYears[k];
    const auto broken = [&](double t) { return 7 + 1.5 * (t - at) - 2.25 * std::max(t - at, 0.0); };
    const Eigen::VectorXd found = joinpoint_contrasts(kYears, kWeights) * kYears.unaryExpr(broken);
    const Eigen::Vector3d expected(1.5, -0.75, -2.25);
    EXPECT_LT((found.segment<3>(3 * (k - 1)) - expected).cwiseAbs().maxCoeff(), 1e-13) << at;
  }
}

TEST(JoinpointContrasts, OfAStraightLineAreItsSlope) {
  const Eigen::VectorXd found =
      joinpoint_contrasts(kYears, kWeights) * (4 - 0.3 * (kYears.array() - 2010)).matrix();
  for (Eigen::Index k = 0; k < 4; ++k) {
    const Eigen::Vector3d expected(-0.3, -0.3, 0);
    EXPECT_LT((found.segment<3>(3 * k) - expected).cwiseAbs().maxCoeff(), 1e-14);
  }
}

TEST(JoinpointContrasts, AreTheRowsOfTheNormalEquations) {
  const Eigen::MatrixXd found = joinpoint_contrasts(kYears, kWeights);
  Eigen::MatrixXd columns = Eigen::MatrixXd::Ones(6, 3);
  columns.col(1) = kYears.array() - 2010;
  for (Eigen::Index k = 1; k < 5; ++k) {
    columns.col(2) = (kYears.array() - kYears[k]).max(0.0);
    const Eigen::MatrixXd rows = normal_equations(columns, kWeights);
    EXPECT_TRUE(found.row(3 * k - 3).isApprox(rows.row(1), 1e-12));
    EXPECT_TRUE(found.row(3 * k - 2).isApprox(rows.row(1) + rows.row(2), 1e-12));
    EXPECT_TRUE(found.row(3 * k - 1).isApprox(rows.row(2), 1e-12));
  }
}

TEST(StepContrasts, AreDifferencesOfNeighbours) {
  Eigen::MatrixXd expected(2, 3);
  expected << -1, 1, 0, 0, -1, 1;
  EXPECT_EQ(step_contrasts(3), expected);
  EXPECT_THROW(step_contrasts(1), std::invalid_argument);
}

TEST(AverageContrasts, AreWeightedMeansOfWindows) {
  Eigen::MatrixXd expected(3, 4);
  expected << 0.25, 0.75, 0, 0, 0, 0.75, 0.25, 0, 0, 0, 0.5, 0.5;
  EXPECT_EQ(average_contrasts(numbers({1, 3, 1, 1}), 2), expected);
  EXPECT_EQ(average_contrasts(numbers({1, 3, 1, 1}), 1), Eigen::MatrixXd::Identity(4, 4));
}

TEST(AverageContrasts, OfAllPeriodsAreTheirAverage) {
  const Eigen::MatrixXd found = average_contrasts(kWeights, kWeights.size());
  ASSERT_EQ(found.rows(), 1);
  EXPECT_NEAR((found * kLevels)[0], kWeights.dot(kLevels) / kWeights.sum(), 1e-15);
}

TEST(AverageContrasts, MayLeaveOutAPeriod) {
  const Eigen::MatrixXd found = average_contrasts(numbers({1, 0, 1}), 2);
  EXPECT_EQ(found, (Eigen::MatrixXd(2, 3) << 1, 0, 0, 0, 0, 1).finished());
}

TEST(AverageContrasts, RefuseAWindowThatDoesNotFitAndWeightsThatAreNone) {
  for (const Eigen::Index window : {0, -1, 4}) {
    EXPECT_THROW(average_contrasts(alike(3), window), std::invalid_argument);
  }
  EXPECT_THROW(average_contrasts(Periods(0), 1), std::invalid_argument);
  EXPECT_THROW(average_contrasts(numbers({1, 0, 0, 1}), 2), std::invalid_argument);
  EXPECT_THROW(average_contrasts(numbers({2, -1, 2}), 2), std::invalid_argument);
  EXPECT_THROW(average_contrasts(numbers({1, kNaN, 1}), 2), std::invalid_argument);
  EXPECT_THROW(average_contrasts(numbers({1, kInfinity, 1}), 2), std::invalid_argument);
}

void expect_refused(const Periods& times, const Periods& weights) {
  EXPECT_THROW(trend_contrasts(times, weights, 2), std::invalid_argument);
  EXPECT_THROW(joinpoint_contrasts(times, weights), std::invalid_argument);
}

TEST(TrendContrasts, RefuseTimesThatDoNotAscendAndWeightsThatAreNotAboveZero) {
  expect_refused(numbers({1, 2, 2, 3}), alike(4));
  expect_refused(numbers({1, 3, 2, 4}), alike(4));
  expect_refused(numbers({kNaN, 1, 2, 3}), alike(4));
  expect_refused(numbers({0, 1, 2, kInfinity}), alike(4));
  expect_refused(numbers({0, 1, 2, 3}), alike(3));
  for (const double weight : {0.0, -1.0, kNaN, kInfinity}) {
    expect_refused(numbers({0, 1, 2, 3}), numbers({1, 1, weight, 1}));
  }
}

TEST(TrendContrasts, RefuseMoreCoefficientsThanPeriods) {
  EXPECT_NO_THROW(trend_contrasts(numbers({0, 1}), alike(2), 1));
  EXPECT_THROW(trend_contrasts(numbers({0, 1}), alike(2), 2), std::invalid_argument);
  EXPECT_THROW(trend_contrasts(numbers({0, 1}), alike(2), 0), std::invalid_argument);
  EXPECT_NO_THROW(joinpoint_contrasts(numbers({0, 1, 2, 3}), alike(4)));
  EXPECT_THROW(joinpoint_contrasts(numbers({0, 1, 2}), alike(3)), std::invalid_argument);
}

TEST(TrendContrasts, RefuseWeightsThatDifferByMoreThanTheDigitsHold) {
  const Periods times = numbers({0, 1, 2, 3});
  expect_refused(times, numbers({1, 1, 0.99e-12, 1}));
  expect_refused(times, numbers({1.01e12, 1, 1, 1}));
  expect_refused(times, numbers({1e-200, 1e200, 1, 1}));
  EXPECT_NO_THROW(joinpoint_contrasts(times, numbers({1, 1, 1e-11, 1})));
  EXPECT_NO_THROW(trend_contrasts(times, 1e-30 * alike(4), 2));  // alike, if small
}

// A period of next to no weight counts for nothing: the line is that of the others.
TEST(TrendContrasts, WithWeightsFarApartAreThoseOfTheHeavyPeriods) {
  const Eigen::MatrixXd found =
      trend_contrasts(numbers({0, 1, 2, 3}), numbers({1, 1.01e-12, 1, 1}), 1);
  const Eigen::MatrixXd without = trend_contrasts(numbers({0, 2, 3}), alike(3), 1);
  EXPECT_NEAR(found(0, 0), without(0, 0), 1e-11);
  EXPECT_NEAR(found(0, 1), 0, 1e-11);
  EXPECT_NEAR(found(0, 2), without(0, 1), 1e-11);
  EXPECT_NEAR(found(0, 3), without(0, 2), 1e-11);
}

}  // namespace
}  // namespace steelyard::testing
