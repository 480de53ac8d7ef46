#include "steelyard/allocation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Eigen::VectorXd;

/// Measures times one factor, within limits, that add up: found by halving.
VectorXd filled(const VectorXd& measure, double size, const VectorXd& least, const VectorXd& most) {
  const auto at = [&](double factor) {
    return VectorXd((factor * measure).cwiseMax(least).cwiseMin(most));
  };
  double low = 0;
  double high = 1e9;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (at(middle).sum() < size ? low : high) = middle;
  }
  return at(high);
}

struct Strata {
  VectorXd measure;
  StratumLimits limits;
  std::int64_t size = 0;
};

/// Populations of up to `most` units.
Strata random_strata(Random& random, double least, std::int32_t most) {
  Strata result{VectorXd(6), {VectorXd(6), least}};
  for (Eigen::Index h = 0; h < 6; ++h) {
    result.measure[h] = std::exp(2 * random.normal());
    result.limits.population[h] = 1 + random.below(most);
  }
  const double low = result.limits.population.cwiseMin(least).sum();
  const double high = std::min(result.limits.population.sum(), 1000.0);
  result.size =
      static_cast<std::int64_t>(low) + random.below(static_cast<std::int32_t>(high - low));
  return result;
}

/// As near to proportion as whole numbers may be.
void expect_filled(const Strata& strata) {
  const VectorXd n = allocate(strata.measure, strata.size, strata.limits);
  const VectorXd& most = strata.limits.population;
  const VectorXd exact = filled(strata.measure, static_cast<double>(strata.size),
                                most.cwiseMin(strata.limits.least), most);
  EXPECT_LT((n - exact).cwiseAbs().maxCoeff(), 1 + 1e-6) << n.transpose() << "\n"
                                                         << exact.transpose();
}

TEST(Allocate, IsInProportion) {
  const VectorXd population{{200, 300, 500}};
  EXPECT_EQ(allocate(population, 100, {population}), (VectorXd{{20, 30, 50}}));
}

// Ten seats by the votes of 100,000, by hand: whole quotas first, then the largest remainders.
TEST(Allocate, RoundsByLargestRemainders) {
  const VectorXd votes{{47000, 16000, 15800, 12000, 6100, 3100}};
  EXPECT_EQ(allocate(votes, 10, {votes, 0}), (VectorXd{{5, 2, 1, 1, 1, 0}}));
}

// No other allocation of 20 has a smaller variance.
TEST(Allocate, IsNeymansForStandardDeviations) {
  const VectorXd population{{100, 200, 300}};
  const VectorXd measure = population.cwiseProduct(VectorXd{{3, 2, 1}});
  double smallest = kInfinity;
  VectorXd best;
  for (int a = 1; a < 19; ++a) {
    for (int b = 1; a + b < 20; ++b) {
      const VectorXd n{{1.0 * a, 1.0 * b, 20.0 - a - b}};
      const double variance = measure.cwiseAbs2().cwiseQuotient(n).sum();
      if (variance < smallest) {
        smallest = variance;
        best = n;
      }
    }
  }
  EXPECT_EQ(best, (VectorXd{{6, 8, 6}}));
  EXPECT_EQ(allocate(measure, 20, {population}), best);
}

TEST(Allocate, AddsUpToWholeNumbersWithinLimits) {
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const Strata strata = random_strata(random, random.below(4), 60);
    const VectorXd n = allocate(strata.measure, strata.size, strata.limits);
    const VectorXd& most = strata.limits.population;
    EXPECT_EQ(n.sum(), static_cast<double>(strata.size));
    EXPECT_EQ(n, VectorXd(n.array().round()));
    EXPECT_GE((n - most.cwiseMin(strata.limits.least)).minCoeff(), 0);
    EXPECT_LE((n - most).maxCoeff(), 0);
  }
}

TEST(Allocate, SharesOutWhatStrataTakenWholeLeave) {
  EXPECT_EQ(allocate(VectorXd{{100, 3, 1}}, 25, {VectorXd{{5, 100, 100}}, 0}),
            (VectorXd{{5, 15, 5}}));
  Random random(2);
  for (int i = 0; i < 500; ++i) {
    expect_filled(random_strata(random, 0, 60));
  }
}

TEST(Allocate, TakesFromOthersWhatSmallStrataNeed) {
  EXPECT_EQ(allocate(VectorXd{{1, 60, 30}}, 32, {VectorXd{{50, 50, 50}}, 2}),
            (VectorXd{{2, 20, 10}}));
  Random random(3);
  for (int i = 0; i < 500; ++i) {
    Strata strata = random_strata(random, 5, 60);
    strata.limits.population.array() += 1000;
    strata.size = 30 + random.below(200);
    expect_filled(strata);
  }
}

// A stratum taken whole leaves 20 for the others, which are then above the least.
TEST(Allocate, SharesOutInProportionBetweenBothLimits) {
  EXPECT_EQ(allocate(VectorXd{{100, 3, 1}}, 25, {VectorXd{{5, 100, 100}}, 2}),
            (VectorXd{{5, 15, 5}}));
  Random random(4);
  for (int i = 0; i < 500; ++i) {
    expect_filled(random_strata(random, 3, 60));
  }
}

TEST(Allocate, TakesAtMostAStratumThatIsNotWhole) {
  EXPECT_EQ(allocate(VectorXd{{1, 9}}, 5, {VectorXd{{1.5, 10}}, 2}), (VectorXd{{1, 4}}));
}

TEST(Allocate, RefusesWhatCannotBe) {
  const VectorXd two{{10, 10}};
  const auto refuses = [](const VectorXd& measure, std::int64_t size, const StratumLimits& some) {
    EXPECT_THROW(allocate(measure, size, some), std::invalid_argument);
  };
  refuses(two, 3, {two});
  refuses(two, 21, {two});
  refuses(VectorXd{{1, -1}}, 5, {two});
  refuses(VectorXd{{0, 0}}, 5, {two});
  refuses(VectorXd{{1, kNaN}}, 5, {two});
  refuses(VectorXd{{1, 1, 1}}, 5, {two});
  refuses(two, 5, {VectorXd{{-1, 10}}});
  refuses(two, 5, {two, -1});
  refuses(VectorXd(), 5, {VectorXd()});
}

/// Variances of totals: sum of N^2 S^2 (1 / n - 1 / N).
VectorXd reached(const VectorXd& n, const VectorXd& population, const RowMatrix& variance) {
  const VectorXd weight =
      population.cwiseAbs2().cwiseProduct(n.cwiseInverse() - population.cwiseInverse());
  return variance.transpose() * weight;
}

// Cochran (1977), section 5.5: n_h in proportion to N S / sqrt(c).
TEST(AllocateForPrecision, HasAClosedFormForOneVariable) {
  const VectorXd population{{1000, 2000, 4000}};
  const VectorXd deviation{{5, 3, 1}};
  const VectorXd cost{{1, 4, 9}};
  const double wanted = 1e6;
  const RowMatrix variance = deviation.cwiseAbs2();
  const VectorXd size = population.cwiseProduct(deviation);
  const double sum = size.dot(cost.cwiseSqrt());
  const VectorXd expected =
      size.cwiseQuotient(cost.cwiseSqrt()) * sum / (wanted + population.dot(deviation.cwiseAbs2()));
  const VectorXd n =
      allocate_for_precision(variance, VectorXd::Constant(1, wanted), cost, {population});
  EXPECT_LE((n - expected).cwiseAbs().maxCoeff(), 1e-8);
  EXPECT_NEAR(reached(n, population, variance)[0], wanted, 1e-6 * wanted);
}

/// The most that a price on two variances can show a sample to cost, whose optimum it is by
/// duality: the problem is convex.
double dual_cost(const RowMatrix& variance, const VectorXd& wanted, const VectorXd& cost,
                 const StratumLimits& limits) {
  const VectorXd& population = limits.population;
  const VectorXd room = wanted + variance.transpose() * population;
  const RowMatrix share =
      (population.cwiseAbs2().asDiagonal() * variance) * room.cwiseInverse().asDiagonal();
  const auto value = [&](double a, double b) {
    const VectorXd priced = share * VectorXd{{a, b}};
    const VectorXd n = priced.cwiseQuotient(cost)
                           .cwiseSqrt()
                           .cwiseMax(population.cwiseMin(limits.least))
                           .cwiseMin(population);
    return cost.dot(n) + priced.dot(n.cwiseInverse()) - a - b;
  };
  const auto largest = [&](const auto& function) {
    double low = 0;
    double high = cost.dot(population);
    for (int i = 0; i < 100; ++i) {
      const double third = (high - low) / 3;
      (function(low + third) < function(high - third) ? low : high) =
          function(low + third) < function(high - third) ? low + third : high - third;
    }
    return function((low + high) / 2);
  };
  return largest([&](double a) { return largest([&](double b) { return value(a, b); }); });
}

TEST(AllocateForPrecision, IsTheCheapestThatKeepsAll) {
  Random random(5);
  for (int i = 0; i < 20; ++i) {
    const Eigen::Index strata = 5;
    StratumLimits limits{VectorXd(strata), 2};
    RowMatrix variance(strata, 2);
    VectorXd cost(strata);
    for (Eigen::Index h = 0; h < strata; ++h) {
      limits.population[h] = 5 + random.below(h == 0 ? 5 : 500);
      variance.row(h) << std::exp(random.normal()), std::exp(random.normal());
      cost[h] = random.uniform(1, 5);
    }
    VectorXd wanted = variance.transpose() * limits.population.cwiseAbs2() / 50;
    wanted[0] *= random.uniform(.2, 2);
    const VectorXd n = allocate_for_precision(variance, wanted, cost, limits);
    EXPECT_LE((n - limits.population).maxCoeff(), 0);
    EXPECT_GE(n.minCoeff(), 2);
    const VectorXd found = reached(n, limits.population, variance);
    EXPECT_LE(found.cwiseQuotient(wanted).maxCoeff(), 1 + 1e-9);
    const double least = dual_cost(variance, wanted, cost, limits);
    EXPECT_NEAR(cost.dot(n), least, 1e-6 * least);
  }
}

TEST(AllocateForPrecision, TakesStrataWholeOrAtTheLeast) {
  const VectorXd population{{4, 100, 1000, 1}};
  const RowMatrix variance{{1e6}, {1}, {0}, {1}};
  const VectorXd cost = VectorXd::Ones(4);
  const VectorXd n =
      allocate_for_precision(variance, VectorXd::Constant(1, 100), cost, {population});
  EXPECT_EQ(n[0], 4);
  EXPECT_NEAR(n[1], 50, 1e-9);  // 100^2 (1 / n - 1 / 100) = 100
  EXPECT_EQ(n[2], 2);
  EXPECT_EQ(n[3], 1);
}

TEST(AllocateForPrecision, RefusesWhatMakesNoSense) {
  const RowMatrix variance{{1, 2}, {2, 1}};
  const VectorXd ones = VectorXd::Ones(2);
  const StratumLimits limits{VectorXd{{10, 10}}};
  const auto refuses = [&](const RowMatrix& of, const VectorXd& wanted, const VectorXd& cost) {
    EXPECT_THROW(allocate_for_precision(of, wanted, cost, limits), std::invalid_argument);
  };
  refuses(-variance, ones, ones);
  refuses(variance * kNaN, ones, ones);
  refuses(variance, 0 * ones, ones);
  refuses(variance, ones, 0 * ones);
  refuses(variance, VectorXd::Ones(3), ones);
  refuses(variance, ones, VectorXd::Ones(3));
  refuses(RowMatrix::Ones(3, 2), ones, ones);
  refuses(RowMatrix(2, 0), VectorXd(), ones);
}

}  // namespace
}  // namespace steelyard::testing
