#include "steelyard/distance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Kind = Distance::Kind;

const std::vector<Distance> kAll{{Kind::kLinear, {}},
                                 {Kind::kRaking, {}},
                                 {Kind::kSinh, {}},
                                 {Kind::kLogit, {.3, 2.5}},
                                 {Kind::kRaking, {.4, 3}}};
const std::vector<double> kScores{-.6, -.25, 0, .1, .4, .9};

TEST(Distance, LeavesAWeightAtAScoreOfNothing) {
  for (const Distance& distance : kAll) {
    EXPECT_DOUBLE_EQ(distance.factor(0), 1);
    EXPECT_DOUBLE_EQ(distance.slope(0), 1);
  }
}

TEST(Distance, HasTheSlopeOfItsFactor) {
  constexpr double kStep = 1e-5;
  for (const Distance& distance : kAll) {
    for (const double u : kScores) {
      const double slope = (distance.factor(u + kStep) - distance.factor(u - kStep)) / (2 * kStep);
      EXPECT_NEAR(distance.slope(u), slope, 1e-8) << "at " << u;
    }
  }
}

// Deville & Särndal (1992), table 1, and Vanderhoeft (2001): the derivatives of the distances.
TEST(Distance, InvertsTheDerivativeOfWhatIsSmallest) {
  constexpr double kLow = .3;
  constexpr double kHigh = 2.5;
  constexpr double kSteep = (kHigh - kLow) / ((1 - kLow) * (kHigh - 1));
  for (const double u : kScores) {
    EXPECT_NEAR(kAll[0].factor(u) - 1, u, 1e-15);
    EXPECT_NEAR(std::log(kAll[1].factor(u)), u, 1e-15);
    const double s = kAll[2].factor(u);
    EXPECT_NEAR(std::sinh(s - 1 / s) / 2, u, 1e-15);
    const double g = kAll[3].factor(u);
    EXPECT_NEAR(std::log((g - kLow) / (1 - kLow)) - std::log((kHigh - g) / (kHigh - 1)), kSteep * u,
                1e-14);
  }
}

TEST(Distance, KeepsLogitFactorsInside) {
  const Distance distance(Kind::kLogit, {.3, 2.5});
  for (const double u : {-5.0, -2.0, 2.0, 5.0}) {
    EXPECT_GT(distance.factor(u), .3);
    EXPECT_LT(distance.factor(u), 2.5);
    EXPECT_GT(distance.slope(u), 0);
  }
  EXPECT_DOUBLE_EQ(distance.factor(-1e4), .3);
  EXPECT_DOUBLE_EQ(distance.factor(1e4), 2.5);
  EXPECT_EQ(distance.slope(-1e4), 0);
  EXPECT_EQ(distance.slope(1e4), 0);
}

TEST(Distance, CutsOthersOffAtTheirBounds) {
  for (const Kind kind : {Kind::kLinear, Kind::kRaking, Kind::kSinh}) {
    const Distance distance(kind, {.5, 2});
    const Distance open(kind, {});
    EXPECT_EQ(distance.factor(-3), .5);
    EXPECT_EQ(distance.slope(-3), 0);
    EXPECT_EQ(distance.factor(4), 2);
    EXPECT_EQ(distance.slope(4), 0);
    EXPECT_EQ(distance.factor(.3), open.factor(.3));
    EXPECT_EQ(distance.slope(.3), open.slope(.3));
  }
}

TEST(Distance, TakesOtherBounds) {
  const Distance::Bounds other{.6, 1.5};
  for (const Distance& distance : {kAll[3], kAll[4]}) {
    const Distance own(distance.kind(), other);
    for (const double u : {-1.0, .2, 1.0}) {
      EXPECT_EQ(distance.factor(u, other), own.factor(u));
      EXPECT_EQ(distance.slope(u, other), own.slope(u));
    }
  }
}

TEST(Distance, IsLinearWithoutBoundsOnly) {
  EXPECT_TRUE(kAll[0].is_linear());
  EXPECT_FALSE(Distance(Kind::kLinear, {.high = 3}).is_linear());
  EXPECT_FALSE(Distance(Kind::kLinear, {.low = 0}).is_linear());
  EXPECT_FALSE(kAll[1].is_linear());
}

TEST(Distance, RefusesBoundsInTheWrongOrder) {
  EXPECT_THROW(Distance(Kind::kLinear, {2, 2}), std::invalid_argument);
  EXPECT_THROW(Distance(Kind::kRaking, {3, .5}), std::invalid_argument);
  EXPECT_THROW(Distance(Kind::kLinear, {kNaN, 2}), std::invalid_argument);
  EXPECT_THROW(Distance(Kind::kLogit, {}), std::invalid_argument);
  EXPECT_THROW(Distance(Kind::kLogit, {.low = .5}), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
