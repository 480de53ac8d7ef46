#pragma once

#include <Eigen/Core>
#include <functional>
#include <utility>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/estimator.hpp"

namespace steelyard {

/// An estimator that is no smooth function of a few sums (it needs ranks, or a density): its values
/// are known beforehand, and it computes each row's influence.
///
/// It belongs to the design and domains that its values were found with, and is made anew for other
/// weights.
class KnownInfluence : public Estimator {
 public:
  using Remake = std::function<EstimatorPtr(const Design&, const Domains&)>;

  bool is_ratio() const override { return true; }
  bool needs_refit() const final { return true; }
  RowMatrix refit(const Design& design, const Domains& domains) const final;
  void read(const RowBlock& rows, RowMatrix& buffer, std::vector<const double*>& into) const final;
  Linearisation linearise(const DomainSums& sums) const final;

 protected:
  /// @param remake the same estimator under the weights of another design.
  KnownInfluence(Column y, Remake remake)
      : Estimator({std::move(y)}, 1), remake_(std::move(remake)) {}

  /// Derivative of the estimate by the weight of each row, in a block of rows; NaN where the row
  /// has no answer. Rows in no domain may hold anything.
  virtual void influence(const RowBlock& rows, const double* y, double* z) const = 0;
  /// The estimate in a domain; NaN where it is not defined.
  virtual double value(Eigen::Index domain) const = 0;
  /// Is the influence known where the value is? If not, the standard error is not a number.
  virtual bool has_influence(Eigen::Index domain) const = 0;

 private:
  Remake remake_;
};

}  // namespace steelyard
