#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/matrix.hpp"

namespace steelyard {

/// The small matrix D between a design and inference: Cov(estimates) = D^T D, or D^T S D with signs
/// S where a design's estimate of variance may be negative.
///
/// Each row belongs to a sampling unit known by a 64-bit key, so that the rows of two samples can
/// be aligned: what they share is what makes their estimates covary.
struct Deviations {
  RowMatrix matrix;                    ///< units x estimates
  std::vector<std::uint64_t> units;    ///< key of each row's unit
  std::vector<std::uint64_t> strata;   ///< key of each row's stratum
  std::vector<char> counted;           ///< does the row's unit count for degrees of freedom?
  std::vector<std::uint64_t> samples;  ///< key of each sample the rows come from
  double degrees_of_freedom = 0;
  Eigen::VectorXd signs;  ///< +1 or -1 a row; empty: all +1
  /// False where units were too many to keep: rows are then a square root of the covariance, which
  /// covaries with itself and with nothing else.
  bool by_unit = true;

  Eigen::Index estimates() const { return matrix.cols(); }
  Eigen::MatrixXd covariance() const;
  /// Its diagonal.
  Eigen::VectorXd variances() const;
};

/// @throws std::invalid_argument unless there is a key, a stratum and a count for every row, and a
///         sign for every row or for none.
void check(const Deviations& deviations);

/// A 64-bit key made from two.
std::uint64_t mix(std::uint64_t state, std::uint64_t value);

/// A square root of a covariance, as deviations without units.
/// Joined with itself or with what was made from it, it covaries.
/// @param identity key of what was estimated: equal for the same estimates of the same sample only.
/// @param sample   key of the sample that the covariance was estimated from.
Deviations square_root(const Eigen::MatrixXd& covariance, double degrees_of_freedom,
                       std::uint64_t identity, std::uint64_t sample);

/// Errors that are known from elsewhere, as deviations of no unit: rows are a square root of the
/// covariance, and no degrees of freedom are lost by them. Joined with the same errors, or with
/// what was made from them, they covary.
/// @param identity key of the errors.
Deviations known_errors(const Eigen::MatrixXd& covariance, std::uint64_t identity);

/// The deviations of a sample as one that has nothing in common with any other.
/// @param salt equal for all deviations of the sample.
Deviations apart(Deviations deviations, std::uint64_t salt);

/// Both sets of estimates side by side: rows with equal unit keys are one row, so that
/// covariances between the two come from shared units.
///
/// Degrees of freedom are units minus strata over the union, of those that count. Two strata are
/// one when they share a unit; where none is shared they were sampled apart and each loses its own.
/// @throws std::invalid_argument when both come from one sample, the units of either were not kept,
///         and neither was made from the other, so that their covariance is not known.
Deviations join(const Deviations& first, const Deviations& second);

/// Deviations of sums of two sets of as many estimates: those of units that both have are added.
/// Degrees of freedom are those of the first.
/// @throws std::invalid_argument as for join.
Deviations add(const Deviations& first, Deviations second);

/// How many units of the first stage two samples share.
std::int64_t shared_units(const Deviations& first, const Deviations& second);

}  // namespace steelyard
