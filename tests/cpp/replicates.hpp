#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "samples.hpp"
#include "steelyard/design.hpp"
#include "steelyard/replicate.hpp"

namespace steelyard::testing {

/// The covariance matrix C of units such that z^T C z is the variance of the total of z, as
/// replicates give it.
inline Eigen::MatrixXd covariance_of(const Replicates& replicates) {
  Eigen::MatrixXd moves = replicates.factors();
  if (replicates.about_estimate()) {
    moves.array() -= 1;
  } else {
    moves.colwise() -= moves.rowwise().mean().eval();
  }
  Eigen::VectorXd scales(replicates.count());
  for (Eigen::Index r = 0; r < scales.size(); ++r) {
    scales[r] = replicates.scale(r);
  }
  return moves * scales.asDiagonal() * moves.transpose();
}

/// The same as linearisation gives it.
inline Eigen::MatrixXd covariance_of(const Design& design) {
  const RowMatrix map = design.deviate(RowMatrix::Identity(design.units(), design.units()));
  return map.transpose() * map;
}

/// The same by the textbook: (1 - f) n / (n - 1) (I - J / n) in each stratum.
/// @param strata, fractions of each unit.
inline Eigen::MatrixXd stratified_covariance(const Labels& strata, const Values& fractions) {
  const auto size = static_cast<Eigen::Index>(strata.size());
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(size, size);
  for (std::size_t i = 0; i < strata.size(); ++i) {
    const auto n = static_cast<double>(std::count(strata.begin(), strata.end(), strata[i]));
    for (std::size_t j = 0; j < strata.size() && n > 1; ++j) {
      if (strata[i] == strata[j]) {
        result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
            (1 - fractions[i]) * (i == j ? 1 : -1 / (n - 1));
      }
    }
  }
  return result;
}

/// Sums of factors by stratum: strata x replicates.
inline Eigen::MatrixXd sums_by_stratum(const Replicates& replicates, const Labels& strata) {
  const RowMatrix& factors = replicates.factors();
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(*std::max_element(strata.begin(), strata.end()) + 1,
                                               replicates.count());
  for (std::size_t i = 0; i < strata.size(); ++i) {
    sums.row(strata[i]) += factors.row(static_cast<Eigen::Index>(i));
  }
  return sums;
}

inline Replicates::Rule equal_scales(Eigen::Index count, double scale,
                                     bool about_estimate = false) {
  return {Eigen::VectorXd::Constant(count, scale), about_estimate};
}

/// A column that keeps its values, in a type of its own.
template <typename T>
Column typed(Column::Type type, std::vector<T> values) {
  const auto kept = std::make_shared<const std::vector<T>>(std::move(values));
  return {"w", type, kept->data(), static_cast<Eigen::Index>(kept->size()), kept};
}

/// Columns of what a design's replicates are: weights, or factors of the weights.
inline std::vector<Column> supplied(const Design& design, bool combined) {
  const Eigen::Index count = design.replicates()->count();
  RowMatrix weights(design.rows(), count);
  design.read_replicates(0, design.rows(), weights);
  std::vector<Column> columns;
  for (Eigen::Index r = 0; r < count; ++r) {
    Values values(static_cast<std::size_t>(design.rows()));
    for (Eigen::Index row = 0; row < design.rows(); ++row) {
      const Eigen::Index unit = design.rows_are_units() ? row : design.unit_of_row()[row];
      values[static_cast<std::size_t>(row)] =
          combined ? weights(row, r) : design.replicates()->factors()(unit, r);
    }
    columns.push_back(column(std::move(values), "w"));
  }
  return columns;
}

inline Replicates::Rule rule_of(const Replicates& replicates) {
  Replicates::Rule rule = equal_scales(replicates.count(), 0, replicates.about_estimate());
  for (Eigen::Index r = 0; r < replicates.count(); ++r) {
    rule.scales[r] = replicates.scale(r);
  }
  return rule;
}

/// Seven units in strata of two and five.
inline Sample two_strata() {
  return {.rows = 7, .strata = {0, 1, 0, 1, 1, 1, 1}, .fpc = {.5, .25, .5, .25, .25, .25, .25}};
}

/// Three stages: strata of two and three units, with two or three units in each, of two rows each.
inline Design three_stages(const Design::Options& options = {}) {
  Labels stratum;
  Labels first;
  Labels second;
  Values fpc;
  Values fpc_below;
  std::int32_t unit_below = 0;
  for (std::int32_t unit = 0; unit < 5; ++unit) {
    for (std::int32_t i = 0; i < 2 + unit % 2; ++i, ++unit_below) {
      for (int row = 0; row < 2; ++row) {
        stratum.push_back(unit < 2 ? 0 : 1);
        first.push_back(unit);
        second.push_back(unit_below);
        fpc.push_back(unit < 2 ? .5 : .3);
        fpc_below.push_back(.4 + .1 * unit);
      }
    }
  }
  const auto rows = static_cast<Eigen::Index>(first.size());
  const std::vector<Stage::Columns> stages{{codes(stratum), codes(first), column(fpc, "fpc")},
                                           {{}, codes(second), column(fpc_below, "fpc")},
                                           {{}, {}, column(Values(first.size(), .6), "fpc")}};
  return Design::sampled(rows, {}, stages, options);
}

}  // namespace steelyard::testing
