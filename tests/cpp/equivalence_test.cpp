#include "steelyard/equivalence.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "samples.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard::testing {
namespace {

/// Student (1908), data `sleep` of R: the difference of the groups, its error and Welch's degrees
/// of freedom by R 4.2.2, t.test(extra ~ group, sleep).
constexpr double kDifference = -1.58;
constexpr double kError = 0.849091017238762;
constexpr double kFreedom = 17.776473516178498;

// R 4.2.2: t.test(extra ~ group, sleep, mu = -.5, alternative = "greater"), then mu = .5 and
// "less", then conf.level = .9.
TEST(Equivalence, EqualsTwoTestsInR) {
  const Equivalence found = equivalence(kDifference, kError, kFreedom, -0.5, 0.5, 0.05);
  EXPECT_NEAR(found.above_low, 0.8901099612514478, 1e-12);
  EXPECT_NEAR(found.below_high, 0.0124513277177337, 1e-14);
  EXPECT_EQ(found.p_value, found.above_low);
  EXPECT_NEAR(found.interval.low, -3.0533814973316065, 1e-12);
  EXPECT_NEAR(found.interval.high, -0.1066185026683938, 1e-12);
}

// By hand, with the normal distribution: (1 - (-2)) / 1.5 = 2 and (4 - 1) / 1.5 = 2.
TEST(Equivalence, InTheMiddleHasTwoEqualTests) {
  const Equivalence found = equivalence(1, 1.5, kInfinity, -2, 4, 0.05);
  EXPECT_NEAR(found.above_low, 0.02275013194817921, 1e-16);  // R 4.2.2: pnorm(-2)
  EXPECT_EQ(found.above_low, found.below_high);
  EXPECT_EQ(found.p_value, found.above_low);
}

// Schuirmann (1987).
TEST(Equivalence, HoldsExactlyWhereTheIntervalLiesWithinTheMargins) {
  int holds = 0;
  int cases = 0;
  for (double value = -1.205; value < 1.3; value += 0.05) {
    for (const double se : {0.05, 0.2, 0.4, 0.7}) {
      for (const double freedom : {1.0, 4.0, 30.0, kInfinity}) {
        for (const double alpha : {0.01, 0.05, 0.2, 0.45}) {
          const Equivalence found = equivalence(value, se, freedom, -1, 0.8, alpha);
          const bool within = found.interval.low > -1 && found.interval.high < 0.8;
          EXPECT_EQ(within, found.p_value < alpha) << value << " " << se << " " << freedom;
          EXPECT_EQ(found.p_value, std::max(found.above_low, found.below_high));
          ++cases;
          holds += within ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(holds, cases / 10);
  EXPECT_LT(holds, cases - cases / 10);
}

// R 4.2.2: t.test(extra ~ group, sleep, mu = -.5, alternative = "greater"), of which the interval
// starts at -3.0534.
TEST(Equivalence, WithOneMarginIsOneTestWithAOneSidedInterval) {
  const Equivalence lower = equivalence(kDifference, kError, kFreedom, -0.5, kInfinity, 0.05);
  EXPECT_NEAR(lower.p_value, 0.8901099612514478, 1e-12);
  EXPECT_EQ(lower.below_high, 0);
  EXPECT_NEAR(lower.interval.low, -3.0533814973316065, 1e-12);
  EXPECT_EQ(lower.interval.high, kInfinity);
  const Equivalence upper = equivalence(kDifference, kError, kFreedom, -kInfinity, 0.5, 0.05);
  EXPECT_NEAR(upper.p_value, 0.0124513277177337, 1e-14);
  EXPECT_EQ(upper.above_low, 0);
  EXPECT_EQ(upper.interval.low, -kInfinity);
  EXPECT_NEAR(upper.interval.high, -0.1066185026683938, 1e-12);
}

TEST(Equivalence, OfTheOppositeIsItsMirror) {
  const Equivalence found = equivalence(0.3, 0.4, 7, -1, 0.8, 0.1);
  const Equivalence mirror = equivalence(-0.3, 0.4, 7, -0.8, 1, 0.1);
  EXPECT_DOUBLE_EQ(found.above_low, mirror.below_high);
  EXPECT_DOUBLE_EQ(found.p_value, mirror.p_value);
  EXPECT_DOUBLE_EQ(found.interval.low, -mirror.interval.high);
}

TEST(Equivalence, OfWhatHasNoErrorIsNotKnown) {
  for (const auto& [value, se] : {std::pair{0.1, 0.0}, {0.1, kNaN}, {0.1, -1.0}, {kNaN, 0.2}}) {
    const Equivalence found = equivalence(value, se, 7, -1, 1, 0.05);
    EXPECT_TRUE(std::isnan(found.above_low));
    EXPECT_TRUE(std::isnan(found.below_high));
    EXPECT_TRUE(std::isnan(found.p_value));
    EXPECT_TRUE(std::isnan(found.interval.low));
    EXPECT_TRUE(std::isnan(found.interval.high));
  }
}

TEST(Equivalence, OfAnInfiniteValueIsNotKnown) {
  for (const double value : {kInfinity, -kInfinity}) {
    for (const double high : {1.0, kInfinity}) {
      const Equivalence found = equivalence(value, 0.2, 7, -1, high, 0.05);
      EXPECT_TRUE(std::isnan(found.above_low));
      EXPECT_TRUE(std::isnan(found.below_high));
      EXPECT_TRUE(std::isnan(found.p_value));
      EXPECT_TRUE(std::isnan(found.interval.low));
      EXPECT_TRUE(std::isnan(found.interval.high));
    }
  }
}

TEST(Equivalence, RefusesMarginsThatBoundNothing) {
  const auto margins = [](double low, double high) {
    return equivalence(0, 1, 7, low, high, 0.05);
  };
  EXPECT_THROW(margins(1, 1), std::invalid_argument);
  EXPECT_THROW(margins(1, -1), std::invalid_argument);
  EXPECT_THROW(margins(-kInfinity, kInfinity), std::invalid_argument);
  EXPECT_THROW(margins(kNaN, 1), std::invalid_argument);
  EXPECT_THROW(margins(-1, kNaN), std::invalid_argument);
}

TEST(Equivalence, RefusesAnErrorProbabilityThatIsNone) {
  for (const double alpha : {0.0, 0.5, -0.1, 5.0, kNaN}) {
    EXPECT_THROW(equivalence(0, 1, 7, -1, 1, alpha), std::invalid_argument);
  }
}

// Bloom (1995): 2.8 standard errors at 5 % and 80 %; by R 4.2.2, qnorm(.975) + qnorm(.8), and with
// 15 degrees of freedom.
TEST(MinimumDetectable, IsTheMultipleOfTheStandardErrorOfBloom1995) {
  EXPECT_NEAR(minimum_detectable(1, kInfinity, 0.95, 0.8), 2.801585218112968, 1e-14);
  EXPECT_NEAR(minimum_detectable(0.5, 15, 0.95, 0.8), 0.5 * 2.997694518754727, 1e-14);
}

// Cohen (1988), Statistical Power Analysis, table 2.4.1: 64 in each of two groups to find half a
// standard deviation at 5 % with 80 %. With the normal distribution they are 2 (2.8016 / 0.5)^2 =
// 62.8.
TEST(MinimumDetectable, InvertsTheSampleSizeOfTwoGroups) {
  const double of_group = 2 * std::pow(minimum_detectable(1, kInfinity, 0.95, 0.8) / 0.5, 2);
  EXPECT_NEAR(of_group, 62.8, 0.05);
  const double error_of_64 = std::sqrt(2.0 / 64);
  EXPECT_NEAR(minimum_detectable(error_of_64, 126, 0.95, 0.8), 0.5, 0.002);
}

TEST(MinimumDetectable, IsFoundWithThePowerAskedFor) {
  const double detected = minimum_detectable(2, kInfinity, 0.9, 0.7);
  const double critical = normal_quantile(0.95);
  EXPECT_NEAR(t_upper_tail(critical - detected / 2, kInfinity), 0.7, 1e-14);
}

TEST(MinimumDetectable, IsProportionalToTheErrorAndNotKnownWithoutOne) {
  EXPECT_DOUBLE_EQ(minimum_detectable(3, 9, 0.95, 0.9), 3 * minimum_detectable(1, 9, 0.95, 0.9));
  EXPECT_EQ(minimum_detectable(0, 9, 0.95, 0.9), 0);
  EXPECT_TRUE(std::isnan(minimum_detectable(kNaN, 9, 0.95, 0.9)));
}

TEST(MinimumDetectable, RefusesWhatIsNoLevelAndNoPower) {
  for (const double level : {0.0, 1.0, 95.0, kNaN}) {
    EXPECT_THROW(minimum_detectable(1, 9, level, 0.8), std::invalid_argument);
  }
  for (const double power : {0.0, 0.025, 1.0, 80.0, kNaN}) {
    EXPECT_THROW(minimum_detectable(1, 9, 0.95, power), std::invalid_argument);
  }
}

// A test at 90 % claims a change in 10 % where there is none.
TEST(MinimumDetectable, RefusesAPowerThatChanceGives) {
  EXPECT_THROW(minimum_detectable(1, 9, 0.9, 0.06), std::invalid_argument);
  EXPECT_THROW(minimum_detectable(1, 9, 0.9, 0.0999), std::invalid_argument);
  EXPECT_THROW(minimum_detectable(1, 9, 0.75, 0.25), std::invalid_argument);
  EXPECT_GT(minimum_detectable(1, 9, 0.9, 0.11), 0);
  EXPECT_GT(minimum_detectable(1, 9, 0.75, 0.26), 0);
}

}  // namespace
}  // namespace steelyard::testing
