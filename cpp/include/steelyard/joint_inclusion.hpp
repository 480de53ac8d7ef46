#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>
#include <vector>

#include "steelyard/codes.hpp"
#include "steelyard/variance_form.hpp"

namespace steelyard {

/// Which quadratic form estimates the variance from joint inclusion probabilities.
enum class JointVariance {
  kHorvitzThompson,  ///< sum of (pi_ij - pi_i pi_j) / pi_ij z_i z_j
  kYatesGrundy,      ///< sum of (pi_i pi_j - pi_ij) / pi_ij (z_i - z_j)^2 / 2
};

/// From the joint inclusion probabilities of the units sampled, where z is a unit's total of
/// weighted values.
///
/// @param joint units x units, symmetric: pi_ij, and pi_i on the diagonal.
/// @throws std::invalid_argument where a probability is not above 0 and at most 1, exceeds that of
///         one of its units, or the matrix is not symmetric.
/// References: Horvitz & Thompson (1952), JASA 47; Yates & Grundy (1953), JRSS B 15; Särndal,
/// Swensson & Wretman (1992), results 2.8.1 and 2.8.2.
VarianceForm from_joint_probabilities(const Eigen::MatrixXd& joint, JointVariance variance);

/// Overton's approximation to the joint probabilities within strata:
/// pi_ij = pi_i pi_j (n - 1) / (n - (pi_i + pi_j) / 2).
///
/// @param probability each unit's own; 1: the unit adds no variance.
/// @param stratum_of_unit empty: one stratum.
/// @throws std::invalid_argument where a stratum has a single unit that was not certain.
/// Reference: Overton (1985), in Berger (2004), Statistics in Transition 6(5).
VarianceForm overton(const Eigen::VectorXd& probability, const Codes& stratum_of_unit,
                     JointVariance variance);

/// Hartley and Rao's: pi_ij = pi_i pi_j (n - 1) / (n - pi_i - pi_j + sum of pi_k^2 / n).
///
/// @param sum_of_squares by stratum: the sum over the population of pi_k^2, of which those of units
///                       that were certain are taken off; without it, the sample estimates it by
///                       the sum of its pi_k.
/// Reference: Hartley & Rao (1962), Annals of Mathematical Statistics 33(2).
VarianceForm hartley_rao(const Eigen::VectorXd& probability, const Codes& stratum_of_unit,
                         const std::optional<Eigen::VectorXd>& sum_of_squares,
                         JointVariance variance);

/// One stage of a phase, for all rows of the phase.
struct PhaseStage {
  Codes strata;                 ///< empty: one stratum
  Codes units;                  ///< empty: rows
  Eigen::VectorXd probability;  ///< of each row's unit within its stratum
  bool replacement = false;     ///< selections of different units are independent
};

/// A sample, and a subsample of it whose rows were observed: the Horvitz–Thompson form of both
/// phases together.
///
/// @param subsample rows of the first phase that are in the second; the stages of the second have
///                  one row for each of them.
/// Reference: Särndal, Swensson & Wretman (1992), result 9.3.1.
VarianceForm two_phase(std::span<const PhaseStage> first, std::span<const PhaseStage> second,
                       const std::vector<Eigen::Index>& subsample);

}  // namespace steelyard
