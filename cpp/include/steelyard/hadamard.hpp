#pragma once

#include <Eigen/Core>

namespace steelyard {

/// Entries +1 and -1, columns orthogonal to each other; the first row and column are all +1.
using SignMatrix = Eigen::Matrix<signed char, Eigen::Dynamic, Eigen::Dynamic>;

/// A Hadamard matrix of the smallest order, at least `least`, that these constructions reach:
/// Sylvester's doubling, Paley's two for primes, Williamson's for order 92, and products of those.
/// Up to 1,000 that is the next multiple of 4 for three in four, and within 12 for all.
///
/// @throws std::invalid_argument for more than 2^15.
/// Reference: Hedayat & Wallis (1978), Hadamard matrices and their applications, Annals of
/// Statistics 6(6); Baumert, Golomb & Hall (1962), Bulletin of the AMS 68(3).
SignMatrix hadamard(Eigen::Index least);

}  // namespace steelyard
