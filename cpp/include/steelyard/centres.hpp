#pragma once

#include <Eigen/Core>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// Weighted means of columns in every domain, over the rows that have all of them: what estimators
/// of spread measure distances from.
struct Centres {
  RowMatrix mean;        ///< domains x columns
  Eigen::VectorXd used;  ///< rows used, by domain
};

Centres find_centres(const std::vector<Column>& columns, const Design& design,
                     const Domains& domains, int threads);

}  // namespace steelyard
