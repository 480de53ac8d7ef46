#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/matrix.hpp"
#include "steelyard/random.hpp"

namespace steelyard {

/// Probabilities of being drawn in proportion to size, of `draws` units in all. Units that would
/// have more than 1 are certain, and the others share what is left.
/// @throws std::invalid_argument for sizes that are negative, or fewer positive ones than draws.
Eigen::VectorXd inclusion_probabilities(const Eigen::VectorXd& size, std::int64_t draws);

/// Units drawn, in ascending order. All draws have a fixed size: the sum of the probabilities, a
/// whole number; but for draw_poisson.
using Draw = std::vector<Eigen::Index>;

Draw draw_simple(Eigen::Index units, std::int64_t draws, Random& random);
/// Every unit on its own.
Draw draw_poisson(const Eigen::VectorXd& probability, Random& random);
/// In the order of the units, at equal steps of the sum of probabilities (Madow 1949).
Draw draw_systematic(const Eigen::VectorXd& probability, Random& random);
/// Reference: Sampford (1967), On sampling without replacement with unequal probabilities of
/// selection, Biometrika 54.
/// @throws std::runtime_error where no sample was accepted in a great many tries.
Draw draw_sampford(const Eigen::VectorXd& probability, Random& random);
/// Reference: Brewer (1975), A simple procedure for pi-ps wor, Australian Journal of Statistics 17.
Draw draw_brewer(const Eigen::VectorXd& probability, Random& random);
/// By elimination. Reference: Tillé (1996), An elimination procedure for unequal probability
/// sampling without replacement, Biometrika 83.
/// @param size that the probabilities are in proportion to.
Draw draw_tille(const Eigen::VectorXd& size, std::int64_t draws, Random& random);

/// Joint probabilities of two units, and their own on the diagonal.
RowMatrix joint_systematic(const Eigen::VectorXd& probability);
RowMatrix joint_sampford(const Eigen::VectorXd& probability);
RowMatrix joint_tille(const Eigen::VectorXd& size, std::int64_t draws);

}  // namespace steelyard
