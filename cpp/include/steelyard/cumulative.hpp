#pragma once

#include <Eigen/Core>

#include "steelyard/family.hpp"

namespace steelyard {

/// Log-likelihood of ordered categories, and its derivatives, in a block of rows.
///
/// P(Y <= j) = F(threshold_j - predictor), so that a row of category y has probability
/// F(upper) - F(lower), upper and lower being the thresholds above and below less the predictor.
/// Reference: McCullagh (1980), Regression models for ordinal data, JRSS B 42(2).
struct CumulativeBlock {
  Eigen::ArrayXd log_likelihood;
  Eigen::ArrayXd by_upper;  ///< first derivatives; 0 where there is no such threshold
  Eigen::ArrayXd by_lower;
  Eigen::ArrayXd upper_upper;  ///< second derivatives
  Eigen::ArrayXd upper_lower;
  Eigen::ArrayXd lower_lower;
  bool valid = true;  ///< has every row a positive probability?
};

/// @param link       logit, probit or complementary log-log, of a distribution function F with a
///                   log-concave density: the likelihood has one maximum (Pratt 1981, JASA 76).
/// @param category   0, 1, ... of each row.
/// @param thresholds one less than categories, ascending.
void evaluate_cumulative(const MeanModel& link, const Eigen::ArrayXd& category,
                         const Eigen::ArrayXd& predictor, const Eigen::VectorXd& thresholds,
                         CumulativeBlock& into);

}  // namespace steelyard
