#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "samples.hpp"
#include "steelyard/calibration.hpp"
#include "steelyard/controls.hpp"
#include "steelyard/error.hpp"
#include "steelyard/weighting.hpp"

/// Samples to be weighted, and dense algebra to compare with.
namespace steelyard::testing {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Problem = WeightingError::Problem;
using Kind = Distance::Kind;
using Flags = std::vector<std::uint8_t>;

inline VectorXd vector_of(const Values& values) {
  return Eigen::Map<const VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
}
inline Values values_of(const VectorXd& vector) { return {vector.begin(), vector.end()}; }
inline Column column_of(const VectorXd& vector, std::string name = "x") {
  return column(values_of(vector), std::move(name));
}

/// Weights before a first step, each row once.
inline Before before(const VectorXd& weights) { return {weights, {}, weights}; }

inline void expect_near(const VectorXd& found, const VectorXd& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (Eigen::Index i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], tolerance) << "at " << i;
  }
}

/// The error that something ends with.
template <typename Act>
WeightingError weighting_error(const Act& act) {
  try {
    act();
  } catch (const WeightingError& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown, or something else");
}

/// Controls of all rows, those of a row's group in columns of their own: rows x (groups * width).
inline MatrixXd dense(const Controls& controls) {
  RowMatrix x(controls.rows(), controls.width());
  controls.read(0, controls.rows(), x);
  MatrixXd result = MatrixXd::Zero(controls.rows(), controls.groups() * controls.width());
  for (Eigen::Index row = 0; row < controls.rows(); ++row) {
    if (const std::int32_t g = controls.group(row); g >= 0) {
      result.row(row).segment(g * controls.width(), controls.width()) = x.row(row);
    }
  }
  return result;
}

/// Totals of a population that the sample is not like: of weights that are off by at most a share.
inline RowMatrix near_totals(const Controls& controls, const VectorXd& weights, double share,
                             std::uint64_t seed) {
  Random random(seed);
  RowMatrix b(controls.groups(), controls.width());
  for (double& coefficient : b.reshaped()) {
    coefficient = random.normal();
  }
  VectorXd score = controls.scores(b);
  score.array() -= score.mean();
  score /= score.norm() / std::sqrt(static_cast<double>(score.size()));
  return controls.totals(weights.array() * (1 + share * (2 * score.array()).tanh()));
}

/// What is known of the rows of a sample: weights, of which some are 0, categories and numbers.
struct Rows {
  VectorXd weights;
  Codes a;      ///< of three
  Codes b;      ///< of two
  Codes group;  ///< of two
  VectorXd x;
  VectorXd z;
  VectorXd q;  ///< between 1/2 and 2
  Values y;    ///< of which some are missing
  Flags responded;
  Flags eligible;

  Eigen::Index count() const { return weights.size(); }
  Column one() const { return column_of(VectorXd::Ones(count()), "1"); }
  Controls columns(Codes groups = Codes()) const {
    return {{}, {one(), column_of(x, "x"), column_of(z, "z")}, std::move(groups)};
  }
};

inline Rows random_rows(Eigen::Index count, std::uint64_t seed) {
  Random random(seed);
  Rows rows{.weights = VectorXd(count),
            .a = {},
            .b = {},
            .group = {},
            .x = VectorXd(count),
            .z = VectorXd(count),
            .q = VectorXd(count),
            .y = {},
            .responded = {},
            .eligible = {}};
  Labels a;
  Labels b;
  Labels group;
  for (Eigen::Index i = 0; i < count; ++i) {
    rows.weights[i] = random.uniform() < 0.03 ? 0 : random.uniform(5, 20);
    a.push_back(random.below(3));
    b.push_back(random.below(2));
    group.push_back(random.below(2));
    rows.x[i] = random.uniform(1, 4);
    rows.z[i] = random.normal() + b.back();
    rows.q[i] = random.uniform(.5, 2);
    rows.y.push_back(random.uniform() < 0.05 ? kNaN : 3 * rows.x[i] + a.back() + random.normal());
    rows.eligible.push_back(random.uniform() < 0.9 ? 1 : 0);
    rows.responded.push_back(random.uniform() < 0.45 + 0.1 * rows.x[i] ? 1 : 0);
  }
  rows.a = Codes(std::move(a), 3);
  rows.b = Codes(std::move(b), 2);
  rows.group = Codes(std::move(group), 2);
  return rows;
}

/// Options of a calibration by a distance, whose errors are its derivative.
inline Calibration::Options by(Kind kind, const Distance::Bounds& bounds = {}) {
  Calibration::Options options;
  options.distance = Distance(kind, bounds);
  options.residuals = Calibration::Residuals::kDerivative;
  return options;
}

inline AdjustmentPtr calibration(const Controls& controls, const RowMatrix& totals,
                                 const Calibration::Options& options) {
  return std::make_shared<Calibration>(controls, totals, options);
}

}  // namespace steelyard::testing
