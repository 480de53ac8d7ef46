#include "steelyard/weighting.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "replicates.hpp"
#include "responses.hpp"
#include "steelyard/half_samples.hpp"
#include "steelyard/jackknife.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/projection.hpp"
#include "steelyard/quantile.hpp"
#include "steelyard/trimming.hpp"
#include "weightings.hpp"

namespace steelyard::testing {
namespace {

AdjustmentPtr raking(const Rows& rows, const VectorXd& weights) {
  const Controls controls({rows.a, rows.b}, {});
  return calibration(controls, near_totals(controls, weights, .2, 41), by(Kind::kRaking));
}
AdjustmentPtr regression(const Rows& rows, const VectorXd& weights) {
  const Controls controls = rows.columns(rows.group);
  return calibration(controls, near_totals(controls, weights, .1, 42), by(Kind::kLinear));
}

const Trimming::Options kTrimming = [] {
  Trimming::Options options;
  options.high = 30;
  return options;
}();

/// Nonresponse, raking, trimming and regression.
Weighting four_steps(const Rows& rows, int threads = 1) {
  Weighting weighting(rows.weights);
  weighting = weighting.with(propensity(rows), threads);
  weighting = weighting.with(raking(rows, weighting.weights()), threads);
  weighting = weighting.with(std::make_shared<Trimming>(rows.count(), kTrimming), threads);
  return weighting.with(regression(rows, weighting.weights()), threads);
}

TEST(Weighting, ReplaysAllSteps) {
  const Rows rows = random_rows(200, 1);
  const Weighting weighting = four_steps(rows);
  EXPECT_TRUE(same_bits(weighting.replay(rows.weights, 1), weighting.weights()));
  for (std::size_t k = 1; k < 4; ++k) {  // every step does something
    EXPECT_GT((weighting.step(k).weights - weighting.step(k - 1).weights).norm(), 1);
  }
  const VectorXd others = rows.weights.cwiseProduct(rows.q);
  const VectorXd found = weighting.replay(others, 1);
  const Controls controls = rows.columns(rows.group);
  EXPECT_LE((controls.totals(found) - controls.totals(weighting.weights())).norm(), 1e-8);
  EXPECT_GT((found - weighting.weights()).norm(), 1);
}

TEST(Weighting, KeepsEachStep) {
  const Rows rows = random_rows(200, 2);
  const Weighting none(rows.weights);
  const Weighting one = none.with(propensity(rows), 1);
  const Weighting two = one.with(raking(rows, one.weights()), 1);
  EXPECT_EQ(none.steps(), 0U);
  EXPECT_EQ(none.weights(), rows.weights);
  ASSERT_EQ(one.steps(), 1U);
  EXPECT_EQ(one.weights(), one.step(0).weights);
  ASSERT_EQ(two.steps(), 2U);
  EXPECT_EQ(two.step(0).weights, one.weights());
  EXPECT_EQ(two.step(1).weights, two.weights());
  EXPECT_EQ(two.base(), rows.weights);
  EXPECT_THROW(none.step(0), std::out_of_range);
  EXPECT_THROW(two.step(2), std::out_of_range);
  const Weighting branch = one.with(regression(rows, one.weights()), 1);
  EXPECT_EQ(branch.step(0).weights, two.step(0).weights);
  EXPECT_NE(branch.weights(), two.weights());
}

TEST(Weighting, RefusesBaseWeightsThatAreNone) {
  for (const VectorXd& base : {VectorXd(), vector_of({0, 0}), vector_of({1, -1}),
                               vector_of({1, kNaN}), vector_of({1, kInfinity})}) {
    EXPECT_THROW(Weighting{base}, std::invalid_argument);
  }
}

/// A sample in strata and clusters, weighted in four steps.
class WeightedSurvey : public ::testing::Test {
 protected:
  Rows rows_ = random_rows(240, 3);
  Sample sample_ = [this] {
    Sample sample{.rows = 240, .weights = values_of(rows_.weights)};
    for (std::int32_t row = 0; row < 240; ++row) {
      sample.strata.push_back(row % 3);
      sample.units.push_back(row % 24);
    }
    return sample;
  }();
  Design base_ = sample_.design();
  Weighting weighting_ = four_steps(rows_);
  Design design_ = base_.with_weighting(weighting_);
  Domains domains_{rows_.b};
  std::vector<EstimatorPtr> estimators_{total(column(rows_.y)), mean(column(rows_.y)),
                                        proportion(rows_.a, MatrixXd::Identity(2, 3))};

  Design with_weights(const VectorXd& weights) const {
    Sample sample = sample_;
    sample.weights = values_of(weights);
    return sample.design();
  }
};

TEST_F(WeightedSurvey, HasTheWeightsOfItsLastStep) {
  VectorXd room(240);
  const double* found = design_.weights(0, 240, room.data());
  EXPECT_EQ((Eigen::Map<const VectorXd>(found, 240)), weighting_.weights());
  EXPECT_EQ(estimate(design_, kSample, domains_, estimators_).estimates.values,
            estimate(with_weights(weighting_.weights()), kSample, domains_, estimators_)
                .estimates.values);
  EXPECT_EQ(base_.weighting(), nullptr);
  ASSERT_NE(design_.weighting(), nullptr);
  EXPECT_EQ(design_.weighting()->weighting().weights(), weighting_.weights());
}

TEST_F(WeightedSurvey, StartsFromTheWeightsOfTheDesign) {
  VectorXd other = rows_.weights;
  other[100] += 1e-9;
  EXPECT_THROW(base_.with_weighting(Weighting(other)), std::invalid_argument);
  EXPECT_THROW(base_.with_weighting(Weighting(VectorXd::Ones(239))), std::invalid_argument);
  EXPECT_THROW(design_.with_weighting(weighting_), std::invalid_argument);
}

// The sum of what a calibration meets is known.
TEST_F(WeightedSurvey, IsCertainOfTotalsThatAreMet) {
  const std::vector<EstimatorPtr> met{total(column_of(rows_.x)), total(column_of(rows_.z))};
  for (const Design& design : {design_, design_.with_replicates(jackknife(base_, false))}) {
    const Estimated found = estimate(design, kSample, {rows_.group}, met);
    const Estimated before = estimate(base_, kSample, {rows_.group}, met);
    for (Eigen::Index j = 0; j < 4; ++j) {
      EXPECT_LE(se(found, j), 1e-9 * se(before, j));
    }
  }
}

// Särndal, Swensson & Wretman (1992), section 7.6: residuals are from the means of post-strata.
TEST_F(WeightedSurvey, PostStratifiedDeviatesByDistancesFromMeans) {
  Values y = rows_.y;
  std::replace_if(y.begin(), y.end(), [](double v) { return std::isnan(v); }, 2.5);
  const Controls controls({rows_.a}, {});
  const RowMatrix totals = (RowMatrix(1, 3) << 1500, 700, 400).finished();
  const Weighting weighting =
      Weighting(rows_.weights).with(calibration(controls, totals, by(Kind::kLinear)), 1);
  VectorXd sums = VectorXd::Zero(3);
  VectorXd means = VectorXd::Zero(3);
  for (Eigen::Index row = 0; row < 240; ++row) {
    sums[rows_.a[row]] += rows_.weights[row];
    means[rows_.a[row]] += rows_.weights[row] * y[static_cast<std::size_t>(row)];
  }
  means = means.cwiseQuotient(sums).eval();
  for (const bool clustered : {true, false}) {
    Sample sample = sample_;
    sample.units = clustered ? sample.units : Labels();
    RowMatrix residuals = RowMatrix::Zero(clustered ? 24 : 240, 1);
    for (Eigen::Index row = 0; row < 240; ++row) {
      const std::int32_t level = rows_.a[row];
      residuals(clustered ? row % 24 : row) += rows_.weights[row] * totals(0, level) / sums[level] *
                                               (y[static_cast<std::size_t>(row)] - means[level]);
    }
    const Design design = sample.design();
    const Estimated found = estimate_all(design.with_weighting(weighting), {total(column(y))});
    EXPECT_NEAR(found.estimates.values[0], totals.row(0).dot(means), 1e-9);
    EXPECT_LE((found.estimates.deviations.matrix - design.deviate(residuals)).norm(),
              1e-11 * se(found));
  }
}

// The same, of a sample whose weights are those of its fractions.
TEST(Weighting, OfThreeStagesDeviatesByDistancesFromMeans) {
  const Design design = three_stages();
  VectorXd base(design.rows());
  VectorXd room(design.rows());
  base = Eigen::Map<const VectorXd>(design.weights(0, design.rows(), room.data()), design.rows());
  const Codes level = codes([&] {
    Labels labels;
    for (std::int32_t row = 0; row < design.rows(); ++row) {
      labels.push_back(row * 5 % 7 % 2);
    }
    return labels;
  }());
  const VectorXd y = VectorXd::LinSpaced(design.rows(), 1, 9).array().square();
  VectorXd sums = VectorXd::Zero(2);
  VectorXd means = VectorXd::Zero(2);
  for (Eigen::Index row = 0; row < design.rows(); ++row) {
    sums[level[row]] += base[row];
    means[level[row]] += base[row] * y[row];
  }
  means = means.cwiseQuotient(sums).eval();
  const RowMatrix totals = (RowMatrix(1, 2) << 150, 60).finished();
  RowMatrix residuals(design.rows(), 1);
  for (Eigen::Index row = 0; row < design.rows(); ++row) {
    residuals(row, 0) =
        base[row] * totals(0, level[row]) / sums[level[row]] * (y[row] - means[level[row]]);
  }
  const Weighting weighting =
      Weighting(base).with(calibration(Controls({level}, {}), totals, by(Kind::kRaking)), 1);
  const Estimated found = estimate_all(design.with_weighting(weighting), {total(column_of(y))});
  ASSERT_TRUE(design.rows_are_units());
  EXPECT_LE((found.estimates.deviations.matrix - design.deviate(residuals)).norm(),
            1e-10 * se(found));
}

// Each replicate's estimates are those of a sample with its weights, brought through all steps.
TEST_F(WeightedSurvey, ReplaysItsStepsUnderEachReplicate) {
  const Replicates made = jackknife(base_, true);
  const Design plain = base_.with_replicates(made);
  const std::vector<Replicates> all{
      made, Replicates::of_rows(supplied(plain, true), true, rule_of(made)),
      Replicates::of_rows(supplied(plain, false), false, rule_of(made))};
  for (const Replicates& replicates : all) {
    const Design replicated = design_.with_replicates(replicates);
    Quantiles::Options options;
    options.errors = QuantileErrors::kReplicates;
    const Quantiles median(replicated, domains_, column(rows_.y), {.5}, options);
    std::vector<EstimatorPtr> estimators = estimators_;
    estimators.push_back(median.estimator());
    const Estimated found = estimate(replicated, kSample, domains_, estimators, 1);
    const RowMatrix& deviations = found.estimates.deviations.matrix;
    ASSERT_EQ(deviations.rows(), made.count());
    for (Eigen::Index r = 0; r < made.count(); ++r) {
      VectorXd weights = rows_.weights;
      for (Eigen::Index row = 0; row < 240; ++row) {
        weights[row] *= made.factors()(row % 24, r);
      }
      const Design own = with_weights(weighting_.replay(weights, 1));
      const Quantiles again(own, domains_, column(rows_.y), {.5}, {});
      estimators.back() = again.estimator();
      const VectorXd moved =
          estimate(own, kSample, domains_, estimators, 1).estimates.values - found.estimates.values;
      expect_near(deviations.row(r).transpose(), std::sqrt(made.scale(r)) * moved, 1e-7);
    }
  }
}

// Those of the first level are units 0 and 2, both of which some half-samples leave out.
TEST(Weighting, LeavesOutReplicatesWithoutASolution) {
  const Design design = Sample{.rows = 6, .strata = {0, 0, 1, 1, 2, 2}}.design();
  const Replicates halves = half_samples(design, 0, true);
  std::int64_t without = 0;
  for (Eigen::Index r = 0; r < halves.count(); ++r) {
    without += halves.factors()(0, r) == 0 && halves.factors()(2, r) == 0 ? 1 : 0;
  }
  ASSERT_GT(without, 0);
  ASSERT_LT(without, halves.count() - 1);
  const Controls controls({codes({0, 1, 0, 1, 1, 1})}, {});
  const RowMatrix totals = (RowMatrix(1, 2) << 6, 4).finished();
  const Weighting weighting =
      Weighting(VectorXd::Ones(6)).with(calibration(controls, totals, by(Kind::kLinear)), 1);
  const Values y{2, 3, 5, 7, 11, 13};
  const Design weighted = design.with_weighting(weighting).with_replicates(halves);
  const Estimated found = estimate_all(weighted, {total(column(y)), mean(column(y))});
  EXPECT_EQ(found.left_out, (std::vector<std::int64_t>{without, without}));
  double variance = 0;
  for (Eigen::Index r = 0; r < halves.count(); ++r) {
    const VectorXd f = halves.factors().col(r);
    if (f[0] + f[2] > 0) {
      const double first = (2 * f[0] + 5 * f[2]) / (f[0] + f[2]);
      const double second =
          (3 * f[1] + 7 * f[3] + 11 * f[4] + 13 * f[5]) / (f[1] + f[3] + f[4] + f[5]);
      const double moved = 6 * first + 4 * second - (6 * 3.5 + 4 * 8.5);
      variance += halves.scale(r) * moved * moved;
    }
  }
  EXPECT_NEAR(se(found), std::sqrt(variance), 1e-12);
}

// So many rows are summed in several segments.
TEST(Weighting, DoesNotDependOnTheNumberOfThreads) {
  constexpr Eigen::Index kRows = (1 << 16) + 77;
  const Rows rows = random_rows(kRows, 5);
  ASSERT_GT(segment_count(kRows, 3 * 2 * 2 * 8), 1);
  const Weighting one = four_steps(rows, 1);
  const std::vector<EstimatorPtr> estimators{total(column(rows.y)), mean(column(rows.y)),
                                             proportion(rows.a, MatrixXd::Identity(2, 3))};
  for (const bool clustered : {false, true}) {
    Sample sample{.rows = kRows, .weights = values_of(rows.weights)};
    for (std::int32_t row = 0; clustered && row < kRows; ++row) {
      sample.units.push_back(row % 50);
    }
    const Design design = sample.design().with_weighting(one);
    const Estimated found = estimate(design, kSample, {rows.b}, estimators, 1);
    for (const int threads : {2, 3, 8}) {
      const Weighting more = four_steps(rows, threads);
      EXPECT_TRUE(same_bits(more.weights(), one.weights()));
      const Estimated again =
          estimate(sample.design().with_weighting(more), kSample, {rows.b}, estimators, threads);
      EXPECT_TRUE(same_bits(again.estimates.values, found.estimates.values));
      EXPECT_TRUE(same_bits(again.estimates.deviations.matrix, found.estimates.deviations.matrix));
    }
  }
}

}  // namespace
}  // namespace steelyard::testing
