#include "steelyard/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "samples.hpp"
#include "steelyard/distribution.hpp"

namespace steelyard::testing {
namespace {

using Numbers = std::vector<std::uint64_t>;

Numbers first_five(steelyard::Random random) {
  Numbers result(5);
  std::generate(result.begin(), result.end(), [&] { return random.next(); });
  return result;
}

/// How likely larger differences from equal counts are.
double uniformity(const std::vector<int>& counts) {
  const double expected =
      std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double chi_square = 0;
  for (const int count : counts) {
    chi_square += (count - expected) * (count - expected) / expected;
  }
  return chi_square_upper_tail(chi_square, static_cast<double>(counts.size() - 1));
}

// https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64: the numbers from state 1234567.
// Seeds are scrambled into states: those of states 1234567 and 0 are found by undoing that.
TEST(Random, IsSplitMix64) {
  EXPECT_EQ(first_five({10150872032888557647U, 0}),
            (Numbers{6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                     4593380528125082431U, 16408922859458223821U}));
  EXPECT_EQ(first_five({7212067755985902090U, 0}),
            (Numbers{0xe220a8397b1dcdafU, 0x6e789e6aa1b965f4U, 0x06c45d188009454fU,
                     0xf88bb8a8724c81ecU, 0x1b39896a51a8749bU}));
}

// Of seed 0 the states are the numbers themselves.
TEST(Random, StreamsStartAtScrambledStates) {
  steelyard::Random states(7212067755985902090U, 0);
  const auto scrambled = [](std::uint64_t value) {
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
  };
  for (std::uint64_t stream = 0; stream < 5; ++stream) {
    const std::uint64_t state = states.next();
    EXPECT_EQ(steelyard::Random(0, stream).next(), scrambled(state + 0x9e3779b97f4a7c15U));
  }
}

TEST(Random, NumbersBelowABoundAreEquallyLikely) {
  for (const int bound : {2, 3, 7, 10, 64}) {
    steelyard::Random random(1, static_cast<std::uint64_t>(bound));
    std::vector<int> counts(static_cast<std::size_t>(bound));
    for (int i = 0; i < 20000; ++i) {
      ++counts.at(static_cast<std::size_t>(random.below(bound)));
    }
    EXPECT_GT(uniformity(counts), 1e-3) << bound;
    EXPECT_LT(uniformity(counts), 1 - 1e-3) << bound;
  }
  EXPECT_EQ(steelyard::Random(1, 1).below(1), 0);
}

// Without rejection, multiples of three would be drawn twice as often as the others.
TEST(Random, NumbersBelowALargeBoundAreEquallyLikely) {
  constexpr Eigen::Index kBound = 3 * (Eigen::Index{1} << 30U);
  steelyard::Random random(2, 0);
  std::vector<int> counts(3);
  for (int i = 0; i < 20000; ++i) {
    ++counts.at(static_cast<std::size_t>(random.below(kBound) % 3));
  }
  EXPECT_GT(uniformity(counts), 1e-3);
}

TEST(Random, ChoosesEveryOrderedSampleEquallyOften) {
  steelyard::Random random(3, 0);
  std::map<std::vector<int>, int> counts;
  for (int i = 0; i < 12000; ++i) {
    std::vector<int> values{0, 1, 2, 3};
    random.choose(values, 2);
    std::vector<int> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    ASSERT_EQ(sorted, (std::vector<int>{0, 1, 2, 3}));
    ++counts[{values[0], values[1]}];
  }
  ASSERT_EQ(counts.size(), 12U);
  std::vector<int> each;
  for (const auto& [sample, count] : counts) {
    each.push_back(count);
  }
  EXPECT_GT(uniformity(each), 1e-3);
}

/// Marsaglia's polar method, step by step.
double polar(steelyard::Random& random) {
  for (;;) {
    const double u = 2 * random.uniform() - 1;
    const double v = 2 * random.uniform() - 1;
    const double square = u * u + v * v;
    if (square > 0 && square < 1) {
      return u * std::sqrt(-2 * std::log(square) / square);
    }
  }
}

TEST(RandomNormal, IsMarsagliasPolarMethod) {
  steelyard::Random random(8, 1);
  steelyard::Random again(8, 1);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_DOUBLE_EQ(random.normal(), polar(again));
  }
}

TEST(RandomNormal, FallsIntoIntervalsAsOftenAsTheNormalDistribution) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    steelyard::Random random(seed, 0);
    std::vector<int> counts(100);
    for (int i = 0; i < 50000; ++i) {
      const double above = t_upper_tail(random.normal(), kInfinity);
      ++counts.at(static_cast<std::size_t>(100 * above));
    }
    EXPECT_GT(uniformity(counts), 1e-3) << seed;
    EXPECT_LT(uniformity(counts), 1 - 1e-3) << seed;
  }
}

// Moments within four of their standard errors: sqrt(1, 2, 15, 96 / draws).
TEST(RandomNormal, HasTheMomentsOfTheNormalDistribution) {
  constexpr int kDraws = 200000;
  steelyard::Random random(4, 0);
  double moments[4] = {};
  double product = 0;
  double before = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    double power = 1;
    for (double& moment : moments) {
      power *= x;
      moment += power / kDraws;
    }
    product += x * before / kDraws;
    before = x;
  }
  constexpr double kMoments[] = {0, 1, 0, 3};
  constexpr double kVariances[] = {1, 2, 15, 96};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(moments[i], kMoments[i], 4 * std::sqrt(kVariances[i] / kDraws)) << i + 1;
  }
  EXPECT_NEAR(product, 0, 4 / std::sqrt(kDraws));  // of neighbours
}

// By R 4.2.2, 2 * pnorm(-4) = 6.3e-5: of a million 63, give or take four times 8.
TEST(RandomNormal, ReachesIntoTheTails) {
  steelyard::Random random(5, 0);
  int far = 0;
  for (int i = 0; i < 1000000; ++i) {
    far += std::abs(random.normal()) > 4 ? 1 : 0;
  }
  EXPECT_NEAR(far, 63.3, 4 * 8);
}

}  // namespace
}  // namespace steelyard::testing
