#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "samples.hpp"
#include "steelyard/interval.hpp"

namespace steelyard::testing {
namespace {

using Method = ProportionInterval;

constexpr Method kMethods[] = {
    Method::kWald,         Method::kLogit,        Method::kWilson,
    Method::kBeta,         Method::kKornGraubard, Method::kClopperPearson,
    Method::kAgrestiCoull, Method::kArcsine,      Method::kLikelihood};

constexpr ProportionSummary kShare{0.3, 0.08, 9, 60};

TEST(ConfidenceInBound, IsTheLevelAtWhichTheOneSidedIntervalEndsThere) {
  for (const Method method : kMethods) {
    for (const double bound : {0.15, 0.2, 0.25, 0.35, 0.4, 0.5}) {
      for (const Side side : {Side::kLower, Side::kUpper}) {
        const double level = confidence_in_bound(kShare, method, side, bound);
        ASSERT_GT(level, 0);
        ASSERT_LT(level, 1);
        const Interval found = proportion_interval(kShare, method, level, side);
        EXPECT_NEAR(side == Side::kLower ? found.low : found.high, bound, 1e-11)
            << static_cast<int>(method);
      }
    }
  }
}

TEST(ConfidenceInBound, FallsAsMoreIsClaimed) {
  for (const Method method : kMethods) {
    double before = 1;
    for (double bound = 0.05; bound < 0.6; bound += 0.05) {
      const double level = confidence_in_bound(kShare, method, Side::kLower, bound);
      EXPECT_LT(level, before);
      EXPECT_GT(confidence_in_bound(kShare, method, Side::kUpper, bound + 0.05),
                confidence_in_bound(kShare, method, Side::kUpper, bound));
      before = level;
    }
  }
}

TEST(ConfidenceInBound, OfTheOppositeIsItsMirror) {
  const ProportionSummary opposite{0.7, 0.08, 9, 60};
  for (const Method method : kMethods) {
    for (const double bound : {0.2, 0.37, 0.45}) {
      EXPECT_NEAR(confidence_in_bound(kShare, method, Side::kLower, bound),
                  confidence_in_bound(opposite, method, Side::kUpper, 1 - bound), 1e-12);
    }
  }
}

// Intervals that go by t have one confidence in a bound and its opposite; exact ones are wider.
TEST(ConfidenceInBound, OfBothSidesAddsUpWhereTheIntervalGoesByT) {
  for (const Method method : kMethods) {
    const double both = confidence_in_bound(kShare, method, Side::kLower, 0.25) +
                        confidence_in_bound(kShare, method, Side::kUpper, 0.25);
    const bool exact = method == Method::kBeta || method == Method::kKornGraubard ||
                       method == Method::kClopperPearson;
    if (exact) {
      EXPECT_LT(both, 1);
    } else {
      EXPECT_NEAR(both, 1, 1e-12);
    }
  }
}

// R 4.2.2: pt((.3 - .2) / .08, 9).
TEST(ConfidenceInBound, OfAWaldIntervalIsTheTailOfT) {
  constexpr double kInR = 0.8785878627;
  EXPECT_NEAR(confidence_in_bound(kShare, Method::kWald, Side::kLower, 0.2), kInR, 1e-10);
  for (const double bound : {-0.1, 0.0, 0.2, 0.3, 0.45}) {
    for (const Side side : {Side::kLower, Side::kUpper}) {
      EXPECT_NEAR(confidence_in_bound(kShare, Method::kWald, side, bound),
                  confidence_in_bound(0.3, 0.08, 9, side, bound), 1e-14);
    }
  }
}

// Hanley & Lippman-Hand (1983), JAMA 249: with 0 of 20 the rate is below 1 - 0.05^(1 / 20) = 0.139
// with a confidence of 95 %. In general 1 - (1 - bound)^n, and 1 - bound^n of all.
TEST(ConfidenceInBound, OfNoneOrAllIsExact) {
  for (const Method method : kMethods) {
    const ProportionSummary none{0, 0, 4, 20};
    const ProportionSummary all{1, 0, 4, 20};
    EXPECT_NEAR(confidence_in_bound(none, method, Side::kUpper, 0.13910834066826516), 0.95, 1e-14);
    for (const double bound : {0.01, 0.1, 0.4}) {
      const double level = 1 - std::pow(1 - bound, 20);
      EXPECT_NEAR(confidence_in_bound(none, method, Side::kUpper, bound), level, 1e-14);
      EXPECT_NEAR(confidence_in_bound(all, method, Side::kLower, 1 - bound), level, 1e-14);
    }
    EXPECT_EQ(confidence_in_bound(none, method, Side::kLower, 0.1), 0);
    EXPECT_EQ(confidence_in_bound(all, method, Side::kUpper, 0.9), 0);
  }
}

TEST(ConfidenceInBound, OfWhatHoldsForSureIsOne) {
  for (const Method method : kMethods) {
    if (method != Method::kWald) {
      EXPECT_EQ(confidence_in_bound(kShare, method, Side::kLower, 0), 1);
      EXPECT_EQ(confidence_in_bound(kShare, method, Side::kUpper, 1), 1);
    }
    const ProportionSummary census{0.3, 0, 9, 60, true};
    EXPECT_EQ(confidence_in_bound(census, method, Side::kLower, 0.3), 1);
    EXPECT_EQ(confidence_in_bound(census, method, Side::kLower, 0.31), 0);
  }
}

// Bounds that no interval reaches, or that only one of next to no confidence does.
TEST(ConfidenceInBound, OfWhatCannotHoldIsNone) {
  for (const Method method : kMethods) {
    if (method != Method::kWald && method != Method::kArcsine) {
      EXPECT_NEAR(confidence_in_bound(kShare, method, Side::kLower, 1), 0, 1e-9);
      EXPECT_NEAR(confidence_in_bound(kShare, method, Side::kUpper, 0), 0, 1e-9);
    }
    if (method != Method::kWald) {
      EXPECT_EQ(confidence_in_bound(kShare, method, Side::kLower, 1.2), 0);
      EXPECT_EQ(confidence_in_bound(kShare, method, Side::kUpper, -0.1), 0);
    }
  }
}

TEST(ConfidenceInBound, OfWhatIsNotKnownIsNotKnown) {
  for (const Method method : kMethods) {
    EXPECT_TRUE(std::isnan(confidence_in_bound({kNaN, 0.1, 4, 20}, method, Side::kLower, 0.5)));
    EXPECT_TRUE(std::isnan(confidence_in_bound({0.5, kNaN, 4, 20}, method, Side::kUpper, 0.5)));
  }
  EXPECT_TRUE(std::isnan(confidence_in_bound(kNaN, 1, 4, Side::kLower, 0)));
  EXPECT_TRUE(std::isnan(confidence_in_bound(0, kNaN, 4, Side::kUpper, 0)));
}

TEST(ConfidenceInBound, InABoundThatIsNotKnownIsNotKnown) {
  for (const Side side : {Side::kLower, Side::kUpper}) {
    for (const Method method : kMethods) {
      EXPECT_TRUE(std::isnan(confidence_in_bound(kShare, method, side, kNaN)));
    }
    EXPECT_TRUE(std::isnan(confidence_in_bound(2, 0.25, 7, side, kNaN)));
    EXPECT_TRUE(std::isnan(confidence_in_bound(2, 0, 7, side, kNaN)));
  }
}

TEST(ConfidenceInBound, OfAValueInvertsItsInterval) {
  for (const double freedom : {3.0, 20.0, kInfinity}) {
    for (const double bound : {1.0, 1.9, 2.0, 2.3}) {
      for (const Side side : {Side::kLower, Side::kUpper}) {
        const double level = confidence_in_bound(2, 0.25, freedom, side, bound);
        const Interval found = wald_interval(2, 0.25, freedom, level, side);
        EXPECT_NEAR(side == Side::kLower ? found.low : found.high, bound, 1e-10);
      }
    }
  }
  EXPECT_EQ(confidence_in_bound(2, 0.25, 7, Side::kLower, 2), 0.5);
}

TEST(ConfidenceInBound, OfAValueWithoutErrorIsAllOrNothing) {
  EXPECT_EQ(confidence_in_bound(2, 0, 7, Side::kLower, 2), 1);
  EXPECT_EQ(confidence_in_bound(2, 0, 7, Side::kLower, 2.1), 0);
  EXPECT_EQ(confidence_in_bound(2, 0, 7, Side::kUpper, 2.1), 1);
  EXPECT_EQ(confidence_in_bound(2, 0, 7, Side::kUpper, 1.9), 0);
}

TEST(ConfidenceInBound, RefusesTwoSides) {
  EXPECT_THROW(confidence_in_bound(kShare, Method::kLogit, Side::kTwo, 0.2), std::invalid_argument);
  EXPECT_THROW(confidence_in_bound(2, 0.1, 7, Side::kTwo, 2), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
