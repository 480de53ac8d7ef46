#include "steelyard/distribution.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

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

// R 4.2.2: pchisq(x, df, lower.tail = FALSE).
TEST(Distribution, ChiSquareTailsAreThoseOfR) {
  expect_relative(chi_square_upper_tail(0.3, 0.5), 0.33317180231535665);
  expect_relative(chi_square_upper_tail(5, 3), 0.17179714429673321);
  expect_relative(chi_square_upper_tail(60, 7.5), 2.6779213238767332e-10);
  expect_relative(chi_square_upper_tail(280, 1), 7.5092426537352865e-63);
  expect_relative(chi_square_upper_tail(1400, 4), 6.9116332571757217e-302);
}

// R 4.2.2: pf(x, df1, df2, lower.tail = FALSE).
TEST(Distribution, FTailsAreThoseOfR) {
  expect_relative(f_upper_tail(0.2, 0.7, 3), 0.5992239191131653);
  expect_relative(f_upper_tail(5.19, 1.4946397777074554, 20.924956887904376), 0.021789465511925492);
  expect_relative(f_upper_tail(149.66, 1, 197), 5.7297175547903784e-26);
  expect_relative(f_upper_tail(40, 3, 5000), 1.5492723591140047e-25);
  expect_relative(f_upper_tail(2000, 3, 40), 1.3491709897654152e-43);
}

// R 4.2.2: qchisq(c(.95, 1e-6), c(2.5, 4)), qf(c(.95, 1e-6), c(2.5, 4), c(7.7, 30)).
TEST(Distribution, ChiSquareAndFQuantilesAreThoseOfR) {
  expect_relative(chi_square_quantile(0.95, 2.5), 6.9280761134524234);
  expect_relative(chi_square_quantile(1e-6, 4), 0.0028297613229586859);
  expect_relative(f_quantile(0.95, 2.5, 7.7), 4.306424745290407);
  expect_relative(f_quantile(1e-6, 4, 30), 0.00068500760351697387);
  expect_relative(f_quantile(0.95, 2.5, kInfinity), 6.9280761134524234 / 2.5);
}

// With two degrees of freedom the tails are exp(-x / 2) and (1 + 2 x / d)^(-d / 2).
TEST(Distribution, TailsOnTwoDegreesOfFreedomAreElementary) {
  for (const double x : {1e-9, 0.5, 20.0, 276.0, 600.0}) {
    expect_relative(chi_square_upper_tail(x, 2), std::exp(-x / 2));
    expect_relative(f_upper_tail(x, 2, kInfinity), std::exp(-x));
    for (const double d : {1.0, 3.7, 60.0}) {
      expect_relative(f_upper_tail(x, 2, d), std::pow(1 + 2 * x / d, -d / 2));
    }
  }
}

TEST(Distribution, ASquareOfTIsFOnOne) {
  for (const double t : {0.3, 2.0, 30.0}) {
    for (const double df : {1.0, 7.5, 200.0, kInfinity}) {
      expect_relative(f_upper_tail(t * t, 1, df), 2 * t_upper_tail(t, df));
    }
  }
}

TEST(Distribution, TailsEndAtOneAndZero) {
  for (const double x : {-kInfinity, -1.0, 0.0}) {
    EXPECT_EQ(chi_square_upper_tail(x, 3), 1);
    EXPECT_EQ(f_upper_tail(x, 3, 7), 1);
    EXPECT_EQ(f_upper_tail(x, 3, kInfinity), 1);
  }
  EXPECT_EQ(chi_square_upper_tail(kInfinity, 3), 0);
  EXPECT_EQ(f_upper_tail(kInfinity, 3, 7), 0);
  EXPECT_EQ(chi_square_quantile(0, 3), 0);
  EXPECT_EQ(f_quantile(0, 3, 7), 0);
}

TEST(Distribution, RefusesWhatIsNoStatisticOrNoDegreesOfFreedom) {
  EXPECT_THROW(chi_square_upper_tail(kNaN, 3), std::invalid_argument);
  EXPECT_THROW(f_upper_tail(kNaN, 3, 4), std::invalid_argument);
  for (const double bad : {0.0, -1.0, kNaN}) {
    EXPECT_THROW(chi_square_upper_tail(1, bad), std::invalid_argument);
    EXPECT_THROW(chi_square_quantile(0.5, bad), std::invalid_argument);
    EXPECT_THROW(f_upper_tail(1, bad, 4), std::invalid_argument);
    EXPECT_THROW(f_upper_tail(1, 4, bad), std::invalid_argument);
    EXPECT_THROW(f_quantile(0.5, 4, bad), std::invalid_argument);
  }
  EXPECT_THROW(chi_square_upper_tail(1, kInfinity), std::invalid_argument);
  EXPECT_THROW(f_upper_tail(1, kInfinity, 4), std::invalid_argument);
  for (const double p : {-0.1, 1.0, kNaN}) {
    EXPECT_THROW(chi_square_quantile(p, 3), std::invalid_argument);
    EXPECT_THROW(f_quantile(p, 3, 4), std::invalid_argument);
  }
}

}  // namespace
}  // namespace steelyard::testing
