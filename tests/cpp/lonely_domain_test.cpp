#include "steelyard/lonely_domain.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "samples.hpp"
#include "steelyard/error.hpp"

namespace steelyard::testing {
namespace {

using Used = std::vector<char>;

RowMatrix one_column(const Values& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}

/// What each row of deviations adds to the variance, by the policy for domains.
Values squares(const Design& design, const Used& used, const Values& totals) {
  const RowMatrix by_unit = one_column(totals);
  RowMatrix deviations = design.deviate(by_unit);
  treat_domain(design, used, by_unit, deviations);
  const RowMatrix result = deviations.cwiseAbs2();
  return {result.data(), result.data() + result.size()};
}

double sum(const Values& values, std::size_t begin, std::size_t end) {
  double result = 0;
  for (std::size_t i = begin; i < end; ++i) {
    result += values[i];
  }
  return result;
}

double sum(const Values& values) { return sum(values, 0, values.size()); }

/// Strata of 3, 3 and 2 rows; the domain has all of the first, one of the second, none of the last.
class LonelyDomain : public ::testing::Test {
 protected:
  Used used_ = {1, 1, 1, 0, 1, 0, 0, 0};
  Values totals_ = {2, 4, 9, 0, 6, 0, 0, 0};

  static Design design(std::optional<Lonely> domain, Lonely lonely = Lonely::kFail) {
    const Stage::Columns stage{codes({0, 0, 0, 1, 1, 1, 2, 2}), {}, column(Values(8, 0.5), "fpc")};
    return Design::sampled(8, {}, std::span(&stage, 1),
                           {.lonely = lonely, .lonely_domain = domain});
  }
  Values by_policy(Lonely domain) const { return squares(design(domain), used_, totals_); }

  static constexpr double kScale = 0.5 * 3 / 2;
  static constexpr double kFirst = kScale * (9 + 1 + 16);
  static constexpr double kSole = kScale * (16 + 4 + 4);  // centred at its stratum's mean
};

TEST_F(LonelyDomain, OfAWholeSampleIsNotTreated) {
  const Used all(8, 1);
  for (const Lonely policy :
       {Lonely::kFail, Lonely::kRemove, Lonely::kCertainty, Lonely::kAdjust, Lonely::kAverage}) {
    EXPECT_DOUBLE_EQ(sum(squares(design(policy), all, totals_)), kFirst + kSole);
  }
  EXPECT_FALSE(design(std::nullopt).treats_domains());
  EXPECT_TRUE(design(Lonely::kRemove).treats_domains());
}

TEST_F(LonelyDomain, IsRefusedByNameOfTheStratum) {
  try {
    by_policy(Lonely::kFail);
    FAIL() << "no error";
  } catch (const DesignError& error) {
    EXPECT_EQ(error.problem, DesignError::Problem::kLonelyInDomain);
    EXPECT_EQ(error.codes, (Labels{1}));
    EXPECT_EQ(error.offence.count, 1);
    EXPECT_EQ(error.stage, 0);
  }
}

TEST_F(LonelyDomain, AddsNothingWhenRemovedOrCertain) {
  for (const Lonely policy : {Lonely::kRemove, Lonely::kCertainty}) {
    const Values result = by_policy(policy);
    EXPECT_DOUBLE_EQ(sum(result, 0, 3), kFirst);
    EXPECT_EQ(sum(result, 3, 8), 0);
  }
}

TEST_F(LonelyDomain, IsCentredAtTheMeanOfAllUnitsWhenAdjusted) {
  const double distance = 6 - 21.0 / 8;
  const Values result = by_policy(Lonely::kAdjust);
  EXPECT_DOUBLE_EQ(sum(result, 0, 3), kFirst);
  EXPECT_DOUBLE_EQ(result[4], kScale * distance * distance);
  EXPECT_EQ(result[3] + result[5], 0);
}

// Two strata have rows in the domain, and one of them is left to the other's variance.
TEST_F(LonelyDomain, AddsTheMeanOfTheOthersWhenAveraged) {
  const Values result = by_policy(Lonely::kAverage);
  EXPECT_DOUBLE_EQ(sum(result, 0, 3), 2 * kFirst);
  EXPECT_EQ(sum(result, 3, 8), 0);
}

TEST_F(LonelyDomain, WithNothingToAverageOverIsNotANumber) {
  const Used used = {0, 0, 0, 0, 1, 0, 0, 0};
  EXPECT_TRUE(std::isnan(sum(squares(design(Lonely::kAverage), used, {0, 0, 0, 0, 6, 0, 0, 0}))));
}

TEST_F(LonelyDomain, OfNoRowsAddsNothing) {
  for (const Lonely policy : {Lonely::kFail, Lonely::kAdjust, Lonely::kAverage}) {
    EXPECT_EQ(sum(squares(design(policy), Used(8, 0), Values(8, 0.0))), 0);
  }
}

// R 4.2.2, survey 4.1.1, with survey.adjust.domain.lonely=TRUE: SE(svymean(~y, subset(s, g ==
// "p"))) of s <- svydesign(id=~1, strata=~h, weights=~w, data=e), where h is 3 rows each of a, b
// and c, y=c(1,2,4,8,3,5,9,2,7), g=c("p","p","q","p","q","q","p","p","p") and w=2.
TEST(LonelyDomains, EqualR) {
  const Stage::Columns stage{codes({0, 0, 0, 1, 1, 1, 2, 2, 2}), {}, {}};
  const Values y = {1, 2, 4, 8, 3, 5, 9, 2, 7};
  const Codes domain = codes({0, 0, 1, 0, 1, 1, 0, 0, 0});
  const auto error = [&](Lonely policy) {
    const Design design = Design::sampled(9, column(Values(9, 2.0), "weight"), std::span(&stage, 1),
                                          {.lonely_domain = policy});
    const std::vector<EstimatorPtr> estimators = {mean(column(y))};
    return se(estimate(design, kSample, {domain}, estimators, 1, kKeptDeviations));
  };
  EXPECT_NEAR(error(Lonely::kAdjust), 1.3530087642175059, 1e-14);
  EXPECT_NEAR(error(Lonely::kAverage), 1.4557516831393198, 1e-14);
}

/// The fourth stratum has a single unit; the domain need not have rows in it.
class LonelyStratumAndDomain : public ::testing::Test {
 protected:
  static Values with(const Used& used, Lonely lonely, std::optional<Lonely> domain) {
    const Stage::Columns stage{codes({0, 0, 1, 1, 2, 2, 3}), {}, {}};
    const Design design =
        Design::sampled(7, {}, std::span(&stage, 1), {.lonely = lonely, .lonely_domain = domain});
    Values totals = {1, 3, 2, 6, 4, 4, 5};
    for (std::size_t i = 0; i < totals.size(); ++i) {
      totals[i] = used[i] != 0 ? totals[i] : 0;
    }
    return squares(design, used, totals);
  }
  static constexpr double kFirst = 2 * 2;
  static constexpr double kSecond = 2 * 8;
};

TEST_F(LonelyStratumAndDomain, IsAveragedOverTheStrataOfTheDomain) {
  const Values whole = with({1, 1, 1, 1, 1, 1, 1}, Lonely::kAverage, std::nullopt);
  EXPECT_NEAR(sum(whole), (kFirst + kSecond) * 4 / 3, 1e-14);
  const Values without_third = with({1, 1, 1, 1, 0, 0, 1}, Lonely::kAverage, std::nullopt);
  EXPECT_NEAR(sum(without_third), (kFirst + kSecond) * 3 / 2, 1e-14);
}

TEST_F(LonelyStratumAndDomain, AddsNothingToADomainWithoutRowsInIt) {
  const Values result = with({1, 1, 1, 1, 1, 1, 0}, Lonely::kAverage, std::nullopt);
  EXPECT_NEAR(sum(result), kFirst + kSecond, 1e-14);
}

TEST_F(LonelyStratumAndDomain, BothAreAveraged) {
  const Values result = with({1, 1, 1, 0, 0, 0, 1}, Lonely::kAverage, Lonely::kAverage);
  EXPECT_NEAR(sum(result), kFirst * 3, 1e-14);
}

TEST_F(LonelyStratumAndDomain, EachHasItsPolicy) {
  const Values result = with({1, 1, 1, 0, 0, 0, 1}, Lonely::kAverage, Lonely::kRemove);
  // Removed is not averaged: three strata, of which one is lonely.
  EXPECT_NEAR(sum(result), kFirst * 3 / 2, 1e-14);
}

/// Clusters of 4 rows in two strata each, and the domain leaves one row of one stratum.
class LonelyDomainBelow : public ::testing::Test {
 protected:
  Used used_ = {1, 1, 1, 0, 1, 1, 1, 1};
  Values totals_ = {1, 3, 5, 0, 2, 6, 4, 1};
  Codes clusters_ = codes({0, 0, 0, 0, 1, 1, 1, 1});

  Design design(Lonely policy) const {
    const std::vector<Stage::Columns> stages = {
        {{}, clusters_, column(Values(8, 0.5), "fpc")},
        {codes({0, 0, 1, 1, 2, 2, 3, 3}), {}, column(Values(8, 0.25), "fpc")}};
    return Design::sampled(8, {}, stages, {.lonely_domain = policy});
  }
  static constexpr double kScale = 0.5 * 0.75 * 2;
  static constexpr double kClusters = 0.5 * 2 * 8;       // totals 9 and 13
  static constexpr double kFirst = kScale * 2;           // first stratum of cluster 0
  static constexpr double kOthers = kScale * (8 + 4.5);  // both of cluster 1
};

TEST_F(LonelyDomainBelow, IsRefusedWithTheNumberOfItsStage) {
  try {
    squares(design(Lonely::kFail), used_, totals_);
    FAIL() << "no error";
  } catch (const DesignError& error) {
    EXPECT_EQ(error.problem, DesignError::Problem::kLonelyInDomain);
    EXPECT_EQ(error.codes, (Labels{1}));
    EXPECT_EQ(error.stage, 1);
  }
}

TEST_F(LonelyDomainBelow, AddsNothingWhenRemoved) {
  const Values result = squares(design(Lonely::kRemove), used_, totals_);
  EXPECT_NEAR(sum(result, 0, 2), kClusters, 1e-14);
  EXPECT_NEAR(sum(result, 2, 10), kFirst + kOthers, 1e-14);
}

TEST_F(LonelyDomainBelow, IsAveragedWithinItsUnitAbove) {
  const Values result = squares(design(Lonely::kAverage), used_, totals_);
  EXPECT_NEAR(sum(result, 0, 2), kClusters, 1e-14);
  EXPECT_NEAR(sum(result, 2, 6), 2 * kFirst, 1e-14);
  EXPECT_NEAR(sum(result, 6, 10), kOthers, 1e-14);
}

TEST_F(LonelyDomainBelow, IsCentredAtTheMeanOfAllUnitsOfItsStage) {
  const Values result = squares(design(Lonely::kAdjust), used_, totals_);
  const double distance = 5 - 22.0 / 8;
  EXPECT_NEAR(sum(result, 2, 6), kFirst + kScale * distance * distance, 1e-14);
  EXPECT_NEAR(sum(result), kClusters + kFirst + kOthers + kScale * distance * distance, 1e-13);
}

// The domain has rows in one of the two clusters: it is lonely at the first stage.
TEST_F(LonelyDomainBelow, LooksAtEveryStage) {
  const Used one = {1, 1, 1, 1, 0, 0, 0, 0};
  const Values totals = {1, 3, 5, 4, 0, 0, 0, 0};
  const Values result = squares(design(Lonely::kRemove), one, totals);
  EXPECT_EQ(sum(result, 0, 2), 0);
  EXPECT_NEAR(sum(result, 2, 10), kScale * (2 + 0.5), 1e-14);
}

}  // namespace
}  // namespace steelyard::testing
