#pragma once

#include <Eigen/Core>

#include "steelyard/wald_test.hpp"

namespace steelyard {

/// How a statistic that is chi-square under simple random sampling is judged in a survey. Without
/// F, sampling error of the design effects is left out: for designs of many units.
enum class RaoScott {
  kFirstOrder,    ///< X / mean(deff), chi-square on k
  kFirstOrderF,   ///< X / sum(deff), F on k and k d
  kSecondOrder,   ///< X / mean(deff) / (1 + cv^2), chi-square on q = k / (1 + cv^2)
  kSecondOrderF,  ///< X / sum(deff), F on q and q d
  kSaddlepoint,   ///< X against sum(deff * chi-square(1)), by saddlepoint approximation
  kSaddlepointF,  ///< the same, over chi-square(q d) / (q d)
  kExact,         ///< as kSaddlepoint, exactly
  kExactF,        ///< as kSaddlepointF, exactly
};

/// Judges `uncorrected`, which would be chi-square on as many degrees of freedom as there are
/// design effects, were they all 1.
///
/// k is the number of design effects, cv their coefficient of variation with divisor k, d the
/// design's degrees of freedom; where they are infinite each F has the probability of chi-square.
/// The statistic of kSaddlepoint and kExact is X itself; their `ndf` is k.
///
/// R survey's svychisq: "Chisq" is kFirstOrder (its printed statistic is X), "F" is kSecondOrderF;
/// "saddlepoint" and "lincom" are kSaddlepointF and kExactF for designs with units, kSaddlepoint
/// and kExact for replicates. R cuts q d down to a whole number within its saddlepoint; here it
/// is kept.
///
/// References: Rao & Scott (1981), JASA 76; Rao & Scott (1984), Annals of Statistics 12; Thomas &
/// Rao (1987), JASA 82, for the F versions.
/// @throws std::invalid_argument when the statistic is negative or not finite, a design effect is
///         negative or not finite, none is positive, or degrees of freedom are not positive.
TestResult rao_scott_test(double uncorrected, const Eigen::VectorXd& design_effects,
                          double degrees_of_freedom, RaoScott correction);

}  // namespace steelyard
