#include "steelyard/mixed_bootstrap.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/parallel.hpp"
#include "steelyard/random.hpp"
#include "steelyard/replicated_units.hpp"

namespace steelyard {
namespace {

using Strata = std::vector<std::vector<Eigen::Index>>;

/// e of every unit of a stage: mean 0, variance 1.
Eigen::VectorXd draw(const Stage& stage, const Strata& strata, StageDraw how, Random& random) {
  Eigen::VectorXd e = Eigen::VectorXd::Zero(stage.units());
  if (how == StageDraw::kPoisson) {
    for (Eigen::Index unit = 0; unit < stage.units(); ++unit) {
      e[unit] = random.below(2) == 0 ? -1 : 1;
    }
    return e;
  }
  for (const std::vector<Eigen::Index>& members : strata) {
    const auto n = static_cast<Eigen::Index>(members.size());
    if (n < 2) {
      continue;
    }
    for (const Eigen::Index unit : members) {
      e[unit] = -1;
    }
    for (Eigen::Index i = 0; i < n - 1; ++i) {
      e[members[static_cast<std::size_t>(random.below(n))]] +=
          static_cast<double>(n) / static_cast<double>(n - 1);
    }
  }
  return e;
}

Eigen::VectorXd combine(const Stage& stage, const Eigen::VectorXd& e,
                        const Eigen::VectorXd& above) {
  Eigen::VectorXd factors(stage.units());
  for (Eigen::Index unit = 0; unit < stage.units(); ++unit) {
    const double from_above = stage.above().size() == 0 ? 1 : above[stage.above()[unit]];
    const double share = stage.share_above(unit);
    const double own = std::sqrt((1 - stage.fraction(unit)) * share / (2 - share)) * e[unit];
    factors[unit] = from_above * (1 + own);
  }
  return factors;
}

void check(const Design& design, std::span<const StageDraw> draws,
           const BootstrapOptions& options) {
  if (options.replicates < 2) {
    throw std::invalid_argument("two replicates or more are needed");
  }
  if (!draws.empty() && draws.size() != design.stages().size()) {
    throw std::invalid_argument("the design has " + std::to_string(design.stages().size()) +
                                " stages that vary: say of each how it was drawn");
  }
  check_capacity(design, options.replicates);
  check_drawn(design, design.stages());
}

}  // namespace

Replicates mixed_bootstrap(const Design& design, std::span<const StageDraw> draws,
                           const BootstrapOptions& options) {
  check(design, draws, options);
  std::vector<Strata> strata;
  for (const Stage& stage : design.stages()) {
    strata.push_back(units_by_stratum(stage));
  }
  Eigen::MatrixXd factors(design.units(), options.replicates);
  parallel_for(options.replicates, 0, [&](Eigen::Index r) {
    Random random(options.seed, static_cast<std::uint64_t>(r));
    Eigen::VectorXd found;
    for (std::size_t s = 0; s < strata.size(); ++s) {
      const StageDraw how = draws.empty() ? StageDraw::kFixedSize : draws[s];
      const Stage& stage = design.stages()[s];
      found = combine(stage, draw(stage, strata[s], how, random), found);
    }
    factors.col(r) = found;
  });
  const double scale = 1 / static_cast<double>(options.replicates - 1);
  return Replicates::of_units(
      std::move(factors),
      {Eigen::VectorXd::Constant(options.replicates, scale), options.about_estimate});
}

}  // namespace steelyard
