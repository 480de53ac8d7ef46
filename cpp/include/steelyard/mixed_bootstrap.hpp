#pragma once

#include <span>

#include "steelyard/bootstrap.hpp"
#include "steelyard/design.hpp"
#include "steelyard/replicate.hpp"

namespace steelyard {

/// How the units of a stage came into the sample, for the bootstrap of Rao, Wu, Yue and Beaumont.
enum class StageDraw {
  kFixedSize,  ///< a given number of them; with equal or unequal probabilities, as the design says
  kPoisson,    ///< each on its own, as where response is a stage
};

/// The bootstrap of Rao, Wu, Yue and Beaumont, of all stages, each drawn in its own way.
///
/// A unit drawn with probability p has at its stage the factor a = 1 + sqrt(1 - p) e: with e from
/// n_h - 1 draws with replacement out of n_h (fixed size), or a random sign (Poisson). Over stages
/// factors multiply as f_k = f_{k-1} (1 + sqrt(P / (2 - P)) (a_k - 1)), where P is the probability
/// of all above; the variance of a linear estimate is then the sum of the stages'. No factor is
/// negative. With unequal probabilities and a fixed size the variance is approximate.
/// The scale is 1 / (replicates - 1).
///
/// @param draws one a stage; empty: of fixed size.
/// @throws std::invalid_argument for a quadratic form, lonely strata that are adjusted or averaged,
///         and another number of draws than stages.
/// Reference: Beaumont & Émond (2022), Stats 5(2), sections 3 and 7.
Replicates mixed_bootstrap(const Design& design, std::span<const StageDraw> draws,
                           const BootstrapOptions& options);

}  // namespace steelyard
