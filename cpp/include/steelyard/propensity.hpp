#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "steelyard/adjustment.hpp"
#include "steelyard/column.hpp"
#include "steelyard/model_matrix.hpp"

namespace steelyard {

/// Weights of those who responded over their estimated probability to, by a weighted logistic
/// regression over all who could have.
///
/// Reference: Little (1986), Survey nonresponse adjustments for estimates of means, International
/// Statistical Review 54(2); Kim & Kim (2007), Nonresponse weighting adjustment using estimated
/// response probability, Canadian Journal of Statistics 35(4), for the variance.
class Propensity final : public Adjustment {
 public:
  /// @param responded 1 or 0.
  /// @param eligible  one byte a row: rows of the model. Others keep their weights.
  /// @param classes   0: each by its own probability; else by the response rate of so many classes
  ///                  of about equal size, in the order of the probabilities.
  Propensity(ModelMatrix matrix, Column responded, std::vector<std::uint8_t> eligible, int classes);

  /// @throws FitError where the regression cannot be fitted.
  /// @throws WeightingError where a class has no respondents.
  /// @throws InvalidColumn where a row of the model lacks a regressor.
  Adjusted apply(const Before& before, int threads) const override;

 private:
  ModelMatrix matrix_;
  Column responded_;
  std::vector<std::uint8_t> eligible_;
  int classes_;

  Adjusted by_class(const Before& before, const Eigen::VectorXd& probability, int threads) const;
};

}  // namespace steelyard
