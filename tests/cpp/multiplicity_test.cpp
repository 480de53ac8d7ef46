#include "steelyard/multiplicity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "known_estimates.hpp"
#include "samples.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard::testing {
namespace {

constexpr Multiplicity kAll[] = {Multiplicity::kBonferroni, Multiplicity::kHolm,
                                 Multiplicity::kHochberg, Multiplicity::kBenjaminiHochberg};

void expect_numbers(const Eigen::VectorXd& found, const Values& expected) {
  ASSERT_EQ(found.size(), static_cast<Eigen::Index>(expected.size()));
  for (Eigen::Index i = 0; i < found.size(); ++i) {
    const double value = expected[static_cast<std::size_t>(i)];
    EXPECT_EQ(std::isnan(found[i]), std::isnan(value)) << i;
    if (!std::isnan(value)) {
      EXPECT_NEAR(found[i], value, 1e-15) << i;
    }
  }
}

// R 4.2.2: p.adjust(c(.012, NA, 4e-04, .031, .049, .2, .031, .65), method) for "bonferroni",
// "holm", "hochberg", "BH". NA is none of the seven tests.
TEST(AdjustedPValues, EqualThoseOfR) {
  const Eigen::VectorXd p = numbers({.012, kNaN, 4e-4, .031, .049, .2, .031, .65});
  expect_numbers(adjusted_p_values(p, Multiplicity::kBonferroni),
                 {.084, kNaN, .0028, .217, .343, 1, .217, 1});
  expect_numbers(adjusted_p_values(p, Multiplicity::kHolm),
                 {.072, kNaN, .0028, .155, .155, .4, .155, .65});
  expect_numbers(adjusted_p_values(p, Multiplicity::kHochberg),
                 {.072, kNaN, .0028, .124, .147, .4, .124, .65});
  expect_numbers(adjusted_p_values(p, Multiplicity::kBenjaminiHochberg),
                 {.042, kNaN, .0028, .05425, .0686, .2333333333333333, .05425, .65});
}

// Benjamini & Hochberg (1995), JRSS B 57(1): of 15 tests of a study of thrombolysis at 5 %,
// Bonferroni's rejects the first three, Hochberg's the same, theirs the first four.
TEST(AdjustedPValues, RejectAsInBenjaminiAndHochberg1995) {
  const Eigen::VectorXd p = numbers({.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459,
                                     .3240, .4262, .5719, .6528, .7590, 1.0});
  const auto rejected = [&](Multiplicity adjustment) {
    return (adjusted_p_values(p, adjustment).array() <= 0.05).count();
  };
  EXPECT_EQ(rejected(Multiplicity::kBonferroni), 3);
  EXPECT_EQ(rejected(Multiplicity::kHochberg), 3);
  EXPECT_EQ(rejected(Multiplicity::kBenjaminiHochberg), 4);
}

/// By the definition: the smallest level at which a procedure rejects, searched over all levels at
/// which anything may change.
TEST(AdjustedPValues, OfHolmAreTheSmallestLevelsThatReject) {
  Random random(5);
  Values p(6);
  std::generate(p.begin(), p.end(), [&] { return random.uniform() * random.uniform(); });
  Values ordered = p;
  std::sort(ordered.begin(), ordered.end());
  const auto rejects = [&](double value, double level) {
    for (std::size_t i = 0; i < ordered.size() && ordered[i] <= value; ++i) {
      if (ordered[i] * static_cast<double>(ordered.size() - i) > level) {
        return false;
      }
    }
    return true;
  };
  const Eigen::VectorXd found = adjusted_p_values(numbers(p), Multiplicity::kHolm);
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double level = found[static_cast<Eigen::Index>(i)];
    EXPECT_TRUE(rejects(p[i], level + 1e-12));
    EXPECT_TRUE(level == 1 || !rejects(p[i], level - 1e-12));
  }
}

TEST(AdjustedPValues, OfOneTestAreAsTheyWere) {
  for (const Multiplicity adjustment : kAll) {
    expect_numbers(adjusted_p_values(numbers({kNaN, 0.03}), adjustment), {kNaN, 0.03});
    expect_numbers(adjusted_p_values(numbers({kNaN, kNaN}), adjustment), {kNaN, kNaN});
    EXPECT_EQ(adjusted_p_values(Eigen::VectorXd(0), adjustment).size(), 0);
  }
}

// Each of them is at least as strict as the next; the last need not be for the largest of three.
TEST(AdjustedPValues, AreOrderedAndNeverBelowTheirOwn) {
  const Eigen::VectorXd p = numbers({.04, .3, .001, .04, .02, .9, 0, 1});
  Eigen::ArrayXd before = Eigen::ArrayXd::Ones(p.size());
  for (const Multiplicity adjustment : kAll) {
    const Eigen::ArrayXd found = adjusted_p_values(p, adjustment);
    EXPECT_TRUE((found <= before + 1e-15).all());
    EXPECT_TRUE((found >= p.array()).all());
    before = found;
  }
}

TEST(AdjustedPValues, RefuseWhatIsNoProbability) {
  for (const Multiplicity adjustment : kAll) {
    for (const double p : {-1e-9, 1.5, 5.0, kInfinity, -kInfinity}) {
      EXPECT_THROW(adjusted_p_values(numbers({0.1, p, kNaN}), adjustment), std::invalid_argument);
    }
    EXPECT_NO_THROW(adjusted_p_values(numbers({0, kNaN, 1}), adjustment));
  }
}

TEST(AdjustedPValues, RefuseAnAdjustmentThatThereIsNot) {
  EXPECT_THROW(adjusted_p_values(numbers({0.1}), static_cast<Multiplicity>(9)),
               std::invalid_argument);
}

constexpr Eigen::Index kDraws = 100000;
constexpr std::uint64_t kSeed = 20240611;

/// Four Monte-Carlo errors of a critical value at 5 %: sqrt(0.05 * 0.95 / draws) over the density
/// of the largest statistic there, which by R 4.2.2, mvtnorm 1.1-3, and ptukey is above 0.075 in
/// all tables here; and what rounding to two digits may hide.
constexpr double kPrinted = 0.005;
double critical_tolerance(double density = 0.075) {
  return 4 * std::sqrt(0.05 * 0.95 / kDraws) / density;
}

MaxT max_t(const Estimates& estimates, double freedom, Side side = Side::kTwo, int threads = 2) {
  return steelyard::max_t(estimates, Eigen::VectorXd::Zero(estimates.size()), freedom, side, 0.95,
                          kDraws, kSeed, threads);
}

/// Means of as many groups of equal size, whose units are apart.
Estimates groups(Eigen::Index count) {
  return unrelated(Eigen::VectorXd::Zero(count), Eigen::VectorXd::Ones(count));
}

/// Groups 1 to `treatments` less group 0: correlations of one half.
Estimates less_control(Eigen::Index treatments) {
  Eigen::MatrixXd combinations = Eigen::MatrixXd::Zero(treatments, treatments + 1);
  combinations.col(0).setConstant(-1);
  combinations.rightCols(treatments).diagonal().setOnes();
  return groups(treatments + 1).contrast(combinations);
}

Estimates all_pairs(Eigen::Index count) {
  Eigen::MatrixXd combinations = Eigen::MatrixXd::Zero(count * (count - 1) / 2, count);
  Eigen::Index row = 0;
  for (Eigen::Index i = 0; i < count; ++i) {
    for (Eigen::Index j = 0; j < i; ++j, ++row) {
      combinations(row, i) = 1;
      combinations(row, j) = -1;
    }
  }
  return groups(count).contrast(combinations);
}

struct Printed {
  Eigen::Index comparisons;
  double degrees_of_freedom;
  double critical;
};

// Dunnett (1964), Biometrics 20(3), table II: two-sided, joint confidence of 95 %.
TEST(MaxT, HasTheTwoSidedCriticalValuesOfDunnett1964) {
  constexpr Printed kTable[] = {{2, 10, 2.57}, {3, 10, 2.76}, {4, 10, 2.89}, {5, 10, 2.99},
                                {2, 20, 2.38}, {3, 20, 2.54}, {4, 20, 2.65}, {5, 20, 2.73},
                                {2, 60, 2.27}, {5, 60, 2.58}};
  for (const Printed& printed : kTable) {
    const MaxT found = max_t(less_control(printed.comparisons), printed.degrees_of_freedom);
    EXPECT_NEAR(found.critical, printed.critical, kPrinted + critical_tolerance())
        << printed.comparisons << " " << printed.degrees_of_freedom;
  }
}

// Dunnett (1955), JASA 50(272), table 1a: one-sided, joint confidence of 95 %.
TEST(MaxT, HasTheOneSidedCriticalValuesOfDunnett1955) {
  constexpr Printed kTable[] = {{2, 10, 2.15}, {5, 10, 2.56}, {3, 20, 2.19}, {5, 60, 2.28}};
  for (const Printed& printed : kTable) {
    const Estimates treatments = less_control(printed.comparisons);
    for (const Side side : {Side::kLower, Side::kUpper}) {
      EXPECT_NEAR(max_t(treatments, printed.degrees_of_freedom, side).critical, printed.critical,
                  kPrinted + critical_tolerance());
    }
  }
}

// R 4.2.2: qtukey(.95, k, df) / sqrt(2).
TEST(MaxT, HasTheCriticalValuesOfTukey) {
  constexpr Printed kTable[] = {{3, 10, 2.741295128499691},
                                {4, 20, 2.798936147848518},
                                {5, 10, 3.291082195346287},
                                {5, 60, 2.812459397082400},
                                {5, kInfinity, 2.727774382518550}};
  for (const Printed& known : kTable) {
    EXPECT_NEAR(max_t(all_pairs(known.comparisons), known.degrees_of_freedom).critical,
                known.critical, critical_tolerance());
  }
}

// The correlation of each pair is zero: the level of each is that of all to the power of 1 / 4.
TEST(MaxT, OfEstimatesApartIsThatOfSidak) {
  EXPECT_NEAR(max_t(groups(4), kInfinity).critical, normal_quantile((1 + std::pow(0.95, 0.25)) / 2),
              critical_tolerance());
}

// Densities of t at its critical values by R 4.2.2: 2 * dt(qt(.975, 4), 4) = 0.051.
TEST(MaxT, OfOneEstimateIsItsT) {
  const Estimates one = unrelated(Eigen::VectorXd::Constant(1, 3), Eigen::VectorXd::Constant(1, 2));
  for (const double freedom : {4.0, 12.0, kInfinity}) {
    const MaxT two = max_t(one, freedom);
    EXPECT_NEAR(two.critical, t_quantile(0.975, freedom), critical_tolerance(0.05));
    EXPECT_NEAR(two.p_values[0], two_sided_p_value(3, 2, freedom), 4 * std::sqrt(0.25 / kDraws));
    const MaxT upper = max_t(one, freedom, Side::kUpper);
    EXPECT_NEAR(upper.critical, t_quantile(0.95, freedom), critical_tolerance(0.05));
    EXPECT_NEAR(upper.p_values[0], t_upper_tail(1.5, freedom), 4 * std::sqrt(0.25 / kDraws));
    EXPECT_NEAR(max_t(one, freedom, Side::kLower).p_values[0], t_upper_tail(-1.5, freedom),
                4 * std::sqrt(0.25 / kDraws));
  }
}

// The largest of p-values is below what Bonferroni makes of them, and not below any of them.
TEST(MaxT, PValuesCountTheTestsAsFarAsTheyDiffer) {
  Estimates treatments = less_control(4);
  treatments.values = Eigen::Vector4d(3, -4.5, 0.5, 3.6);
  const MaxT found = max_t(treatments, 20);
  for (Eigen::Index i = 0; i < 4; ++i) {
    const double own = two_sided_p_value(treatments.values[i], std::sqrt(2.0), 20);
    EXPECT_LT(found.p_values[i], 4 * own + 4 * std::sqrt(0.25 / kDraws));
    EXPECT_GT(found.p_values[i], own - 4 * std::sqrt(0.25 / kDraws));
    const bool beyond = std::abs(treatments.values[i]) / std::sqrt(2.0) > found.critical;
    EXPECT_EQ(found.p_values[i] <= 0.05, beyond);
  }
}

}  // namespace
}  // namespace steelyard::testing
