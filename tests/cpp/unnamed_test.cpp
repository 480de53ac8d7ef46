#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "samples.hpp"
#include "steelyard/deviations.hpp"

/// Deviations without a row for each unit that has no name: without_unnamed.
namespace steelyard::testing {
namespace {

using Keys = std::vector<std::uint64_t>;

constexpr std::uint64_t kIdentity = 99;

/// Three named schools of one stratum, and nine pupils in them that have no name.
Deviations schools(Eigen::Index estimates = 2, std::uint64_t sample = 1) {
  constexpr Eigen::Index kRows = 3 + 9;
  Random random(sample);
  Deviations result;
  result.matrix.resize(kRows, estimates);
  for (Eigen::Index i = 0; i < result.matrix.size(); ++i) {
    result.matrix.data()[i] = random.normal();
  }
  for (std::uint64_t row = 0; row < kRows; ++row) {
    const bool is_school = row < 3;
    result.units.push_back(is_school ? 11 + row : mix(sample, row));
    result.strata.push_back(7);
    result.counted.push_back(is_school ? 1 : 0);
    result.named.push_back(is_school ? 1 : 0);
    result.fractions.push_back(is_school ? 0.25 : 0);
  }
  result.samples = {sample};
  result.degrees_of_freedom = 2;
  return result;
}

TEST(WithoutUnnamed, HasTheSameCovariance) {
  for (const Eigen::Index estimates : {1, 2, 5, 20}) {
    const Deviations all = schools(estimates);
    const Deviations found = without_unnamed(all, kIdentity);
    EXPECT_NO_THROW(check(found));
    EXPECT_EQ(found.estimates(), estimates);
    EXPECT_TRUE(found.covariance().isApprox(all.covariance(), 1e-12)) << estimates;
    EXPECT_EQ(found.degrees_of_freedom, 2);
    EXPECT_EQ(found.samples, Keys{1});
    EXPECT_TRUE(found.by_unit);
  }
}

TEST(WithoutUnnamed, KeepsTheRowsOfNamedUnitsAsTheyAre) {
  const Deviations all = schools();
  const Deviations found = without_unnamed(all, kIdentity);
  EXPECT_TRUE(same_bits(RowMatrix(found.matrix.topRows(3)), RowMatrix(all.matrix.topRows(3))));
  EXPECT_EQ(Keys(found.units.begin(), found.units.begin() + 3), (Keys{11, 12, 13}));
  EXPECT_EQ(Keys(found.strata.begin(), found.strata.begin() + 3), (Keys{7, 7, 7}));
  EXPECT_EQ(std::count(found.counted.begin(), found.counted.end(), 1), 3);
  EXPECT_EQ(found.counted[2], 1);
  EXPECT_EQ(found.fractions[2], 0.25);
  EXPECT_EQ(found.fractions[3], 0);
}

// In whatever order the rows are.
TEST(WithoutUnnamed, LeavesNoRowOfAUnitWithoutName) {
  Deviations all = schools();
  std::swap(all.units[1], all.units[8]);
  std::swap(all.counted[1], all.counted[8]);
  std::swap(all.named[1], all.named[8]);
  std::swap(all.fractions[1], all.fractions[8]);
  all.matrix.row(1).swap(all.matrix.row(8));
  const Deviations found = without_unnamed(all, kIdentity);
  EXPECT_LE(found.matrix.rows(), 3 + 2 + 1);  // of rank 2, and a row of nothing
  for (std::size_t i = 0; i < all.units.size(); ++i) {
    const bool is_left = std::count(found.units.begin(), found.units.end(), all.units[i]) > 0;
    EXPECT_EQ(is_left, all.named[i] != 0) << i;
  }
  EXPECT_TRUE(found.covariance().isApprox(schools().covariance(), 1e-12));
}

// Schools 12 and 13 are in both samples, and no pupils.
TEST(WithoutUnnamed, CovariesWithAnotherSampleThroughNamedUnits) {
  const Deviations first = schools();
  Deviations second = schools(2, 2);
  second.units[0] = 44;
  const Eigen::MatrixXd expected = join(first, second).covariance();
  const Deviations both =
      join(without_unnamed(first, kIdentity), without_unnamed(second, kIdentity + 1));
  EXPECT_GT(expected.topRightCorner(2, 2).norm(), 0.1);
  EXPECT_TRUE(both.covariance().isApprox(expected, 1e-12));
  EXPECT_EQ(both.degrees_of_freedom, join(first, second).degrees_of_freedom);
}

TEST(WithoutUnnamed, CovariesWithItselfAndWithWhatWasMadeFromIt) {
  const Deviations found = without_unnamed(schools(), kIdentity);
  Deviations made = found;
  made.matrix = found.matrix.col(1);
  const Deviations both = join(found, made);
  EXPECT_TRUE(both.covariance().topRightCorner(2, 1).isApprox(found.covariance().col(1), 1e-14));
  EXPECT_EQ(both.degrees_of_freedom, 2);
}

void expect_the_same(const Deviations& found, const Deviations& given) {
  EXPECT_TRUE(same_bits(found.matrix, given.matrix));
  EXPECT_EQ(found.units, given.units);
  EXPECT_EQ(found.named, given.named);
  EXPECT_EQ(found.fractions, given.fractions);
  EXPECT_EQ(found.by_unit, given.by_unit);
}

TEST(WithoutUnnamed, WhereAllHaveNamesChangesNothing) {
  Deviations all = schools();
  all.named.assign(all.named.size(), 1);
  expect_the_same(without_unnamed(all, kIdentity), all);
  all.named.clear();
  expect_the_same(without_unnamed(all, kIdentity), all);
}

TEST(WithoutUnnamed, TwiceIsOnce) {
  const Deviations once = without_unnamed(schools(), kIdentity);
  expect_the_same(without_unnamed(once, kIdentity + 1), once);
}

void expect_root_of(const Deviations& found, const Deviations& given) {
  EXPECT_NO_THROW(check(found));
  EXPECT_TRUE(found.covariance().isApprox(given.covariance(), 1e-12));
  EXPECT_EQ(found.degrees_of_freedom, given.degrees_of_freedom);
  EXPECT_EQ(found.samples, given.samples);
  EXPECT_FALSE(found.by_unit);
  EXPECT_LE(found.matrix.rows(), given.estimates() + 1);
  for (const std::uint64_t unit : given.units) {
    EXPECT_EQ(std::count(found.units.begin(), found.units.end(), unit), 0);
  }
}

TEST(WithoutUnnamed, WhereAUnitOfTheFirstStageHasNoNameIsASquareRoot) {
  Deviations all = schools();
  all.named[1] = 0;
  expect_root_of(without_unnamed(all, kIdentity), all);
  all.named.assign(all.named.size(), 0);
  expect_root_of(without_unnamed(all, kIdentity), all);
}

TEST(WithoutUnnamed, WithSignsIsASquareRoot) {
  Deviations all = schools();
  all.signs = Eigen::VectorXd::Ones(all.matrix.rows());
  all.signs[5] = -1;
  all.matrix.row(5) *= 0.1;
  expect_root_of(without_unnamed(all, kIdentity), all);
}

// It comes from one sample that another call knows by unit: what both share is not known.
TEST(WithoutUnnamed, AsASquareRootCannotBeJoinedWithItsOrigin) {
  Deviations all = schools();
  all.named[1] = 0;
  EXPECT_THROW(join(all, without_unnamed(all, kIdentity)), std::invalid_argument);
}

TEST(WithoutUnnamed, OfWhatIsNotANumberSpoilsNoOther) {
  Deviations all = schools(3);
  const Eigen::VectorXd expected = all.variances();
  all.matrix.col(1).setConstant(kNaN);
  for (const bool has_a_name : {true, false}) {
    all.named[0] = has_a_name ? 1 : 0;
    const Deviations found = without_unnamed(all, kIdentity);
    EXPECT_TRUE(found.matrix.col(1).array().isNaN().all());
    EXPECT_NEAR(found.variances()[0], expected[0], 1e-12);
    EXPECT_NEAR(found.variances()[2], expected[2], 1e-12);
    const Eigen::MatrixXd covariance = found.covariance();
    EXPECT_NEAR(covariance(0, 2), all.covariance()(0, 2), 1e-12);
  }
}

TEST(WithoutUnnamed, OfPupilsThatAddNothingAddsNothing) {
  Deviations all = schools();
  all.matrix.bottomRows(9).setZero();
  const Deviations found = without_unnamed(all, kIdentity);
  EXPECT_TRUE(found.covariance().isApprox(all.covariance(), 1e-14));
  EXPECT_EQ(found.matrix.bottomRows(found.matrix.rows() - 3).cwiseAbs().maxCoeff(), 0);
}

}  // namespace
}  // namespace steelyard::testing
