#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "steelyard/design.hpp"
#include "steelyard/influence.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// What the estimates of one term in one domain rest on.
struct Usage {
  std::int64_t used = 0;           ///< rows used
  std::int64_t missing = 0;        ///< rows of the domain left out: an answer is missing
  std::int64_t units = 0;          ///< units of the first stage with a row used
  std::int64_t sampled_units = 0;  ///< those of them that need not have been in the sample
  std::int64_t strata = 0;         ///< strata with a row used
  /// All rows used are in one unit that need not have been in the sample. A unit that was certain
  /// is known by the units below it.
  bool in_one_unit = false;
};

/// @param by_stratum the term's sums by stratum; see sum_by_stratum.
Usage usage_of(const Design& design, const Term& term, const RowMatrix& by_stratum,
               Eigen::Index domain);

/// Is there a row used in this group (a unit, or a stratum) and domain?
bool is_used(const RowMatrix& by_group, const Estimator& estimator, Eigen::Index group,
             Eigen::Index domain);

}  // namespace steelyard
