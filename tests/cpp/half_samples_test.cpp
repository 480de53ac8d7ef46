#include "steelyard/half_samples.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "replicates.hpp"

namespace steelyard::testing {
namespace {

/// Strata of two units each, or of `units`.
Sample strata_of(std::int32_t strata, int units = 2) {
  Sample sample{.rows = Eigen::Index{strata} * units};
  for (int i = 0; i < units; ++i) {
    for (std::int32_t h = 0; h < strata; ++h) {
      sample.strata.push_back(h);
    }
  }
  return sample;
}

TEST(HalfSamples, OfPairsGiveTheTextbooksVarianceOfATotal) {
  for (const std::int32_t strata : {1, 2, 3, 4, 7, 12, 25}) {
    const Sample sample = strata_of(strata);
    const Values none(sample.strata.size(), 0);
    const Eigen::MatrixXd expected = stratified_covariance(sample.strata, none);
    for (const double rho : {0.0, 0.3, 0.9}) {
      for (const bool about_estimate : {false, true}) {
        const Replicates replicates = half_samples(sample.design(), rho, about_estimate);
        EXPECT_LT((covariance_of(replicates) - expected).norm(), 1e-13);
      }
    }
  }
}

TEST(HalfSamples, AreBalanced) {
  constexpr double kRho = 0.25;
  const Sample sample = strata_of(6);
  const Replicates replicates = half_samples(sample.design(), kRho, false);
  EXPECT_EQ(replicates.count(), 8);
  EXPECT_DOUBLE_EQ(replicates.scale(5), 1 / (8 * 0.75 * 0.75));
  const Eigen::MatrixXd& factors = replicates.factors();
  EXPECT_TRUE((factors.array() == kRho || factors.array() == 2 - kRho).all());
  EXPECT_TRUE((sums_by_stratum(replicates, sample.strata).array() == 2).all());
  EXPECT_EQ(factors.rowwise().sum(), Eigen::VectorXd::Constant(12, 8));
  const Eigen::MatrixXd products = factors * factors.transpose() / 8;
  for (Eigen::Index i = 0; i < 12; ++i) {
    for (Eigen::Index j = 0; j < 12; ++j) {
      if (i % 6 != j % 6) {
        EXPECT_DOUBLE_EQ(products(i, j), 1);
      }
    }
  }
}

// One unit against two: (sqrt(2) z_1 - (z_2 + z_3) / sqrt(2))^2.
TEST(HalfSamples, OfThreeSetOneAgainstTwo) {
  Eigen::Vector3d contrast(std::sqrt(2), -std::sqrt(.5), -std::sqrt(.5));
  const Replicates replicates = half_samples(strata_of(1, 3).design(), 0.5, true);
  EXPECT_LT((covariance_of(replicates) - contrast * contrast.transpose()).norm(), 1e-14);
}

// In a random order, the expected variance of a total is that of the textbook: of a covariance with
// trace n and sum 0, the mean over orders is n / (n - 1) (I - J / n).
TEST(HalfSamples, OfManyAreRightOnAverageOverOrders) {
  for (const int units : {3, 4, 5, 8, 9}) {
    const Sample sample = strata_of(3, units);
    const Eigen::MatrixXd covariance = covariance_of(half_samples(sample.design(), 0.3, false));
    Eigen::MatrixXd indicator = Eigen::MatrixXd::Zero(sample.rows, 3);
    for (Eigen::Index unit = 0; unit < sample.rows; ++unit) {
      indicator(unit, unit % 3) = 1;
      for (Eigen::Index other = 0; other < sample.rows; ++other) {
        if (unit % 3 != other % 3) {
          EXPECT_NEAR(covariance(unit, other), 0, 1e-14);
        }
      }
    }
    EXPECT_LT((covariance * indicator).norm(), 1e-13);
    for (Eigen::Index h = 0; h < 3; ++h) {
      EXPECT_NEAR(indicator.col(h).dot(covariance.diagonal()), units, 1e-13);
    }
  }
}

TEST(HalfSamples, LeaveALoneUnitAsItIs) {
  const Sample sample{.rows = 5, .strata = {0, 1, 2, 0, 1}, .lonely = Lonely::kRemove};
  const Replicates replicates = half_samples(sample.design(), 0, false);
  EXPECT_EQ(replicates.count(), 4);
  EXPECT_EQ(replicates.factors().row(2), Eigen::RowVectorXd::Ones(4));
}

TEST(HalfSamples, TakeUnitsWithAllThatLiesInThem) {
  const Design design = three_stages();
  const RowMatrix factors = half_samples(design, 0, false).factors();
  for (Eigen::Index unit = 1; unit < design.units(); ++unit) {
    if (design.primary_of_unit(unit) == design.primary_of_unit(unit - 1)) {
      EXPECT_EQ(factors.row(unit), factors.row(unit - 1));
    } else if (design.stratum_of_unit(unit) == 0) {
      EXPECT_EQ(factors.row(unit), (2 - factors.row(unit - 1).array()).matrix());
    }
  }
}

TEST(HalfSamples, AreRefusedForOtherRhoAndDesigns) {
  for (const double rho : {-0.1, 1.0, 2.0, kNaN}) {
    EXPECT_THROW(half_samples(strata_of(2).design(), rho, false), std::invalid_argument);
  }
  const Sample lone{.rows = 3, .strata = {0, 0, 1}, .lonely = Lonely::kAdjust};
  EXPECT_THROW(half_samples(lone.design(), 0, false), std::invalid_argument);
}

}  // namespace
}  // namespace steelyard::testing
