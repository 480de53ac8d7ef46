#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "steelyard/design.hpp"
#include "steelyard/estimator.hpp"

namespace steelyard {

/// Who the estimates are for: the domain of each row (kNone: in no domain). Empty codes: all rows
/// are one domain.
struct Domains {
  Codes codes;
  Eigen::Index count() const { return codes.size() == 0 ? 1 : codes.levels(); }
  RowBlock block(Eigen::Index begin, Eigen::Index rows) const {
    return {begin, rows, codes.size() == 0 ? nullptr : codes.data() + begin};
  }
};

enum class Grouping { kUnit, kStratum };

/// Weighted sums of one estimator's features, which is all that its values and deviations need.
///
/// Sums are kept by group (a unit, or a stratum) and domain. Columns are centred near their mean in
/// the stratum and domain first, so that nothing cancels later.
struct FeatureSums {
  Grouping grouping = Grouping::kUnit;
  Eigen::Index features = 0;
  /// groups x (domains * features): sum of w f.
  RowMatrix by_group;
  /// (strata * domains) x columns: the centres.
  RowMatrix centre;
  /// (strata * domains) x columns^2: sum of w y y^T of the centred columns.
  RowMatrix second;
  /// Rows with a weight, by stratum and domain: used, and left out as missing.
  Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> used, missing;
};

/// One pass over the rows (a second one where centres prove to be far off).
std::vector<FeatureSums> sum_rows(const Design& design, const Domains& domains,
                                  std::span<const EstimatorPtr> estimators, Grouping grouping,
                                  int threads);

/// The same sums by stratum: strata x (domains * features).
RowMatrix sum_by_stratum(const Design& design, const FeatureSums& sums);

}  // namespace steelyard
