#include "steelyard/unit_form.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "samples.hpp"

namespace steelyard::testing {
namespace {

using Eigen::MatrixXd;

/// Two strata with fractions of their own.
Design seven_units() {
  return Sample{.rows = 7, .strata = {0, 1, 0, 1, 1, 0, 1}, .fpc = {.1, .4, .1, .4, .4, .1, .4}}
      .design();
}

MatrixXd random_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed);
  MatrixXd result(rows, columns);
  for (double& value : result.reshaped()) {
    value = random.normal();
  }
  return result;
}

MatrixXd as_matrix(const UnitMap& map) { return map.apply(RowMatrix::Identity(7, 7)); }

TEST(UnitMap, IsTheDesignsWhereItCentres) {
  const Design design = seven_units();
  const RowMatrix scores = random_matrix(7, 3, 1);
  EXPECT_LT((UnitMap(design, true).apply(scores) - design.deviate(scores)).norm(), 1e-14);
  const RowMatrix plain = UnitMap(design, false).apply(scores);
  EXPECT_DOUBLE_EQ(plain(1, 2), std::sqrt(0.6) * scores(1, 2));
}

TEST(UnitMap, IsTransposedAndSquaredAsAMatrix) {
  const Design design = seven_units();
  for (const bool centred : {true, false}) {
    const UnitMap map(design, centred);
    const MatrixXd matrix = as_matrix(map);
    const RowMatrix values = random_matrix(7, 2, 2);
    EXPECT_LT((map.apply_transposed(values) - matrix.transpose() * values).norm(), 1e-14);
    const Eigen::VectorXd d = random_matrix(7, 1, 3);
    const MatrixXd whole = matrix * d.asDiagonal() * matrix.transpose();
    const UnitMap::Traces traces = map.traces(d);
    EXPECT_NEAR(traces.trace, whole.trace(), 1e-13);
    EXPECT_NEAR(traces.squares / whole.squaredNorm(), 1, 1e-13);
  }
}

// Units apart, or not, are a way of adding up.
TEST(UnitForm, HasTheTracesOfItsMatrix) {
  const Design design = seven_units();
  const MatrixXd square = random_matrix(3, 3, 4);
  UnitForm form{random_matrix(7, 3, 5), square + square.transpose(), random_matrix(7, 1, 6), {}};
  MatrixXd whole = form.u * form.s * form.u.transpose();
  whole.diagonal() = form.diagonal;
  const std::vector<std::vector<Eigen::Index>> choices = {
      {}, {3}, {0, 4, 6}, {0, 1, 2, 3, 4, 5, 6}};
  for (const bool centred : {true, false}) {
    const UnitMap map(design, centred);
    const MatrixXd expected = as_matrix(map) * whole * as_matrix(map).transpose();
    for (const std::vector<Eigen::Index>& apart : choices) {
      form.apart = apart;
      const UnitMap::Traces traces = form.traces(map);
      EXPECT_NEAR(traces.trace / expected.trace(), 1, 1e-12);
      EXPECT_NEAR(traces.squares / expected.squaredNorm(), 1, 1e-12);
    }
  }
}

}  // namespace
}  // namespace steelyard::testing
