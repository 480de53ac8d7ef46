#include "steelyard/interval.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <utility>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Method = ProportionInterval;

constexpr Method kMethods[] = {
    Method::kWald,         Method::kLogit,        Method::kWilson,
    Method::kBeta,         Method::kKornGraubard, Method::kClopperPearson,
    Method::kAgrestiCoull, Method::kArcsine,      Method::kLikelihood};

/// k of n answers of a simple random sample with replacement.
ProportionSummary share(double k, double n) {
  const double p = k / n;
  return {p, std::sqrt(p * (1 - p) / n), kInfinity, static_cast<std::int64_t>(n)};
}

Interval two_sided(const ProportionSummary& summary, Method method, double level = 0.95) {
  return proportion_interval(summary, method, level, Side::kTwo);
}

void expect_interval(const Interval& interval, double low, double high, double tolerance = 1e-12) {
  EXPECT_NEAR(interval.low, low, tolerance);
  EXPECT_NEAR(interval.high, high, tolerance);
}

// Newcombe (1998), Two-sided confidence intervals for the single proportion: comparison of seven
// methods, Statistics in Medicine 17, table I.
TEST(ProportionInterval, ReproducesNewcombe1998) {
  expect_interval(two_sided(share(81, 263), Method::kWilson), .2553, .3662, 6e-5);
  expect_interval(two_sided(share(81, 263), Method::kClopperPearson), .2527, .3676, 6e-5);
  expect_interval(two_sided(share(15, 148), Method::kWilson), .0624, .1605, 6e-5);
  expect_interval(two_sided(share(15, 148), Method::kClopperPearson), .0578, .1617, 6e-5);
  expect_interval(two_sided(share(1, 29), Method::kWilson), .0061, .1718, 6e-5);
  expect_interval(two_sided(share(1, 29), Method::kClopperPearson), .0009, .1776, 6e-5);
}

// R 4.2.2: prop.test(81, 263, correct = FALSE)$conf.int, binom.test(81, 263)$conf.int,
// binom.test(1, 29)$conf.int.
TEST(ProportionInterval, EqualsROnSimpleRandomSamples) {
  expect_interval(two_sided(share(81, 263), Method::kWilson), 0.25528851987827428,
                  0.36620957698280016);
  expect_interval(two_sided(share(81, 263), Method::kClopperPearson), 0.25273674558527121,
                  0.36762192260135140);
  expect_interval(two_sided(share(1, 29), Method::kClopperPearson), 0.0008726468835799228,
                  0.1776442954887228476);
}

// R 4.2.2, survey 4.1.1: svyciprop(~I(gpa >= 3), design, method = "logit" | "beta" | "mean",
// df = 4) for Lohr (2010), example 5.2; see suites() for the design.
TEST(ProportionInterval, EqualsRSurveyOnClusters) {
  const ProportionSummary half{0.5, 0.13346347815039142, 4, 20};
  expect_interval(two_sided(half, Method::kLogit), 0.18509292643827185, 0.81490707356172809);
  expect_interval(two_sided(half, Method::kBeta), 0.15660451830316915, 0.84339548169683087);
  expect_interval(two_sided(half, Method::kWald), 0.12944597936667307, 0.87055402063332687);
  expect_interval(two_sided(half, Method::kLogit, 0.9), 0.24267033928046902, 0.75732966071953078);
  expect_interval(two_sided(half, Method::kBeta, 0.9), 0.21206028197859467, 0.78793971802140517);
}

// R 4.2.2, for p = 0.3, se = 0.12, n = 20, df = 4, with ne = p * (1 - p) / se^2:
// logit: plogis(qlogis(p) + c(-1, 1) * qt(.975, df) * se / (p * (1 - p)));
// wilson: prop.test's formula with z = qt(.975, df), n = ne;
// cp: qbeta(c(.025, .975), ne * p + 0:1, ne * (1 - p) + 1:0);
// kg: cp with ne * (qt(.025, n - 1) / qt(.025, df))^2 = 8.2876.
TEST(ProportionInterval, EqualsItsFormulaInR) {
  const ProportionSummary summary{0.3, 0.12, 4, 20};
  expect_interval(two_sided(summary, Method::kLogit), 0.08062851326051021, 0.67683012396184394);
  expect_interval(two_sided(summary, Method::kWilson), 0.090948638179334559, 0.647372805872179269);
  expect_interval(two_sided(summary, Method::kClopperPearson), 0.095270606362880941,
                  0.588531687978774976);
  expect_interval(two_sided(summary, Method::kKornGraubard), 0.053166282600207226,
                  0.687800720430986390);
  expect_interval(two_sided(summary, Method::kBeta), 0.053166282600207226, 0.687800720430986390);
}

// R 4.2.2: the bounds of Agresti & Coull (1998), with z = qt(.975, df), n = ne:
// m = (x + z^2 / 2) / (n + z^2); m + c(-1, 1) * z * sqrt(m * (1 - m) / (n + z^2)).
TEST(ProportionInterval, OfAgrestiCoullEqualsItsFormulaInR) {
  expect_interval(two_sided(share(81, 263), Method::kAgrestiCoull), 0.25522066518999675,
                  0.36627743167107751);
  expect_interval(two_sided({0.3, 0.12, 4, 20}, Method::kAgrestiCoull), 0.085380667495156881,
                  0.65294077655635685);
}

// Brown, Cai & DasGupta (2001), Statistical Science 16(2), section 3.1.2: one centre, and never
// shorter.
TEST(ProportionInterval, OfAgrestiCoullContainsWilsons) {
  for (const double p : {0.2, 0.3, 0.5, 0.7}) {
    const Interval wilson = two_sided({p, 0.06, 11, 40}, Method::kWilson);
    const Interval adjusted = two_sided({p, 0.06, 11, 40}, Method::kAgrestiCoull);
    EXPECT_NEAR(adjusted.low + adjusted.high, wilson.low + wilson.high, 1e-14);
    EXPECT_LE(adjusted.low, wilson.low);
  }
}

// R 4.2.2, survey 4.1.1: svyciprop(~I(<condition>), design, method = "asin"): meals > 95 in
// clus2 = svydesign(id = ~dnum + snum, weights = ~pw, data = apiclus2), stype == "H" in
// svydesign(id = ~1, weights = ~pw, fpc = ~fpc, data = apisrs), and "xlogit" in the first.
TEST(ProportionInterval, EqualsRSurveyOnASchoolSample) {
  const ProportionSummary poor{0.18376383763837636, 0.11892059477526511, 39, 126};
  expect_interval(two_sided(poor, Method::kArcsine), 0.017450325909102303, 0.46819184740591197);
  expect_interval(two_sided(poor, Method::kXlogit), 0.043326137944331176, 0.5281207613182306);
  expect_interval(two_sided({0.125, 0.023062440529700346, 199, 200}, Method::kArcsine),
                  0.083205069976394638, 0.17387494102722975);
}

// The angle of the lower bound is -0.056, whose squared sine R takes: 0.00318 instead of 0. Above,
// sin(asin(sqrt(.02)) + qt(.975, 4) * .02 / (2 * sqrt(.02 * .98)))^2.
TEST(ProportionInterval, OfTheArcsineEndsAtZeroAndOne) {
  expect_interval(two_sided({0.02, 0.02, 4, 50}, Method::kArcsine), 0, 0.11134859158063493);
  expect_interval(two_sided({0.98, 0.02, 4, 50}, Method::kArcsine), 1 - 0.11134859158063493, 1);
}

struct LikelihoodCase {
  ProportionSummary summary;
  Interval fine;
  Interval coarse;
};

// R 4.2.2, survey 4.1.1: plogis(confint(svyglm(I(<condition>) ~ 1, design, family = quasibinomial,
// control = list(epsilon = 1e-14)), 1, method = "likelihood", ddf = degf(design), maxsteps = 40000,
// del = zmax / 4000)), where zmax is what the profile runs to; then what svyciprop(method =
// "likelihood") says with its 10 steps. apisrs: stype == "H"; apiclus1: stype == "H",
// sch.wide == "Yes"; apiclus2: stype == "H".
TEST(ProportionInterval, OfTheLikelihoodEqualsRSurveyWithSmallSteps) {
  const LikelihoodCase cases[] = {
      {{0.125, 0.023062440529700346, 199, 200},
       {0.084219068176759962, 0.17521910312779013},
       {0.084217460238301442, 0.17521874464454079}},
      {{0.07650273224043716, 0.026810219050770825, 14, 183},
       {0.031782838369106899, 0.14728460087183606},
       {0.031776439310742866, 0.14726117290347901}},
      {{0.87431693989071035, 0.02035947724462743, 14, 183},
       {0.82628572023273317, 0.91369424905357677},
       {0.82628824196357609, 0.9136944918924953}},
      {{0.13431734317343172, 0.057802973093665631, 39, 126},
       {0.046290112136009753, 0.27777703522183222},
       {0.046271598172302635, 0.27776381768875197}},
  };
  for (const LikelihoodCase& known : cases) {
    const Interval interval = two_sided(known.summary, Method::kLikelihood);
    expect_interval(interval, known.fine.low, known.fine.high, 1e-10);
    expect_interval(interval, known.coarse.low, known.coarse.high, 3e-5);
  }
}

// Both bounds solve 2 (p log(p / p0) + q log(q / q0)) = t^2 se^2 / (p q) * n / (n - 1).
TEST(ProportionInterval, OfTheLikelihoodSolvesItsEquation) {
  const double t = 0.67448975019608171;  // qnorm(0.75)
  constexpr std::pair<double, double> kCases[] = {
      {1e-6, 1e-3}, {0.03, 1e-6}, {0.3, 1.0}, {0.5, 0.3}, {0.8, 1e-3}, {0.8, 1.0}, {0.999, 0.02}};
  for (const auto& [p, error] : kCases) {
    const double se = error * std::sqrt(p * (1 - p));
    const Interval bound = two_sided({p, se, kInfinity, 40}, Method::kLikelihood, 0.5);
    EXPECT_LT(bound.low, p);
    EXPECT_GT(bound.high, p);
    for (const double p0 : {bound.low, bound.high}) {
      const double away = p0 - p;
      const double ratio = -2 * (p * std::log1p(away / p) + (1 - p) * std::log1p(-away / (1 - p)));
      EXPECT_NEAR(ratio / (t * t * error * error * 40 / 39), 1, 1e-9 + 1e-15 / error) << p;
    }
  }
}

// Where the ratio's line is nearly straight: p0 = p exp(-target / p) far below p.
TEST(ProportionInterval, OfTheLikelihoodReachesFarIntoTheTail) {
  const Interval interval = two_sided({0.5, 0.5, 1, 1000}, Method::kLikelihood);
  const double target = std::pow(12.706204736174707, 2) / 2 * 1000 / 999;  // qt(.975, 1)
  EXPECT_NEAR(std::log(interval.low) / (-2 * std::log(2.0) - 2 * target), 1, 1e-12);
  EXPECT_EQ(interval.high, 1);
}

// Parker et al. (2017): the effective size is at most n, so that the interval is at least
// binom.test(6, 20)$conf.int of R 4.2.2. "beta" goes on with 88.2 of 20 answers.
TEST(ProportionInterval, KornGraubardDoesNotCountMoreThanAllAnswers) {
  const ProportionSummary precise{0.3, 0.05, 30, 20};
  expect_interval(two_sided(precise, Method::kKornGraubard), 0.11893159040572771,
                  0.54278918227628914);
  expect_interval(two_sided(precise, Method::kBeta), 0.20700386725841233, 0.40687725500625749);
}

// Hanley & Lippman-Hand (1983), If nothing goes wrong, is everything all right? JAMA 249:
// 1 - 0.05^(1/20) = 0.139 for 0 of 20.
TEST(ProportionInterval, OfNoneOrAllIsExactAndOneSided) {
  for (const Method method : kMethods) {
    const Interval none = two_sided({0, 0, 4, 20}, method);
    EXPECT_EQ(none.low, 0);
    EXPECT_NEAR(none.high, 0.13910834066826516, 1e-15);
    const Interval all = two_sided({1, 0, 4, 20}, method);
    EXPECT_NEAR(all.low, 1 - 0.13910834066826516, 1e-15);
    EXPECT_EQ(all.high, 1);
    EXPECT_EQ(proportion_interval({0, 0, 4, 20}, method, 0.95, Side::kLower).low, 0);
    EXPECT_EQ(proportion_interval({0, 0, 4, 20}, method, 0.95, Side::kLower).high, 1);
    EXPECT_EQ(proportion_interval({1, 0, 4, 20}, method, 0.95, Side::kUpper).low, 0);
  }
}

TEST(ProportionInterval, OfTheOppositeIsItsMirror) {
  for (const Method method : kMethods) {
    for (const double p : {0.03, 0.3, 0.5, 0.9}) {
      const Interval yes = two_sided({p, 0.06, 11, 40}, method);
      const Interval no = two_sided({1 - p, 0.06, 11, 40}, method);
      expect_interval(no, 1 - yes.high, 1 - yes.low, 1e-13);
    }
  }
}

TEST(ProportionInterval, OneSidedBoundsAreThoseOfTwiceTheError) {
  const ProportionSummary summary{0.3, 0.12, 4, 20};
  for (const Method method : kMethods) {
    const Interval both = two_sided(summary, method, 0.9);
    const Interval lower = proportion_interval(summary, method, 0.95, Side::kLower);
    const Interval upper = proportion_interval(summary, method, 0.95, Side::kUpper);
    expect_interval(lower, both.low, 1);
    expect_interval(upper, 0, both.high);
  }
}

TEST(ProportionInterval, StaysWithinZeroAndOneAndContainsTheShare) {
  for (const Method method : kMethods) {
    for (const double p : {1e-9, 0.001, 0.2, 0.999}) {
      for (const double error : {1e-6, 0.02, 0.4}) {
        for (const double level : {0.5, 0.95, 0.999999}) {
          const Interval interval = two_sided({p, error, 3, 50}, method, level);
          if (method != Method::kWald) {
            EXPECT_GE(interval.low, 0);
            EXPECT_LE(interval.high, 1);
          }
          EXPECT_LE(interval.low, p);
          EXPECT_GE(interval.high, p);
        }
      }
    }
  }
}

TEST(ProportionInterval, OfAShareWithoutErrorIsTheShare) {
  for (const Method method : kMethods) {
    expect_interval(two_sided({0.5, 0, 4, 20}, method), 0.5, 0.5, 0);
  }
}

// At a level of one half the one-sided t quantile is 0 for every number of degrees of freedom.
TEST(ProportionInterval, HasAMedianBound) {
  for (const Method method : kMethods) {
    const Interval lower = proportion_interval({0.3, 0.12, 4, 20}, method, 0.5, Side::kLower);
    EXPECT_NEAR(lower.low, 0.3, 0.1);
  }
}

TEST(ProportionInterval, OfWhatIsNotKnownIsNotKnown) {
  for (const Method method : kMethods) {
    EXPECT_TRUE(std::isnan(two_sided({kNaN, 0.1, 4, 20}, method).low));
    EXPECT_TRUE(std::isnan(two_sided({0.5, kNaN, 4, 20}, method).high));
  }
}

TEST(ProportionInterval, RefusesALevelThatIsNoProbability) {
  for (const double level : {0.0, 1.0, -0.5, 95.0, kNaN}) {
    EXPECT_THROW(two_sided({0.5, 0.1, 4, 20}, Method::kLogit, level), std::invalid_argument);
    EXPECT_THROW(wald_interval(2, 0.1, 4, level, Side::kTwo), std::invalid_argument);
  }
}

// R 4.2.2, survey 4.1.1: confint(svymean(~gpa, design), df = 4).
TEST(WaldInterval, EqualsRSurvey) {
  const Interval interval =
      wald_interval(2.8260000000000001, 0.16366490155192107, 4, 0.95, Side::kTwo);
  expect_interval(interval, 2.3715933851934903, 3.2804066148065099);
}

TEST(WaldInterval, OneSidedIsOpen) {
  const Interval both = wald_interval(2, 0.1, 7, 0.9, Side::kTwo);
  const Interval lower = wald_interval(2, 0.1, 7, 0.95, Side::kLower);
  const Interval upper = wald_interval(2, 0.1, 7, 0.95, Side::kUpper);
  EXPECT_NEAR(lower.low, both.low, 1e-14);
  EXPECT_EQ(lower.high, kInfinity);
  EXPECT_NEAR(upper.high, both.high, 1e-14);
  EXPECT_EQ(upper.low, -kInfinity);
}

TEST(WaldInterval, OfWhatIsNotKnownIsNotKnown) {
  EXPECT_TRUE(std::isnan(wald_interval(kNaN, 1, 4, 0.95, Side::kTwo).low));
  EXPECT_TRUE(std::isnan(wald_interval(1, kNaN, 4, 0.95, Side::kUpper).low));
}

}  // namespace
}  // namespace steelyard::testing
