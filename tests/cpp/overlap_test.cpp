#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "known_estimates.hpp"
#include "samples.hpp"
#include "steelyard/change.hpp"
#include "steelyard/deviations.hpp"

/// What units in two samples of one finite population add to the covariance: without_chance.
namespace steelyard::testing {
namespace {

using Keys = std::vector<std::uint64_t>;

Keys consecutive(std::uint64_t first, std::size_t count) {
  Keys result(count);
  std::iota(result.begin(), result.end(), first);
  return result;
}

/// A simple random sample of one stratum: units `first_unit` and on, of a population of so many.
struct Wave {
  std::uint64_t first_unit;
  double units;
  double population;
  std::uint64_t sample;
};

/// Deviations of the mean of answers that are 1 and -1 in turn: sqrt((1 - f) / (n (n - 1))) each.
Deviations mean_of(const Wave& wave) {
  const auto count = static_cast<std::size_t>(wave.units);
  const double f = wave.units / wave.population;
  const double size = std::sqrt((1 - f) / (wave.units * (wave.units - 1)));
  Deviations result;
  result.units = consecutive(wave.first_unit, count);
  result.matrix.resize(static_cast<Eigen::Index>(count), 1);
  for (std::size_t i = 0; i < count; ++i) {
    const double answer = result.units[i] % 2 == 0 ? 1 : -1;
    result.matrix(static_cast<Eigen::Index>(i), 0) = size * answer;
  }
  result.strata.assign(count, wave.sample);
  result.counted.assign(count, 1);
  result.samples = {wave.sample};
  result.fractions.assign(count, f);
  result.degrees_of_freedom = wave.units - 1;
  return result;
}

/// Of the means of two samples: S12 is the product of the standard deviations of their answers.
double s12(double n1, double n2) { return std::sqrt(n1 / (n1 - 1) * n2 / (n2 - 1)); }

double covariance_without_chance(const Deviations& first, const Deviations& second) {
  return join(first, without_chance(first, second)).covariance()(0, 1);
}

struct Overlap {
  double n1;
  double n2;
  double population;
  double shared;
};

// Qualité & Tillé (2008), Survey Methodology 34(2): with n1 and n2 units of N, of which m are in
// both, the covariance of the means is S12 (m / (n1 n2) - 1 / N).
TEST(WithoutChance, HasTheCovarianceOfQualiteAndTille2008) {
  constexpr Overlap kCases[] = {{4, 6, 24, 2},   {4, 6, 24, 4},     {10, 10, 40, 6},
                                {20, 8, 100, 8}, {12, 30, 1000, 4}, {50, 50, 60, 44}};
  for (const auto& [n1, n2, population, shared] : kCases) {
    const Deviations first = mean_of({1, n1, population, 1});
    const auto start = static_cast<std::uint64_t>(n1 - shared) + 1;
    const Deviations second = mean_of({start, n2, population, 2});
    ASSERT_EQ(shared_units(first, second).first_stage, static_cast<std::int64_t>(shared));
    const double expected = s12(n1, n2) * (shared / (n1 * n2) - 1 / population);
    EXPECT_NEAR(covariance_without_chance(first, second), expected, 1e-15) << n1 << " " << n2;
    EXPECT_NEAR(covariance_without_chance(second, first), expected, 1e-15);
  }
}

// By hand, 4 and 6 of 24, of which 2 are in both: variances (4 / 3) (1 / 4 - 1 / 24) and
// (6 / 5) (1 / 6 - 1 / 24), covariance sqrt(8 / 5) (2 / 24 - 1 / 24).
TEST(WithoutChance, IsInTheErrorOfAChange) {
  const Estimates before{numbers({3}), mean_of({1, 4, 24, 1})};
  const Estimates after{numbers({5}), mean_of({3, 6, 24, 2})};
  const double first = 4.0 / 3 * 5 / 24;
  const double second = 6.0 / 5 * 3 / 24;
  const double both = std::sqrt(8.0 / 5) / 24;
  const Estimates found = change(before, after, ChangeKind::kDifference);
  EXPECT_NEAR(found.covariance()(0, 0), first + second - 2 * both, 1e-15);
  EXPECT_NEAR(correlations(before, after)[0], both / std::sqrt(first * second), 1e-15);
  EXPECT_EQ(found.degrees_of_freedom(), 8 - 1);
}

void expect_the_same(const Deviations& found, const Deviations& given) {
  EXPECT_TRUE(same_bits(found.matrix, given.matrix));
  EXPECT_EQ(found.units, given.units);
  EXPECT_EQ(found.counted, given.counted);
  EXPECT_EQ(found.fractions, given.fractions);
}

// (n / n^2 - 1 / N) / (n / n^2 (1 - f)) = 1.
TEST(WithoutChance, OfAPanelChangesNothing) {
  for (const double population : {10.5, 12.0, 17.0, 1e6}) {
    const Deviations first = mean_of({1, 10, population, 1});
    const Deviations second = mean_of({1, 10, population, 2});
    expect_the_same(without_chance(first, second), second);
  }
}

TEST(WithoutChance, OfSamplesApartChangesNothing) {
  const Deviations second = mean_of({11, 10, 24, 2});
  expect_the_same(without_chance(mean_of({1, 10, 24, 1}), second), second);
}

// A whole population has no error, and 0 / 0 of it is kept.
TEST(WithoutChance, OfAWholePopulationChangesNothing) {
  const Deviations second = mean_of({1, 6, 12, 2});
  expect_the_same(without_chance(mean_of({1, 12, 12, 1}), second), second);
}

// 4 * 6 / 12 = 2 of 2; 4 * 6 / 8 = 3 of 2.
TEST(WithoutChance, OfAsManyAsChanceGivesOrFewerIsNothing) {
  const Deviations first = mean_of({1, 4, 12, 1});
  const Deviations second = mean_of({3, 6, 12, 2});
  EXPECT_GT(join(first, second).covariance()(0, 1), 0.03);
  EXPECT_NEAR(covariance_without_chance(first, second), 0, 1e-16);
  EXPECT_EQ(covariance_without_chance(mean_of({1, 4, 8, 1}), mean_of({3, 6, 8, 2})), 0);
}

TEST(WithoutChance, WithoutFractionsChangesNothing) {
  const Deviations first = mean_of({1, 4, 12, 1});
  const Deviations second = mean_of({3, 6, 12, 2});
  Deviations first_without = first;
  first_without.fractions.clear();
  Deviations second_without = second;
  second_without.fractions.clear();
  expect_the_same(without_chance(first_without, second), second);
  expect_the_same(without_chance(first, second_without), second_without);
  first_without.fractions.assign(4, 0);  // negligible, or not known
  expect_the_same(without_chance(first_without, second), second);
}

/// Two estimates of each of two samples that share 5 units of 30.
struct TwoSamples {
  Deviations first = mean_of({1, 12, 30, 1});
  Deviations second = mean_of({8, 14, 30, 2});

  TwoSamples() {
    Random random(3);
    for (Deviations* sample : {&first, &second}) {
      sample->matrix.resize(sample->matrix.rows(), 2);
      for (Eigen::Index i = 0; i < sample->matrix.size(); ++i) {
        sample->matrix.data()[i] = random.normal();
      }
    }
  }
};

// 12 * 14 / 30 = 5.6 are more than 5; in twice the population they are 2.8.
TEST(WithoutChance, LeavesVariancesOfBothSidesAsTheyAre) {
  for (const double larger : {1.0, 2.0}) {
    TwoSamples samples;
    for (double& f : samples.first.fractions) {
      f /= larger;
    }
    for (double& f : samples.second.fractions) {
      f /= larger;
    }
    const Deviations reduced = without_chance(samples.first, samples.second);
    EXPECT_EQ(reduced.matrix.rows(), 14 + 5);
    EXPECT_NO_THROW(check(reduced));
    EXPECT_TRUE(reduced.covariance().isApprox(samples.second.covariance(), 1e-14));
    const Eigen::MatrixXd both = join(samples.first, reduced).covariance();
    EXPECT_TRUE(both.topLeftCorner(2, 2).isApprox(samples.first.covariance(), 1e-14));
    EXPECT_TRUE(both.bottomRightCorner(2, 2).isApprox(samples.second.covariance(), 1e-14));
    const Eigen::MatrixXd aligned = join(samples.first, samples.second).covariance();
    const double f1 = 12 / (30 * larger);
    const double f2 = 14 / (30 * larger);
    const double kept = std::max(0.0, 1 - 12 * 14 / (30 * larger * 5));
    const Eigen::MatrixXd expected =
        kept / std::sqrt((1 - f1) * (1 - f2)) * aligned.topRightCorner(2, 2);
    EXPECT_LT((both.topRightCorner(2, 2) - expected).cwiseAbs().maxCoeff(), 1e-13);
  }
}

// The answers of units in both are the same: the difference has next to no error of its own.
TEST(WithoutChance, IsNeverIndefinite) {
  for (const Overlap& o : {Overlap{4, 4, 8, 2}, {4, 4, 8, 4}, {4, 8, 9, 4}, {10, 12, 40, 8}}) {
    const auto start = static_cast<std::uint64_t>(o.n1 - o.shared) + 1;
    const Deviations first = mean_of({1, o.n1, o.population, 1});
    const Deviations second = mean_of({start, o.n2, o.population, 2});
    const Deviations both = join(first, without_chance(first, second));
    const Deviations all = join(both, join(second, first));
    for (const Deviations& joint : {both, all}) {
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(joint.covariance());
      EXPECT_GE(solver.eigenvalues().minCoeff(), -1e-15);
    }
  }
}

TEST(WithoutChance, LeavesDegreesOfFreedomAsTheyAre) {
  const TwoSamples samples;
  const Deviations reduced = without_chance(samples.first, samples.second);
  EXPECT_EQ(reduced.degrees_of_freedom, samples.second.degrees_of_freedom);
  EXPECT_EQ(join(samples.first, reduced).degrees_of_freedom, 12 + 14 - 5 - 1);
  EXPECT_EQ(shared_units(samples.first, reduced).first_stage, 5);
}

// What is taken out of a row is no unit's that the other sample, or another one, could have.
TEST(WithoutChance, PutsWhatChanceGivesOnRowsOfNoOther) {
  const TwoSamples samples;
  const Deviations reduced = without_chance(samples.first, samples.second);
  const Keys added(reduced.units.begin() + 14, reduced.units.end());
  for (const std::uint64_t unit : added) {
    EXPECT_EQ(std::count(reduced.units.begin(), reduced.units.end(), unit), 1);
    EXPECT_EQ(std::count(samples.first.units.begin(), samples.first.units.end(), unit), 0);
  }
  EXPECT_EQ(reduced.counted, (std::vector<char>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  //
                                                1, 1, 1, 1, 0, 0, 0, 0, 0}));
  const Keys strata(14 + 5, 2);
  EXPECT_EQ(reduced.strata, strata);
}

/// One after the other, with the strata of each.
Deviations stacked(const Deviations& a, const Deviations& b) {
  Deviations result = a;
  result.matrix.resize(a.matrix.rows() + b.matrix.rows(), a.matrix.cols());
  result.matrix << a.matrix, b.matrix;
  result.units.insert(result.units.end(), b.units.begin(), b.units.end());
  for (std::size_t i = 0; i < b.units.size(); ++i) {
    result.strata.push_back(b.strata[i] + 100);
  }
  result.counted.insert(result.counted.end(), b.counted.begin(), b.counted.end());
  result.fractions.insert(result.fractions.end(), b.fractions.begin(), b.fractions.end());
  result.degrees_of_freedom += b.degrees_of_freedom;
  return result;
}

// One stratum stays in whole, in the other 2 of 4 and 6 are as many as chance gives; the names of
// the strata are not the same in both samples.
TEST(WithoutChance, CountsWithinStrata) {
  const Deviations panel_before = mean_of({101, 8, 20, 1});
  const Deviations panel_after = mean_of({101, 8, 20, 2});
  const Deviations first = stacked(panel_before, mean_of({1, 4, 12, 1}));
  const Deviations second = stacked(panel_after, mean_of({3, 6, 12, 2}));
  EXPECT_NEAR(covariance_without_chance(first, second),
              join(panel_before, panel_after).covariance()(0, 1), 1e-15);
  EXPECT_EQ(without_chance(first, second).matrix.rows(), 8 + 6 + 2);
}

// Units that do not count, of further stages or without weight, are neither counted nor reduced.
TEST(WithoutChance, LeavesUnitsOfFurtherStagesAsTheyAre) {
  const auto with_further = [](Deviations sample) {
    Deviations further = mean_of({201, 4, 1e9, 0});
    further.counted.assign(4, 0);
    further.fractions.assign(4, 0.0);
    Deviations result = stacked(sample, further);
    std::fill(result.strata.begin(), result.strata.end(), sample.strata.front());
    return result;
  };
  const Deviations first = mean_of({1, 4, 24, 1});
  const Deviations second = mean_of({3, 6, 24, 2});
  const double further = join(with_further(first), with_further(second)).covariance()(0, 1) -
                         join(first, second).covariance()(0, 1);
  EXPECT_GT(further, 0.3);
  EXPECT_NEAR(covariance_without_chance(with_further(first), with_further(second)),
              covariance_without_chance(first, second) + further, 1e-15);
}

TEST(WithoutChance, CarriesSigns) {
  TwoSamples samples;
  samples.first.signs = Eigen::VectorXd::Ones(12);
  samples.second.signs = Eigen::VectorXd::Ones(14);
  samples.second.signs[1] = -1;  // in both
  samples.second.signs[9] = -1;  // in the second only
  const Deviations reduced = without_chance(samples.first, samples.second);
  EXPECT_NO_THROW(check(reduced));
  ASSERT_EQ(reduced.signs.size(), 14 + 5);
  EXPECT_EQ(reduced.signs.head(14), samples.second.signs);
  EXPECT_EQ(reduced.signs.tail(5), (Eigen::VectorXd(5) << 1, -1, 1, 1, 1).finished());
  EXPECT_TRUE(reduced.covariance().isApprox(samples.second.covariance(), 1e-14));
}

TEST(WithoutChance, CarriesNamesAndAddsRowsWithoutOne) {
  TwoSamples samples;
  samples.second.named.assign(14, 1);
  samples.second.named[3] = 0;
  const Deviations reduced = without_chance(samples.first, samples.second);
  EXPECT_NO_THROW(check(reduced));
  std::vector<char> expected = samples.second.named;
  expected.resize(14 + 5, 0);
  EXPECT_EQ(reduced.named, expected);
  EXPECT_EQ(reduced.fractions, std::vector<double>(14 + 5, 14.0 / 30));
}

TEST(WithoutChance, OfWhatIsNotANumberSpoilsNoOther) {
  TwoSamples samples;
  samples.second.matrix.col(0).setConstant(kNaN);
  const Eigen::VectorXd found = without_chance(samples.first, samples.second).variances();
  EXPECT_TRUE(std::isnan(found[0]));
  EXPECT_NEAR(found[1], samples.second.variances()[1], 1e-13);
}

}  // namespace
}  // namespace steelyard::testing
