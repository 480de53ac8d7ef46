#include "steelyard/sample_draw.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "draws.hpp"
#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Eigen::VectorXd;
using Drawing = std::function<Draw(const VectorXd&, steelyard::Random&)>;

constexpr int kDraws = 20000;

/// Of seven units, four: one certainly, and one certainly not.
VectorXd probabilities() { return VectorXd{{.3, .9, 1, 0, .55, .65, .6}}; }
VectorXd sizes() { return VectorXd{{3, 9, 30, 0, 5.5, 6.5, 2, 6}}; }

/// Joint probabilities of samples, each of which is a set of bits.
RowMatrix joint_of(Eigen::Index units, const std::function<double(unsigned)>& probability) {
  RowMatrix result = RowMatrix::Zero(units, units);
  for (unsigned sample = 0; sample < 1U << units; ++sample) {
    const double p = probability(sample);
    for (Eigen::Index i = 0; i < units; ++i) {
      for (Eigen::Index j = 0; j < units; ++j) {
        result(i, j) += (sample >> i & 1U) != 0 && (sample >> j & 1U) != 0 ? p : 0;
      }
    }
  }
  return result;
}

/// Sampford (1967): in proportion to the product of p / (1 - p) of the units drawn, times the sum
/// of p of those not drawn.
RowMatrix sampford_by_hand(const VectorXd& p) {
  const auto draws = std::lround(p.sum());
  const auto weight = [&](unsigned sample) {
    double product = 1;
    double others = 0;
    for (Eigen::Index i = 0; i < p.size(); ++i) {
      (sample >> i & 1U) != 0 ? product *= p[i] / (1 - p[i]) : others += p[i];
    }
    return std::popcount(sample) == draws ? product * others : 0;
  };
  double all = 0;
  for (unsigned sample = 0; sample < 1U << p.size(); ++sample) {
    all += weight(sample);
  }
  return joint_of(p.size(), [&](unsigned sample) { return weight(sample) / all; });
}

/// A unit is drawn where a whole number of steps from the start falls within its part of the sum.
RowMatrix systematic_by_hand(const VectorXd& p) {
  std::vector<double> ends{0, 1};
  std::vector<double> sums{0};
  for (const double own : p) {
    sums.push_back(sums.back() + own);
    ends.push_back(sums.back() - std::floor(sums.back()));
  }
  std::sort(ends.begin(), ends.end());
  RowMatrix result = RowMatrix::Zero(p.size(), p.size());
  for (std::size_t k = 1; k < ends.size(); ++k) {
    const double start = (ends[k - 1] + ends[k]) / 2;
    VectorXd in(p.size());
    for (std::size_t i = 0; i + 1 < sums.size(); ++i) {
      in[static_cast<Eigen::Index>(i)] =
          std::ceil(sums[i + 1] - start) - std::ceil(sums[i] - start);
    }
    result += (ends[k] - ends[k - 1]) * in * in.transpose();
  }
  return result;
}

/// Tillé (1996): units leave one at a time, each with 1 - p_k / p_(k+1), from all to `draws`.
RowMatrix tille_by_hand(const VectorXd& size, int draws) {
  const auto units = static_cast<int>(size.size());
  std::vector<double> reach(1U << units, 0.0);
  reach.back() = 1;
  for (unsigned sample = (1U << units) - 1; sample > 0; --sample) {
    const int count = std::popcount(sample);
    if (reach[sample] == 0 || count <= draws) {
      continue;
    }
    const VectorXd now = inclusion_probabilities(size, count - 1);
    const VectorXd before = inclusion_probabilities(size, count);
    double sum = 0;
    for (int i = 0; i < units; ++i) {
      if ((sample >> i & 1U) != 0) {
        const double leaves = 1 - now[i] / before[i];
        sum += leaves;
        reach[sample & ~(1U << i)] += leaves * reach[sample];
      }
    }
    EXPECT_NEAR(sum, 1, 1e-12);
  }
  return joint_of(
      units, [&](unsigned sample) { return std::popcount(sample) == draws ? reach[sample] : 0; });
}

/// Whatever the joint probabilities of a fixed size are.
void expect_joint(const RowMatrix& joint, const VectorXd& p) {
  const double draws = p.sum();
  expect_close(joint, joint.transpose(), 1e-14);
  expect_close(joint.diagonal(), p, 1e-12);
  expect_close(joint.rowwise().sum(), draws * p, 1e-10);
  EXPECT_GE(joint.minCoeff(), 0);
}

TEST(InclusionProbabilities, AreInProportionToSize) {
  expect_close(inclusion_probabilities(VectorXd{{1, 2, 3, 4}}, 2), VectorXd{{.2, .4, .6, .8}},
               1e-15);
}

// 9 of 16 is certain; then of the others 4 of 7 is.
TEST(InclusionProbabilities, AreOneForUnitsThatAreTooLarge) {
  expect_close(inclusion_probabilities(VectorXd{{9, 4, 2, 1, 0}}, 3),
               VectorXd{{1, 1, 2 / 3.0, 1 / 3.0, 0}}, 1e-15);
  expect_close(inclusion_probabilities(VectorXd{{.1, .1, .1, 0}}, 3), VectorXd{{1, 1, 1, 0}},
               1e-15);
}

TEST(InclusionProbabilities, RefuseSizesThatMakeNoSense) {
  EXPECT_THROW(inclusion_probabilities(VectorXd{{1, -1}}, 1), std::invalid_argument);
  EXPECT_THROW(inclusion_probabilities(VectorXd{{1, kNaN}}, 1), std::invalid_argument);
  EXPECT_THROW(inclusion_probabilities(VectorXd{{1, 1, 0}}, 3), std::invalid_argument);
  EXPECT_THROW(inclusion_probabilities(VectorXd{{1, 1}}, 0), std::invalid_argument);
  EXPECT_THROW(inclusion_probabilities(VectorXd(), 1), std::invalid_argument);
}

TEST(DrawSimple, TakesEachPairAsOften) {
  constexpr int kMany = 10 * kDraws;
  const RowMatrix shares =
      frequencies(6, kMany, [](steelyard::Random& random) { return draw_simple(6, 4, random); });
  RowMatrix joint = RowMatrix::Constant(6, 6, 4 * 3 / 30.0);
  joint.diagonal().setConstant(4 / 6.0);
  expect_frequent(shares, joint, kMany);
}

TEST(DrawSimple, TakesAllOrNone) {
  steelyard::Random random(1, 0);
  EXPECT_EQ(draw_simple(3, 3, random), (Draw{0, 1, 2}));
  EXPECT_EQ(draw_simple(3, 0, random), Draw());
  EXPECT_THROW(draw_simple(3, 4, random), std::invalid_argument);
  EXPECT_THROW(draw_simple(3, -1, random), std::invalid_argument);
}

TEST(DrawPoisson, TakesEachUnitOnItsOwn) {
  const VectorXd p = probabilities();
  const RowMatrix shares = frequencies(
      p.size(), kDraws, [&](steelyard::Random& random) { return draw_poisson(p, random); });
  RowMatrix joint = p * p.transpose();
  joint.diagonal() = p;
  expect_frequent(shares, joint, kDraws);
}

/// That a draw of a fixed size has these probabilities.
void expect_drawing(const Drawing& drawing, const VectorXd& p, const RowMatrix& joint) {
  const auto draws = std::lround(p.sum());
  const RowMatrix shares = frequencies(p.size(), kDraws, [&](steelyard::Random& random) {
    Draw draw = drawing(p, random);
    EXPECT_EQ(std::ssize(draw), draws);
    return draw;
  });
  expect_frequent(shares, joint, kDraws);
}

TEST(DrawSystematic, HasItsProbabilities) {
  const VectorXd p = probabilities();
  expect_drawing(draw_systematic, p, systematic_by_hand(p));
}

TEST(DrawSampford, HasItsProbabilities) {
  const VectorXd p{{.3, .9, .55, .65, .6}};
  expect_drawing(draw_sampford, p, sampford_by_hand(p));
  const VectorXd all = probabilities();
  expect_drawing(draw_sampford, all, joint_sampford(all));
}

TEST(DrawBrewer, KeepsProbabilities) {
  const VectorXd p = probabilities();
  const RowMatrix shares = frequencies(p.size(), kDraws, [&](steelyard::Random& random) {
    Draw draw = draw_brewer(p, random);
    EXPECT_EQ(draw.size(), 4U);
    return draw;
  });
  expect_frequent(shares.diagonal(), p, kDraws);
}

// Brewer (1963): of two draws, with z = p / 2, in proportion to
// z_i z_j (1 - z_i - z_j) / ((1 - 2 z_i) (1 - 2 z_j)).
TEST(DrawBrewer, HasItsProbabilitiesOfTwo) {
  const VectorXd p{{.1, .3, .35, .5, .75}};
  RowMatrix joint = RowMatrix::Zero(5, 5);
  for (Eigen::Index i = 0; i < 5; ++i) {
    for (Eigen::Index j = 0; j < 5; ++j) {
      joint(i, j) =
          i == j ? 0 : p[i] * p[j] * (1 - p[i] / 2 - p[j] / 2) / ((1 - p[i]) * (1 - p[j]));
    }
  }
  joint *= 2 / joint.sum();
  joint.diagonal() = p;
  expect_drawing(draw_brewer, p, joint);
  expect_close(joint_sampford(p), joint, 1e-12);  // the same design
}

TEST(DrawTille, HasItsProbabilities) {
  const VectorXd size{{3, 9, 30, 5.5, 6.5, 2}};
  const VectorXd p = inclusion_probabilities(size, 3);
  expect_drawing(
      [&](const VectorXd&, steelyard::Random& random) { return draw_tille(size, 3, random); }, p,
      tille_by_hand(size, 3));
}

TEST(Draws, TakeCertainUnitsAndNoOthers) {
  const VectorXd p{{1, 0, 1, 1}};
  for (const Drawing& drawing :
       {Drawing(draw_systematic), Drawing(draw_sampford), Drawing(draw_brewer)}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      steelyard::Random random(seed, 0);
      EXPECT_EQ(drawing(p, random), (Draw{0, 2, 3}));
      EXPECT_EQ(drawing(VectorXd{{0, 0}}, random), Draw());
    }
  }
  steelyard::Random random(1, 0);
  EXPECT_EQ(draw_tille(VectorXd{{5, 0, 1, 2}}, 3, random), (Draw{0, 2, 3}));
}

TEST(Draws, RefuseProbabilitiesThatMakeNoSense) {
  for (const Drawing& drawing :
       {Drawing(draw_systematic), Drawing(draw_sampford), Drawing(draw_brewer)}) {
    for (const VectorXd& p : {VectorXd{{.5, .6}}, VectorXd{{1.5, .5}}, VectorXd{{-.5, .5}},
                              VectorXd{{kNaN, 1}}, VectorXd()}) {
      steelyard::Random random(1, 0);
      EXPECT_THROW(drawing(p, random), std::invalid_argument);
    }
  }
  EXPECT_THROW(joint_systematic(VectorXd{{.5, .6}}), std::invalid_argument);
  EXPECT_THROW(joint_sampford(VectorXd{{.5, .6}}), std::invalid_argument);
  EXPECT_THROW(joint_tille(VectorXd{{1, 1}}, 3), std::invalid_argument);
}

TEST(DrawTille, RefusesMoreDrawsThanUnits) {
  steelyard::Random random(1, 0);
  EXPECT_THROW(draw_tille(VectorXd{{1, 1, 0}}, 3, random), std::invalid_argument);
}

// The sum may be short of a whole number by rounding: the largest starts then pass the last unit.
TEST(DrawSystematic, TakesNoUnitTwiceWhereTheSumIsRounded) {
  const VectorXd p{{.5, .4999995, 1}};
  std::uint64_t seed = 0;
  while (steelyard::Random(seed, 0).uniform() < p[0] + p[1]) {
    ++seed;
  }
  steelyard::Random random(seed, 0);
  const Draw draw = draw_systematic(p, random);
  EXPECT_EQ(draw.size(), 2U);
  expect_draw(draw, 3);
}

TEST(JointSystematic, IsTheShareOfStartsWithBoth) {
  for (const VectorXd& p : {probabilities(), VectorXd{{.7, .7, .7, .7, .2}},
                            VectorXd{{.5, .5, .5, .5}}, VectorXd{{.9, .95, .15}}}) {
    expect_close(joint_systematic(p), systematic_by_hand(p), 1e-12);
    expect_joint(joint_systematic(p), p);
  }
}

TEST(JointSampford, IsThatOfAllSamples) {
  for (const VectorXd& p :
       {VectorXd{{.3, .9, .55, .65, .6}}, VectorXd{{.1, .2, .3, .4}},
        VectorXd{{.95, .99, .9, .16, .4, .6}}, VectorXd{{.5, .5, .5, .5, .5, .5, .5, .5}}}) {
    expect_close(joint_sampford(p), sampford_by_hand(p), 1e-12);
    expect_joint(joint_sampford(p), p);
  }
}

TEST(JointSampford, KeepsItsSumsForManyUnits) {
  Random random(1);
  VectorXd size(300);
  for (double& own : size) {
    own = std::exp(random.normal());
  }
  for (const std::int64_t draws : {1, 2, 60, 200}) {
    const VectorXd p = inclusion_probabilities(size, draws);
    expect_close(joint_sampford(p).rowwise().sum(), static_cast<double>(draws) * p, 1e-9);
  }
}

TEST(JointSampford, TakesCertainUnitsWithAllOthers) {
  const VectorXd p = probabilities();
  const RowMatrix joint = joint_sampford(p);
  expect_joint(joint, p);
  expect_close(joint.row(2).transpose(), p, 1e-15);
  EXPECT_EQ(joint.row(3).cwiseAbs().maxCoeff(), 0);
}

TEST(JointTille, IsThatOfAllEliminations) {
  const VectorXd size{{3, 9, 30, 5.5, 6.5, 2}};
  for (const int draws : {1, 2, 3, 4, 5}) {
    expect_close(joint_tille(size, draws), tille_by_hand(size, draws), 1e-12);
  }
}

TEST(JointTille, HasTheSumsOfAFixedSize) {
  for (const std::int64_t draws : {1, 2, 4, 6, 7}) {
    expect_joint(joint_tille(sizes(), draws), inclusion_probabilities(sizes(), draws));
  }
}

}  // namespace
}  // namespace steelyard::testing
