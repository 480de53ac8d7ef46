#include "steelyard/deviations.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

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
  EXPECT_EQ(shared_units(one, one), 4);
  EXPECT_EQ(both.samples, Keys{1});
}

TEST(Join, OfSamplesApartHasNoCovariance) {
  const Deviations first = deviations({1, 2, 3}, {7, 7, 7}, 1);
  const Deviations second = deviations({4, 5, 6, 8}, {7, 7, 9, 9}, 2);
  const Deviations both = join(first, second);
  EXPECT_EQ(both.covariance()(0, 1), 0);
  EXPECT_EQ(both.covariance()(0, 0), first.covariance()(0, 0));
  EXPECT_EQ(both.covariance()(1, 1), second.covariance()(0, 0));
  EXPECT_EQ(shared_units(first, second), 0);
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
  EXPECT_EQ(shared_units(first, second), 2);
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

}  // namespace
}  // namespace steelyard::testing
