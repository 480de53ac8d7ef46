#include "steelyard/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/parallel.hpp"
#include "steelyard/random.hpp"
#include "steelyard/replicated_units.hpp"

namespace steelyard {
namespace {

using Strata = std::vector<std::vector<Eigen::Index>>;

/// Each replicate has a stream of its own: the same factors for any number of threads.
template <typename Draw>
RowMatrix draw_all(Eigen::Index units, const BootstrapOptions& options, const Draw& draw) {
  Eigen::MatrixXd factors = Eigen::MatrixXd::Ones(units, options.replicates);
  parallel_for(options.replicates, 0, [&](Eigen::Index r) {
    Random random(options.seed, static_cast<std::uint64_t>(r));
    draw(random, factors.col(r));
  });
  return factors;
}

Replicates replicates_of(const Design& design, RowMatrix factors, double scale,
                         const BootstrapOptions& options) {
  return Replicates::of_units(
      spread_to_last_stage(design, std::move(factors)),
      {Eigen::VectorXd::Constant(options.replicates, scale), options.about_estimate});
}

void check(const Design& design, const BootstrapOptions& options) {
  if (options.replicates < 2) {
    throw std::invalid_argument("two replicates or more are needed");
  }
  check_replicable(design, options.replicates);
}

double one_less(const BootstrapOptions& options) {
  return static_cast<double>(options.replicates - 1);
}

/// How often each unit of a stratum stands in its population: N_h / n_h times, rounded so that they
/// add up; the first ones more often.
std::vector<std::size_t> copies(std::size_t units, double fraction) {
  const auto population =
      static_cast<std::size_t>(std::llround(static_cast<double>(units) / fraction));
  std::vector<std::size_t> result(population);
  for (std::size_t i = 0; i < population; ++i) {
    result[i] = i % units;
  }
  return result;
}

/// Preston's factors, built up from the first stage down.
class MultistageDraw {
 public:
  MultistageDraw(const Design& design, Random& random) : design_(design), random_(random) {}

  Eigen::VectorXd factors() {
    Level above{{1}, Eigen::VectorXd::Ones(1), Eigen::VectorXd::Ones(1)};
    for (const Stage& stage : design_.stages()) {
      Level level{std::vector<char>(static_cast<std::size_t>(stage.units()), 0),
                  Eigen::VectorXd::Zero(stage.units()), Eigen::VectorXd::Zero(stage.units())};
      for (const std::vector<Eigen::Index>& members : units_by_stratum(stage)) {
        if (!members.empty()) {
          draw_stratum(stage, members, above, level);
        }
      }
      above = std::move(level);
    }
    return above.factor;
  }

 private:
  /// Of the units of a stage: whether they were drawn, with all above them; what their own units'
  /// factors are multiplied by; and the factors so far.
  struct Level {
    std::vector<char> drawn;
    Eigen::VectorXd passed;
    Eigen::VectorXd factor;
  };

  const Design& design_;
  Random& random_;

  void draw_stratum(const Stage& stage, const std::vector<Eigen::Index>& members,
                    const Level& above, Level& level) {
    const Eigen::Index parent = stage.above().size() == 0 ? 0 : stage.above()[members.front()];
    const auto n = static_cast<double>(members.size());
    const auto half = static_cast<Eigen::Index>(members.size() / 2);
    const auto m = static_cast<double>(half);
    const bool is_open = above.drawn[static_cast<std::size_t>(parent)] != 0;
    const bool draws = is_open && half > 0;
    std::vector<Eigen::Index> order = members;
    if (draws) {
      random_.choose(order, half);
    }
    const double share = stage.share_above(members.front());
    const double fraction = stage.fraction(members.front());
    const double lambda = draws ? std::sqrt(share * m * (1 - fraction) / (n - m)) : 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      // A unit alone does not vary, and those in it do.
      const bool is_drawn = draws ? static_cast<Eigen::Index>(i) < half : is_open;
      const double own = draws ? lambda * (is_drawn ? n / m - 1 : -1) : 0;
      level.factor[order[i]] = above.factor[parent] + own * above.passed[parent];
      level.drawn[static_cast<std::size_t>(order[i])] = is_drawn ? 1 : 0;
      level.passed[order[i]] = is_drawn ? above.passed[parent] * (draws ? std::sqrt(n / m) : 1) : 0;
    }
  }
};

}  // namespace

Replicates rescaled_bootstrap(const Design& design, const BootstrapOptions& options) {
  check(design, options);
  const Strata strata = units_by_stratum(design.first());
  const auto draw = [&](Random& random, Eigen::Ref<Eigen::VectorXd> factors) {
    for (std::size_t h = 0; h < strata.size(); ++h) {
      const auto n = static_cast<Eigen::Index>(strata[h].size());
      if (n < 2) {
        continue;
      }
      const double part = std::sqrt(1 - design.stratum(static_cast<Eigen::Index>(h)).fraction);
      for (const Eigen::Index unit : strata[h]) {
        factors[unit] = 1 - part;
      }
      const double each = part * static_cast<double>(n) / static_cast<double>(n - 1);
      for (Eigen::Index i = 0; i < n - 1; ++i) {
        factors[strata[h][static_cast<std::size_t>(random.below(n))]] += each;
      }
    }
  };
  return replicates_of(design, draw_all(design.first().units(), options, draw),
                       1 / one_less(options), options);
}

Replicates canty_davison_bootstrap(const Design& design, const BootstrapOptions& options) {
  check(design, options);
  const Strata strata = units_by_stratum(design.first());
  double inverse = 0;
  double sampled = 0;
  for (const std::vector<Eigen::Index>& units : strata) {
    inverse += units.empty() ? 0 : 1 / static_cast<double>(units.size());
    sampled += units.empty() ? 0 : 1;
  }
  const double mean = sampled / inverse;
  if (!(mean > 1)) {
    throw std::invalid_argument("every stratum has a single unit");
  }
  const auto draw = [&](Random& random, Eigen::Ref<Eigen::VectorXd> factors) {
    for (std::size_t h = 0; h < strata.size(); ++h) {
      const std::vector<Eigen::Index>& units = strata[h];
      const auto n = static_cast<Eigen::Index>(units.size());
      const double fraction = design.stratum(static_cast<Eigen::Index>(h)).fraction;
      for (const Eigen::Index unit : units) {
        factors[unit] = 0;
      }
      if (fraction < 0.01) {  // as good as with replacement
        for (Eigen::Index i = 0; i < n; ++i) {
          factors[units[static_cast<std::size_t>(random.below(n))]] += 1;
        }
        continue;
      }
      // Which units have one copy more is drawn anew each time.
      std::vector<Eigen::Index> order = units;
      random.choose(order, n);
      std::vector<std::size_t> population = copies(order.size(), fraction);
      random.choose(population, n);
      for (Eigen::Index i = 0; i < n; ++i) {
        factors[order[population[static_cast<std::size_t>(i)]]] += 1;
      }
    }
  };
  return replicates_of(design, draw_all(design.first().units(), options, draw),
                       mean / ((mean - 1) * one_less(options)), options);
}

Replicates multistage_bootstrap(const Design& design, const BootstrapOptions& options) {
  check(design, options);
  check_drawn(design, design.stages());
  const auto draw = [&](Random& random, Eigen::Ref<Eigen::VectorXd> factors) {
    factors = MultistageDraw(design, random).factors();
  };
  return Replicates::of_units(draw_all(design.units(), options, draw),
                              {Eigen::VectorXd::Constant(options.replicates, 1 / one_less(options)),
                               options.about_estimate});
}

}  // namespace steelyard
