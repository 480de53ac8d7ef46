#pragma once

#include <Eigen/Core>
#include <optional>

#include "steelyard/basis.hpp"
#include "steelyard/family.hpp"
#include "steelyard/model_rows.hpp"

namespace steelyard {

/// Sums over the rows of a generalised linear model at some coefficients, at weights relative to
/// their mean.
struct WorkingSums {
  Eigen::MatrixXd information;  ///< expected; lower triangle
  /// Observed information where it differs, empty elsewhere and at the start: Newton's steps
  /// converge faster than Fisher's, and the likelihoods of all links offered are log-concave.
  Eigen::MatrixXd observed;
  Eigen::VectorXd score;  ///< or, at the start, the right-hand side of the normal equations
  double deviance = 0;
  double null_deviance = 0;   ///< at the start only
  double pearson = 0;         ///< sum of w p, with p the Pearson residual
  double pearson_square = 0;  ///< sum of w p^2
  bool valid = true;          ///< are all means inside the range of the family?

  explicit WorkingSums(Eigen::Index columns, bool with_observed = false)
      : information(Eigen::MatrixXd::Zero(columns, columns)),
        observed(with_observed ? information : Eigen::MatrixXd()),
        score(Eigen::VectorXd::Zero(columns)) {}
  void merge(const WorkingSums& part);
  /// The step to better coefficients; none when the information is singular.
  std::optional<Eigen::VectorXd> step() const;
};

/// One iteration's pass over the rows.
class Reweighting {
 public:
  Reweighting(const ModelSample& sample, const MeanModel& mean, const Basis& basis);

  /// From means halfway between each response and their mean: the first step of iteratively
  /// reweighted least squares needs no coefficients.
  WorkingSums start() const;
  WorkingSums at(const Eigen::VectorXd& coefficients) const;
  /// Deviance of the constant alone, of rows that have an offset.
  double null_deviance_with_offset() const;

 private:
  const ModelSample& sample_;
  const MeanModel& mean_;
  const Basis& basis_;
  double unit_;
  double mean_response_;  // inside the range of the link
  bool has_constant_;

  void add(const ModelBlock& block, const Eigen::VectorXd* coefficients, WorkingSums& sums) const;
  double null_deviance(const ModelBlock& block, const Eigen::ArrayXd& weight) const;
};

/// Solution of information * step = score; none when the information is singular.
std::optional<Eigen::VectorXd> solve(const Eigen::MatrixXd& information,
                                     const Eigen::VectorXd& score);
Eigen::MatrixXd invert(const Eigen::MatrixXd& information);

}  // namespace steelyard
