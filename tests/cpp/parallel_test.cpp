#include "steelyard/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

constexpr int kThreads[] = {0, 1, 2, 3, 8};

TEST(ParallelFor, DoesEveryPartOnce) {
  for (const int threads : kThreads) {
    std::vector<std::atomic<int>> done(1000);
    parallel_for(1000, threads, [&](Eigen::Index i) { ++done[static_cast<std::size_t>(i)]; });
    for (const auto& times : done) {
      EXPECT_EQ(times, 1);
    }
  }
}

TEST(ParallelFor, DoesNothingWhenThereIsNothing) {
  for (const int threads : kThreads) {
    parallel_for(0, threads, [](Eigen::Index) { FAIL(); });
  }
}

TEST(ParallelFor, RethrowsWhatWasThrown) {
  for (const int threads : kThreads) {
    std::atomic<int> done{0};
    EXPECT_THROW(parallel_for(100000, threads,
                              [&](Eigen::Index i) {
                                if (i == 3) {
                                  throw std::domain_error("three");
                                }
                                ++done;
                              }),
                 std::domain_error);
    EXPECT_LT(done, 100000);
  }
}

TEST(SegmentCount, DependsOnSizesOnlyAndStaysAffordable) {
  EXPECT_EQ(segment_count(0, 0), 1);
  EXPECT_EQ(segment_count(1000, 1), 1);
  EXPECT_EQ(segment_count(3 * (Eigen::Index{1} << 15), 1), 2);
  EXPECT_EQ(segment_count(Eigen::Index{1} << 17, 1), 4);
  EXPECT_EQ(segment_count(Eigen::Index{1} << 40, 1), 16);
  EXPECT_EQ(segment_count(Eigen::Index{1} << 17, Eigen::Index{1} << 17), 1);
}

/// More than 2^17 rows, so that they are summed in several segments.
constexpr Eigen::Index kManyRows = (Eigen::Index{1} << 17) + 12345;

void expect_same_bits(const Survey& survey, Eigen::Index kept) {
  const Design design = survey.sample.design();
  const auto run = [&](int threads) {
    return estimate(design, kSample, {survey.domain}, all_estimators(survey), threads, kept);
  };
  const Estimated one = run(1);
  for (const int threads : {2, 3, 8}) {
    const Estimated many = run(threads);
    EXPECT_TRUE(same_bits(many.estimates.values, one.estimates.values));
    EXPECT_TRUE(same_bits(many.estimates.deviations.matrix, one.estimates.deviations.matrix));
    EXPECT_TRUE(same_bits(many.deff, one.deff));
    EXPECT_TRUE(same_bits(many.deff_replace, one.deff_replace));
    EXPECT_EQ(many.used, one.used);
    EXPECT_EQ(many.missing, one.missing);
  }
}

TEST(Threads, DoNotChangeABitOfClusters) {
  const Survey survey = random_survey(kManyRows, 3, 20, 5);
  expect_same_bits(survey, kKeptDeviations);
}

TEST(Threads, DoNotChangeABitOfElementsThatAreNotKept) {
  expect_same_bits(random_survey(kManyRows, 3, 0, 6), 0);
}

TEST(Threads, DoNotChangeABitOfElementsThatAreKept) {
  expect_same_bits(random_survey(kManyRows, 3, 0, 7), Eigen::Index{1} << 40);
}

// Centres far from the data make a second pass.
TEST(Threads, DoNotChangeABitOfASecondPass) {
  Survey survey = random_survey(kManyRows, 3, 20, 8);
  for (std::size_t i = 0; i < survey.y.size(); ++i) {
    survey.y[i] += 1e9 * survey.sample.strata[i];
  }
  expect_same_bits(survey, kKeptDeviations);
  survey.sample.units.clear();
  expect_same_bits(survey, 0);
}

TEST(Threads, SumInSeveralSegmentsHere) {
  // Three strata, three domains and the features of all_estimators: none of the above is trivial.
  EXPECT_GT(segment_count(kManyRows, 3 * 20 * 3 * (2 + 2 + 3 + 4 + 4)), 1);
  EXPECT_GT(segment_count(kManyRows, 3 * 3 * 9 * 10), 1);
}

}  // namespace
}  // namespace steelyard::testing
