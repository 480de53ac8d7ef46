#pragma once

#include <Eigen/Core>

namespace steelyard {

/// How the variance of a response depends on its mean mu: 1, mu (1 - mu), mu, mu^2.
/// Quasi-likelihood asks no more: the estimates of quasibinomial and quasipoisson are those of the
/// families here.
enum class Family { kGaussian, kBinomial, kPoisson, kGamma };
enum class Link { kIdentity, kLogit, kProbit, kCloglog, kLog, kInverse };

/// What a block of rows has at its linear predictors; all arrays are as long.
struct MeanBlock {
  Eigen::ArrayXd mean;
  Eigen::ArrayXd rest;   ///< 1 - mean without cancellation; binomial only
  Eigen::ArrayXd slope;  ///< of the mean by the linear predictor
  Eigen::ArrayXd ratio;  ///< slope over variance function; exactly 1 for a canonical link
  bool valid = true;     ///< are all means inside the range of the family?
};

/// A generalised linear model's mean and variance.
///
/// Reference: McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed., sections 2.2-2.5.
class MeanModel {
 public:
  /// @throws std::invalid_argument for a link that the family is not offered with. Gaussian:
  ///         identity; binomial: logit, probit, cloglog; Poisson: log; gamma: log, inverse.
  MeanModel(Family family, Link link);

  Family family() const { return family_; }
  Link link() const { return link_; }
  /// May the family have this response? Binomial: a share in [0, 1].
  bool allows(double response) const;
  /// Responses whose likelihood grows as the linear predictor falls, or rises, for ever: -1, 1.
  /// 0: it has its largest value at a finite linear predictor.
  int limit(double response) const;

  /// Linear predictors are kept to where means can be told from the ends of their range.
  void evaluate(const Eigen::ArrayXd& predictor, MeanBlock& into) const;
  /// Second derivative of the mean by the linear predictor.
  Eigen::ArrayXd curvature(const Eigen::ArrayXd& predictor, const MeanBlock& at) const;
  /// Is the ratio of slope and variance constant, so that expected and observed information agree?
  bool canonical() const;
  /// Derivative of MeanBlock::ratio by the linear predictor.
  Eigen::ArrayXd ratio_slope(const Eigen::ArrayXd& predictor, const MeanBlock& at) const;
  /// Response minus mean.
  Eigen::ArrayXd residual(const Eigen::ArrayXd& response, const MeanBlock& at) const;
  /// Deviance of each row: twice what its log-likelihood lacks of its largest.
  Eigen::ArrayXd deviance(const Eigen::ArrayXd& response, const MeanBlock& at) const;

  /// The linear predictor of a mean (for the probit link, nearly).
  Eigen::ArrayXd link_of(const Eigen::ArrayXd& mean) const;

 private:
  Family family_;
  Link link_;
};

}  // namespace steelyard
