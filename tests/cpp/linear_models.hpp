#pragma once

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <vector>

#include "samples.hpp"
#include "steelyard/bias_reduction.hpp"

/// Linear regressions, and the formulas of bias-reduced linearisation as papers print them: with
/// matrices of rows x rows, in more than double precision where there is any.
namespace steelyard::testing {

using Eigen::MatrixXd;
using Eigen::VectorXd;

inline void expect_relative(const VectorXd& values, const VectorXd& expected,
                            double tolerance = 1e-11) {
  ASSERT_EQ(values.size(), expected.size());
  for (Eigen::Index j = 0; j < values.size(); ++j) {
    EXPECT_NEAR(values[j] / expected[j], 1, tolerance) << j;
  }
}

/// A linear regression on a constant and some columns.
struct Linear {
  Sample sample;
  Values y;
  std::vector<Values> columns;
  Domains domains = {};

  ModelMatrix matrix() const {
    std::vector<ModelMatrix::Factor> factors;
    std::vector<ModelMatrix::Product> products{{"1", {}}};
    for (const Values& values : columns) {
      products.push_back({"x", {static_cast<int>(factors.size())}});
      factors.push_back({column(values, "x"), {}, {}});
    }
    return {sample.rows, factors, products};
  }
  Regression fit() const {
    return fit_regression(sample.design(), domains, matrix(), column(y), {.threads = 1});
  }
  BiasReduced reduce(const BiasReductionOptions& options = {},
                     const MatrixXd& combinations = {}) const {
    return reduce_bias(fit(), sample.design(), kSample, domains, options, combinations);
  }
};

using Wide = long double;
using WideMatrix = Eigen::Matrix<Wide, Eigen::Dynamic, Eigen::Dynamic>;
using WideVector = Eigen::Matrix<Wide, Eigen::Dynamic, 1>;

/// The formulas with matrices of rows x rows.
struct Dense {
  WideMatrix scores;            // units x coefficients
  std::vector<WideMatrix> map;  // of each coefficient: units x rows, with scores = map * y
  WideMatrix root;              // from units' scores to deviations

  WideMatrix deviations() const { return root * scores; }
  WideVector degrees_of_freedom() const {
    WideVector result(scores.cols());
    for (Eigen::Index j = 0; j < result.size(); ++j) {
      const WideMatrix deviate = root * map[static_cast<std::size_t>(j)];
      const WideMatrix g = deviate * deviate.transpose();
      result[j] = g.trace() * g.trace() / g.squaredNorm();
    }
    return result;
  }
};

inline WideMatrix inverse_root(const WideMatrix& b) {
  const Eigen::SelfAdjointEigenSolver<WideMatrix> eigen(b);
  const WideVector power =
      eigen.eigenvalues().unaryExpr([](Wide v) { return v > 1e-12 ? 1 / std::sqrt(v) : Wide(0); });
  return eigen.eigenvectors() * power.asDiagonal() * eigen.eigenvectors().transpose();
}

/// Centred within strata, with fractions as they are in `fpc`.
inline WideMatrix dense_root(const Sample& sample, Eigen::Index units, bool centred) {
  WideMatrix root = WideMatrix::Zero(units, units);
  std::vector<std::int32_t> stratum(static_cast<std::size_t>(units), 0);
  WideVector fraction = WideVector::Zero(units);
  for (std::size_t row = 0; row < sample.units.size(); ++row) {
    const auto unit = static_cast<std::size_t>(sample.units[row]);
    stratum[unit] = sample.strata.empty() ? 0 : sample.strata[row];
    fraction[sample.units[row]] = sample.fpc.empty() ? 0 : sample.fpc[row];
  }
  for (Eigen::Index i = 0; i < units; ++i) {
    const std::int32_t h = stratum[static_cast<std::size_t>(i)];
    const auto n = static_cast<Wide>(std::count(stratum.begin(), stratum.end(), h));
    for (Eigen::Index j = 0; j < units; ++j) {
      const bool same = centred && stratum[static_cast<std::size_t>(j)] == h;
      root(i, j) = (i == j ? Wide(1) : Wide(0)) - (same ? 1 / n : Wide(0));
    }
    root.row(i) *= std::sqrt((1 - fraction[i]) * (centred ? n / (n - 1) : Wide(1)));
  }
  return root;
}

inline Dense dense(const Linear& model, bool inverse_to_weight, bool centred) {
  const Sample& sample = model.sample;
  const Eigen::Index n = sample.rows;
  WideMatrix x = WideMatrix::Ones(n, 1 + static_cast<Eigen::Index>(model.columns.size()));
  WideVector w(n);
  for (Eigen::Index row = 0; row < n; ++row) {
    const auto at = static_cast<std::size_t>(row);
    for (std::size_t j = 0; j < model.columns.size(); ++j) {
      x(row, static_cast<Eigen::Index>(j) + 1) = model.columns[j][at];
    }
    w[row] = sample.weight(row);
  }
  WideVector y = Eigen::Map<const VectorXd>(model.y.data(), n).cast<Wide>();
  if (inverse_to_weight) {
    x = w.cwiseSqrt().asDiagonal() * x;
    y = w.cwiseSqrt().asDiagonal() * y;
    w.setOnes();
  }
  const WideMatrix bread = (x.transpose() * w.asDiagonal() * x).inverse();
  const WideMatrix rest = WideMatrix::Identity(n, n) - x * bread * x.transpose() * w.asDiagonal();
  const Eigen::Index units = *std::max_element(sample.units.begin(), sample.units.end()) + 1;
  Dense result{WideMatrix(units, x.cols()),
               std::vector<WideMatrix>(static_cast<std::size_t>(x.cols()), WideMatrix(units, n)),
               dense_root(sample, units, centred)};
  for (std::int32_t unit = 0; unit < units; ++unit) {
    std::vector<Eigen::Index> rows;
    for (Eigen::Index row = 0; row < n; ++row) {
      if (sample.units[static_cast<std::size_t>(row)] == unit) {
        rows.push_back(row);
      }
    }
    const WideMatrix mine = rest(rows, Eigen::indexing::all);
    const WideMatrix score = bread * x(rows, Eigen::indexing::all).transpose() *
                             WideVector(w(rows)).asDiagonal() *
                             inverse_root(mine * mine.transpose()) * mine;
    for (Eigen::Index j = 0; j < x.cols(); ++j) {
      result.map[static_cast<std::size_t>(j)].row(unit) = score.row(j);
    }
    result.scores.row(unit) = (score * y).transpose();
  }
  return result;
}

/// Units of one to many rows in three strata, in no order; effects of units; x varies in units and
/// between them, z is an indicator of some.
inline Linear random_model(std::uint64_t seed, bool equal_weights, bool stratified) {
  constexpr std::int32_t kUnits = 11;
  Random random(seed);
  Linear model{{.rows = 60}, {}, {{}, {}}};
  for (std::int32_t row = 0; row < 60; ++row) {
    const std::int32_t unit = row < kUnits ? row : random.below(1 + random.below(kUnits));
    model.sample.units.push_back(unit);
    model.sample.weights.push_back(equal_weights ? 3 : random.uniform(1, 9));
    if (stratified) {
      model.sample.strata.push_back(unit % 3);
      model.sample.fpc.push_back(0.1 * (1 + unit % 3));
    }
    model.columns[0].push_back(10 + unit + random.normal());
    model.columns[1].push_back(unit < 4 ? 1 : 0);
    model.y.push_back(5 + 0.3 * unit + random.normal());
  }
  return model;
}

}  // namespace steelyard::testing
