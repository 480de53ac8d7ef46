#include "steelyard/weighting.hpp"

#include <stdexcept>
#include <utility>

namespace steelyard {

Weighting::Weighting(Eigen::VectorXd base) {
  if (base.size() == 0 || !base.allFinite() || base.minCoeff() < 0 || base.maxCoeff() == 0) {
    throw std::invalid_argument("base weights are finite, none negative, one positive");
  }
  base_ = std::make_shared<const Eigen::VectorXd>(std::move(base));
}

Weighting Weighting::with(AdjustmentPtr step, int threads) const {
  Weighting result = *this;
  result.done_.push_back(std::make_shared<const Adjusted>(step->apply(weights(), threads)));
  result.steps_.push_back(std::move(step));
  return result;
}

Eigen::VectorXd Weighting::replay(Eigen::VectorXd weights, int threads) const {
  for (const AdjustmentPtr& step : steps_) {
    weights = step->replay(weights, threads);
  }
  return weights;
}

}  // namespace steelyard
