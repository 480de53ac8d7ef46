#include "steelyard/hadamard.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Integers = Eigen::Matrix<std::int64_t, Eigen::Dynamic, 1>;

/// H^T H = order I, as it acts on a vector of random whole numbers.
bool is_orthogonal(const SignMatrix& signs) {
  Random random(static_cast<std::uint64_t>(signs.rows()));
  Integers vector(signs.cols());
  for (std::int64_t& value : vector) {
    value = random.below(1 << 20);
  }
  const Integers image = signs.cast<std::int64_t>() * vector;
  return signs.cast<std::int64_t>().transpose() * image == signs.rows() * vector;
}

TEST(Hadamard, IsOrthogonalWithFirstRowAndColumnOfOnes) {
  Eigen::Index least = 1;
  while (least <= 1100) {
    const SignMatrix signs = hadamard(least);
    ASSERT_GE(signs.rows(), least);
    ASSERT_EQ(signs.rows(), signs.cols());
    ASSERT_TRUE((signs.array() == 1 || signs.array() == -1).all()) << least;
    ASSERT_TRUE((signs.row(0).array() == 1).all()) << least;
    ASSERT_TRUE((signs.col(0).array() == 1).all()) << least;
    ASSERT_TRUE(is_orthogonal(signs)) << least;
    least = signs.rows() + 1;
  }
}

TEST(Hadamard, IsOrthogonalColumnByColumn) {
  for (const Eigen::Index order : {1, 2, 4, 12, 28, 36, 76, 92, 184}) {
    const Eigen::MatrixXi signs = hadamard(order).cast<int>();
    ASSERT_EQ(signs.rows(), order);
    EXPECT_EQ(signs.transpose() * signs,
              static_cast<int>(order) * Eigen::MatrixXi::Identity(order, order));
  }
}

// There is one of every multiple of four up to 664; of orders 52 and 100, where 51 and 25, and 99
// and 49, are no primes, the constructions make none.
TEST(Hadamard, IsOfTheNextMultipleOfFour) {
  EXPECT_EQ(hadamard(-1).rows(), 1);
  for (Eigen::Index least = 3; least <= 100; ++least) {
    const Eigen::Index order = (least + 3) / 4 * 4;
    EXPECT_EQ(hadamard(least).rows(), order == 52 || order == 100 ? order + 4 : order);
  }
}

TEST(Hadamard, IsNeverMuchLargerThanAsked) {
  for (Eigen::Index least = 1; least <= 1000; ++least) {
    EXPECT_LT(hadamard(least).rows(), least + 12);
  }
}

TEST(Hadamard, IsRefusedWhereItIsTooLarge) {
  EXPECT_THROW(hadamard((1 << 15) + 1), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
