#include "steelyard/generalised_bootstrap.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "steelyard/random.hpp"
#include "steelyard/replicated_units.hpp"

namespace steelyard {
namespace {

constexpr double kSmallestFactor = 0.01;

RowMatrix random_signs(Eigen::Index rows, const BootstrapOptions& options) {
  RowMatrix signs(rows, options.replicates);
  for (Eigen::Index r = 0; r < options.replicates; ++r) {
    Random random(options.seed, static_cast<std::uint64_t>(r));
    for (Eigen::Index row = 0; row < rows; ++row) {
      signs(row, r) = random.below(2) == 0 ? -1 : 1;
    }
  }
  return signs;
}

}  // namespace

Replicates generalised_bootstrap(const Design& design, const BootstrapOptions& options,
                                 std::optional<double> tau) {
  if (options.replicates < 2) {
    throw std::invalid_argument("two replicates or more are needed");
  }
  if (tau && !(*tau >= 1)) {
    throw std::invalid_argument("tau: at least 1");
  }
  check_capacity(design, options.replicates);
  if (design.signs().size() > 0) {
    throw std::invalid_argument(
        "the variance is a quadratic form that is negative for some totals, and replicates have "
        "none of those: choose the Yates-Grundy form, or Brewer's approximation");
  }
  const RowMatrix moves = design.transpose(random_signs(design.deviations(), options));
  const double least = std::max(1.0, -moves.minCoeff() / (1 - kSmallestFactor));
  const double shrink = tau.value_or(least);
  const auto count = static_cast<double>(options.replicates);
  const double scale = shrink * shrink / (options.about_estimate ? count : count - 1);
  return Replicates::of_units(
      (1 + moves.array() / shrink).matrix(),
      {Eigen::VectorXd::Constant(options.replicates, scale), options.about_estimate});
}

}  // namespace steelyard
