#pragma once

#include <Eigen/Core>

namespace steelyard {

/// What a trend is made of, as linear combinations of the levels of the periods, one a row: their
/// errors, tests and joint distribution are those of any contrast.

/// Coefficients of a polynomial fitted to the levels by weighted least squares: the slope; with
/// degree 2 also the coefficient of the square. Time is as given, so that gaps count as such.
///
/// Row 0 is the slope of the straight line. Row d - 1 is the coefficient of t^d in the polynomial
/// of degree d, which is the contrast of orthogonal polynomials in its own unit.
///
/// @param times   of the periods, ascending.
/// @param weights one a period, above 0.
/// @return degree x periods.
/// @throws std::invalid_argument for times that do not ascend, weights that are not above 0 or
///         differ by more than 1e12, a degree below 1, not more periods than the degree, or lengths
///         that differ.
///
/// Reference: Kutner et al. (2005), Applied Linear Statistical Models, section 8.1; Ingram et al.
/// (2018), NCHS Guidelines for Analysis of Trends, Vital Health Stat 2(179).
Eigen::MatrixXd trend_contrasts(const Eigen::VectorXd& times, const Eigen::VectorXd& weights,
                                int degree);

/// Two straight lines that meet at one of the periods, fitted by weighted least squares: for each
/// period between the first and the last, the slope before, the slope after, and after - before.
///
/// @return three rows a candidate, in the order of time.
/// @throws std::invalid_argument as above, and for fewer than four periods.
///
/// Reference: Kim, Fay, Feuer & Midthune (2000), Statistics in Medicine 19(3), for one change
/// point.
Eigen::MatrixXd joinpoint_contrasts(const Eigen::VectorXd& times, const Eigen::VectorXd& weights);

/// Each period less the one before.
/// @throws std::invalid_argument for fewer than two periods.
Eigen::MatrixXd step_contrasts(Eigen::Index periods);

/// Means of `window` periods one after the other, as combinations of all periods; one window of all
/// periods is their average. Weights count in proportion within each window.
/// @throws std::invalid_argument for a window that does not fit, weights that are negative or
///         infinite, or of which none is above 0 within a window.
Eigen::MatrixXd average_contrasts(const Eigen::VectorXd& weights, Eigen::Index window);

}  // namespace steelyard
