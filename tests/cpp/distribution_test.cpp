#include "steelyard/distribution.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

void expect_relative(double value, double expected) { EXPECT_NEAR(value / expected, 1, 1e-12); }

// R 4.2.2: qnorm(c(0.975, 1e-10)).
TEST(Distribution, NormalQuantilesAreThoseOfR) {
  expect_relative(normal_quantile(0.975), 1.9599639845400536);
  expect_relative(normal_quantile(1e-10), -6.3613409024040557);
  EXPECT_EQ(normal_quantile(0.5), 0);
}

// R 4.2.2: qt(0.975, c(1, 2, 4, 10, 100, 1e6)), qt(1e-6, 3).
TEST(Distribution, TQuantilesAreThoseOfR) {
  expect_relative(t_quantile(0.975, 1), 12.706204736174694);
  expect_relative(t_quantile(0.975, 2), 4.3026527297494619);
  expect_relative(t_quantile(0.975, 4), 2.7764451051977934);
  expect_relative(t_quantile(0.975, 10), 2.2281388519862739);
  expect_relative(t_quantile(0.975, 100), 1.9839715185235516);
  expect_relative(t_quantile(0.975, 1e6), 1.9599663568141066);
  expect_relative(t_quantile(1e-6, 3), -103.29946778041933);
}

// R 4.2.2: pt(c(2.5, 40, 1000), c(7, 5, 30), lower.tail = FALSE), pt(-1, 3, lower.tail = FALSE),
// pnorm(c(10, 35), lower.tail = FALSE).
TEST(Distribution, FarTailsKeepTheirPrecision) {
  expect_relative(t_upper_tail(2.5, 7), 0.020496109292876437);
  expect_relative(t_upper_tail(40, 5), 9.2059810858864758e-08);
  expect_relative(t_upper_tail(1000, 30), 1.0360017415558858e-69);
  expect_relative(t_upper_tail(-1, 3), 0.80449889052211476);
  expect_relative(t_upper_tail(10, kInfinity), 7.6198530241605269e-24);
  expect_relative(t_upper_tail(35, kInfinity), 1.1249107064724062e-268);
}

// R 4.2.2: qbeta(0.025, 3, 5), qbeta(0.975, 82, 182), qbeta(0.025, 0.4, 12.6),
// qbeta(1e-6, 2.5, 1000.5).
TEST(Distribution, BetaQuantilesAreThoseOfR) {
  expect_relative(beta_quantile(0.025, 3, 5), 0.098988278442507863);
  expect_relative(beta_quantile(0.975, 82, 182), 0.36762192260135140);
  expect_relative(beta_quantile(0.025, 0.4, 12.6), 5.9565927639639692e-06);
  expect_relative(beta_quantile(1e-6, 2.5, 1000.5), 6.4400107365390206e-06);
}

TEST(Distribution, BetaWithoutAShapeLiesAtTheEnd) {
  EXPECT_EQ(beta_quantile(0.3, 0, 5), 0);
  EXPECT_EQ(beta_quantile(0.3, 5, 0), 1);
}

TEST(Distribution, InfiniteDegreesOfFreedomAreTheNormal) {
  for (const double p : {1e-9, 0.2, 0.5, 0.975}) {
    EXPECT_EQ(t_quantile(p, kInfinity), normal_quantile(p));
    EXPECT_NEAR(t_quantile(p, 1e12), normal_quantile(p), 1e-8);
  }
}

TEST(Distribution, TailUndoesQuantile) {
  for (const double df : {1.0, 2.5, 30.0, kInfinity}) {
    for (const double p : {1e-8, 0.01, 0.5, 0.9}) {
      expect_relative(t_upper_tail(-t_quantile(p, df), df), p);
    }
  }
}

}  // namespace
}  // namespace steelyard::testing
