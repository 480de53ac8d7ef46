#include "steelyard/semidefinite.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "weightings.hpp"

namespace steelyard::testing {
namespace {

using Indices = std::vector<Eigen::Index>;

MatrixXd random_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed);
  return MatrixXd::NullaryExpr(rows, columns, [&] { return random.normal(); });
}

TEST(Semidefinite, SolvesASystemOfFullRank) {
  const MatrixXd x = random_matrix(20, 6, 1);
  const MatrixXd matrix = x.transpose() * x;
  const MatrixXd wanted = random_matrix(6, 3, 2);
  const Semidefinite factored(matrix);
  EXPECT_TRUE(factored.redundant().empty());
  EXPECT_LE((factored.solve(matrix * wanted) - wanted).norm(), 1e-12 * wanted.norm());
}

// Columns 2 and 5 are sums of earlier ones; what the others solve is a system of their own.
TEST(Semidefinite, LeavesOutRowsThatEarlierOnesGive) {
  MatrixXd x = random_matrix(20, 6, 3);
  x.col(2) = x.col(0) + x.col(1);
  x.col(5) = 2 * x.col(3) - x.col(2) / 3;
  const MatrixXd matrix = x.transpose() * x;
  const Semidefinite factored(matrix);
  EXPECT_EQ(factored.redundant(), (Indices{2, 5}));
  const VectorXd right = matrix * random_matrix(6, 1, 4);
  const VectorXd found = factored.solve(right);
  EXPECT_LE((matrix * found - right).norm(), 1e-12 * right.norm());
  const Indices kept{0, 1, 3, 4};
  const VectorXd own = matrix(kept, kept).inverse() * right(kept);
  expect_near(found(kept), own, 1e-11);
  EXPECT_EQ(found[2], 0);
  EXPECT_EQ(found[5], 0);
}

TEST(Semidefinite, DoesNotMindUnits) {
  const VectorXd unit = vector_of({1e7, 1, 1e-3, 1e-9});
  const MatrixXd x = random_matrix(12, 4, 5) * unit.asDiagonal();
  const VectorXd wanted = vector_of({4e-7, -3, 1e3, 2e9});
  const Semidefinite factored(x.transpose() * x);
  EXPECT_TRUE(factored.redundant().empty());
  const VectorXd found = factored.solve(x.transpose() * x * wanted);
  expect_near(found.cwiseQuotient(wanted), VectorXd::Ones(4), 1e-12);
}

TEST(Semidefinite, OfNothingHasASolutionOfNothing) {
  const Semidefinite factored(MatrixXd::Zero(3, 3));
  EXPECT_EQ(factored.redundant(), (Indices{0, 1, 2}));
  EXPECT_EQ(factored.solve(MatrixXd::Ones(3, 2)), MatrixXd::Zero(3, 2));
}

TEST(Semidefinite, LooksAtTheLowerTriangleOnly) {
  MatrixXd matrix(2, 2);
  matrix << 4, kNaN, 2, 3;
  expect_near(Semidefinite(matrix).solve(vector_of({8, 8})), vector_of({1, 2}), 1e-15);
}

}  // namespace
}  // namespace steelyard::testing
