#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "known_estimates.hpp"
#include "samples.hpp"
#include "steelyard/multiplicity.hpp"

/// What the largest of t statistics does not depend on, and what it refuses.
namespace steelyard::testing {
namespace {

constexpr Eigen::Index kDraws = 3000;

Estimates correlated() {
  return known(Eigen::Vector3d(1, -2, 0.5), (Eigen::MatrixXd(4, 3) << 0.5, 0.1, 0,  //
                                             -0.2, 0.7, 0.3,                        //
                                             0.1, -0.4, 0.6,                        //
                                             -0.4, -0.4, -0.9)
                                                .finished());
}

MaxT max_t(const Estimates& estimates, std::uint64_t seed = 1, int threads = 1,
           Side side = Side::kTwo) {
  return steelyard::max_t(estimates, Eigen::VectorXd::Zero(estimates.size()), 12, side, 0.9, kDraws,
                          seed, threads);
}

TEST(MaxTDraws, DependOnTheSeedAndOnNothingElse) {
  const MaxT once = max_t(correlated());
  for (const int threads : {1, 2, 3, 8}) {
    const MaxT again = max_t(correlated(), 1, threads);
    EXPECT_EQ(again.critical, once.critical);
    EXPECT_TRUE(same_bits(again.p_values, once.p_values));
  }
  EXPECT_NE(max_t(correlated(), 2).critical, once.critical);
}

// Powers of two leave the rounding of the correlations as it is.
TEST(MaxTDraws, DoNotDependOnUnitsOfMeasurement) {
  const MaxT once = max_t(correlated());
  const MaxT scaled = max_t(correlated().contrast(Eigen::Vector3d(1024, 0.5, 4).asDiagonal()));
  EXPECT_EQ(scaled.critical, once.critical);
  EXPECT_EQ(scaled.p_values, once.p_values);
}

TEST(MaxT, OfDuplicatesIsThatOfOne) {
  const Estimates one = correlated().select({1});
  const MaxT alone = max_t(one);
  const MaxT three = max_t(one.select({0, 0, 0}));
  EXPECT_NEAR(three.critical, alone.critical, 1e-12);
  for (const double p : three.p_values) {
    EXPECT_EQ(p, alone.p_values[0]);
  }
  // Of both signs, as a share and its complement.
  const MaxT both = max_t(one.contrast(Eigen::Vector2d(1, -3)));
  EXPECT_NEAR(both.critical, alone.critical, 1e-12);
  EXPECT_EQ(both.p_values, Eigen::Vector2d::Constant(alone.p_values[0]));
}

TEST(MaxT, OfTheOppositeIsTheOtherSide) {
  const Estimates opposite = correlated().contrast(-Eigen::MatrixXd::Identity(3, 3));
  const MaxT upper = max_t(correlated(), 1, 1, Side::kUpper);
  const MaxT lower = max_t(correlated(), 1, 1, Side::kLower);
  const MaxT upper_of_opposite = max_t(opposite, 1, 1, Side::kUpper);
  EXPECT_EQ(upper_of_opposite.p_values.size(), 3);
  // Draws and their mirror are as likely: four errors of a share of one half at most.
  const double tolerance = 4 * std::sqrt(2 * 0.25 / kDraws);
  for (Eigen::Index i = 0; i < 3; ++i) {
    EXPECT_NEAR(upper_of_opposite.p_values[i], lower.p_values[i], tolerance);
  }
  EXPECT_LT(upper.p_values[0], upper.p_values[2]);
  EXPECT_LT(upper.p_values[2], upper.p_values[1]);
}

TEST(MaxT, CountsFromTheHypothesis) {
  const Eigen::Vector3d null(1, 1, 1);
  Estimates moved = correlated();
  moved.values -= null;
  const MaxT found = steelyard::max_t(correlated(), null, 12, Side::kTwo, 0.9, kDraws, 1, 1);
  EXPECT_EQ(found.p_values, max_t(moved).p_values);
  EXPECT_EQ(found.p_values[0], 1);
}

TEST(MaxT, LeavesOutEstimatesWithoutError) {
  Estimates all = correlated().select({0, 1, 2, 0, 1});
  all.deviations.matrix.col(0).setZero();
  all.deviations.matrix.col(1).setConstant(kNaN);
  all.values[4] = kNaN;
  const MaxT found = max_t(all);
  const MaxT known_ones = max_t(correlated().select({2, 0}));
  EXPECT_EQ(found.critical, known_ones.critical);
  EXPECT_EQ(found.p_values[2], known_ones.p_values[0]);
  EXPECT_EQ(found.p_values[3], known_ones.p_values[1]);
  for (const Eigen::Index i : {0, 1, 4}) {
    EXPECT_TRUE(std::isnan(found.p_values[i]));
  }
}

TEST(MaxT, LeavesOutEstimatesWithoutAHypothesis) {
  const Estimates all = correlated().select({2, 1, 0});
  const auto tested = [&](double second) {
    return steelyard::max_t(all, Eigen::Vector3d(0, second, 0), 12, Side::kTwo, 0.9, kDraws, 1, 1);
  };
  const MaxT known_ones = max_t(correlated().select({2, 0}));
  for (const double none : {kNaN, kInfinity}) {
    const MaxT found = tested(none);
    EXPECT_EQ(found.critical, known_ones.critical);
    EXPECT_EQ(found.p_values[0], known_ones.p_values[0]);
    EXPECT_TRUE(std::isnan(found.p_values[1]));
    EXPECT_EQ(found.p_values[2], known_ones.p_values[1]);
  }
  EXPECT_THROW(
      steelyard::max_t(all, Eigen::Vector3d::Constant(kNaN), 12, Side::kTwo, 0.9, kDraws, 1, 1),
      std::invalid_argument);
}

// A p-value of a Monte-Carlo test is never 0: Davison & Hinkley (1997), Bootstrap Methods, section
// 4.2.
TEST(MaxT, SmallestPValueIsOneOfAllDrawsAndTheStatistic) {
  Estimates far = correlated();
  far.values[0] = 1e9;
  EXPECT_DOUBLE_EQ(max_t(far).p_values[0], 1.0 / (kDraws + 1));
}

TEST(MaxT, RejectsExactlyBeyondTheCriticalValue) {
  for (double value = 0; value < 4; value += 0.1) {
    Estimates moved = correlated().select({0, 1});
    moved.values = value * moved.standard_errors();
    const MaxT found = max_t(moved);
    EXPECT_EQ(found.p_values[0] <= 0.1, value > found.critical) << value;
  }
}

struct Call {
  double degrees_of_freedom = 12;
  double level = 0.9;
  Eigen::Index draws = 1000;
  Eigen::Index hypotheses = 3;
};

MaxT called(const Call& call, const Estimates& estimates = correlated()) {
  return steelyard::max_t(estimates, Eigen::VectorXd::Zero(call.hypotheses),
                          call.degrees_of_freedom, Side::kTwo, call.level, call.draws, 1, 1);
}

TEST(MaxT, RefusesWhatIsOutOfRange) {
  EXPECT_NO_THROW(called({}));
  for (const double level : {0.0, 1.0, 95.0, kNaN}) {
    EXPECT_THROW(called({.level = level}), std::invalid_argument);
  }
  for (const double freedom : {0.0, -1.0, kNaN}) {
    EXPECT_THROW(called({.degrees_of_freedom = freedom}), std::invalid_argument);
  }
  EXPECT_THROW(called({.draws = 999}), std::invalid_argument);
  EXPECT_THROW(called({.hypotheses = 2}), std::invalid_argument);
}

// level / (1 - level) draws: 999 at 0.999, 9999 at 0.9999.
TEST(MaxT, RefusesALevelForWhichThereAreTooFewDraws) {
  EXPECT_NO_THROW(called({.level = 0.999, .draws = 1000}));
  EXPECT_THROW(called({.level = 0.9991, .draws = 1000}), std::invalid_argument);
  EXPECT_THROW(called({.level = 0.9999, .draws = 9998}), std::invalid_argument);
  EXPECT_NO_THROW(called({.level = 0.9999, .draws = 9999}));
}

// The highest level that a number of draws allows is that of the largest of them.
TEST(MaxT, AtTheHighestLevelIsTheLargestDraw) {
  const MaxT highest = called({.level = 1000.0 / 1001, .draws = 1000});
  EXPECT_GT(highest.critical, called({.level = 0.998, .draws = 1000}).critical);
  EXPECT_TRUE(std::isfinite(highest.critical));
  EXPECT_LT(highest.critical, 20);
}

TEST(MaxT, RefusesEstimatesOfWhichNoneHasAnError) {
  Estimates exact = correlated();
  exact.deviations.matrix.setZero();
  EXPECT_THROW(called({}, exact), std::invalid_argument);
  EXPECT_THROW(called({.hypotheses = 0}, correlated().select({})), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
