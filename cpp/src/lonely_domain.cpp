#include "steelyard/lonely_domain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "steelyard/error.hpp"

namespace steelyard {
namespace {

/// One stage's units and strata as a domain sees them.
struct View {
  const Stage& stage;
  std::vector<std::int64_t> used_units;  // by stratum
  std::vector<char> used;                // by unit
  std::vector<char> sampled;             // by stratum: was it not taken whole?

  View(const Stage& of_stage, std::vector<char> used_by_unit)
      : stage(of_stage),
        used_units(static_cast<std::size_t>(of_stage.strata())),
        used(std::move(used_by_unit)),
        sampled(static_cast<std::size_t>(of_stage.strata())) {
    for (std::size_t unit = 0; unit < used.size(); ++unit) {
      const std::int32_t h = stage.stratum_of_unit(static_cast<Eigen::Index>(unit));
      used_units[static_cast<std::size_t>(h)] += used[unit];
      if (stage.fraction(static_cast<Eigen::Index>(unit)) < 1) {
        sampled[static_cast<std::size_t>(h)] = 1;
      }
    }
  }

  bool is_present(std::int32_t h) const { return used_units[static_cast<std::size_t>(h)] > 0; }
  /// Several units were sampled, of more in the population, and the domain leaves one.
  bool is_sole(std::int32_t h) const {
    return used_units[static_cast<std::size_t>(h)] == 1 && stage.stratum(h).units > 1 &&
           sampled[static_cast<std::size_t>(h)] != 0;
  }
};

/// Which strata are left to the others' average, and how much the others count for it.
std::vector<double> average_factors(const View& view, const Design::Options& options) {
  const Stage& stage = view.stage;
  std::int32_t families = 1;
  for (std::int32_t h = 0; h < stage.strata(); ++h) {
    families = std::max(families, stage.stratum(h).family + 1);
  }
  std::vector<double> present(static_cast<std::size_t>(families), 0);
  std::vector<double> lost(present.size(), 0);
  const auto is_lost = [&](std::int32_t h) {
    return (stage.stratum(h).lonely && options.lonely == Lonely::kAverage) ||
           (view.is_sole(h) && options.lonely_domain == Lonely::kAverage);
  };
  for (std::int32_t h = 0; h < stage.strata(); ++h) {
    if (view.is_present(h)) {
      const auto family = static_cast<std::size_t>(stage.stratum(h).family);
      present[family] += 1;
      lost[family] += is_lost(h) ? 1 : 0;
    }
  }
  std::vector<double> factors;
  for (std::int32_t h = 0; h < stage.strata(); ++h) {
    const auto family = static_cast<std::size_t>(stage.stratum(h).family);
    const double left = present[family] - lost[family];
    if (present[family] > 0 && left == 0) {
      factors.push_back(std::numeric_limits<double>::quiet_NaN());
    } else if (is_lost(h) || present[family] == 0) {
      factors.push_back(0);
    } else {
      factors.push_back(std::sqrt(present[family] / left / stage.inflation(h)));
    }
  }
  return factors;
}

void refuse_sole(const View& view) {
  std::vector<std::int32_t> sole;
  for (std::int32_t h = 0; h < view.stage.strata(); ++h) {
    if (view.is_sole(h)) {
      sole.push_back(h);
    }
  }
  if (!sole.empty()) {
    const auto count = static_cast<std::int64_t>(sole.size());
    throw DesignError(DesignError::Problem::kLonelyInDomain, sole, {count, {}},
                      view.stage.options().number);
  }
}

/// The one unit at its distance from the mean of all units; the absent ones add nothing.
void adjust(const View& view, const Eigen::Ref<const RowMatrix>& totals,
            Eigen::Ref<RowMatrix> deviations) {
  const Eigen::RowVectorXd overall = totals.colwise().mean();
  for (Eigen::Index unit = 0; unit < view.stage.units(); ++unit) {
    if (!view.is_sole(view.stage.stratum_of_unit(unit))) {
      continue;
    }
    if (view.used[static_cast<std::size_t>(unit)] != 0) {
      deviations.row(unit) = std::sqrt(view.stage.scale(unit)) * (totals.row(unit) - overall);
    } else {
      deviations.row(unit).setZero();
    }
  }
}

void treat_stage(const View& view, const Design::Options& options,
                 const Eigen::Ref<const RowMatrix>& totals, Eigen::Ref<RowMatrix> deviations) {
  if (options.lonely_domain == Lonely::kFail) {
    refuse_sole(view);
  }
  if (options.lonely_domain == Lonely::kAdjust) {
    adjust(view, totals, deviations);
  }
  const bool removes =
      options.lonely_domain == Lonely::kRemove || options.lonely_domain == Lonely::kCertainty;
  const std::vector<double> factors = average_factors(view, options);
  const bool averages =
      options.lonely == Lonely::kAverage || options.lonely_domain == Lonely::kAverage;
  for (Eigen::Index unit = 0; unit < view.stage.units(); ++unit) {
    const std::int32_t h = view.stage.stratum_of_unit(unit);
    if (removes && view.is_sole(h)) {
      deviations.row(unit).setZero();
    }
    if (averages) {
      deviations.row(unit) *= factors[static_cast<std::size_t>(h)];
    }
  }
}

}  // namespace

void treat_domain(const Design& design, const std::vector<char>& used,
                  const Eigen::Ref<const RowMatrix>& totals, Eigen::Ref<RowMatrix> deviations) {
  const RowMatrix by_stage = design.sum_by_stage(totals);
  std::vector<char> in_use = used;
  Eigen::Index end = design.deviations();
  for (std::size_t s = design.stages().size(); s-- > 0;) {
    const Stage& stage = design.stages()[s];
    const Eigen::Index at = end - stage.units();
    treat_stage(View(stage, in_use), design.options(), by_stage.middleRows(at, stage.units()),
                deviations.middleRows(at, stage.units()));
    if (s > 0) {
      std::vector<char> above(static_cast<std::size_t>(design.stages()[s - 1].units()), 0);
      for (std::size_t unit = 0; unit < in_use.size(); ++unit) {
        char& known =
            above[static_cast<std::size_t>(stage.above()[static_cast<Eigen::Index>(unit)])];
        known = std::max(known, in_use[unit]);
      }
      in_use = std::move(above);
    }
    end = at;
  }
}

}  // namespace steelyard
