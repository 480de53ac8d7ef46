#include "steelyard/projection.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "responses.hpp"
#include "steelyard/trimming.hpp"
#include "steelyard/variance_form.hpp"
#include "weightings.hpp"

namespace steelyard::testing {
namespace {

constexpr std::int32_t kUnits = 24;

/// A design that squares the total of each unit: its deviations tell them.
Design every_unit_apart(const VectorXd& weights, const Codes& units) {
  VarianceForm::Block block;
  block.units.resize(static_cast<std::size_t>(units.size() > 0 ? units.levels() : weights.size()));
  std::iota(block.units.begin(), block.units.end(), 0);
  const auto size = static_cast<Eigen::Index>(block.units.size());
  block.coefficients = MatrixXd::Identity(size, size);
  return Design::with_form(weights.size(), column_of(weights, "w"), {{}, units, {}},
                           VarianceForm({block}));
}

/// Figures of a weighted sample, and how they follow the weights of a unit.
struct Followed {
  const Rows& rows;
  Codes units;  ///< empty: rows

  Domains domains() const { return {rows.b}; }
  std::vector<EstimatorPtr> estimators() const {
    return {total(column(rows.y)), mean(column(rows.y)),
            ratio(column(rows.y), column_of(rows.z.cwiseAbs2())),
            proportion(rows.a, MatrixXd::Identity(2, 3))};
  }
  Estimated estimated(const Design& design) const {
    return estimate(design, kSample, domains(), estimators(), 1);
  }
  VectorXd values(const VectorXd& weights) const {
    return estimated(every_unit_apart(weights, units)).estimates.values;
  }
  Eigen::Index unit_of(Eigen::Index row) const { return units.size() > 0 ? units[row] : row; }

  /// Units x estimates: derivatives by how often a unit counts.
  /// @param weights_of of rows that count so often.
  RowMatrix derivatives(const std::function<VectorXd(const VectorXd&)>& weights_of) const {
    constexpr double kStep = 1e-4;
    const Eigen::Index count = units.size() > 0 ? units.levels() : rows.count();
    RowMatrix result(count, values(rows.weights).size());
    for (Eigen::Index unit = 0; unit < count; ++unit) {
      const auto moved = [&](double by) {
        VectorXd counts = VectorXd::Ones(rows.count());
        for (Eigen::Index row = 0; row < rows.count(); ++row) {
          counts[row] += unit_of(row) == unit ? by : 0;
        }
        return values(weights_of(counts));
      };
      result.row(unit) = ((moved(kStep) - moved(-kStep)) / (2 * kStep)).transpose();
    }
    return result;
  }
  /// @param totals    of units, as they should be.
  /// @param tolerance of the length of all units' derivatives.
  void expect_totals(const Weighting& weighting, const RowMatrix& totals, double tolerance) const {
    const Design design = every_unit_apart(weighting.base(), units);
    const RowMatrix expected = design.deviate(totals);
    const RowMatrix found = estimated(design.with_weighting(weighting)).estimates.deviations.matrix;
    const RowMatrix fixed =
        estimated(every_unit_apart(weighting.weights(), units)).estimates.deviations.matrix;
    ASSERT_EQ(found.rows(), expected.rows());
    double moved = 0;
    for (Eigen::Index j = 0; j < expected.cols(); ++j) {
      const double size = expected.col(j).norm();
      EXPECT_LE((found.col(j) - expected.col(j)).norm(), tolerance * size) << "estimate " << j;
      moved = std::max(moved, (fixed.col(j) - expected.col(j)).norm() / size);
    }
    EXPECT_GT(moved, .05);  // by the steps: there is something to see
  }
  void expect_derivatives(const Weighting& weighting, double tolerance = 1e-6) const {
    const auto replayed = [&](const VectorXd& counts) {
      return weighting.replay(weighting.base().cwiseProduct(counts), 1);
    };
    expect_totals(weighting, derivatives(replayed), tolerance);
  }
};

using MakeStep = std::function<AdjustmentPtr(const Rows&, const VectorXd& weights)>;

/// A step that meets totals near those of the sample.
MakeStep meets(const std::function<Controls(const Rows&)>& controls, Calibration::Options options,
               double by = .1) {
  return [=](const Rows& rows, const VectorXd& weights) {
    return calibration(controls(rows), near_totals(controls(rows), weights, by, 77), options);
  };
}
MakeStep scaled(const std::function<Controls(const Rows&)>& controls,
                Calibration::Options options) {
  return [=](const Rows& rows, const VectorXd& weights) {
    Calibration::Options own = options;
    own.scale = column_of(rows.q.cwiseInverse());
    return meets(controls, own)(rows, weights);
  };
}
MakeStep to_respondents(const std::function<Controls(const Rows&)>& controls,
                        const Calibration::Options& options) {
  return [=](const Rows& rows, const VectorXd&) {
    Flags stands;
    for (std::size_t row = 0; row < rows.responded.size(); ++row) {
      stands.push_back(rows.responded[row] & rows.eligible[row]);
    }
    return std::make_shared<Calibration>(controls(rows), stands, rows.eligible, options);
  };
}
/// Two clusters in each unit.
MakeStep in_clusters(Calibration::Options options) {
  return [=](const Rows& rows, const VectorXd& weights) {
    Labels cluster;
    for (std::int32_t row = 0; row < rows.count(); ++row) {
      cluster.push_back(row % kUnits * 2 + row / kUnits % 2);
    }
    Calibration::Options own = options;
    own.clusters = codes(cluster);
    return meets([](const Rows& all) { return all.columns(); }, own)(rows, weights);
  };
}
AdjustmentPtr responds(const Rows& rows, const VectorXd&) { return propensity(rows); }
AdjustmentPtr responds_in_classes(const Rows& rows, const VectorXd&) { return propensity(rows, 3); }

Controls columns(const Rows& rows) { return rows.columns(); }
Controls columns_by_group(const Rows& rows) { return rows.columns(rows.group); }
Controls margins(const Rows& rows) { return {{rows.a, rows.b}, {}}; }
Controls margins_by_group(const Rows& rows) { return {{rows.a, rows.b}, {}, rows.group}; }
Controls both(const Rows& rows) { return {{rows.a}, {column_of(rows.x)}}; }

Weighting chain(const Rows& rows, const std::vector<MakeStep>& steps) {
  Weighting weighting(rows.weights);
  for (const MakeStep& make : steps) {
    weighting = weighting.with(make(rows, weighting.weights()), 1);
  }
  return weighting;
}

struct Case {
  std::string name;
  std::vector<MakeStep> steps;
};

void expect_derivatives(const std::vector<Case>& cases, bool rows_too = true) {
  const Rows rows = random_rows(72, 31);
  Labels unit;
  for (std::int32_t row = 0; row < rows.count(); ++row) {
    unit.push_back(row % kUnits);
  }
  for (const Case& each : cases) {
    const Weighting weighting = chain(rows, each.steps);
    {
      const ::testing::ScopedTrace trace(__FILE__, __LINE__, each.name);
      Followed{rows, codes(unit)}.expect_derivatives(weighting);
    }
    if (rows_too) {
      const ::testing::ScopedTrace trace(__FILE__, __LINE__, each.name + ", rows as units");
      Followed{rows, {}}.expect_derivatives(weighting);
    }
  }
}

TEST(Projection, IsTheDerivativeOfACalibration) {
  expect_derivatives({{"linear", {meets(columns, by(Kind::kLinear))}},
                      {"linear, within bounds", {meets(columns, by(Kind::kLinear, {.85, 1.2}))}},
                      {"raking", {meets(margins, by(Kind::kRaking), .3)}},
                      {"raking of columns", {meets(columns, by(Kind::kRaking))}},
                      {"logit", {meets(both, by(Kind::kLogit, {.5, 2}))}},
                      {"sinh", {meets(both, by(Kind::kSinh))}},
                      {"scale, linear", {scaled(columns, by(Kind::kLinear))}},
                      {"scale, raking", {scaled(both, by(Kind::kRaking))}},
                      {"groups, linear", {meets(columns_by_group, by(Kind::kLinear))}},
                      {"groups, raking", {meets(margins_by_group, by(Kind::kRaking), .3)}}});
}

TEST(Projection, IsTheDerivativeOfACalibrationOfClusters) {
  expect_derivatives(
      {{"linear", {in_clusters(by(Kind::kLinear))}}, {"raking", {in_clusters(by(Kind::kRaking))}}},
      false);
}

TEST(Projection, IsTheDerivativeOfANonresponseStep) {
  expect_derivatives(
      {{"classes", {to_respondents(margins_by_group, by(Kind::kLinear))}},
       {"raking to the sample", {to_respondents(margins, by(Kind::kRaking))}},
       {"linear, groups", {to_respondents(columns_by_group, by(Kind::kLinear))}},
       {"propensity", {responds}},
       {"classes of propensity", {responds_in_classes}},
       {"raking of columns to the sample", {to_respondents(columns, by(Kind::kRaking))}}});
}

TEST(Projection, IsTheDerivativeOfAChain) {
  expect_derivatives(
      {{"propensity, raking", {responds, meets(margins, by(Kind::kRaking))}},
       {"classes, linear",
        {to_respondents(margins, by(Kind::kRaking)), meets(columns, by(Kind::kLinear))}},
       {"raking, then linear in groups, then raking",
        {meets(margins, by(Kind::kRaking), .3), meets(columns_by_group, by(Kind::kLinear)),
         scaled(both, by(Kind::kRaking))}},
       {"propensity, logit, classes",
        {responds, meets(both, by(Kind::kLogit, {.5, 2})),
         to_respondents(margins, by(Kind::kSinh))}}});
}

// Deville & Särndal (1992): with weights before the step, residuals of the linear distance.
TEST(Projection, OfTheLinearDistanceIsTheDerivativeByEitherResiduals) {
  Calibration::Options before = by(Kind::kLinear);
  before.residuals = Calibration::Residuals::kBefore;
  expect_derivatives({{"columns", {meets(columns, before)}},
                      {"groups", {meets(margins_by_group, before)}},
                      {"scale", {scaled(columns, before)}},
                      {"classes", {to_respondents(margins, before)}},
                      {"chain", {responds, scaled(columns_by_group, before)}}});
}

TEST(Projection, ByTheWeightsBeforeIsNearTheDerivativeOfOtherDistances) {
  const Rows rows = random_rows(120, 31);
  Calibration::Options options = by(Kind::kRaking);
  options.residuals = Calibration::Residuals::kBefore;
  const Weighting near = chain(rows, {meets(columns, options, 1e-4)});
  Followed{rows, {}}.expect_derivatives(near, 1e-3);
}

/// Weights of rows that count so often, cut off and shared out as often as it takes.
VectorXd trimmed(VectorXd weights, const VectorXd& counts, const Trimming::Options& options) {
  const Eigen::Index groups = options.groups.size() == 0 ? 1 : options.groups.levels();
  const auto group = [&](Eigen::Index row) {
    return options.groups.size() == 0 ? 0 : options.groups[row];
  };
  for (int round = 0; round < 200; ++round) {
    const VectorXd cut =
        (weights.array() > 0).select(weights.cwiseMax(options.low).cwiseMin(options.high), weights);
    VectorXd excess = VectorXd::Zero(groups);
    VectorXd others = VectorXd::Zero(groups);
    VectorXd part = VectorXd::Zero(weights.size());
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      excess[group(row)] += counts[row] * (weights[row] - cut[row]);
      if (cut[row] == weights[row] && weights[row] > 0) {
        part[row] = options.sharing == Trimming::Sharing::kEqual ? 1 : weights[row];
        others[group(row)] += counts[row] * part[row];
      }
    }
    weights = cut;
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      weights[row] += part[row] * excess[group(row)] / others[group(row)];
    }
  }
  return weights;
}

/// Trimming among other steps. A row that counts twice is two rows of its weight: not one of twice
/// the weight, which might be cut off where those are not.
void expect_derivatives_of_trimming(const std::vector<MakeStep>& before,
                                    const Trimming::Options& options,
                                    const std::vector<MakeStep>& after) {
  const Rows rows = random_rows(60, 32);
  std::vector<AdjustmentPtr> steps;
  Weighting weighting(rows.weights);
  const auto add = [&](const AdjustmentPtr& step) {
    weighting = weighting.with(step, 1);
    steps.push_back(step);
  };
  for (const MakeStep& make : before) {
    add(make(rows, weighting.weights()));
  }
  add(std::make_shared<Trimming>(rows.count(), options));
  for (const MakeStep& make : after) {
    add(make(rows, weighting.weights()));
  }
  const auto counted = [&](const VectorXd& counts) {
    VectorXd weights = rows.weights;
    for (std::size_t k = 0; k < steps.size(); ++k) {
      weights = k == before.size() ? trimmed(weights, counts, options)
                                   : steps[k]
                                         ->replay(testing::before(weights.cwiseProduct(counts)), 1)
                                         .cwiseQuotient(counts);
    }
    return weights.cwiseProduct(counts).eval();
  };
  expect_near(counted(VectorXd::Ones(rows.count())), weighting.weights(), 1e-9);
  const Followed followed{rows, {}};
  followed.expect_totals(weighting, followed.derivatives(counted), 1e-6);
}

TEST(Projection, IsTheDerivativeOfTrimmingByTheRowsThereAre) {
  for (const auto sharing : {Trimming::Sharing::kEqual, Trimming::Sharing::kProportional}) {
    for (const bool grouped : {false, true}) {
      Trimming::Options high;
      high.high = 15;
      high.sharing = sharing;
      high.groups = grouped ? random_rows(60, 32).group : Codes();
      Trimming::Options low = high;
      low.low = 9;
      low.high = kInfinity;
      for (const Trimming::Options& options : {high, low}) {
        expect_derivatives_of_trimming({}, options, {});
        expect_derivatives_of_trimming({}, options,
                                       {responds, meets(margins, by(Kind::kRaking), .3)});
      }
    }
  }
}

/// w (1 + x^T lambda) between bounds, of rows that count so often, by Newton's method.
VectorXd bounded(const MatrixXd& x, const VectorXd& weights, const VectorXd& counts,
                 const VectorXd& totals, double low, double high) {
  VectorXd lambda = VectorXd::Zero(x.cols());
  VectorXd found;
  for (int i = 0; i < 50; ++i) {
    const VectorXd open = weights.array() * (1 + (x * lambda).array());
    found = open.cwiseMax(low).cwiseMin(high);
    const VectorXd moves = (open.array() == found.array()).select(weights, 0);
    lambda += (x.transpose() * moves.cwiseProduct(counts).asDiagonal() * x).inverse() *
              (totals - x.transpose() * found.cwiseProduct(counts));
  }
  return found.cwiseProduct(counts);
}

TEST(Projection, IsTheDerivativeOfBoundsOnWeightsByTheRowsThereAre) {
  constexpr double kLow = 4.8;
  constexpr double kHigh = 20.5;
  Rows rows = random_rows(120, 33);
  rows.weights = rows.weights.cwiseMax(5);
  const Controls controls = rows.columns();
  const RowMatrix totals = near_totals(controls, rows.weights, .15, 34);
  Calibration::Options options = by(Kind::kLinear, {kLow, kHigh});
  options.bounds_on_weights = true;
  const Weighting weighting =
      Weighting(rows.weights).with(calibration(controls, totals, options), 1);
  EXPECT_GT((weighting.weights().array() == kLow || weighting.weights().array() == kHigh).count(),
            3);
  const auto counted = [&](const VectorXd& counts) {
    return bounded(dense(controls), rows.weights, counts, totals.transpose(), kLow, kHigh);
  };
  expect_near(counted(VectorXd::Ones(120)), weighting.weights(), 1e-9);
  const Followed followed{rows, {}};
  followed.expect_totals(weighting, followed.derivatives(counted), 1e-6);
}

}  // namespace
}  // namespace steelyard::testing
