#pragma once

#include <Eigen/Core>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/matrix.hpp"

namespace steelyard {

/// Applies the design's policy for strata of which a domain leaves one unit to the deviations of
/// the domain's estimates; and gives what kAverage adds for lonely strata to those domains only
/// that have rows in them, averaging over the strata that the domain has rows in.
///
/// @param used       by unit: has it a row in the domain?
/// @param totals     units x estimates: influence by unit.
/// @param deviations rows of the design's deviations x estimates, changed in place. NaN where a
///                   domain leaves nothing to average over.
/// @throws DesignError for such a stratum under kFail.
/// Reference: Lumley (2010), section 3.2.1; R survey's options survey.lonely.psu and
/// survey.adjust.domain.lonely.
void treat_domain(const Design& design, const std::vector<char>& used,
                  const Eigen::Ref<const RowMatrix>& totals, Eigen::Ref<RowMatrix> deviations);

}  // namespace steelyard
