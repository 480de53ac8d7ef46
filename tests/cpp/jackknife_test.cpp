#include "steelyard/jackknife.hpp"

#include <gtest/gtest.h>

#include <span>
#include <stdexcept>

#include "replicates.hpp"
#include "steelyard/joint_inclusion.hpp"

namespace steelyard::testing {
namespace {

// Strata 0 (units 0 and 2 of 4) and 1 (units 1, 3 and 4 of 12); units 5 and 6 are all of theirs.
TEST(Jackknife, LeavesOutOneUnitAtATime) {
  const Sample sample{.rows = 7, .strata = {0, 1, 0, 1, 1, 2, 2}, .fpc = {4, 12, 4, 12, 12, 2, 2}};
  const Replicates replicates = jackknife(sample.design(), true);
  RowMatrix expected(7, 5);
  expected << 0, 2, 1, 1, 1,  //
      1, 1, 0, 1.5, 1.5,      //
      2, 0, 1, 1, 1,          //
      1, 1, 1.5, 0, 1.5,      //
      1, 1, 1.5, 1.5, 0,      //
      1, 1, 1, 1, 1,          //
      1, 1, 1, 1, 1;
  EXPECT_EQ(replicates.factors(), expected);
  EXPECT_TRUE(replicates.about_estimate());
  for (const Eigen::Index r : {0, 1}) {
    EXPECT_DOUBLE_EQ(replicates.scale(r), 0.5 * 1 / 2);
  }
  for (const Eigen::Index r : {2, 3, 4}) {
    EXPECT_DOUBLE_EQ(replicates.scale(r), 0.75 * 2 / 3);
  }
}

TEST(Jackknife, GivesTheTextbooksVarianceOfATotal) {
  const Sample one{.rows = 6, .strata = Labels(6, 0), .fpc = Values(6, .2)};
  for (const Sample& sample : {one, two_strata()}) {
    for (const bool about_estimate : {false, true}) {
      const Eigen::MatrixXd covariance = covariance_of(jackknife(sample.design(), about_estimate));
      EXPECT_LT((covariance - stratified_covariance(sample.strata, sample.fpc)).norm(), 1e-14);
    }
  }
}

// The sum over units of (n - 1) / n (R_(i) - R)^2, with R_(i) the ratio of the others.
TEST(Jackknife, OfARatioIsThatOfTheRatiosWithoutEachUnit) {
  const Values y = {3, 1, 4, 1, 5, 9};
  const Values x = {2, 7, 1, 8, 2, 8};
  double variance = 0;
  for (std::size_t out = 0; out < 6; ++out) {
    const double without = (23 - y[out]) / (28 - x[out]);
    variance += 5.0 / 6 * (without - 23.0 / 28) * (without - 23.0 / 28);
  }
  const Design design = Sample{.rows = 6}.design();
  const Estimated result = estimate_all(design.with_replicates(jackknife(design, true)),
                                        {ratio(column(y), column(x, "x"))});
  EXPECT_NEAR(se(result) * se(result) / variance, 1, 1e-13);
  EXPECT_EQ(result.estimates.degrees_of_freedom(), 5);
}

TEST(Jackknife, LeavesOutAllThatLiesInAUnit) {
  const Design design = three_stages();
  const Replicates replicates = jackknife(design, false);
  ASSERT_EQ(replicates.count(), 5);
  for (Eigen::Index unit = 0; unit < design.units(); ++unit) {
    for (Eigen::Index r = 0; r < 5; ++r) {
      EXPECT_EQ(replicates.factors()(unit, r) == 0, design.primary_of_unit(unit) == r);
    }
  }
}

TEST(Jackknife, HasNoReplicatesOfALoneUnit) {
  Sample sample{.rows = 4, .strata = {0, 0, 1, 0}};
  for (const Lonely policy : {Lonely::kRemove, Lonely::kCertainty}) {
    sample.lonely = policy;
    const Replicates replicates = jackknife(sample.design(), false);
    EXPECT_EQ(replicates.count(), 3);
    EXPECT_EQ(replicates.factors().row(2), Eigen::RowVectorXd::Ones(3));
  }
}

TEST(RandomGroups, OfOneUnitEachAreTheJackknife) {
  const Design design = Sample{.rows = 6}.design();
  EXPECT_LT(
      (covariance_of(random_groups(design, 6, 1, true)) - covariance_of(jackknife(design, true)))
          .norm(),
      1e-14);
}

TEST(RandomGroups, PartTheUnitsOfEveryStratumEvenly) {
  Sample sample;
  for (std::int32_t h = 0; h < 4; ++h) {
    sample.strata.insert(sample.strata.end(), static_cast<std::size_t>(5 + 3 * h), h);
  }
  sample.rows = static_cast<Eigen::Index>(sample.strata.size());
  const Replicates replicates = random_groups(sample.design(), 4, 7, false);
  ASSERT_EQ(replicates.count(), 4);
  EXPECT_EQ(replicates.scale(2), 0.75);
  const Eigen::MatrixXd left_out = (replicates.factors().array() == 0).cast<double>().matrix();
  EXPECT_EQ(left_out.rowwise().sum(), Eigen::VectorXd::Ones(sample.rows));
  const Eigen::RowVectorXd sizes = left_out.colwise().sum();
  EXPECT_LE(sizes.maxCoeff() - sizes.minCoeff(), 1);
  // Each stratum weighs as much as the whole, and the units that stay weigh the same.
  const Eigen::MatrixXd sums = sums_by_stratum(replicates, sample.strata);
  Eigen::Index row = 0;
  for (Eigen::Index h = 0; h < 4; ++h) {
    const Eigen::Index units = 5 + 3 * h;
    EXPECT_LT((sums.row(h).array() - static_cast<double>(units)).abs().maxCoeff(), 1e-13);
    for (Eigen::Index g = 0; g < 4; ++g) {
      const auto own = replicates.factors().col(g).segment(row, units);
      const double out = left_out.col(g).segment(row, units).sum();
      EXPECT_DOUBLE_EQ(own.maxCoeff(),
                       static_cast<double>(units) / (static_cast<double>(units) - out));
    }
    row += units;
  }
}

TEST(RandomGroups, DependOnTheSeed) {
  const Design design = Sample{.rows = 30}.design();
  EXPECT_EQ(random_groups(design, 5, 3, false).factors(),
            random_groups(design, 5, 3, false).factors());
  EXPECT_NE(random_groups(design, 5, 3, false).factors(),
            random_groups(design, 5, 4, false).factors());
}

TEST(RandomGroups, LeaveNoStratumEmpty) {
  const Design design = Sample{.rows = 8, .strata = {0, 0, 0, 0, 1, 1, 1, 1}}.design();
  EXPECT_THROW(random_groups(design, 1, 0, false), std::invalid_argument);
  EXPECT_EQ(random_groups(design, 2, 0, false).count(), 2);
  const Design lone =
      Sample{.rows = 5, .strata = {0, 0, 0, 0, 1}, .lonely = Lonely::kCertainty}.design();
  EXPECT_THROW(random_groups(lone, 2, 0, false), std::invalid_argument);
}

/// Of four units, the last of them alone in a stratum.
Design lone_unit(Lonely policy) {
  return Sample{.rows = 4, .strata = {0, 0, 0, 1}, .lonely = policy}.design();
}

TEST(Jackknife, IsRefusedWhereUnitsAreNotLikeEachOther) {
  EXPECT_THROW(jackknife(lone_unit(Lonely::kAdjust), false), std::invalid_argument);
  EXPECT_THROW(jackknife(lone_unit(Lonely::kAverage), false), std::invalid_argument);
  const Stage::Columns stage{{}, {}, column({.5, .4, .3}, "fpc")};
  const Design brewer =
      Design::sampled(3, {}, std::span(&stage, 1), {.selection = Selection::kBrewer});
  EXPECT_THROW(jackknife(brewer, false), std::invalid_argument);
  const Design form = Design::with_form(
      3, {}, {}, overton(Eigen::Vector3d(.5, .4, .3), {}, JointVariance::kYatesGrundy));
  EXPECT_THROW(jackknife(form, false), std::invalid_argument);
  const Design plain = Sample{.rows = 4}.design();
  EXPECT_THROW(jackknife(plain.with_replicates(jackknife(plain, false)), false),
               std::invalid_argument);
  const Stage::Columns none;
  const Design domains =
      Design::sampled(4, {}, std::span(&none, 1), {.lonely_domain = Lonely::kAdjust});
  EXPECT_THROW(jackknife(domains, false), std::invalid_argument);
}

TEST(Jackknife, IsRefusedWhereNothingVariesOrTooMuch) {
  EXPECT_THROW(jackknife(Sample{.rows = 4, .fpc = Values(4, 1.0)}.design(), false),
               std::invalid_argument);
  EXPECT_THROW(jackknife(Sample{.rows = 20000}.design(), false), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
