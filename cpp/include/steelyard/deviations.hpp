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
  RowMatrix matrix;                   ///< units x estimates
  std::vector<std::uint64_t> units;   ///< key of each row's unit
  std::vector<std::uint64_t> strata;  ///< key of each row's stratum
  std::vector<char> counted;          ///< does the row's unit count for degrees of freedom?
  /// Has the row's unit a name, by which another sample may find it? Empty: all have.
  std::vector<char> named = {};
  std::vector<std::uint64_t> samples;  ///< key of each sample the rows come from
  /// Sampling fraction of the row's unit of the first stage; 0 where it is negligible or not known.
  /// Empty: all 0.
  std::vector<double> fractions = {};
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

/// The same covariance without a row for every unit that has no name: of those, a square root of
/// what they add, so that nothing tells what one of them answered. No other sample could find them.
/// @param identity key of the square root.
Deviations without_unnamed(const Deviations& deviations, std::uint64_t identity);

/// `second` as it is joined with `first` to compare two samples of one finite population: what
/// units in both add to the covariance is reduced by what samples drawn apart would share by
/// chance.
///
/// With n1 and n2 units of a stratum of N, of which m are in both, the covariance of means is
/// S12 (m / (n1 n2) - 1 / N), and aligned deviations give S12 m / (n1 n2) sqrt((1 - f1)(1 - f2)).
/// Their ratio is 1 for a panel, and 0 where m is what chance gives; below that it counts as 0. The
/// variances of `second` stay as they are, and the joint covariance a Gram matrix.
///
/// Reference: Tam (1984), The American Statistician 38(4); Qualité & Tillé (2008), Survey
/// Methodology 34(2).
Deviations without_chance(const Deviations& first, const Deviations& second);

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

/// How many units two samples share.
struct SharedUnits {
  std::int64_t first_stage = 0;  ///< those that count for degrees of freedom
  std::int64_t further = 0;      ///< those of further stages
};
SharedUnits shared_units(const Deviations& first, const Deviations& second);

}  // namespace steelyard
