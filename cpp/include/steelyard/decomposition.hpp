#pragma once

#include "steelyard/estimates.hpp"

namespace steelyard {

/// Whose shares and rates a decomposition goes by.
enum class Reference {
  kAverage,  ///< the mean of both: two parts that add up, no interaction
  kBefore,   ///< those before: what is left is the interaction
  kAfter,    ///< those after: what is left is the interaction, with the other sign
};

/// Where the parts of a decomposition stand: these four, then the rates' and the compositions'
/// part of each group (of each coefficient).
enum DecompositionPart { kTotal, kRates, kComposition, kInteraction, kDetail };

/// A change of an overall rate, parted into what the groups' rates changed and what the mix of
/// groups did.
///
/// With shares s of the groups and rates r, before 0 and after 1, of Σ s r:
///   rates        Σ s (r1 - r0)      with s of the reference
///   composition  Σ (s1 - s0) (r - r*)  with r of the reference
///   interaction  Σ (s1 - s0) (r1 - r0) with kBefore, its negative with kAfter, 0 with kAverage.
/// r* is the reference's overall rate: it changes no sum, as shares add to 1, and makes the part of
/// each group say whether it is the growth of a group with a high or a low rate.
///
/// @param parts rates before, sizes before, rates after, sizes after: of as many groups each.
///              Sizes are weighted numbers of those whom the rates are of.
/// @return kTotal, kRates, kComposition, kInteraction; then for each group its part of kRates, and
///         for each its part of kComposition.
///
/// A group without a rate on one side makes all sums not numbers: merge it first.
///
/// Reference: Kitagawa (1955), JASA 50(272); Das Gupta (1978), Demography 15(1).
Estimates kitagawa(const Estimates& parts, Reference reference);

/// A change of a mean of which a linear model holds, parted into what the coefficients changed
/// and what the means of their variables did.
///
/// The mean is Σ b x over coefficients, of which one is the intercept:
///   rates        Σ x (b1 - b0)   with x of the reference   ("coefficients", unexplained)
///   composition  Σ (x1 - x0) b   with b of the reference   ("endowments", explained)
///
/// @param parts coefficients before, means before, coefficients after, means after.
/// @return as kitagawa, the details by coefficient.
///
/// Reference: Oaxaca (1973), International Economic Review 14(3); Blinder (1973), Journal of Human
/// Resources 8(4); Jann (2008), Stata Journal 8(4), for the errors.
Estimates oaxaca(const Estimates& parts, Reference reference);

/// Rates of groups put together with given shares of them: what an overall rate would be with
/// another composition.
///
/// @param rates of the groups.
/// @param sizes of as many groups in the reference population, with their own errors.
/// @return one estimate: Σ sizes rates / Σ sizes.
Estimates standardised(const Estimates& rates, const Estimates& sizes);

}  // namespace steelyard
