#pragma once

#include <Eigen/Core>
#include <memory>
#include <optional>
#include <vector>

#include "steelyard/controls.hpp"
#include "steelyard/deviations.hpp"
#include "steelyard/semidefinite.hpp"

namespace steelyard {

/// How influence values follow a step of weighting.
///
/// With u the influence of each row by the weights after the step, that by the weights before it is
/// u - part * x^T B, B = A^-1 sum of pull * x u. Every step of ours is of this form: what the
/// sample says of the step's own parameters.
struct Projection {
  Cells cells;
  Eigen::VectorXd part;                   ///< of each row
  Eigen::VectorXd pull;                   ///< of each row
  std::vector<Semidefinite> information;  ///< A, by group
  /// Of totals that are estimates themselves: rows x (groups * controls).
  std::optional<Deviations> of_totals;

  /// Does the step leave influence as it is?
  bool is_identity() const { return part.size() == 0; }
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

  /// @param weights of each row.
  /// @throws WeightingError where there are no such weights.
  virtual Adjusted apply(const Eigen::VectorXd& weights, int threads) const = 0;
  /// The weights alone, as for a replicate.
  virtual Eigen::VectorXd replay(const Eigen::VectorXd& weights, int threads) const {
    return apply(weights, threads).weights;
  }
};

using AdjustmentPtr = std::shared_ptr<const Adjustment>;

}  // namespace steelyard
