#pragma once

#include <Eigen/Core>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// What turns scores of units into their deviations: a factor of each unit, after its stratum's
/// mean is taken off, if it is.
class UnitMap {
 public:
  /// @param centred within strata, by Design::deviate; otherwise factors are sqrt(1 - f).
  UnitMap(const Design& design, bool centred);

  RowMatrix apply(const RowMatrix& scores) const;
  RowMatrix apply_transposed(const RowMatrix& deviations) const;

  /// Trace, and sum of squares of all elements, of T diag(d) T^T for this map T.
  struct Traces {
    double trace = 0;
    double squares = 0;
  };
  Traces traces(const Eigen::VectorXd& d) const;

 private:
  const Design& design_;
  bool centred_;
  Eigen::VectorXd factor_;

  RowMatrix centre(RowMatrix values) const;
};

/// The covariance of units' scores for one estimate under a working model of variance 1, known by
/// its diagonal and, aside from it, u_i^T S u_j.
struct UnitForm {
  RowMatrix u;               ///< units x r
  Eigen::MatrixXd s;         ///< r square
  Eigen::VectorXd diagonal;  ///< units
  /// Units whose diagonal is far from u_i^T S u_i, so that sums over all must not have the latter
  /// in them to be taken off again.
  std::vector<Eigen::Index> apart;

  /// Trace and sum of squares of T G T^T, for this covariance G: units x r^2.
  UnitMap::Traces traces(const UnitMap& map) const;
};

}  // namespace steelyard
