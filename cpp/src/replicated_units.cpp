#include "steelyard/replicated_units.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace steelyard {
namespace {

void refuse(bool wrong, const std::string& what) {
  if (wrong) {
    throw std::invalid_argument("replicates are not made for " + what);
  }
}

}  // namespace

void check_capacity(const Design& design, Eigen::Index replicates) {
  refuse(design.replicates() != nullptr, "a design that has replicates");
  refuse(design.options().lonely_domain.has_value(), "a policy for lonely strata in domains");
  refuse(replicates > kMostFactors / std::max<Eigen::Index>(1, design.units()),
         std::to_string(design.units()) + " units x " + std::to_string(replicates) +
             " replicates, which are too many to keep: choose a bootstrap with fewer");
}

void check_drawn(const Design& design, std::span<const Stage> stages) {
  refuse(design.has_form(),
         "a variance that comes from pairs of units, but for the generalised bootstrap");
  const Lonely lonely = design.options().lonely;
  const bool alone = std::any_of(stages.begin(), stages.end(),
                                 [](const Stage& stage) { return stage.has_lonely(); });
  refuse(alone && (lonely == Lonely::kAdjust || lonely == Lonely::kAverage),
         "lonely strata that are adjusted or averaged: merge them, or choose certainty or remove");
}

void check_replicable(const Design& design, Eigen::Index replicates) {
  check_capacity(design, replicates);
  check_drawn(design, design.stages().first(1));
  refuse(design.options().selection != Selection::kEqual,
         "units drawn with unequal probabilities without replacement, but for the generalised "
         "bootstrap and that of Rao, Wu, Yue and Beaumont");
}

std::vector<std::vector<Eigen::Index>> units_by_stratum(const Stage& stage) {
  std::vector<std::vector<Eigen::Index>> result(static_cast<std::size_t>(stage.strata()));
  for (Eigen::Index unit = 0; unit < stage.units(); ++unit) {
    result[static_cast<std::size_t>(stage.stratum_of_unit(unit))].push_back(unit);
  }
  return result;
}

RowMatrix spread_to_last_stage(const Design& design, RowMatrix factors) {
  if (design.stages().size() == 1) {
    return factors;
  }
  RowMatrix result(design.units(), factors.cols());
  for (Eigen::Index unit = 0; unit < design.units(); ++unit) {
    result.row(unit) = factors.row(design.primary_of_unit(unit));
  }
  return result;
}

}  // namespace steelyard
