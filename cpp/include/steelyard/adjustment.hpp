#pragma once

#include <Eigen/Core>
#include <memory>
#include <optional>
#include <vector>

#include "steelyard/controls.hpp"
#include "steelyard/deviations.hpp"
#include "steelyard/semidefinite.hpp"

namespace steelyard {

/// Weights before a step.
struct Before {
  Eigen::VectorXd weights;  ///< of each row
  Eigen::VectorXd counts;   ///< how often each row counts, as in a replicate; empty: once
  Eigen::VectorXd base;     ///< weights that the chain began with, as often as the row counts

  double count(Eigen::Index row) const { return counts.size() == 0 ? 1 : counts[row]; }
};

/// How influence values follow a step of weighting.
///
/// The influence of a row is the derivative by how often it counts. With c after the step, that
/// before it is c - (part * x - lift * shares)^T B, where B = A^-1 sum of pull * x u: what follows
/// of the step's own parameters, which the sample tells. u is the derivative by the row's weight,
/// times it. The two are one but where a step looks at the weight itself, as trimming does; then
/// u becomes keep * u - (part_of_weight * x - lift * shares)^T B.
struct Projection {
  Cells cells;
  Eigen::VectorXd part;                   ///< of each row; empty: the step has no parameters
  Eigen::VectorXd pull;                   ///< of each row
  std::vector<Semidefinite> information;  ///< A, by group
  Eigen::VectorXd part_of_weight;         ///< empty: part
  Eigen::VectorXd keep;                   ///< empty: 1
  Eigen::VectorXd shares;                 ///< of one group's controls; empty: none
  Eigen::VectorXd lift;                   ///< of each row, where there are shares
  /// Of totals that are estimates themselves: rows x (groups * controls).
  std::optional<Deviations> of_totals;

  bool has_parameters() const { return part.size() > 0; }
};

/// What a step made of the weights.
struct Adjusted {
  Eigen::VectorXd weights;
  Projection projection;
  int iterations = 0;
  double largest_error = 0;  ///< of a total, relative to it
  Eigen::VectorXd totals;    ///< groups x controls, as met
};

/// One step of weighting: it makes weights of weights.
class Adjustment {
 public:
  Adjustment() = default;
  Adjustment(const Adjustment&) = delete;
  Adjustment& operator=(const Adjustment&) = delete;
  virtual ~Adjustment() = default;

  /// @throws WeightingError where there are no such weights.
  virtual Adjusted apply(const Before& before, int threads) const = 0;
  /// The weights alone, as for a replicate.
  virtual Eigen::VectorXd replay(const Before& before, int threads) const {
    return apply(before, threads).weights;
  }
};

using AdjustmentPtr = std::shared_ptr<const Adjustment>;

}  // namespace steelyard
