#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/influence.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Deviations of a design with replicates, and how many of them tell nothing of each estimate.
struct Replicated {
  RowMatrix deviations;  ///< replicates x (domains * estimates)
  /// Replicates left out of an estimate because it is not defined under them.
  std::vector<std::int64_t> left_out;
};

/// Estimates under the weights of each replicate, as deviations: sqrt(scale) times the distance
/// from the estimate, or from the mean of the replicates that have one.
///
/// Sums under made replicates are sums by unit times factors, so that rows are read once whatever
/// the number of replicates; supplied weights are read once. What no sums tell, such as the
/// coefficients of a model, is fitted under each.
/// @param terms     with sums by unit where replicates are factors of units.
/// @param estimates the values, in the order of the deviations.
Replicated replicate(const Design& design, const Domains& domains, std::span<const Term> terms,
                     const Eigen::VectorXd& estimates, int threads);

}  // namespace steelyard
