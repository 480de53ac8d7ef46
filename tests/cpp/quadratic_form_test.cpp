#include "steelyard/quadratic_form.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard::testing {
namespace {

constexpr TailMethod kMethods[] = {TailMethod::kSatterthwaite, TailMethod::kSaddlepoint,
                                   TailMethod::kExact};

Eigen::VectorXd vector(std::initializer_list<double> values) {
  return Eigen::Map<const Eigen::VectorXd>(values.begin(),
                                           static_cast<Eigen::Index>(values.size()));
}

QuadraticForm form(std::initializer_list<double> coefficients,
                   std::initializer_list<double> degrees_of_freedom = {}) {
  return {vector(coefficients), vector(degrees_of_freedom)};
}

double exact(double x, const QuadraticForm& of) {
  return quadratic_form_upper_tail(x, of, TailMethod::kExact);
}

double saddlepoint(double x, const QuadraticForm& of) {
  return quadratic_form_upper_tail(x, of, TailMethod::kSaddlepoint);
}

double exact_ratio(double x, const QuadraticForm& of, double denominator) {
  return quadratic_form_ratio_upper_tail(x, of, denominator, TailMethod::kExact);
}

double saddlepoint_ratio(double x, const QuadraticForm& of, double denominator) {
  return quadratic_form_ratio_upper_tail(x, of, denominator, TailMethod::kSaddlepoint);
}

void expect_relative(double value, double expected, double tolerance = 1e-12) {
  EXPECT_NEAR(value / expected, 1, tolerance);
}

// Imhof (1961), Biometrika 48, table 1: Q1 to Q4, four decimals.
TEST(QuadraticForm, ReproducesImhof1961) {
  EXPECT_NEAR(exact(0.1, form({.6, .3, .1})), .9458, 5e-5);
  EXPECT_NEAR(exact(0.7, form({.6, .3, .1})), .5064, 5e-5);
  EXPECT_NEAR(exact(2, form({.6, .3, .1})), .1240, 5e-5);
  EXPECT_NEAR(exact(2, form({.6, .3, .1}, {2, 2, 2})), .3998, 5e-5);
  EXPECT_NEAR(exact(6, form({.6, .3, .1}, {2, 2, 2})), .0161, 5e-5);
  EXPECT_NEAR(exact(5, form({.6, .3, .1}, {6, 4, 2})), .4353, 5e-5);
  EXPECT_NEAR(exact(12, form({.6, .3, .1}, {6, 4, 2})), .0088, 5e-5);
  EXPECT_NEAR(exact(3, form({.6, .3, .1}, {2, 4, 6})), .4196, 5e-5);
}

// R 4.2.2: pchisq(x, 1, lower.tail = FALSE) + integrate(function(u)
// 2 * dnorm(u) * pchisq((x - u^2) / .4, 1, lower.tail = FALSE), 0, sqrt(x)), in 40 pieces with
// rel.tol = 1e-12 and abs.tol = 0.
TEST(QuadraticForm, OfTwoEqualsTheirConvolution) {
  expect_relative(exact(.5, form({1, .4})), 0.67900238828066284);
  expect_relative(exact(3, form({1, .4})), 0.11999066254084302);
  expect_relative(exact(12, form({1, .4})), 0.00070604864735284974);
  expect_relative(exact(60, form({1, .4})), 1.2313645119684094e-14);
  expect_relative(exact(200, form({1, .4})), 2.7007092487454918e-45);
}

TEST(QuadraticForm, WithEqualCoefficientsIsAScaledChiSquare) {
  for (const double df : {0.3, 1.0, 7.5, 100.0}) {
    for (const double ratio : {1e-6, 0.3, 1.0, 1.0001, 2.0, 10.0}) {
      expect_relative(exact(1.7 * ratio * df, form({1.7}, {df})),
                      chi_square_upper_tail(ratio * df, df));
    }
  }
  for (const TailMethod method : {TailMethod::kSatterthwaite, TailMethod::kExact}) {
    expect_relative(quadratic_form_upper_tail(14, form({2, 2, 2}), method),
                    chi_square_upper_tail(7, 3));
  }
}

TEST(QuadraticForm, OverAChiSquareWithEqualCoefficientsIsF) {
  for (const double df : {1.0, 7.5, 100.0}) {
    for (const double denominator : {0.5, 4.0, 20.92, 1e3, 1e8}) {
      for (const double f : {1e-6, 0.3, 1.0, 1.0001, 2.0, 10.0}) {
        expect_relative(exact_ratio(1.7 * f * df, form({1.7}, {df}), denominator),
                        f_upper_tail(f, df, denominator));
      }
    }
  }
}

// Of exponentials: (exp(-x / 2) - b exp(-x / (2 b))) / (1 - b) for coefficients 1 and b on 2 each;
// ((1 + x / d)^(-d / 2) - b (1 + x / (b d))^(-d / 2)) / (1 - b) over a chi-square on d.
TEST(QuadraticForm, KeepsItsRelativePrecisionFarInTheTail) {
  for (const double b : {0.9, 0.5, 1e-6}) {
    for (const double x : {1e-3, 2.0, 2.0001, 30.0, 1000.0}) {
      expect_relative(exact(x, form({1, b}, {2, 2})),
                      (std::exp(-x / 2) - b * std::exp(-x / 2 / b)) / (1 - b));
      for (const double d : {1.0, 20.92, 5000.0}) {
        const auto tail = [&](double of) { return std::exp(-d / 2 * std::log1p(x / (of * d))); };
        expect_relative(exact_ratio(x, form({1, b}, {2, 2}), d), (tail(1) - b * tail(b)) / (1 - b));
      }
    }
  }
}

// Small coefficients on many degrees of freedom are nearly a constant: the path of integration must
// not climb over what they leave.
TEST(QuadraticForm, OfVeryUnequalPartsShiftsByTheirMean) {
  const double shifted = chi_square_upper_tail(3 - 1, 1);
  EXPECT_NEAR(exact(3, form({1, 1e-9}, {1, 1e9})), shifted, 1e-8);
  EXPECT_NEAR(exact_ratio(3, form({1, 1e-9}, {1, 1e9}), 1e12), shifted, 1e-8);
  EXPECT_NEAR(exact_ratio(200, form({1, 1e-3}, {1, 1000}), 100),
              exact_ratio(200, form({1, 1e-3, 1e-7}, {1, 1000, 1}), 100), 1e-9);
}

// R 4.2.2, survey 4.1.1: pchisqsum(x, rep(1, 3), c(.6, .3, .1), lower.tail = FALSE,
// method = "saddlepoint"), pFsum(x, …, ddf = 7) and pchisqsum(7, c(2, 3), c(1.5, .2), …). R finds
// the saddlepoint to 1e-8 only: 1e-8 is its own error, not ours.
TEST(QuadraticForm, SaddlepointIsThatOfR) {
  expect_relative(saddlepoint(.3, form({.6, .3, .1})), 0.77987505636115517, 1e-9);
  expect_relative(saddlepoint(2, form({.6, .3, .1})), 0.12165701009207379, 1e-9);
  expect_relative(saddlepoint(50, form({.6, .3, .1})), 1.2174366453464902e-19, 1e-8);
  expect_relative(saddlepoint(7, form({1.5, .2}, {2, 3})), 0.12146745417060424, 1e-8);
  expect_relative(saddlepoint_ratio(3, form({.6, .3, .1}), 7), 0.10639811132330611, 1e-8);
  expect_relative(saddlepoint_ratio(40, form({.6, .3, .1}), 7), 0.00014379628750188107, 1e-7);
}

// The same formula in R with the root polished by Newton's method.
TEST(QuadraticForm, SaddlepointIsPrecise) {
  expect_relative(saddlepoint(2, form({.6, .3, .1})), 0.12165701009304712);
  expect_relative(saddlepoint(50, form({.6, .3, .1})), 1.2174366449228513e-19);
  expect_relative(saddlepoint_ratio(3, form({.6, .3, .1}), 7), 0.10639811045135292);
}

// At the mean R falls back on Satterthwaite and jumps (to 0.3731 here, within 1e-4 of the mean).
TEST(QuadraticForm, SaddlepointIsContinuousAtTheMean) {
  const QuadraticForm of = form({.6, .3, .1});
  const double at_mean = saddlepoint(1, of);
  EXPECT_NEAR(at_mean, exact(1, of), 0.01);
  for (const double step : {1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13}) {
    const double down = at_mean - saddlepoint(1 + step, of);
    const double up = saddlepoint(1 - step, of) - at_mean;
    EXPECT_NEAR(down, 0.3985 * step, 2e-3 * step + 1e-15);
    EXPECT_NEAR(up, 0.3985 * step, 2e-3 * step + 1e-15);
  }
}

// Far in the tail the largest coefficient decides, and Stirling's formula is 17 % off Gamma(1/2).
TEST(QuadraticForm, SaddlepointStaysCloseToTheTruth) {
  for (const double x : {0.2, 1.0, 4.0, 30.0, 600.0}) {
    expect_relative(saddlepoint(x, form({1, .5, .1})), exact(x, form({1, .5, .1})), 0.17);
    expect_relative(saddlepoint_ratio(x, form({1, .5, .1}), 14),
                    exact_ratio(x, form({1, .5, .1}), 14), 0.17);
  }
}

// R 4.2.2, survey 4.1.1: pchisqsum(c(2, 40), rep(1, 3), c(.6, .3, .1), lower.tail = FALSE),
// pFsum(3, …, ddf = 7.5, method = "satterthwaite").
TEST(QuadraticForm, SatterthwaiteIsThatOfR) {
  const auto method = TailMethod::kSatterthwaite;
  expect_relative(quadratic_form_upper_tail(2, form({.6, .3, .1}), method), 0.13101654091993115);
  expect_relative(quadratic_form_upper_tail(40, form({.6, .3, .1}), method),
                  1.9060994831355678e-19);
  expect_relative(quadratic_form_ratio_upper_tail(3, form({.6, .3, .1}), 7.5, method),
                  0.10818601160585231);
}

TEST(QuadraticForm, DependsOnNoUnitOrderOrMultiplicity) {
  for (const TailMethod method : kMethods) {
    const double p = quadratic_form_ratio_upper_tail(9, form({3, 1, 1, .2}), 11.5, method);
    const auto same = [&](double x, const QuadraticForm& of) {
      expect_relative(quadratic_form_ratio_upper_tail(x, of, 11.5, method), p);
    };
    same(9e8, form({3e8, 1e8, 1e8, .2e8}));
    same(9e-8, form({.2e-8, 3e-8, 1e-8, 1e-8}));
    same(9, form({3, 1, .2}, {1, 2, 1}));
    same(9, form({3, 0, 1, 1, .2, 0}));
  }
}

TEST(QuadraticForm, OverManyDegreesOfFreedomIsTheFormAlone) {
  for (const TailMethod method : kMethods) {
    const double alone = quadratic_form_upper_tail(9, form({3, 1, .2}), method);
    EXPECT_EQ(quadratic_form_ratio_upper_tail(9, form({3, 1, .2}), kInfinity, method), alone);
    expect_relative(quadratic_form_ratio_upper_tail(9, form({3, 1, .2}), 1e10, method), alone,
                    1e-8);
  }
}

TEST(QuadraticForm, TailsEndAtOneAndZero) {
  for (const TailMethod method : kMethods) {
    for (const double x : {-kInfinity, -1.0, 0.0}) {
      EXPECT_EQ(quadratic_form_upper_tail(x, form({1, .5}), method), 1);
      EXPECT_EQ(quadratic_form_ratio_upper_tail(x, form({1, .5}), 7, method), 1);
    }
    EXPECT_NEAR(quadratic_form_upper_tail(1e-12, form({1, .5}), method), 1, 1e-10);
    EXPECT_EQ(quadratic_form_upper_tail(kInfinity, form({1, .5}), method), 0);
    EXPECT_EQ(quadratic_form_ratio_upper_tail(kInfinity, form({1, .5}), 7, method), 0);
    EXPECT_EQ(quadratic_form_upper_tail(1e-89, form({1, .5}), method), 1);
    EXPECT_EQ(quadratic_form_upper_tail(5e-324, form({1e9, 1}), method), 1);
    EXPECT_EQ(quadratic_form_upper_tail(1e89, form({1, .5}), method), 0);
    EXPECT_EQ(quadratic_form_upper_tail(1e308, form({1e-9, 1e-10}), method), 0);
    EXPECT_EQ(quadratic_form_ratio_upper_tail(1e-89, form({1, .5}), 7, method), 1);
    EXPECT_LT(quadratic_form_upper_tail(1e5, form({1, .5}), method), 1e-300);
  }
}

// The mean of the form, 1.5, over x.
TEST(QuadraticForm, OverAChiSquareOnTwoHasAHeavyTail) {
  for (const double x : {1e50, 1e250}) {
    expect_relative(exact_ratio(x, form({1, .5}), 2), 1.5 / x);
  }
}

TEST(QuadraticForm, RefusesWhatIsNoForm) {
  for (const TailMethod method : kMethods) {
    const auto refused = [&](double x, const QuadraticForm& of, double denominator) {
      EXPECT_THROW(quadratic_form_ratio_upper_tail(x, of, denominator, method),
                   std::invalid_argument);
    };
    refused(kNaN, form({1, 2}), 7);
    refused(kNaN, form({1, 2}), kInfinity);
    refused(1, form({}), 7);
    refused(1, form({0, 0}), 7);
    refused(1, form({1, -1}), 7);
    refused(1, form({1, kNaN}), 7);
    refused(1, form({1, kInfinity}), 7);
    refused(1, form({1, 2}, {1}), 7);
    refused(1, form({1, 2}, {1, 0}), 7);
    refused(1, form({1, 2}, {1, kInfinity}), 7);
    for (const double denominator : {0.0, -1.0, kNaN}) {
      refused(1, form({1, 2}), denominator);
    }
  }
}

}  // namespace
}  // namespace steelyard::testing
