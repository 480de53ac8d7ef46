#pragma once

#include <memory>

#include "steelyard/model_matrix.hpp"
#include "steelyard/propensity.hpp"
#include "weightings.hpp"

namespace steelyard::testing {

/// A response that depends on a constant, x and z.
inline AdjustmentPtr propensity(const Rows& rows, int classes = 0) {
  const ModelMatrix matrix(rows.count(),
                           {{column_of(rows.x, "x"), {}, {}}, {column_of(rows.z, "z"), {}, {}}},
                           {{"1", {}}, {"x", {0}}, {"z", {1}}});
  return std::make_shared<Propensity>(
      matrix, column(Values(rows.responded.begin(), rows.responded.end()), "responded"),
      rows.eligible, classes);
}

}  // namespace steelyard::testing
