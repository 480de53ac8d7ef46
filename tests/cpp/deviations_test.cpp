#include "steelyard/deviations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Keys = std::vector<std::uint64_t>;

/// Deviations of simple numbers: unit key u deviates by u in the first estimate, by 1 in the next.
Deviations deviations(const Keys& units, const Keys& strata, std::uint64_t sample,
                      Eigen::Index estimates = 1) {
  Deviations result;
  result.matrix = RowMatrix::Ones(static_cast<Eigen::Index>(units.size()), estimates);
  for (std::size_t i = 0; i < units.size(); ++i) {
    result.matrix(static_cast<Eigen::Index>(i), 0) = static_cast<double>(units[i]);
  }
  result.units = units;
  result.strata = strata;
  result.counted.assign(units.size(), 1);
  result.samples = {sample};
  Keys distinct = strata;
  std::sort(distinct.begin(), distinct.end());
  const auto last = std::unique(distinct.begin(), distinct.end());
  result.degrees_of_freedom =
      static_cast<double>(units.size()) - static_cast<double>(last - distinct.begin());
  return result;
}

TEST(Deviations, CovarianceIsTheGramMatrix) {
  Eigen::Matrix2d gram;
  gram << 1 + 4 + 9, 1 + 2 + 3, 1 + 2 + 3, 3;
  EXPECT_EQ(deviations({1, 2, 3}, {7, 7, 7}, 1, 2).covariance(), gram);
}

TEST(Join, WithItselfGivesTheSameCovariance) {
  const Deviations one = deviations({1, 2, 3, 4}, {7, 7, 8, 8}, 1, 2);
  const Deviations both = join(one, one);
  const Eigen::MatrixXd twice = one.covariance().replicate(2, 2);
  EXPECT_EQ(both.covariance(), twice);
  EXPECT_EQ(both.units, one.units);
  EXPECT_EQ(both.degrees_of_freedom, one.degrees_of_freedom);
  EXPECT_EQ(shared_units(one, one).first_stage, 4);
  EXPECT_EQ(both.samples, Keys{1});
}

TEST(Join, OfSamplesApartHasNoCovariance) {
  const Deviations first = deviations({1, 2, 3}, {7, 7, 7}, 1);
  const Deviations second = deviations({4, 5, 6, 8}, {7, 7, 9, 9}, 2);
  const Deviations both = join(first, second);
  EXPECT_EQ(both.covariance()(0, 1), 0);
  EXPECT_EQ(both.covariance()(0, 0), first.covariance()(0, 0));
  EXPECT_EQ(both.covariance()(1, 1), second.covariance()(0, 0));
  EXPECT_EQ(shared_units(first, second).first_stage, 0);
  EXPECT_EQ(both.degrees_of_freedom, 2 + 2);
  EXPECT_EQ(both.samples, (Keys{1, 2}));
}

TEST(Join, CovariesThroughSharedUnitsInWhateverOrder) {
  const Deviations first = deviations({1, 2, 3}, {7, 7, 7}, 1);
  const Deviations second = deviations({5, 3, 2, 4}, {7, 7, 7, 7}, 2);
  const Deviations both = join(first, second);
  EXPECT_EQ(both.matrix.rows(), 5);
  EXPECT_EQ(both.covariance()(0, 1), 2 * 2 + 3 * 3);
  EXPECT_EQ(both.covariance(), join(first, second).covariance());
  EXPECT_EQ(join(second, first).covariance()(0, 1), 2 * 2 + 3 * 3);
  EXPECT_EQ(shared_units(first, second).first_stage, 2);
  EXPECT_EQ(both.degrees_of_freedom, 5 - 1);  // units minus strata of the union
}

TEST(Join, StrataThatShareAUnitAreOne) {
  const Deviations first = deviations({1, 2, 3, 4}, {70, 70, 71, 71}, 1);
  // 2 is shared: stratum 70 is 80; stratum 81 was sampled apart from 71, whatever their names.
  const Deviations second = deviations({2, 5, 6, 7}, {80, 80, 71, 71}, 2);
  EXPECT_EQ(join(first, second).degrees_of_freedom, 7 - 3);
}

TEST(Join, OfThreeWavesCountsEachStratumOnce) {
  const Deviations first = deviations({1, 2, 3, 4}, {10, 10, 10, 10}, 1);
  const Deviations second = deviations({3, 4, 5, 6}, {20, 20, 20, 20}, 2);
  const Deviations third = deviations({1, 2, 3, 4, 5, 6, 7}, Keys(7, 30), 3);
  EXPECT_EQ(join(join(first, second), third).degrees_of_freedom, 7 - 1);
  EXPECT_EQ(join(third, join(first, second)).degrees_of_freedom, 7 - 1);
}

TEST(Join, OfThreeWavesKeepsStrataOfOneNameApart) {
  const Deviations first = deviations({1, 2}, {10, 10}, 1);
  const Deviations second = deviations({3, 4}, {10, 10}, 2);
  const Deviations third = deviations({1, 2, 3, 4, 5, 6}, Keys(6, 30), 3);
  EXPECT_EQ(join(join(first, second), third).degrees_of_freedom, 6 - 1);
}

/// The same, of which the units at these positions are of a further stage.
Deviations with_further(Deviations of, const std::vector<std::size_t>& positions) {
  for (const std::size_t i : positions) {
    of.counted[i] = 0;
  }
  of.degrees_of_freedom -= static_cast<double>(positions.size());
  return of;
}

// Pupil 9 is in both samples; schools 1 to 3 and 4 to 6 were sampled apart.
TEST(Join, StrataThatShareOnlyUnitsOfFurtherStagesAreApart) {
  const Deviations first = with_further(deviations({1, 2, 3, 9}, Keys(4, 70), 1), {3});
  const Deviations second = with_further(deviations({4, 5, 6, 9}, Keys(4, 80), 2), {3});
  for (const Deviations& both : {join(first, second), join(second, first)}) {
    EXPECT_EQ(both.degrees_of_freedom, 6 - 2);
    EXPECT_EQ(both.covariance()(0, 1), 9 * 9);
  }
}

// A unit of the first stage counts as one if it does so on either side: its weight may be 0 on one.
TEST(Join, StrataThatShareAUnitThatCountsOnOneSideAreOne) {
  const Deviations first = deviations({1, 2, 3}, Keys(3, 70), 1);
  const Deviations second = with_further(deviations({3, 4, 5}, Keys(3, 80), 2), {0});
  EXPECT_EQ(join(first, second).degrees_of_freedom, 5 - 1);
  EXPECT_EQ(join(second, first).degrees_of_freedom, 5 - 1);
}

TEST(SharedUnits, ArePartedByStage) {
  const Deviations first = with_further(deviations({1, 2, 3, 8, 9}, Keys(5, 70), 1), {3, 4});
  const Deviations second = with_further(deviations({9, 3, 2, 7, 8}, Keys(5, 80), 2), {0, 3, 4});
  for (const SharedUnits& shared : {shared_units(first, second), shared_units(second, first)}) {
    EXPECT_EQ(shared.first_stage, 2);
    EXPECT_EQ(shared.further, 2);
  }
  EXPECT_EQ(shared_units(first, first).first_stage, 3);
  EXPECT_EQ(shared_units(first, first).further, 2);
  // A unit that counts on one side is one of the first stage.
  EXPECT_EQ(shared_units(deviations({8}, {70}, 3), first).first_stage, 1);
  EXPECT_EQ(shared_units(first, deviations({6}, {70}, 3)).further, 0);
}

TEST(Join, CarriesNames) {
  Deviations first = deviations({1, 2, 3}, Keys(3, 7), 1);
  Deviations second = deviations({3, 2, 4, 5}, Keys(4, 7), 2);
  EXPECT_TRUE(join(first, second).named.empty());
  first.named = {1, 0, 1};
  EXPECT_EQ(join(first, second).named, (std::vector<char>{1, 0, 1, 1, 1}));
  EXPECT_EQ(join(second, first).named, (std::vector<char>{1, 1, 1, 1, 1}));
  second.named = {1, 1, 0, 1};
  EXPECT_EQ(join(first, second).named, (std::vector<char>{1, 0, 1, 0, 1}));
  EXPECT_NO_THROW(check(join(first, second)));
}

TEST(Join, CarriesSamplingFractions) {
  Deviations first = deviations({1, 2, 3}, Keys(3, 7), 1);
  Deviations second = deviations({3, 2, 4, 5}, Keys(4, 7), 2);
  EXPECT_TRUE(join(first, second).fractions.empty());
  first.fractions = {0.1, 0.2, 0.3};
  EXPECT_EQ(join(first, second).fractions, (Values{0.1, 0.2, 0.3, 0, 0}));
  EXPECT_EQ(join(second, first).fractions, (Values{0, 0, 0, 0, 0.1}));
  second.fractions = {0.5, 0.5, 0.6, 0.7};
  EXPECT_EQ(join(first, second).fractions, (Values{0.1, 0.2, 0.3, 0.6, 0.7}));
  EXPECT_NO_THROW(check(join(first, second)));
}

TEST(Join, IsNeverIndefinite) {
  const Deviations first = deviations({1, 2, 3}, {7, 7, 7}, 1, 2);
  const Deviations both = join(first, join(first, deviations({2, 9}, {7, 7}, 2, 2)));
  const Eigen::VectorXd direction = Eigen::VectorXd::LinSpaced(6, -1, 1);
  EXPECT_GE(direction.dot(both.covariance() * direction), 0);
}

Eigen::MatrixXd some_covariance() {
  Eigen::MatrixXd factor(5, 3);
  factor << 1, 2, 0, -1, 3, 1, 0.5, 0, 1e-3, 4, 1, 1, 2, 2, -1e3;
  return factor * factor.transpose();  // of rank 3
}

TEST(SquareRoot, HasTheCovarianceItWasMadeFrom) {
  const Eigen::MatrixXd covariance = some_covariance();
  const Deviations root = square_root(covariance, 12, 5, 1);
  const Eigen::VectorXd error = covariance.diagonal().cwiseSqrt();
  const Eigen::MatrixXd difference =
      (root.covariance() - covariance).cwiseQuotient(error * error.transpose());
  EXPECT_LT(difference.cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_EQ(root.degrees_of_freedom, 12);
  EXPECT_FALSE(root.by_unit);
}

TEST(SquareRoot, OfNothingIsNothing) {
  EXPECT_EQ(square_root(Eigen::MatrixXd::Zero(2, 2), 3, 5, 1).covariance(),
            Eigen::MatrixXd::Zero(2, 2));
  EXPECT_EQ(square_root(Eigen::MatrixXd(0, 0), 3, 5, 1).estimates(), 0);
}

/// With row and column 1 as a covariance has them of an estimate whose error is not known.
Eigen::MatrixXd partly_known() {
  Eigen::MatrixXd covariance = some_covariance();
  covariance.row(1).setConstant(kNaN);
  covariance.col(1).setConstant(kNaN);
  return covariance;
}

void expect_only_column_1_unknown(const Deviations& root) {
  EXPECT_TRUE(root.matrix.col(1).array().isNaN().all());
  EXPECT_GT(root.matrix.rows(), 0);
  const Eigen::MatrixXd found = root.covariance();
  const Eigen::MatrixXd covariance = some_covariance();
  for (const Eigen::Index i : {0, 2, 3, 4}) {
    for (const Eigen::Index j : {0, 2, 3, 4}) {
      const double scale = std::sqrt(covariance(i, i) * covariance(j, j));
      EXPECT_NEAR(found(i, j) / scale, covariance(i, j) / scale, 1e-12) << i << " " << j;
    }
  }
}

TEST(SquareRoot, OfWhatIsNotANumberSpoilsNoOther) {
  expect_only_column_1_unknown(square_root(partly_known(), 12, 5, 1));
  expect_only_column_1_unknown(known_errors(partly_known(), 5));
}

TEST(SquareRoot, OfNothingButWhatIsNotANumberIsNone) {
  const Deviations root = square_root(Eigen::MatrixXd::Constant(2, 2, kNaN), 3, 5, 1);
  EXPECT_TRUE(root.covariance().array().isNaN().all());
  EXPECT_GT(root.matrix.rows(), 0);
  EXPECT_NO_THROW(check(root));
}

TEST(SquareRoot, CovariesWithItselfAndWithWhatWasMadeFromIt) {
  const Deviations root = square_root(some_covariance(), 12, 5, 1);
  Deviations made = root;
  made.matrix = root.matrix.leftCols(2);
  const Deviations both = join(root, made);
  EXPECT_TRUE(both.covariance().topRightCorner(5, 2).isApprox(root.covariance().leftCols(2)));
  EXPECT_EQ(both.degrees_of_freedom, 12);
  EXPECT_FALSE(both.by_unit);
}

TEST(SquareRoot, DoesNotCovaryWithAnotherSample) {
  const Deviations root = square_root(some_covariance(), 12, 5, 1);
  const Deviations both = join(root, square_root(some_covariance(), 10, 6, 2));
  EXPECT_EQ(both.covariance().topRightCorner(5, 5), Eigen::MatrixXd::Zero(5, 5));
  EXPECT_EQ(both.degrees_of_freedom, 22);
  EXPECT_NO_THROW(join(root, deviations({1, 2, 3}, {7, 7, 7}, 2)));
}

TEST(SquareRoot, OfOneSampleFromTwoCallsCannotBeJoined) {
  const Deviations root = square_root(some_covariance(), 12, 5, 1);
  EXPECT_THROW(join(root, square_root(some_covariance(), 12, 6, 1)), std::invalid_argument);
  EXPECT_THROW(join(root, deviations({1, 2, 3}, {7, 7, 7}, 1)), std::invalid_argument);
  const Deviations through_another = join(root, deviations({1, 2}, {7, 7}, 2));
  EXPECT_THROW(join(deviations({3, 4}, {7, 7}, 1), through_another), std::invalid_argument);
}

TEST(KnownErrors, HaveTheCovarianceTheyWereMadeFrom) {
  const Deviations known = known_errors(some_covariance(), 5);
  EXPECT_TRUE(known.covariance().isApprox(some_covariance(), 1e-12));
  EXPECT_EQ(known.degrees_of_freedom, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(known.by_unit);
  EXPECT_NO_THROW(check(known));
}

TEST(KnownErrors, TakeNoDegreesOfFreedomFromASample) {
  const Deviations sample = deviations({1, 2, 3, 4}, {7, 7, 8, 8}, 1);
  const Deviations known = known_errors(Eigen::MatrixXd::Identity(1, 1), 5);
  for (const Deviations& both : {join(sample, known), join(known, sample)}) {
    EXPECT_EQ(both.degrees_of_freedom, 2);
    EXPECT_EQ(both.covariance()(0, 1), 0);
    EXPECT_EQ(both.samples, Keys{1});
  }
  EXPECT_EQ(shared_units(sample, known).first_stage, 0);
  EXPECT_EQ(shared_units(known, known).first_stage, 0);
}

// Rows of a square root do not count units: its degrees of freedom are those it was given.
TEST(KnownErrors, TakeNoDegreesOfFreedomFromASquareRoot) {
  const Deviations root = square_root(some_covariance(), 12, 5, 1);
  const Deviations known = known_errors(Eigen::MatrixXd::Identity(1, 1), 6);
  for (const Deviations& both : {join(root, known), join(known, root)}) {
    EXPECT_EQ(both.degrees_of_freedom, 12);
    EXPECT_FALSE(both.by_unit);
    EXPECT_EQ(both.samples, Keys{1});
  }
  // And those of another sample are added to the sample's own.
  const Deviations linked = join(root, known);
  EXPECT_EQ(join(linked, deviations({1, 2, 3}, {7, 7, 7}, 2)).degrees_of_freedom, 12 + 2);
}

TEST(KnownErrors, CovaryWithThemselvesAndNoOthers) {
  const Deviations known = known_errors(some_covariance(), 5);
  const Eigen::MatrixXd twice = known.covariance().replicate(2, 2);
  EXPECT_TRUE(join(known, known).covariance().isApprox(twice));
  EXPECT_EQ(join(known, known_errors(some_covariance(), 6)).covariance().topRightCorner(5, 5),
            Eigen::MatrixXd::Zero(5, 5));
}

// Two samples apart, each joined with the same errors, share these and no unit.
TEST(KnownErrors, AreSharedThroughSamplesApart) {
  const Deviations known = known_errors(Eigen::MatrixXd::Constant(1, 1, 9), 5);
  const Deviations first = join(deviations({1, 2}, {7, 7}, 1), known);
  const Deviations second = join(deviations({3, 4}, {7, 7}, 2), known);
  const Deviations both = join(first, second);
  EXPECT_EQ(both.covariance()(1, 3), 9);
  EXPECT_EQ(both.covariance()(0, 2), 0);
  EXPECT_EQ(both.degrees_of_freedom, 1 + 1);
}

TEST(Apart, HasItsOwnCovarianceAndNoneWithItsOrigin) {
  const Deviations sample = deviations({1, 2, 3}, {7, 7, 7}, 1, 2);
  const Deviations moved = apart(sample, 99);
  EXPECT_EQ(moved.covariance(), sample.covariance());
  EXPECT_EQ(moved.degrees_of_freedom, sample.degrees_of_freedom);
  EXPECT_EQ(shared_units(sample, moved).first_stage, 0);
  const Deviations both = join(sample, moved);
  EXPECT_EQ(both.covariance().topRightCorner(2, 2), Eigen::Matrix2d::Zero());
  EXPECT_EQ(both.degrees_of_freedom, 2 + 2);
  EXPECT_EQ(both.samples.size(), 2U);
}

TEST(Apart, WithOneSaltStaysTogether) {
  const Deviations first = deviations({1, 2, 3}, {7, 7, 7}, 1);
  const Deviations second = deviations({5, 3, 2, 4}, {7, 7, 7, 7}, 1);
  const Deviations both = join(apart(first, 99), apart(second, 99));
  EXPECT_EQ(both.covariance(), join(first, second).covariance());
  EXPECT_EQ(both.degrees_of_freedom, join(first, second).degrees_of_freedom);
  EXPECT_EQ(join(apart(first, 99), apart(second, 98)).covariance()(0, 1), 0);
}

// What could not be joined, as it comes from one sample, can be.
TEST(Apart, LetsASquareRootJoinAnotherOfItsSample) {
  const Deviations root = square_root(some_covariance(), 12, 5, 1);
  const Deviations other = square_root(some_covariance(), 12, 6, 1);
  ASSERT_THROW(join(root, other), std::invalid_argument);
  EXPECT_EQ(join(root, apart(other, 99)).degrees_of_freedom, 24);
}

TEST(Check, WantsAKeyAStratumAndACountForEveryRow) {
  const Deviations whole = deviations({1, 2, 3}, {7, 7, 7}, 1);
  EXPECT_NO_THROW(check(whole));
  EXPECT_NO_THROW(check(Deviations()));
  Deviations without = whole;
  without.units.pop_back();
  EXPECT_THROW(check(without), std::invalid_argument);
  without = whole;
  without.strata.push_back(7);
  EXPECT_THROW(check(without), std::invalid_argument);
  without = whole;
  without.counted.clear();
  EXPECT_THROW(check(without), std::invalid_argument);
}

TEST(Check, WantsANameAndAFractionForEveryRowOrForNone) {
  Deviations described = deviations({1, 2, 3}, {7, 7, 7}, 1);
  described.named = {1, 0, 1};
  described.fractions = {0.1, 0, 0.1};
  EXPECT_NO_THROW(check(described));
  Deviations without = described;
  without.named.pop_back();
  EXPECT_THROW(check(without), std::invalid_argument);
  without = described;
  without.fractions.push_back(0);
  EXPECT_THROW(check(without), std::invalid_argument);
}

TEST(Check, WantsASignForEveryRowOrForNone) {
  Deviations signed_rows = deviations({1, 2, 3}, {7, 7, 7}, 1);
  signed_rows.signs = Eigen::Vector3d(1, -1, 1);
  EXPECT_NO_THROW(check(signed_rows));
  signed_rows.signs = Eigen::Vector2d(1, -1);
  EXPECT_THROW(check(signed_rows), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
