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
  const Before before{weights(), {}, base()};
  result.done_.push_back(std::make_shared<const Adjusted>(step->apply(before, threads)));
  result.steps_.push_back(std::move(step));
  return result;
}

Eigen::VectorXd Weighting::replay(const Eigen::VectorXd& base, int threads) const {
  Before before{base, Eigen::VectorXd::Zero(base.size()), base};
  for (Eigen::Index row = 0; row < base.size(); ++row) {
    before.counts[row] = (*base_)[row] > 0 ? base[row] / (*base_)[row] : 0;
  }
  for (const AdjustmentPtr& step : steps_) {
    before.weights = step->replay(before, threads);
  }
  return before.weights;
}

}  // namespace steelyard
