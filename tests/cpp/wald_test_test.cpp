#include "steelyard/wald_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/distribution.hpp"
#include "steelyard/estimates.hpp"

namespace steelyard::testing {
namespace {

constexpr WaldVariant kVariants[] = {WaldVariant::kChiSquare, WaldVariant::kF,
                                     WaldVariant::kAdjustedF};

// coef(model)[-1] and vcov(model)[-1, -1] of R 4.2.2, survey 4.1.1, with data(api):
// model = svyglm(api00 ~ ell + meals + mobility, svydesign(id = ~1, strata = ~stype,
// weights = ~pw, fpc = ~fpc, data = apistrat)).
const Eigen::Vector3d kCoefficients(-0.48058661217195053, -3.1415353099845609, 0.2257132102296367);
const Eigen::Matrix3d kCovariance{
    {0.15364314883385086, -0.088715408861698861, 0.023244775173084414},
    {-0.088715408861698861, 0.080625618506136337, -0.026538230073558031},
    {0.023244775173084414, -0.026538230073558031, 0.15462068023168091}};

void expect_relative(double value, double expected, double tolerance = 1e-11) {
  EXPECT_NEAR(value / expected, 1, tolerance);
}

// regTermTest(model, ~ell + meals + mobility), also with df = Inf and null = c(0, -3, 0).
TEST(WaldTest, EqualsRSurvey) {
  const TestResult f = wald_test(kCoefficients, kCovariance, 194, WaldVariant::kF);
  expect_relative(f.statistic, 136.4915575404639);
  EXPECT_EQ(f.ndf, 3);
  EXPECT_EQ(f.ddf, 194);
  expect_relative(f.p_value, 1.4360989124197791e-47, 1e-9);
  const TestResult chi = wald_test(kCoefficients, kCovariance, 194, WaldVariant::kChiSquare);
  expect_relative(chi.statistic, 409.47467262139168);
  EXPECT_EQ(chi.ddf, kInfinity);
  expect_relative(chi.p_value, 1.9625238349685416e-88, 1e-9);
  const TestResult null =
      wald_test(kCoefficients, kCovariance, 194, WaldVariant::kF, Eigen::Vector3d(0, -3, 0));
  expect_relative(null.statistic, 2.5203725204450236);
  expect_relative(null.p_value, 0.059212517255856675);
}

// Korn & Graubard (1990): (d - k + 1) / (d k) W on k and d - k + 1.
TEST(WaldTest, AdjustedFLosesDegreesOfFreedom) {
  const TestResult chi = wald_test(kCoefficients, kCovariance, 10, WaldVariant::kChiSquare);
  const TestResult adjusted = wald_test(kCoefficients, kCovariance, 10, WaldVariant::kAdjustedF);
  EXPECT_DOUBLE_EQ(adjusted.statistic, 8 * chi.statistic / 30);
  EXPECT_EQ(adjusted.ndf, 3);
  EXPECT_EQ(adjusted.ddf, 8);
  EXPECT_DOUBLE_EQ(adjusted.p_value, f_upper_tail(adjusted.statistic, 3, 8));
}

TEST(WaldTest, OfOneValueIsTheTTest) {
  const Eigen::VectorXd value = Eigen::VectorXd::Constant(1, 2.5);
  const Eigen::MatrixXd variance = Eigen::MatrixXd::Constant(1, 1, 0.49);
  for (const WaldVariant variant : {WaldVariant::kF, WaldVariant::kAdjustedF}) {
    const TestResult test = wald_test(value, variance, 6, variant, Eigen::VectorXd::Ones(1));
    expect_relative(test.p_value, two_sided_p_value(2.5, 0.7, 6, 1), 1e-13);
  }
}

TEST(WaldTest, DependsOnNoUnit) {
  const Eigen::Matrix3d units = Eigen::Vector3d(1e8, 1, 1e-9).asDiagonal();
  for (const WaldVariant variant : kVariants) {
    expect_relative(
        wald_test(units * kCoefficients, units * kCovariance * units, 17, variant).p_value,
        wald_test(kCoefficients, kCovariance, 17, variant).p_value);
  }
}

// Hypotheses that follow from the others change nothing.
TEST(WaldTest, DoesNotCountAHypothesisTwice) {
  Eigen::MatrixXd again(5, 3);
  again << 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 2, -3, 0.5;
  for (const WaldVariant variant : kVariants) {
    const TestResult once = wald_test(kCoefficients, kCovariance, 17, variant);
    const TestResult more =
        wald_test(again * kCoefficients, again * kCovariance * again.transpose(), 17, variant);
    EXPECT_EQ(more.ndf, 3);
    EXPECT_EQ(more.ddf, once.ddf);
    expect_relative(more.statistic, once.statistic);
    expect_relative(more.p_value, once.p_value);
  }
}

TEST(WaldTest, WithInfiniteDegreesOfFreedomIsChiSquare) {
  const double p = wald_test(kCoefficients, kCovariance, 17, WaldVariant::kChiSquare).p_value;
  for (const WaldVariant variant : kVariants) {
    const TestResult test = wald_test(kCoefficients, kCovariance, kInfinity, variant);
    EXPECT_EQ(test.ddf, kInfinity);
    expect_relative(test.p_value, p);
  }
}

TEST(WaldTest, OfTheHypothesisItselfFindsNothing) {
  const TestResult test = wald_test(kCoefficients, kCovariance, 17, WaldVariant::kF, kCoefficients);
  EXPECT_EQ(test.statistic, 0);
  EXPECT_EQ(test.p_value, 1);
}

// A value without error adds nothing while it is the hypothesis's, and is no evidence of any
// strength once it is not.
TEST(WaldTest, RefusesWhatIsCertain) {
  Eigen::Matrix2d covariance = Eigen::Matrix2d::Zero();
  covariance(0, 0) = 0.04;
  const Eigen::Vector2d values(0.4, 1);
  const TestResult test =
      wald_test(values, covariance, 17, WaldVariant::kChiSquare, Eigen::Vector2d(0, 1));
  EXPECT_DOUBLE_EQ(test.statistic, 4);
  EXPECT_EQ(test.ndf, 1);
  EXPECT_THROW(wald_test(values, covariance, 17, WaldVariant::kChiSquare), std::invalid_argument);
  covariance(1, 1) = 1e-36;  // what rounding leaves
  EXPECT_THROW(wald_test(values, covariance, 17, WaldVariant::kChiSquare), std::invalid_argument);
}

TEST(WaldTest, RefusesACombinationThatIsCertain) {
  const Eigen::Matrix2d covariance{{0.01, -0.01}, {-0.01, 0.01}};  // shares of one whole
  const TestResult test = wald_test(Eigen::Vector2d(0.7, 0.3), covariance, 17,
                                    WaldVariant::kChiSquare, Eigen::Vector2d(0.5, 0.5));
  EXPECT_EQ(test.ndf, 1);
  expect_relative(test.statistic, 4);
  EXPECT_THROW(wald_test(Eigen::Vector2d(0.7, 0.3), covariance, 17, WaldVariant::kChiSquare,
                         Eigen::Vector2d(0.5, 0.6)),
               std::invalid_argument);
}

TEST(WaldTest, RefusesWhatItCannotTest) {
  const auto refused = [](const Eigen::VectorXd& values, const Eigen::MatrixXd& covariance,
                          double df, const Eigen::VectorXd& null = {}) {
    for (const WaldVariant variant : kVariants) {
      EXPECT_THROW(wald_test(values, covariance, df, variant, null), std::invalid_argument);
    }
  };
  refused({}, {}, 17);
  refused(Eigen::Vector2d(1, 2), kCovariance, 17);
  refused(kCoefficients, kCovariance.leftCols(2), 17);
  refused(kCoefficients, kCovariance, 17, Eigen::Vector2d(0, 0));
  refused(Eigen::Vector3d(1, kNaN, 1), kCovariance, 17);
  refused(kCoefficients, Eigen::Matrix3d::Constant(kNaN), 17);
  refused(kCoefficients, kCovariance, 17, Eigen::Vector3d(0, kInfinity, 0));
  refused(kCoefficients, kCovariance, 0);
  refused(kCoefficients, kCovariance, kNaN);
  refused(Eigen::Vector3d::Zero(), Eigen::Matrix3d::Zero(), 17);
}

TEST(WaldTest, AdjustedFNeedsAsManyDegreesOfFreedomAsHypotheses) {
  EXPECT_THROW(wald_test(kCoefficients, kCovariance, 2, WaldVariant::kAdjustedF),
               std::invalid_argument);
  EXPECT_EQ(wald_test(kCoefficients, kCovariance, 3, WaldVariant::kAdjustedF).ddf, 1);
}

}  // namespace
}  // namespace steelyard::testing
