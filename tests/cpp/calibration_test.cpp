#include "steelyard/calibration.hpp"

#include <gtest/gtest.h>

#include <Eigen/QR>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include "weightings.hpp"

namespace steelyard::testing {
namespace {

VectorXd calibrated(const Controls& controls, const RowMatrix& totals,
                    const Calibration::Options& options, const VectorXd& weights) {
  return Calibration(controls, totals, options).apply(before(weights), 1).weights;
}

/// Weights add up to the totals.
void expect_met(const Controls& controls, const RowMatrix& totals, const VectorXd& weights) {
  const RowMatrix found = controls.totals(weights);
  EXPECT_LE((found - totals).cwiseAbs().maxCoeff(), 1e-10 * totals.cwiseAbs().maxCoeff());
}

/// w (1 + q x^T lambda), with lambda by dense algebra.
/// @param slack by control.
VectorXd regression_weights(const MatrixXd& x, const VectorXd& weights, const VectorXd& q,
                            const VectorXd& totals, const VectorXd& slack = {}) {
  MatrixXd information = x.transpose() * weights.cwiseProduct(q).asDiagonal() * x;
  if (slack.size() > 0) {
    information.diagonal() += slack.cwiseProduct(information.diagonal()).eval();
  }
  const VectorXd lambda = information.inverse() * (totals - x.transpose() * weights);
  return weights.array() * (1 + q.array() * (x * lambda).array());
}

VectorXd ones(const Rows& rows) { return VectorXd::Ones(rows.count()); }

/// Factors of the rows that have a weight.
VectorXd factors(const VectorXd& found, const VectorXd& weights) {
  return (weights.array() > 0).select(found.array() / weights.array(), 1);
}

TEST(Calibration, OfOneMarginIsPostStratification) {
  const Rows rows = random_rows(200, 1);
  const Controls controls({rows.a}, {});
  const RowMatrix totals = (RowMatrix(1, 3) << 1500, 700, 400).finished();
  VectorXd sums = VectorXd::Zero(3);
  for (Eigen::Index row = 0; row < rows.count(); ++row) {
    sums[rows.a[row]] += rows.weights[row];
  }
  for (const Kind kind : {Kind::kLinear, Kind::kRaking, Kind::kSinh}) {
    const VectorXd found = calibrated(controls, totals, by(kind), rows.weights);
    for (Eigen::Index row = 0; row < rows.count(); ++row) {
      const std::int32_t level = rows.a[row];
      EXPECT_NEAR(found[row], rows.weights[row] * totals(0, level) / sums[level], 1e-10) << row;
    }
  }
}

TEST(Calibration, ByTheLinearDistanceIsRegression) {
  const Rows rows = random_rows(150, 2);
  const Controls controls = rows.columns();
  const RowMatrix totals = near_totals(controls, rows.weights, .2, 3);
  const Adjusted result =
      Calibration(controls, totals, by(Kind::kLinear)).apply(before(rows.weights), 1);
  expect_near(result.weights,
              regression_weights(dense(controls), rows.weights, ones(rows), totals.transpose()),
              1e-9);
  expect_near(result.totals, totals.transpose(), 1e-9);
  EXPECT_LE(result.largest_error, 1e-12);
}

TEST(Calibration, MovesRowsByTheirScale) {
  const Rows rows = random_rows(150, 4);
  const Controls controls = rows.columns();
  const RowMatrix totals = near_totals(controls, rows.weights, .2, 5);
  Calibration::Options options = by(Kind::kLinear);
  options.scale = column_of(rows.q.cwiseInverse());
  expect_near(calibrated(controls, totals, options, rows.weights),
              regression_weights(dense(controls), rows.weights, rows.q, totals.transpose()), 1e-9);
}

// Deming & Stephan (1940).
TEST(Calibration, ByTheRakingDistanceIsIterativeProportionalFitting) {
  const Rows rows = random_rows(200, 6);
  const RowMatrix totals = (RowMatrix(1, 5) << 900, 800, 600, 1000, 1300).finished();
  VectorXd expected = rows.weights;
  for (int i = 0; i < 200; ++i) {
    for (const auto& [margin, at] : {std::pair(rows.a, 0), std::pair(rows.b, 3)}) {
      VectorXd sums = VectorXd::Zero(margin.levels());
      for (Eigen::Index row = 0; row < rows.count(); ++row) {
        sums[margin[row]] += expected[row];
      }
      for (Eigen::Index row = 0; row < rows.count(); ++row) {
        expected[row] *= totals(0, at + margin[row]) / sums[margin[row]];
      }
    }
  }
  expect_near(calibrated({{rows.a, rows.b}, {}}, totals, by(Kind::kRaking), rows.weights), expected,
              1e-9);
}

/// u of a factor, where x^T lambda moves it.
using Inverse = std::function<double(double)>;

double logit_score(double g, double low, double high) {
  const double steep = (high - low) / ((1 - low) * (high - 1));
  return (std::log((g - low) / (1 - low)) - std::log((high - g) / (high - 1))) / steep;
}

// Weights by any distance meet the totals, and their scores lie in the space of the controls: these
// are the conditions of the smallest distance (Deville & Särndal 1992, section 2).
TEST(Calibration, IsAsNearAsMayBe) {
  const Rows rows = random_rows(200, 7);
  const Controls controls = rows.columns();
  const RowMatrix totals = near_totals(controls, rows.weights, .15, 8);
  const std::vector<std::pair<Calibration::Options, Inverse>> all{
      {by(Kind::kRaking), [](double g) { return std::log(g); }},
      {by(Kind::kSinh), [](double g) { return std::sinh(g - 1 / g) / 2; }},
      {by(Kind::kLogit, {.4, 2.2}), [](double g) { return logit_score(g, .4, 2.2); }}};
  for (auto [options, inverse] : all) {
    options.scale = column_of(rows.q.cwiseInverse());
    const VectorXd found = calibrated(controls, totals, options, rows.weights);
    expect_met(controls, totals, found);
    VectorXd score = factors(found, rows.weights).unaryExpr(inverse).cwiseQuotient(rows.q);
    MatrixXd x = dense(controls);
    for (Eigen::Index row = 0; row < rows.count(); ++row) {
      if (rows.weights[row] == 0) {
        x.row(row).setZero();
      }
    }
    EXPECT_GT(score.norm(), .1);
    const VectorXd lambda = x.householderQr().solve(score);
    EXPECT_LE((x * lambda - score).norm(), 1e-8 * score.norm());
  }
}

/// The conditions of least squares within bounds of each row's factor: scores of those inside are
/// x^T lambda, and of those at a bound lie beyond it.
void expect_least_squares(const MatrixXd& x, const VectorXd& factor, const VectorXd& low,
                          const VectorXd& high) {
  std::vector<Eigen::Index> inside;
  for (Eigen::Index row = 0; row < factor.size(); ++row) {
    EXPECT_GE(factor[row], low[row] * (1 - 1e-12));
    EXPECT_LE(factor[row], high[row] * (1 + 1e-12));
    if (factor[row] > low[row] + 1e-9 && factor[row] < high[row] - 1e-9) {
      inside.push_back(row);
    }
  }
  ASSERT_GT(inside.size(), 10U);
  ASSERT_LT(static_cast<Eigen::Index>(inside.size()), factor.size() - 4);
  const MatrixXd own = x(inside, Eigen::all);
  const VectorXd score = factor(inside).array() - 1;
  const VectorXd lambda = own.householderQr().solve(score);
  EXPECT_LE((own * lambda - score).norm(), 1e-8 * score.norm());
  const VectorXd wanted = (x * lambda).array() + 1;
  expect_near(factor, wanted.cwiseMax(low).cwiseMin(high), 1e-8);
}

Rows rows_with_weights(Eigen::Index count, std::uint64_t seed) {
  Rows rows = random_rows(count, seed);
  rows.weights = rows.weights.cwiseMax(5);
  return rows;
}

TEST(Calibration, KeepsFactorsWithinBounds) {
  const Rows rows = rows_with_weights(150, 9);
  const Controls controls = rows.columns();
  const RowMatrix totals = near_totals(controls, rows.weights, .2, 10);
  const VectorXd found = calibrated(controls, totals, by(Kind::kLinear, {.8, 1.25}), rows.weights);
  expect_met(controls, totals, found);
  expect_least_squares(dense(controls), found.cwiseQuotient(rows.weights), .8 * ones(rows),
                       1.25 * ones(rows));
}

TEST(Calibration, KeepsWeightsWithinBounds) {
  const Rows rows = rows_with_weights(150, 11);
  const Controls controls = rows.columns();
  const RowMatrix totals = near_totals(controls, rows.weights, .1, 12);
  Calibration::Options options = by(Kind::kLinear, {4.8, 20.5});
  options.bounds_on_weights = true;
  const VectorXd found = calibrated(controls, totals, options, rows.weights);
  expect_met(controls, totals, found);
  const VectorXd inverse = rows.weights.cwiseInverse();
  expect_least_squares(dense(controls), found.cwiseProduct(inverse), 4.8 * inverse, 20.5 * inverse);
}

TEST(Calibration, DoesNotMindControlsThatOthersGive) {
  const Rows rows = random_rows(200, 13);
  const Controls few({rows.a}, {column_of(rows.x)});
  const Controls many({rows.a, rows.b}, {column_of(rows.x), rows.one(), column_of(-3 * rows.x)});
  const RowMatrix all = near_totals(few, rows.weights, .1, 14);
  const VectorXd target = calibrated(few, all, by(Kind::kRaking), rows.weights);
  const RowMatrix totals = many.totals(target);
  const VectorXd found = calibrated(many, totals, by(Kind::kRaking), rows.weights);
  expect_met(many, totals, found);
  expect_near(found, target, 1e-8);  // which b does not move
}

TEST(Calibration, MissesTotalsByTheirSlack) {
  const Rows rows = random_rows(150, 15);
  const Controls controls = rows.columns();
  const RowMatrix totals = near_totals(controls, rows.weights, .3, 16);
  Calibration::Options options = by(Kind::kLinear);
  options.slack = vector_of({0, .1, 2});
  options.scale = column_of(rows.q.cwiseInverse());
  const VectorXd found = calibrated(controls, totals, options, rows.weights);
  expect_near(
      found,
      regression_weights(dense(controls), rows.weights, rows.q, totals.transpose(), options.slack),
      1e-9);
  const RowMatrix sums = controls.totals(found);
  EXPECT_NEAR(sums(0, 0) / totals(0, 0), 1, 1e-12);
  EXPECT_GT(std::abs(sums(0, 1) / totals(0, 1) - 1), 1e-4);
}

// Lemaître & Dufour (1987): all of a cluster take the weighted mean of its controls.
TEST(Calibration, OfClustersGivesAllTheirRowsOneFactor) {
  const Rows rows = rows_with_weights(150, 17);
  Labels cluster;
  for (std::int32_t row = 0; row < 150; ++row) {
    cluster.push_back(row * 7 % 40);
  }
  const Controls controls({rows.b}, {column_of(rows.x)});
  const RowMatrix totals = near_totals(controls, rows.weights, .1, 18);
  Calibration::Options options = by(Kind::kLinear);
  options.clusters = codes(cluster);
  MatrixXd mean = MatrixXd::Zero(40, 3);
  VectorXd weight = VectorXd::Zero(40);
  const MatrixXd x = dense(controls);
  for (Eigen::Index row = 0; row < 150; ++row) {
    mean.row(cluster[static_cast<std::size_t>(row)]) += rows.weights[row] * x.row(row);
    weight[cluster[static_cast<std::size_t>(row)]] += rows.weights[row];
  }
  mean = weight.cwiseInverse().asDiagonal() * mean;
  const VectorXd factor = regression_weights(mean, weight, VectorXd::Ones(40), totals.transpose())
                              .cwiseQuotient(weight);
  for (const Kind kind : {Kind::kLinear, Kind::kRaking}) {
    options.distance = Distance(kind, {});
    const VectorXd found = calibrated(controls, totals, options, rows.weights);
    expect_met(controls, totals, found);
    for (std::size_t row = 0; row < 150; ++row) {
      const auto i = static_cast<Eigen::Index>(row);
      const double own = found[i] / rows.weights[i];
      EXPECT_NEAR(own, found[cluster[row] * 23 % 40] / rows.weights[cluster[row] * 23 % 40], 1e-12);
      if (kind == Kind::kLinear) {
        EXPECT_NEAR(own, factor[cluster[row]], 1e-11);
      }
    }
  }
}

TEST(Calibration, OfGroupsIsThatOfEachApart) {
  const Rows rows = random_rows(200, 19);
  Labels group;
  for (Eigen::Index row = 0; row < 200; ++row) {
    group.push_back(row < 8 ? Codes::kNone : rows.group[row]);
  }
  const Controls controls = rows.columns(Codes(group, 2));
  const RowMatrix totals = near_totals(controls, rows.weights, .1, 20);
  for (const Kind kind : {Kind::kLinear, Kind::kRaking, Kind::kSinh}) {
    const VectorXd found = calibrated(controls, totals, by(kind), rows.weights);
    EXPECT_EQ(found.head(8), rows.weights.head(8));  // which have no group
    for (std::int32_t g = 0; g < 2; ++g) {
      std::vector<Eigen::Index> own;
      for (Eigen::Index row = 0; row < 200; ++row) {
        if (group[static_cast<std::size_t>(row)] == g) {
          own.push_back(row);
        }
      }
      const Controls apart(
          {}, {column_of(ones(rows)(own)), column_of(rows.x(own)), column_of(rows.z(own))});
      expect_near(found(own), calibrated(apart, totals.row(g), by(kind), rows.weights(own)), 1e-9);
    }
  }
}

// Weighting classes: those who responded stand for all of their class.
TEST(Calibration, ToTotalsOfTheSampleGivesItsWeightToTheOthers) {
  const Rows rows = random_rows(200, 21);
  Flags stands = rows.responded;
  VectorXd all = VectorXd::Zero(3);
  VectorXd responding = VectorXd::Zero(3);
  for (std::size_t row = 0; row < 200; ++row) {
    const auto i = static_cast<Eigen::Index>(row);
    stands[row] = rows.responded[row] & rows.eligible[row];
    all[rows.a[i]] += rows.eligible[row] * rows.weights[i];
    responding[rows.a[i]] += stands[row] * rows.weights[i];
  }
  const Calibration classes(Controls({rows.a}, {}), stands, rows.eligible, by(Kind::kRaking));
  const VectorXd found = classes.apply(before(rows.weights), 1).weights;
  for (std::size_t row = 0; row < 200; ++row) {
    const auto i = static_cast<Eigen::Index>(row);
    const double factor =
        rows.eligible[row] == 0 ? 1 : stands[row] * all[rows.a[i]] / responding[rows.a[i]];
    EXPECT_NEAR(found[i], rows.weights[i] * factor, 1e-10) << row;
  }
}

TEST(Calibration, ReplaysWhatItApplies) {
  const Rows rows = random_rows(150, 22);
  const Controls controls = rows.columns(rows.group);
  const RowMatrix totals = near_totals(controls, rows.weights, .1, 23);
  const Calibration step(controls, totals, by(Kind::kLogit, {.3, 3}));
  const VectorXd others = rows.weights.cwiseProduct(rows.q);
  EXPECT_TRUE(same_bits(step.replay(before(others), 1), step.apply(before(others), 1).weights));
  for (const int threads : {2, 3, 8}) {
    EXPECT_TRUE(same_bits(step.replay(before(others), threads), step.replay(before(others), 1)));
  }
}

}  // namespace
}  // namespace steelyard::testing
