#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "steelyard/adjustment.hpp"

namespace steelyard {

/// Weights as a chain of steps from those of the sampling design. Cheap to copy: copies share.
///
/// The chain can be replayed on other weights, such as those of a replicate; and the influence of
/// rows through it is known, so that either way of estimating a variance accounts for every step.
class Weighting {
 public:
  /// @param base of each row: finite, none negative.
  explicit Weighting(Eigen::VectorXd base);

  /// The same with one more step.
  /// @throws WeightingError where it has no solution.
  Weighting with(AdjustmentPtr step, int threads = 0) const;

  const Eigen::VectorXd& base() const { return *base_; }
  const Eigen::VectorXd& weights() const { return done_.empty() ? *base_ : done_.back()->weights; }
  std::size_t steps() const { return done_.size(); }
  /// @throws std::out_of_range where there is no such step.
  const Adjusted& step(std::size_t k) const { return *done_.at(k); }

  /// The weights that all steps make of base weights under which rows count otherwise: as often as
  /// these are of those of the chain.
  Eigen::VectorXd replay(const Eigen::VectorXd& base, int threads) const;

 private:
  std::shared_ptr<const Eigen::VectorXd> base_;
  std::vector<AdjustmentPtr> steps_;
  std::vector<std::shared_ptr<const Adjusted>> done_;
};

}  // namespace steelyard
