#include "steelyard/bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <span>
#include <stdexcept>
#include <vector>

#include "replicates.hpp"
#include "steelyard/generalised_bootstrap.hpp"
#include "steelyard/joint_inclusion.hpp"
#include "steelyard/mixed_bootstrap.hpp"

namespace steelyard::testing {
namespace {

constexpr BootstrapOptions kFew{.replicates = 50, .seed = 5};
constexpr BootstrapOptions kMany{.replicates = 40000, .seed = 7};
/// Of entries of a covariance matrix from kMany replicates: more than four standard errors.
constexpr double kClose = 0.05;

using Method = std::function<Replicates(const Design&, const BootstrapOptions&)>;

const Method kMixed = [](const Design& design, const BootstrapOptions& options) {
  return mixed_bootstrap(design, {}, options);
};
const Method kGeneralised = [](const Design& design, const BootstrapOptions& options) {
  return generalised_bootstrap(design, options, {});
};
const std::vector<Method> kOfFirstStage{rescaled_bootstrap, canty_davison_bootstrap,
                                        multistage_bootstrap, kMixed};
const std::vector<Method> kAll{rescaled_bootstrap, canty_davison_bootstrap, multistage_bootstrap,
                               kMixed, kGeneralised};

double largest_difference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  return (a - b).cwiseAbs().maxCoeff();
}

double bias(const Replicates& replicates) {
  return (replicates.factors().rowwise().mean().array() - 1).abs().maxCoeff();
}

/// One stage of units with fractions of their own.
Design unequal(const Values& probability) {
  const Stage::Columns stage{{}, {}, column(probability, "fpc")};
  return Design::sampled(static_cast<Eigen::Index>(probability.size()), {}, std::span(&stage, 1),
                         {.selection = Selection::kBrewer});
}

Design with_form(JointVariance variance) {
  Eigen::MatrixXd joint(3, 3);
  joint << .5, .3, .1, .3, .6, .2, .1, .2, .4;
  return Design::with_form(3, {}, {}, from_joint_probabilities(joint, variance));
}

TEST(Bootstraps, KeepTheNumberOfUnitsInEachStratum) {
  const Sample sample = two_strata();
  for (const Method& method : kOfFirstStage) {
    const Eigen::MatrixXd sums = sums_by_stratum(method(sample.design(), kFew), sample.strata);
    EXPECT_LT((sums.row(0).array() - 2).abs().maxCoeff(), 1e-14);
    EXPECT_LT((sums.row(1).array() - 5).abs().maxCoeff(), 1e-14);
  }
}

TEST(Bootstraps, HaveTheTextbooksCovarianceOnAverage) {
  const Sample sample = two_strata();
  const Eigen::MatrixXd expected = stratified_covariance(sample.strata, sample.fpc);
  for (const Method& method :
       {Method(rescaled_bootstrap), Method(multistage_bootstrap), kMixed, kGeneralised}) {
    const Replicates replicates = method(sample.design(), kMany);
    EXPECT_LT(bias(replicates), 0.03);
    EXPECT_LT(largest_difference(covariance_of(replicates), expected), kClose);
  }
}

TEST(Bootstraps, OfStagesHaveTheirVariancesSumOnAverage) {
  const Design design = three_stages();
  for (const Method& method : {Method(multistage_bootstrap), kMixed, kGeneralised}) {
    const Replicates replicates = method(design, kMany);
    EXPECT_LT(bias(replicates), 0.03);
    EXPECT_LT(largest_difference(covariance_of(replicates), covariance_of(design)), kClose);
  }
}

TEST(Bootstraps, OfTheFirstStageTakeUnitsWithAllThatLiesInThem) {
  const Design design = three_stages();
  for (const auto& method : {rescaled_bootstrap, canty_davison_bootstrap}) {
    const RowMatrix factors = method(design, kFew).factors();
    for (Eigen::Index unit = 1; unit < design.units(); ++unit) {
      EXPECT_EQ(factors.row(unit) == factors.row(unit - 1),
                design.primary_of_unit(unit) == design.primary_of_unit(unit - 1));
    }
  }
}

TEST(Bootstraps, LeaveWholeStrataAndLoneUnitsAsTheyAre) {
  const Sample sample{.rows = 6,
                      .strata = {0, 0, 1, 1, 1, 2},
                      .fpc = {.5, .5, 1, 1, 1, .2},
                      .lonely = Lonely::kCertainty};
  for (const Method& method : kAll) {
    const RowMatrix factors = method(sample.design(), kFew).factors();
    EXPECT_EQ(factors.bottomRows(4), RowMatrix::Ones(4, 50));
    EXPECT_NE(factors.topRows(2), RowMatrix::Ones(2, 50));
  }
}

TEST(Bootstraps, DependOnTheSeedAlone) {
  const Design design = three_stages();
  for (const Method& method : kAll) {
    const Replicates first = method(design, kFew);
    EXPECT_TRUE(same_bits(first.factors(), method(design, kFew).factors()));
    EXPECT_NE(first.factors(), method(design, {.replicates = 50, .seed = 6}).factors());
    EXPECT_EQ(first.count(), 50);
    EXPECT_TRUE(method(design, {.about_estimate = true}).about_estimate());
  }
}

TEST(Bootstraps, AreRefusedWithOneReplicateOrTooMany) {
  const Design design = two_strata().design();
  for (const Method& method : kAll) {
    EXPECT_THROW(method(design, {.replicates = 1}), std::invalid_argument);
    EXPECT_THROW(method(design, {.replicates = 1 << 26}), std::invalid_argument);
    EXPECT_THROW(method(design.with_replicates(method(design, kFew)), kFew), std::invalid_argument);
  }
}

TEST(Bootstraps, OfDrawsAreRefusedForOtherDesigns) {
  for (const Method& method : kOfFirstStage) {
    EXPECT_THROW(method(with_form(JointVariance::kYatesGrundy), kFew), std::invalid_argument);
    for (const Lonely policy : {Lonely::kAdjust, Lonely::kAverage}) {
      const Sample lone{.rows = 3, .strata = {0, 0, 1}, .lonely = policy};
      EXPECT_THROW(method(lone.design(), kFew), std::invalid_argument);
    }
  }
  for (const auto& method : {rescaled_bootstrap, canty_davison_bootstrap, multistage_bootstrap}) {
    EXPECT_THROW(method(unequal({.5, .4, .3}), kFew), std::invalid_argument);
  }
}

// One draw out of two: 1 + c or 1 - c, with c = sqrt(1 - f).
TEST(RescaledBootstrap, OfTwoUnitsDrawsOne) {
  const double c = std::sqrt(.7);
  const Design design = Sample{.rows = 2, .fpc = {.3, .3}}.design();
  const Replicates replicates = rescaled_bootstrap(design, kFew);
  EXPECT_DOUBLE_EQ(replicates.scale(0), 1.0 / 49);
  for (const double factor : replicates.factors().reshaped()) {
    EXPECT_NEAR(std::abs(factor - 1), c, 1e-15);
  }
}

// Of n draws with replacement the covariance is I - J / n, without it (N - n) / (N - 1) of that;
// the scale brings n / (n - 1).
TEST(CantyDavisonBootstrap, DrawsFromCopiesOfTheUnits) {
  const Labels strata{0, 0, 0, 1, 1, 1};
  const Replicates with =
      canty_davison_bootstrap(Sample{.rows = 6, .strata = strata}.design(), kMany);
  EXPECT_DOUBLE_EQ(with.scale(0), 3.0 / 2 / (40000 - 1));
  EXPECT_LT(largest_difference(covariance_of(with), stratified_covariance(strata, Values(6, 0))),
            kClose);
  const Values fraction{.5, .5, .5, .25, .25, .25};
  const Replicates without =
      canty_davison_bootstrap(Sample{.rows = 6, .strata = strata, .fpc = fraction}.design(), kMany);
  const Values corrected{1 - 3.0 / 5,  1 - 3.0 / 5,  1 - 3.0 / 5,
                         1 - 9.0 / 11, 1 - 9.0 / 11, 1 - 9.0 / 11};
  EXPECT_LT(largest_difference(covariance_of(without), stratified_covariance(strata, corrected)),
            kClose);
  EXPECT_LT(bias(without), 0.03);
  EXPECT_EQ(without.factors().topRows(3).maxCoeff(), 2);
  EXPECT_EQ(without.factors().array().round().matrix(), without.factors());
}

// Three units in a population of seven: 3, 2 and 2 copies, in random order.
TEST(CantyDavisonBootstrap, GivesACopyMoreToUnitsAtRandom) {
  double variance = 3.0 / 7 * (3.0 / 7) * (2.0 / 9);  // of the expected number of draws
  for (const double copies : {3.0, 2.0, 2.0}) {
    variance += 3 * (copies / 7) * (1 - copies / 7) * (4.0 / 6) / 3;
  }
  const Values fraction(3, 1 - 1.5 * variance);
  const Replicates replicates =
      canty_davison_bootstrap(Sample{.rows = 3, .fpc = {7, 7, 7}}.design(), kMany);
  EXPECT_LT(bias(replicates), 0.03);
  EXPECT_LT(
      largest_difference(covariance_of(replicates), stratified_covariance({0, 0, 0}, fraction)),
      kClose);
}

// The harmonic mean of 2 and 5 is 20 / 7.
TEST(CantyDavisonBootstrap, IsScaledByTheHarmonicMeanOfUnits) {
  const Replicates replicates = canty_davison_bootstrap(two_strata().design(), kFew);
  EXPECT_DOUBLE_EQ(replicates.scale(0), 20.0 / 13 / 49);
}

// lambda = sqrt(m (1 - f) / (n - m)), with 2 of 5 drawn: 1 - lambda, or 1 - lambda + lambda n / m.
TEST(MultistageBootstrap, DrawsHalfOfTheUnits) {
  const double lambda = std::sqrt(2 * .75 / 3);
  const RowMatrix factors =
      multistage_bootstrap(Sample{.rows = 5, .fpc = Values(5, .25)}.design(), kFew).factors();
  for (Eigen::Index r = 0; r < 50; ++r) {
    const Eigen::ArrayXd own = factors.col(r).array() - 1 + lambda;
    EXPECT_EQ((own.abs() < 1e-14).count(), 3);
    EXPECT_EQ(((own - lambda * 5 / 2).abs() < 1e-14).count(), 2);
  }
}

TEST(MixedBootstrap, HasNoNegativeFactors) {
  for (const StageDraw draw : {StageDraw::kFixedSize, StageDraw::kPoisson}) {
    const std::vector<StageDraw> draws(3, draw);
    EXPECT_GE(mixed_bootstrap(three_stages(), draws, {.seed = 1}).factors().minCoeff(), 0);
  }
  EXPECT_GE(mixed_bootstrap(unequal({.9, .5, .01, .2}), {}, {.seed = 1}).factors().minCoeff(), 0);
}

// Random signs: 1 + sqrt(1 - p) or 1 - sqrt(1 - p), without regard to each other.
TEST(MixedBootstrap, MovesPoissonUnitsOnTheirOwn) {
  const Values p{.9, .5, .01, .2};
  const std::vector<StageDraw> draws{StageDraw::kPoisson};
  const Replicates replicates = mixed_bootstrap(unequal(p), draws, kMany);
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(4, 4);
  for (Eigen::Index unit = 0; unit < 4; ++unit) {
    const double variance = 1 - p[static_cast<std::size_t>(unit)];
    expected(unit, unit) = variance;
    const Eigen::ArrayXd moves = replicates.factors().row(unit).transpose().array() - 1;
    EXPECT_LT((moves.square() - variance).abs().maxCoeff(), 1e-14);
  }
  EXPECT_LT(largest_difference(covariance_of(replicates), expected), kClose);
}

// Clusters of half of all, and response in them with probability .8: variances 1 - f at the first
// stage, and f (1 - p) for each row below.
TEST(MixedBootstrap, TakesEachStageAsItWasDrawn) {
  const Labels cluster{0, 0, 0, 1, 1, 1};
  const std::vector<Stage::Columns> stages{{{}, codes(cluster), column(Values(6, .5), "fpc")},
                                           {{}, {}, column(Values(6, .8), "fpc")}};
  const Design design = Design::sampled(6, {}, stages, {});
  const std::vector<StageDraw> draws{StageDraw::kFixedSize, StageDraw::kPoisson};
  Eigen::MatrixXd expected = Eigen::MatrixXd::Identity(6, 6) * .5 * .2;
  for (Eigen::Index i = 0; i < 6; ++i) {
    for (Eigen::Index j = 0; j < 6; ++j) {
      expected(i, j) += .5 * (i / 3 == j / 3 ? 1 : -1);
    }
  }
  EXPECT_LT(largest_difference(covariance_of(mixed_bootstrap(design, draws, kMany)), expected),
            kClose);
  EXPECT_THROW(mixed_bootstrap(design, std::span(draws).first(1), kFew), std::invalid_argument);
}

TEST(GeneralisedBootstrap, ServesAnyPositiveQuadraticForm) {
  const Design design = with_form(JointVariance::kYatesGrundy);
  const Replicates replicates = generalised_bootstrap(design, kMany, {});
  EXPECT_LT(bias(replicates), 0.03);
  EXPECT_LT(largest_difference(covariance_of(replicates), covariance_of(design)), kClose);
  Eigen::MatrixXd joint(2, 2);
  joint << .5, .01, .01, .5;
  const Design negative = Design::with_form(
      2, {}, {}, from_joint_probabilities(joint, JointVariance::kHorvitzThompson));
  EXPECT_THROW(generalised_bootstrap(negative, kFew, {}), std::invalid_argument);
}

TEST(GeneralisedBootstrap, ServesLonelyStrataThatAreAdjustedOrAveraged) {
  for (const Lonely policy : {Lonely::kAdjust, Lonely::kAverage}) {
    const Design design = Sample{.rows = 4, .strata = {0, 0, 0, 1}, .lonely = policy}.design();
    const Replicates replicates = generalised_bootstrap(design, kMany, 3);
    EXPECT_LT(largest_difference(covariance_of(replicates), covariance_of(design)), kClose);
  }
}

TEST(GeneralisedBootstrap, LeavesEveryFactorPositive) {
  Eigen::Index reached = 0;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const Design& design : {Sample{.rows = 12}.design(), three_stages()}) {
      const double least = generalised_bootstrap(design, {.seed = seed}, {}).factors().minCoeff();
      EXPECT_GE(least, 0.01 - 1e-15);
      reached += least < 0.01 + 1e-15 ? 1 : 0;
    }
  }
  EXPECT_EQ(reached, 6);  // tau is the smallest that does
}

TEST(GeneralisedBootstrap, ShrinksFactorsByTauAndNotTheVariance) {
  const Design design = two_strata().design();
  const Replicates one = generalised_bootstrap(design, kFew, 1);
  const Replicates four = generalised_bootstrap(design, kFew, 4);
  const Eigen::MatrixXd moves = one.factors().array() - 1;
  EXPECT_LT(((four.factors().array() - 1).matrix() * 4 - moves).norm(), 1e-13);
  EXPECT_DOUBLE_EQ(four.scale(0), 16.0 / 49);
  EXPECT_LT((covariance_of(one) - covariance_of(four)).norm(), 1e-13);
  BootstrapOptions about = kFew;
  about.about_estimate = true;
  EXPECT_DOUBLE_EQ(generalised_bootstrap(design, about, 4).scale(0), 16.0 / 50);
  for (const double tau : {0.9, -1.0, kNaN, kInfinity}) {
    EXPECT_THROW(generalised_bootstrap(design, kFew, tau), std::invalid_argument);
  }
}

}  // namespace
}  // namespace steelyard::testing
