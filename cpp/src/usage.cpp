#include "steelyard/usage.hpp"

#include <algorithm>
#include <vector>

namespace steelyard {
namespace {

void count_units(const Design& design, const Term& term, Eigen::Index d, Usage& usage) {
  enum : char { kUnused, kCertain, kSampled };
  std::vector<char> primary(static_cast<std::size_t>(design.first().units()), kUnused);
  const Stage& last = design.stages().back();
  for (Eigen::Index unit = 0; unit < term.sums.by_group.rows(); ++unit) {
    if (is_used(term.sums.by_group, *term.estimator, unit, d)) {
      char& known = primary[static_cast<std::size_t>(design.primary_of_unit(unit))];
      known = std::max<char>(known, last.share(unit) < 1 ? kSampled : kCertain);
    }
  }
  usage.sampled_units = std::count(primary.begin(), primary.end(), kSampled);
  usage.units = usage.sampled_units + std::count(primary.begin(), primary.end(), kCertain);
}

bool in_one_unit(const Design& design, const Term& term, Eigen::Index d) {
  RowMatrix used(design.units(), 1);
  for (Eigen::Index unit = 0; unit < design.units(); ++unit) {
    used(unit, 0) = is_used(term.sums.by_group, *term.estimator, unit, d) ? 1 : 0;
  }
  const RowMatrix by_stage = design.sum_by_stage(used);
  Eigen::Index at = 0;
  for (const Stage& stage : design.stages()) {
    const auto mine = by_stage.col(0).segment(at, stage.units());
    Eigen::Index only = 0;
    if ((mine.array() > 0).count() != 1 || mine.maxCoeff(&only) <= 0) {
      return false;
    }
    if (stage.share(only) < 1) {
      return true;
    }
    at += stage.units();
  }
  return false;
}

void count_rows(const Design& design, const FeatureSums& sums, Eigen::Index d, Usage& usage) {
  for (Eigen::Index h = 0; h < design.strata(); ++h) {
    usage.units += sums.used(h, d);
    usage.sampled_units += design.stratum(h).fraction < 1 ? sums.used(h, d) : 0;
  }
}

}  // namespace

bool is_used(const RowMatrix& by_group, const Estimator& estimator, Eigen::Index group,
             Eigen::Index domain) {
  const Eigen::Index features = estimator.features();
  const Eigen::Index width = estimator.of_levels() ? features : 1;
  return (by_group.row(group).segment(domain * features, width).array() != 0).any();
}

Usage usage_of(const Design& design, const Term& term, const RowMatrix& by_stratum,
               Eigen::Index domain) {
  Usage usage;
  usage.used = term.sums.used.col(domain).sum();
  usage.missing = term.sums.missing.col(domain).sum();
  for (Eigen::Index h = 0; h < by_stratum.rows(); ++h) {
    usage.strata += is_used(by_stratum, *term.estimator, h, domain) ? 1 : 0;
  }
  if (term.sums.grouping == Grouping::kStratum) {
    count_rows(design, term.sums, domain, usage);
    usage.in_one_unit = usage.units < 2 && usage.sampled_units > 0;
  } else {
    count_units(design, term, domain, usage);
    usage.in_one_unit = usage.units == 1 && in_one_unit(design, term, domain);
  }
  return usage;
}

}  // namespace steelyard
