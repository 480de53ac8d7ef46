#include "steelyard/cube.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "draws.hpp"
#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Eigen::VectorXd;

constexpr int kDraws = 20000;

VectorXd drawn(const VectorXd& p, const RowMatrix& balance, std::uint64_t seed) {
  steelyard::Random random(seed, 0);
  const Draw draw = draw_balanced(p, balance, random);
  expect_draw(draw, p.size());
  VectorXd result = VectorXd::Zero(p.size());
  result(draw).setOnes();
  return result;
}

/// Of twelve units, six: two of 0-3, one each of 4-5 and 6-7, two of 8-11.
VectorXd probabilities() { return VectorXd{{.5, .25, .75, .5, .9, .1, .4, .6, .2, .8, .3, .7}}; }

TEST(DrawBalanced, KeepsProbabilities) {
  const VectorXd p = probabilities();
  RowMatrix balance(12, 3);
  Random random(1);
  for (Eigen::Index i = 0; i < 12; ++i) {
    balance.row(i) << p[i], random.normal(), 10 + random.normal();
  }
  const RowMatrix shares = frequencies(
      12, kDraws, [&](steelyard::Random& own) { return draw_balanced(p, balance, own); });
  expect_frequent(shares.diagonal(), p, kDraws);
}

TEST(DrawBalanced, IsPoissonsWithoutVariables) {
  const VectorXd p{{.2, .5, .9, .4}};
  const RowMatrix shares = frequencies(4, kDraws, [&](steelyard::Random& random) {
    return draw_balanced(p, RowMatrix(4, 0), random);
  });
  RowMatrix joint = p * p.transpose();
  joint.diagonal() = p;
  expect_frequent(shares, joint, kDraws);
}

TEST(DrawBalanced, KeepsItsSize) {
  const VectorXd p = probabilities();
  RowMatrix balance(12, 2);
  balance << p, VectorXd::LinSpaced(12, 1, 100);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    EXPECT_EQ(drawn(p, balance, seed).sum(), 6);
  }
}

TEST(DrawBalanced, KeepsTheSizeOfEachStratum) {
  const VectorXd p = probabilities();
  RowMatrix balance = RowMatrix::Zero(12, 4);
  const VectorXd sizes{{2, 1, 1, 2}};  // of units 0-3, 4-5, 6-7 and 8-11
  balance.col(0).head(4) = p.head(4);
  balance.col(1).segment(4, 2) = p.segment(4, 2);
  balance.col(2).segment(6, 2) = p.segment(6, 2);
  balance.col(3).tail(4) = p.tail(4);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const VectorXd in = drawn(p, balance, seed);
    const VectorXd found{
        {in.head(4).sum(), in.segment(4, 2).sum(), in.segment(6, 2).sum(), in.tail(4).sum()}};
    EXPECT_EQ(found, sizes);
  }
}

// Rows and columns of a table that add up to 1: what keeps both sums is a permutation, as all
// corners of the doubly stochastic matrices are (Birkhoff 1946).
TEST(DrawBalanced, KeepsBothMarginsOfATable) {
  const VectorXd shares{{.1, .2, .3, .25, .15}};
  VectorXd p(25);
  RowMatrix balance = RowMatrix::Zero(25, 10);
  for (Eigen::Index i = 0; i < 5; ++i) {
    for (Eigen::Index j = 0; j < 5; ++j) {
      const Eigen::Index unit = 5 * i + j;
      p[unit] = shares[(i + j) % 5];
      balance(unit, i) = balance(unit, 5 + j) = p[unit];
    }
  }
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const VectorXd in = drawn(p, balance, seed);
    const auto table = in.reshaped(5, 5);
    EXPECT_EQ(table.rowwise().sum(), VectorXd::Ones(5));
    EXPECT_EQ(table.colwise().sum().transpose(), VectorXd::Ones(5));
  }
}

// Deville & Tillé (2004): each unit left at the landing adds at most its x / p.
TEST(DrawBalanced, MissesASumByFewUnits) {
  constexpr Eigen::Index kUnits = 200;
  const VectorXd p = VectorXd::Constant(kUnits, .25);
  RowMatrix balance(kUnits, 3);
  Random random(3);
  for (Eigen::Index i = 0; i < kUnits; ++i) {
    balance.row(i) << p[i], random.uniform(1, 2), random.uniform(1, 2);
  }
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const VectorXd in = drawn(p, balance, seed);
    const VectorXd miss = balance.transpose() * (in.cwiseQuotient(p) - VectorXd::Ones(kUnits));
    EXPECT_NEAR(miss[0], 0, 1e-9);
    EXPECT_LE(miss.cwiseAbs().maxCoeff(), 3 * 2 / .25);
  }
}

TEST(DrawBalanced, TakesCertainUnitsAndLeavesOthers) {
  const VectorXd p{{1, 0, .5, .5, 0, 1}};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const VectorXd in = drawn(p, p, seed);
    EXPECT_EQ(in.sum(), 3);
    EXPECT_EQ(in[0] + in[5], 2);
    EXPECT_EQ(in[1] + in[4], 0);
  }
}

TEST(DrawBalanced, RefusesProbabilitiesAndVariablesThatMakeNoSense) {
  const auto refuses = [](const VectorXd& p, const RowMatrix& balance) {
    steelyard::Random random(1, 0);
    EXPECT_THROW(draw_balanced(p, balance, random), std::invalid_argument);
  };
  const RowMatrix ones = RowMatrix::Ones(2, 1);
  refuses(VectorXd{{.5, 1.1}}, ones);
  refuses(VectorXd{{.5, -.1}}, ones);
  refuses(VectorXd{{.5, kNaN}}, ones);
  refuses(VectorXd{{.5, .5, .5}}, ones);
  refuses(VectorXd{{.5, .5}}, ones * kNaN);
}

}  // namespace
}  // namespace steelyard::testing
