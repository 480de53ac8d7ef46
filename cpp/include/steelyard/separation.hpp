#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "steelyard/basis.hpp"
#include "steelyard/model_rows.hpp"

namespace steelyard {

/// What moving a model's coefficients along a direction for ever does to the rows' likelihoods.
///
/// A row's linear predictor changes by v_i. The data are separated along the direction when no
/// row's likelihood falls in the end and that of some row grows without reaching its largest value:
/// the maximum then lies at infinity. Reference: Albert & Anderson (1984), Biometrika 71(1); for
/// counts Correia, Guimarães & Zylkin (2019), arXiv:1903.01633.
struct SeparationSums {
  double worst = 0;  ///< largest change in the wrong direction, relative to the row's size
  double gain = 0;   ///< largest change in the right direction, relative to the row's size

  /// @param right change in the direction in which the row's likelihood grows.
  void add(double right) {
    gain = std::max(gain, right);
    worst = std::max(worst, -right);
  }
  void merge(const SeparationSums& part) {
    worst = std::max(worst, part.worst);
    gain = std::max(gain, part.gain);
  }
  /// Rounding, and what is left of directions that converge, stay well below these.
  bool separated() const { return worst < 1e-9 && gain > 1e-6; }
};

/// @param direction of the coefficients of the basis.
/// @param limit     as MeanModel::limit, of a response.
bool separates(const ModelSample& sample, const Basis& basis, const Eigen::VectorXd& direction,
               const std::function<int(double)>& limit);

/// Names of the columns that a direction of the basis moves.
std::vector<std::string> columns_moved(const ModelMatrix& matrix, const Basis& basis,
                                       const Eigen::VectorXd& direction);

}  // namespace steelyard
