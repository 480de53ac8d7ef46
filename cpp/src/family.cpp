#include "steelyard/family.hpp"

#include <cmath>
#include <numbers>
#include <stdexcept>

namespace steelyard {
namespace {

using Array = Eigen::ArrayXd;

bool offered(Family family, Link link) {
  switch (family) {
    case Family::kGaussian:
      return link == Link::kIdentity;
    case Family::kBinomial:
      return link == Link::kLogit || link == Link::kProbit || link == Link::kCloglog;
    case Family::kPoisson:
      return link == Link::kLog;
    case Family::kGamma:
      return link == Link::kLog || link == Link::kInverse;
  }
  return false;
}

// Beyond these a mean differs from 0 or 1 by less than double can hold.
constexpr double kFarLog = 700;
constexpr double kFarProbit = 37;
const double kFarCloglog = std::log(kFarLog);

void evaluate_logit(const Array& predictor, MeanBlock& into) {
  const Array tail = (-predictor.abs().min(kFarLog)).exp();
  into.slope = 1 / (1 + tail);  // the larger of mean and rest
  into.mean = (predictor >= 0).select(into.slope, tail * into.slope);
  into.rest = (predictor >= 0).select(tail * into.slope, into.slope);
  into.slope *= tail * into.slope;
  into.ratio.setOnes(predictor.size());
}

void evaluate_probit(const Array& predictor, MeanBlock& into) {
  const Array clamped = predictor.max(-kFarProbit).min(kFarProbit);
  into.mean = clamped.unaryExpr([](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); });
  into.rest = clamped.unaryExpr([](double x) { return 0.5 * std::erfc(x / std::numbers::sqrt2); });
  into.slope = (-0.5 * clamped.square()).exp() / std::sqrt(2 * std::numbers::pi);
  into.ratio = into.slope / into.mean / into.rest;
}

void evaluate_cloglog(const Array& predictor, MeanBlock& into) {
  const Array hazard = predictor.max(-kFarLog).min(kFarCloglog).exp();
  into.mean = hazard.unaryExpr([](double h) { return -std::expm1(-h); });
  into.rest = (-hazard).exp();
  into.slope = hazard * into.rest;
  into.ratio = hazard / into.mean;
}

/// y log(y / mean), which is 0 at y = 0.
Array relative_entropy(const Array& y, const Array& mean) {
  return (y > 0).select(y * ((y > 0).select(y, 1.0) / mean).log(), 0.0);
}

Array binomial_deviance(const Array& y, const MeanBlock& at) {
  if ((y == 0 || y == 1).all()) {
    return -2 * (y == 1).select(at.mean, at.rest).log();
  }
  return 2 * (relative_entropy(y, at.mean) + relative_entropy(1 - y, at.rest));
}

}  // namespace

MeanModel::MeanModel(Family family, Link link) : family_(family), link_(link) {
  if (!offered(family, link)) {
    throw std::invalid_argument("the family is not offered with this link");
  }
}

bool MeanModel::canonical() const {
  const bool gamma_log = family_ == Family::kGamma && link_ == Link::kLog;
  return link_ != Link::kProbit && link_ != Link::kCloglog && !gamma_log;
}

bool MeanModel::allows(double response) const {
  switch (family_) {
    case Family::kGaussian:
      return true;
    case Family::kBinomial:
      return response >= 0 && response <= 1;
    case Family::kPoisson:
      return response >= 0;
    case Family::kGamma:
      return response > 0;
  }
  return false;
}

int MeanModel::limit(double response) const {
  const bool has_lower = family_ == Family::kBinomial || family_ == Family::kPoisson;
  if (has_lower && response == 0) {
    return -1;
  }
  return family_ == Family::kBinomial && response == 1 ? 1 : 0;
}

void MeanModel::evaluate(const Array& predictor, MeanBlock& into) const {
  into.valid = true;
  switch (link_) {
    case Link::kIdentity:
      into.mean = predictor;
      into.slope.setOnes(predictor.size());
      into.ratio.setOnes(predictor.size());
      break;
    case Link::kLogit:
      evaluate_logit(predictor, into);
      break;
    case Link::kProbit:
      evaluate_probit(predictor, into);
      break;
    case Link::kCloglog:
      evaluate_cloglog(predictor, into);
      break;
    case Link::kLog:
      into.mean = predictor.max(-kFarLog).min(kFarLog).exp();
      into.slope = into.mean;
      into.ratio = family_ == Family::kGamma ? Array(1 / into.mean) : Array::Ones(into.mean.size());
      break;
    case Link::kInverse:
      into.mean = 1 / predictor;
      into.slope = -into.mean.square();
      into.ratio.setConstant(predictor.size(), -1);
      into.valid = !(predictor <= 0).any();
      break;
  }
}

Array MeanModel::curvature(const Array& predictor, const MeanBlock& at) const {
  switch (link_) {
    case Link::kIdentity:
      return Array::Zero(predictor.size());
    case Link::kLogit:
      return at.slope * (at.rest - at.mean);
    case Link::kProbit:
      return -predictor * at.slope;
    case Link::kCloglog:
      return at.slope * (1 - predictor.min(kFarCloglog).exp());
    case Link::kLog:
      return at.mean;
    case Link::kInverse:
      return 2 * at.mean.cube();
  }
  return {};
}

Array MeanModel::ratio_slope(const Array& predictor, const MeanBlock& at) const {
  if (link_ == Link::kProbit) {
    const Array clamped = predictor.max(-kFarProbit).min(kFarProbit);
    return at.ratio * (at.slope / at.rest - at.slope / at.mean - clamped);
  }
  if (link_ == Link::kCloglog) {
    return at.ratio * (1 - at.slope / at.mean);
  }
  return canonical() ? Array(Array::Zero(predictor.size())) : Array(-at.ratio);
}

Array MeanModel::residual(const Array& response, const MeanBlock& at) const {
  if (family_ == Family::kBinomial) {
    return response * at.rest - (1 - response) * at.mean;
  }
  return response - at.mean;
}

Array MeanModel::deviance(const Array& response, const MeanBlock& at) const {
  switch (family_) {
    case Family::kGaussian:
      return (response - at.mean).square();
    case Family::kBinomial:
      return binomial_deviance(response, at);
    case Family::kPoisson:
      return 2 * (relative_entropy(response, at.mean) - (response - at.mean));
    case Family::kGamma:
      return 2 * ((response - at.mean) / at.mean - (response / at.mean).log());
  }
  return {};
}

Array MeanModel::link_of(const Array& mean) const {
  // A logistic distribution of this scale is nearly normal.
  constexpr double kLogisticScale = 1.7;
  switch (link_) {
    case Link::kIdentity:
      return mean;
    case Link::kLogit:
      return (mean / (1 - mean)).log();
    case Link::kProbit:
      return (mean / (1 - mean)).log() / kLogisticScale;
    case Link::kCloglog:
      return (-(1 - mean).log()).log();
    case Link::kLog:
      return mean.log();
    case Link::kInverse:
      return 1 / mean;
  }
  return {};
}

}  // namespace steelyard
