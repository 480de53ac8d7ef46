#include "steelyard/reweighting.hpp"

#include <Eigen/Cholesky>
#include <cmath>

namespace steelyard {
namespace {

using Array = Eigen::ArrayXd;

/// Cholesky factor of a matrix scaled to a diagonal of ones.
struct ScaledCholesky {
  Eigen::VectorXd scale;
  Eigen::LLT<Eigen::MatrixXd> factor;

  explicit ScaledCholesky(const Eigen::MatrixXd& lower)
      : scale(lower.diagonal().cwiseSqrt().cwiseInverse()) {
    const Eigen::MatrixXd full = lower.selfadjointView<Eigen::Lower>();
    factor.compute(scale.asDiagonal() * full * scale.asDiagonal());
  }
  bool regular() const {
    constexpr double kSmallestPivot = 1e-7;
    return scale.allFinite() && factor.info() == Eigen::Success &&
           factor.matrixLLT().diagonal().minCoeff() > kSmallestPivot;
  }
};

/// A mean of responses at which the link is finite.
double inside(const MeanModel& mean, const ModelCounts& counts) {
  const auto n = static_cast<double>(counts.used);
  const bool bounded = mean.family() == Family::kBinomial || mean.family() == Family::kPoisson;
  return bounded ? (n * counts.mean_response() + 0.5) / (n + 1) : counts.mean_response();
}

}  // namespace

void WorkingSums::merge(const WorkingSums& part) {
  information += part.information;
  observed += part.observed;
  score += part.score;
  deviance += part.deviance;
  null_deviance += part.null_deviance;
  pearson += part.pearson;
  pearson_square += part.pearson_square;
  valid = valid && part.valid;
}

std::optional<Eigen::VectorXd> WorkingSums::step() const {
  if (observed.size() > 0) {
    if (const std::optional<Eigen::VectorXd> found = solve(observed, score)) {
      return found;
    }
  }
  return solve(information, score);
}

Reweighting::Reweighting(const ModelSample& sample, const MeanModel& mean, const Basis& basis)
    : sample_(sample),
      mean_(mean),
      basis_(basis),
      unit_(basis.counts().mean_weight()),
      mean_response_(inside(mean, basis.counts())),
      has_constant_(sample.data.matrix.constant() > 0) {}

WorkingSums Reweighting::start() const {
  return sum_blocks(
      sample_, WorkingSums(basis_.size()), basis_.size() * basis_.size(),
      [this](const ModelBlock& block, WorkingSums& sums) { add(block, nullptr, sums); });
}

WorkingSums Reweighting::at(const Eigen::VectorXd& coefficients) const {
  return sum_blocks(
      sample_, WorkingSums(basis_.size(), !mean_.canonical()), basis_.size() * basis_.size(),
      [&](const ModelBlock& block, WorkingSums& sums) { add(block, &coefficients, sums); });
}

void Reweighting::add(const ModelBlock& block, const Eigen::VectorXd* coefficients,
                      WorkingSums& sums) const {
  if (block.count == 0) {
    return;
  }
  RowMatrix z;
  basis_.apply(block.x, block.count, z);
  const Array weight = block.weight / unit_;
  Array predictor;
  if (coefficients == nullptr) {
    predictor = mean_.link_of(0.5 * (block.response + mean_response_));
    sums.null_deviance += null_deviance(block, weight);
  } else {
    predictor = (coefficients->transpose() * z).transpose().array() + block.offset;
  }
  MeanBlock at;
  mean_.evaluate(predictor, at);
  const Array residual = mean_.residual(block.response, at);
  const Array pearson = residual * (at.ratio / at.slope).sqrt();
  sums.pearson += (weight * pearson).sum();
  sums.pearson_square += (weight * pearson.square()).sum();
  sums.deviance += (weight * mean_.deviance(block.response, at)).sum();
  sums.valid = sums.valid && at.valid;
  const Array working = weight * at.slope * at.ratio;
  Array score = weight * residual * at.ratio;
  if (coefficients == nullptr) {
    score += working * (predictor - block.offset);
  }
  sums.score.noalias() += z * score.matrix();
  add_gram(z, working, sums.information);
  if (sums.observed.size() > 0) {
    add_gram(z, working - weight * residual * mean_.ratio_slope(predictor, at), sums.observed);
  }
}

double Reweighting::null_deviance(const ModelBlock& block, const Array& weight) const {
  MeanBlock at;
  if (!has_constant_) {
    mean_.evaluate(block.offset, at);
    return (weight * mean_.deviance(block.response, at)).sum();
  }
  const double mean = basis_.counts().mean_response();
  if (mean_.family() == Family::kBinomial && !(mean > 0 && mean < 1)) {
    return 0;
  }
  at.mean.setConstant(block.count, mean);
  at.rest.setConstant(block.count, 1 - mean);
  return (weight * mean_.deviance(block.response, at)).sum();
}

double Reweighting::null_deviance_with_offset() const {
  constexpr int kIterations = 50;
  constexpr double kSmallStep = 1e-10;
  const auto at_constant = [this](double constant) {
    return sum_blocks(sample_, WorkingSums(1), 1, [&](const ModelBlock& block, WorkingSums& sums) {
      if (block.count == 0) {
        return;
      }
      MeanBlock at;
      mean_.evaluate(block.offset + constant, at);
      const Array weight = block.weight / unit_;
      sums.deviance += (weight * mean_.deviance(block.response, at)).sum();
      sums.information(0, 0) += (weight * at.slope * at.ratio).sum();
      sums.score[0] += (weight * mean_.residual(block.response, at) * at.ratio).sum();
    });
  };
  double constant = mean_.link_of(Array::Constant(1, mean_response_))[0];
  double deviance = std::numeric_limits<double>::infinity();
  double step = 0;
  for (int i = 0; i < kIterations; ++i) {
    const WorkingSums sums = at_constant(constant);
    if (sums.deviance > deviance) {
      step /= 2;
      constant -= step;
      continue;
    }
    deviance = sums.deviance;
    step = sums.score[0] / sums.information(0, 0);
    constant += step;
    if (std::abs(step) < kSmallStep * (1 + std::abs(constant))) {
      break;
    }
  }
  return deviance;
}

std::optional<Eigen::VectorXd> solve(const Eigen::MatrixXd& information,
                                     const Eigen::VectorXd& score) {
  const ScaledCholesky cholesky(information);
  if (!cholesky.regular()) {
    return std::nullopt;
  }
  const Eigen::VectorXd scaled = cholesky.scale.cwiseProduct(score);
  return cholesky.scale.cwiseProduct(cholesky.factor.solve(scaled));
}

Eigen::MatrixXd invert(const Eigen::MatrixXd& information) {
  const ScaledCholesky cholesky(information);
  const Eigen::MatrixXd inverse =
      cholesky.factor.solve(Eigen::MatrixXd::Identity(information.rows(), information.cols()));
  return cholesky.scale.asDiagonal() * inverse * cholesky.scale.asDiagonal();
}

}  // namespace steelyard
