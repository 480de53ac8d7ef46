#include "steelyard/basis.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "samples.hpp"
#include "steelyard/error.hpp"

namespace steelyard::testing {
namespace {

bool any(double) { return true; }

ModelData data_of(const std::vector<Values>& x, bool intercept) {
  std::vector<ModelMatrix::Factor> factors;
  std::vector<ModelMatrix::Product> columns;
  if (intercept) {
    columns.push_back({"(Intercept)", {}});
  }
  for (const Values& values : x) {
    columns.push_back({"x" + std::to_string(factors.size()), {static_cast<int>(factors.size())}});
    factors.push_back({column(values), {}, {}});
  }
  const auto rows = static_cast<Eigen::Index>(x.front().size());
  return {ModelMatrix(rows, factors, columns), column(Values(x.front().size(), 1)), {}, {}};
}

/// All rows in one block.
RowMatrix regressors(const ModelData& data, const Basis& basis) {
  RowMatrix x(data.matrix.columns(), data.matrix.rows());
  data.matrix.read(0, data.matrix.rows(), x);
  RowMatrix z;
  basis.apply(x, data.matrix.rows(), z);
  return z;
}

double distance_from_orthonormal(const ModelData& data, const Basis& basis, const Values& weights) {
  const Eigen::Map<const Eigen::VectorXd> w(weights.data(), data.matrix.rows());
  const RowMatrix z = regressors(data, basis);
  const Eigen::MatrixXd gram = z * w.asDiagonal() * z.transpose() / w.sum();
  return (gram - Eigen::MatrixXd::Identity(gram.rows(), gram.cols())).cwiseAbs().maxCoeff();
}

Values drawn(std::size_t rows, std::uint64_t seed, double centre, double scale) {
  Random random(seed);
  Values result;
  for (std::size_t i = 0; i < rows; ++i) {
    result.push_back(centre + scale * random.normal());
  }
  return result;
}

TEST(Basis, AddsTheSameProductsForFewColumnsAndForMany) {
  const RowMatrix z = RowMatrix::Random(20, 100);
  const Eigen::ArrayXd weight = Eigen::ArrayXd::Random(100).abs();
  const Eigen::MatrixXd expected = z * weight.matrix().asDiagonal() * z.transpose();
  Eigen::MatrixXd many = Eigen::MatrixXd::Zero(20, 20);
  add_gram(z, weight, many);
  Eigen::MatrixXd few = Eigen::MatrixXd::Zero(5, 5);
  add_gram(z.topRows(5), weight, few);
  EXPECT_TRUE(many.isApprox(Eigen::MatrixXd(expected.triangularView<Eigen::Lower>()), 1e-13));
  EXPECT_TRUE(few.isApprox(
      Eigen::MatrixXd(expected.topLeftCorner(5, 5).triangularView<Eigen::Lower>()), 1e-13));
}

// Squares and cubes of a year are combinations of each other to 13 digits.
TEST(Basis, IsOrthonormalForPowersOfAYear) {
  Values year;
  Values square;
  Values cube;
  Values weights;
  Random random(101);
  for (int i = 0; i < 4000; ++i) {
    weights.push_back(random.uniform(1, 9));
    year.push_back(2000 + random.below(24));
    square.push_back(year.back() * year.back());
    cube.push_back(square.back() * year.back());
  }
  const ModelData data = data_of({year, square, cube}, true);
  const Design design = Sample{.rows = 4000, .weights = weights}.design();
  const Domains all;
  const Basis basis = Basis::of({data, design, all}, false, any);
  EXPECT_EQ(basis.size(), 4);
  EXPECT_LT(distance_from_orthonormal(data, basis, weights), 1e-4);
}

// The first block's mean says nothing of the rest.
TEST(Basis, FindsCentresFarFromTheFirstRows) {
  Values x = drawn(3000, 102, 1e8, 1);
  Values weights(3000, 1);
  for (std::size_t i = 0; i < 600; ++i) {
    x[i] = 0;
    weights[i] = 1e-20;
  }
  const ModelData data = data_of({x, drawn(3000, 103, 1, 1)}, true);
  const Design design = Sample{.rows = 3000, .weights = weights}.design();
  const Domains all;
  const Basis basis = Basis::of({data, design, all}, false, any);
  EXPECT_LT(distance_from_orthonormal(data, basis, weights), 0.1);
  EXPECT_NEAR(regressors(data, basis).row(1).tail(2400).mean(), 0, 1e-9);
}

TEST(Basis, SpansWhatItsColumnsSpan) {
  for (const bool intercept : {true, false}) {
    const ModelData data = data_of(
        {drawn(500, 104, 2000, 3), drawn(500, 105, 5, 100), drawn(500, 106, 0, 1e-3)}, intercept);
    const Design design = Sample{.rows = 500}.design();
    const Domains all;
    const Basis basis = Basis::of({data, design, all}, false, any);
    const Eigen::VectorXd coefficients = Eigen::VectorXd::LinSpaced(basis.size(), -1, 2);
    RowMatrix x(data.matrix.columns(), 500);
    data.matrix.read(0, 500, x);
    const Eigen::VectorXd by_basis = regressors(data, basis).transpose() * coefficients;
    const Eigen::VectorXd by_columns = x.transpose() * (basis.to_columns() * coefficients);
    EXPECT_LT((by_basis - by_columns).cwiseAbs().maxCoeff(), 1e-10) << intercept;
  }
}

TEST(Basis, CentresColumnsBesideAFullSetOfIndicators) {
  const Values year = drawn(300, 107, 2000, 1e-4);
  Labels group;
  for (std::int32_t i = 0; i < 300; ++i) {
    group.push_back(i % 2);
  }
  const Codes codes_of_group = codes(group);
  const ModelData data{ModelMatrix(300,
                                   {{{}, codes_of_group, Eigen::Vector2d(1, 0)},
                                    {{}, codes_of_group, Eigen::Vector2d(0, 1)},
                                    {column(year), {}, {}}},
                                   {{"a", {0}}, {"b", {1}}, {"year", {2}}}),
                       column(Values(300, 1)),
                       {},
                       {}};
  const Design design = Sample{.rows = 300}.design();
  const Domains all;
  const Basis basis = Basis::of({data, design, all}, false, any);
  ASSERT_EQ(basis.size(), 3);
  EXPECT_LT(distance_from_orthonormal(data, basis, Values(300, 1)), 0.2);
}

TEST(Basis, CountsRowsAndWeights) {
  Values x = drawn(400, 108, 0, 1);
  x[3] = x[7] = kNaN;
  const ModelData data = data_of({x}, true);
  const Design design = Sample{.rows = 400, .weights = Values(400, 2.5)}.design();
  Labels inside(400, 0);
  inside[0] = inside[399] = Codes::kNone;
  const Domains domain{Codes(inside, 1)};
  const ModelCounts counts = Basis::of({data, design, domain}, false, any).counts();
  EXPECT_EQ(counts.used, 396);
  EXPECT_EQ(counts.missing, 2);
  EXPECT_DOUBLE_EQ(counts.weight, 990);
  EXPECT_DOUBLE_EQ(counts.mean_weight(), 2.5);
  EXPECT_DOUBLE_EQ(counts.mean_response(), 1);
}

TEST(Basis, RefusesASampleWithoutRows) {
  const ModelData data = data_of({Values(5, kNaN)}, true);
  const Design design = Sample{.rows = 5}.design();
  const Domains all;
  EXPECT_THROW(Basis::of({data, design, all}, false, any), FitError);
}

}  // namespace
}  // namespace steelyard::testing
