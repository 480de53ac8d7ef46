#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include "steelyard/matrix.hpp"
#include "steelyard/random.hpp"
#include "steelyard/sample_draw.hpp"

/// Samples drawn many times over.
namespace steelyard::testing {

/// That units are of `units`, all different and in ascending order.
inline void expect_draw(const Draw& draw, Eigen::Index units) {
  EXPECT_EQ(std::adjacent_find(draw.begin(), draw.end(), std::greater_equal<>()), draw.end());
  EXPECT_TRUE(draw.empty() || (draw.front() >= 0 && draw.back() < units));
}

/// Shares of draws, one from each seed, that have two units both.
template <typename Drawn>
RowMatrix frequencies(Eigen::Index units, int draws, const Drawn& drawn) {
  RowMatrix result = RowMatrix::Zero(units, units);
  for (int seed = 0; seed < draws; ++seed) {
    steelyard::Random random(static_cast<std::uint64_t>(seed), 0);
    const Draw draw = drawn(random);
    expect_draw(draw, units);
    for (const Eigen::Index i : draw) {
      for (const Eigen::Index j : draw) {
        result(i, j) += 1.0 / draws;
      }
    }
  }
  return result;
}

/// Within 4.5 standard errors of probabilities.
inline void expect_frequent(const Eigen::Ref<const RowMatrix>& shares,
                            const Eigen::Ref<const RowMatrix>& probability, int draws) {
  for (Eigen::Index i = 0; i < shares.rows(); ++i) {
    for (Eigen::Index j = 0; j < shares.cols(); ++j) {
      const double p = std::clamp(probability(i, j), 0.0, 1.0);
      EXPECT_NEAR(shares(i, j), p, 4.5 * std::sqrt(p * (1 - p) / draws) + 1e-9) << i << ", " << j;
    }
  }
}

inline void expect_close(const RowMatrix& found, const RowMatrix& expected, double tolerance) {
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.cols(), expected.cols());
  EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), tolerance) << found << "\n\n" << expected;
}

}  // namespace steelyard::testing
