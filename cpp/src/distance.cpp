#include "steelyard/distance.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace steelyard {
namespace {

double logit_share(double score, const Distance::Bounds& b) {
  const double steep = (b.high - b.low) / ((1 - b.low) * (b.high - 1));
  return 1 / (1 + (b.high - 1) / (1 - b.low) * std::exp(-steep * score));
}

double free_factor(Distance::Kind kind, double score) {
  if (kind == Distance::Kind::kLinear) {
    return 1 + score;
  }
  if (kind == Distance::Kind::kRaking) {
    return std::exp(score);
  }
  const double p = std::asinh(2 * score);
  return (p + std::sqrt(p * p + 4)) / 2;
}

}  // namespace

bool Distance::Bounds::is_open() const { return std::isinf(low) && std::isinf(high); }

Distance::Distance(Kind kind, const Bounds& bounds) : kind_(kind), bounds_(bounds) {
  if (!(bounds.low < bounds.high)) {
    throw std::invalid_argument("the upper bound lies above the lower");
  }
  if (kind == Kind::kLogit && (std::isinf(bounds.low) || std::isinf(bounds.high))) {
    throw std::invalid_argument("the logit distance needs two bounds");
  }
}

double Distance::factor(double score, const Bounds& bounds) const {
  if (kind_ == Kind::kLogit) {
    return bounds.low + (bounds.high - bounds.low) * logit_share(score, bounds);
  }
  return std::clamp(free_factor(kind_, score), bounds.low, bounds.high);
}

double Distance::slope(double score, const Bounds& bounds) const {
  if (kind_ == Kind::kLogit) {
    const double g = factor(score, bounds);
    return (g - bounds.low) * (bounds.high - g) / ((1 - bounds.low) * (bounds.high - 1));
  }
  const double g = free_factor(kind_, score);
  if (g <= bounds.low || g >= bounds.high) {
    return 0;
  }
  if (kind_ == Kind::kLinear) {
    return 1;
  }
  if (kind_ == Kind::kRaking) {
    return g;
  }
  const double p = std::asinh(2 * score);
  return (1 + p / std::sqrt(p * p + 4)) / std::sqrt(1 + 4 * score * score);
}

}  // namespace steelyard
