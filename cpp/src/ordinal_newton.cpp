#include "steelyard/ordinal_newton.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "steelyard/error.hpp"
#include "steelyard/reweighting.hpp"
#include "steelyard/separation.hpp"

namespace steelyard {
namespace {

using Array = Eigen::ArrayXd;

struct CategoryWeights {
  Eigen::VectorXd weight;
  void merge(const CategoryWeights& part) { weight += part.weight; }
};

/// Log-likelihood, its gradient and minus its Hessian by slopes and thresholds.
struct NewtonSums {
  Eigen::MatrixXd information;  // lower triangle
  Eigen::VectorXd score;
  double deviance = 0;
  bool valid = true;

  explicit NewtonSums(Eigen::Index size)
      : information(Eigen::MatrixXd::Zero(size, size)), score(Eigen::VectorXd::Zero(size)) {}
  void merge(const NewtonSums& part) {
    information += part.information;
    score += part.score;
    deviance += part.deviance;
    valid = valid && part.valid;
  }
};

class Newton {
 public:
  Newton(const ModelSample& sample, const MeanModel& link, const Basis& basis, int most)
      : sample_(sample),
        link_(link),
        basis_(basis),
        unit_(basis.counts().mean_weight()),
        most_(most),
        slopes_(basis.size()) {}

  NewtonResult run() {
    begin();
    int halvings = 0;
    for (int i = 1; i <= most_ && halvings < kMostHalvings; ++i) {
      NewtonSums sums = at(coefficients_);
      if (!sums.valid || !(sums.deviance <= deviance_ + 1e-10 * std::abs(deviance_))) {
        coefficients_ = 0.5 * (coefficients_ + history_.back());
        ++halvings;
        continue;
      }
      halvings = 0;
      const std::optional<Eigen::VectorXd> step = solve(sums.information, sums.score);
      if (!step) {
        break;
      }
      deviance_ = sums.deviance;
      history_.push_back(coefficients_);
      last_step_ = *step;
      coefficients_ += *step;
      if (converged(sums)) {
        return {coefficients_, std::move(sums.information), sums.deviance, null_deviance_, i};
      }
      if (i >= 12 && i % 4 == 0) {
        refuse_separation();
      }
    }
    give_up();
  }

 private:
  static constexpr int kMostHalvings = 40;

  const ModelSample& sample_;
  const MeanModel& link_;
  const Basis& basis_;
  double unit_;
  int most_;
  Eigen::Index slopes_;
  double null_deviance_ = 0;
  double deviance_ = std::numeric_limits<double>::infinity();
  Eigen::VectorXd coefficients_;
  Eigen::VectorXd last_step_;
  std::vector<Eigen::VectorXd> history_;

  /// No slopes, and the thresholds of the shares of the categories.
  void begin() {
    const Eigen::Index categories = sample_.data.categories.levels();
    const CategoryWeights found =
        sum_blocks(sample_, CategoryWeights{Eigen::VectorXd::Zero(categories)}, categories,
                   [](const ModelBlock& block, CategoryWeights& sums) {
                     for (Eigen::Index i = 0; i < block.count; ++i) {
                       sums.weight[static_cast<Eigen::Index>(block.response[i])] += block.weight[i];
                     }
                   });
    std::vector<std::int32_t> empty;
    coefficients_ = Eigen::VectorXd::Zero(slopes_ + categories - 1);
    double below = 0;
    for (Eigen::Index j = 0; j < categories; ++j) {
      if (!(found.weight[j] > 0)) {
        empty.push_back(static_cast<std::int32_t>(j));
        continue;
      }
      const double share = found.weight[j] / found.weight.sum();
      null_deviance_ -= 2 * found.weight[j] / unit_ * std::log(share);
      below += share;
      if (j + 1 < categories) {
        coefficients_[slopes_ + j] = link_.link_of(Array::Constant(1, below))[0];
      }
    }
    if (!empty.empty()) {
      throw FitError(FitError::Problem::kEmptyCategory, {}, {}, std::move(empty));
    }
    history_.push_back(coefficients_);
  }

  NewtonSums at(const Eigen::VectorXd& coefficients) const {
    const Eigen::Index size = coefficients.size();
    return sum_blocks(sample_, NewtonSums(size), size * size,
                      [&](const ModelBlock& block, NewtonSums& sums) {
                        if (block.count > 0) {
                          add(block, coefficients, sums);
                        }
                      });
  }

  void add(const ModelBlock& block, const Eigen::VectorXd& coefficients, NewtonSums& sums) const {
    RowMatrix z;
    basis_.apply(block.x, block.count, z);
    const Array predictor =
        (coefficients.head(slopes_).transpose() * z).transpose().array() + block.offset;
    CumulativeBlock at;
    evaluate_cumulative(link_, block.response, predictor,
                        coefficients.tail(coefficients.size() - slopes_), at);
    if (!at.valid) {
      sums.valid = false;
      return;
    }
    const Array weight = block.weight / unit_;
    sums.deviance -= 2 * (weight * at.log_likelihood).sum();
    RowMatrix scores(coefficients.size(), block.count);
    put_scores(at, block.response, z, scores);
    sums.score.noalias() += scores * weight.matrix();
    const Array curved = -weight * (at.upper_upper + 2 * at.upper_lower + at.lower_lower);
    add_gram(z, curved, sums.information);
    for (Eigen::Index i = 0; i < block.count; ++i) {
      const auto y = static_cast<Eigen::Index>(block.response[i]);
      const Eigen::Index upper = slopes_ + y;
      const Eigen::Index lower = upper - 1;
      const double w = weight[i];
      if (upper < coefficients.size()) {
        sums.information.row(upper).head(slopes_) +=
            w * (at.upper_upper[i] + at.upper_lower[i]) * z.col(i).transpose();
        sums.information(upper, upper) -= w * at.upper_upper[i];
      }
      if (y > 0) {
        sums.information.row(lower).head(slopes_) +=
            w * (at.lower_lower[i] + at.upper_lower[i]) * z.col(i).transpose();
        sums.information(lower, lower) -= w * at.lower_lower[i];
      }
      if (y > 0 && upper < coefficients.size()) {
        sums.information(upper, lower) -= w * at.upper_lower[i];
      }
    }
  }

  /// The decrement is the squared length of the step in standard errors.
  bool converged(const NewtonSums& sums) const {
    constexpr double kSmallDecrement = 1e-20;
    constexpr double kSmallStep = 1e-8;
    return last_step_.dot(sums.score) < kSmallDecrement &&
           last_step_.cwiseAbs().maxCoeff() < kSmallStep;
  }

  SeparationSums changes_along(const Eigen::VectorXd& direction) const {
    const Eigen::VectorXd unit = direction / direction.cwiseAbs().maxCoeff();
    return sum_blocks(sample_, SeparationSums(), 2,
                      [&](const ModelBlock& block, SeparationSums& into) {
                        if (block.count == 0) {
                          return;
                        }
                        RowMatrix z;
                        basis_.apply(block.x, block.count, z);
                        for (Eigen::Index i = 0; i < block.count; ++i) {
                          const auto y = static_cast<Eigen::Index>(block.response[i]);
                          const double size = 1 + z.col(i).cwiseAbs().sum();
                          const double change = unit.head(slopes_).dot(z.col(i));
                          if (slopes_ + y < unit.size()) {
                            into.add((unit[slopes_ + y] - change) / size);
                          }
                          if (y > 0) {
                            into.add((change - unit[slopes_ + y - 1]) / size);
                          }
                        }
                      });
  }

  void refuse_separation() const {
    const Eigen::VectorXd way = coefficients_ - history_[history_.size() / 2];
    for (const Eigen::VectorXd& direction : {last_step_, way}) {
      if (direction.size() > 0 && direction.cwiseAbs().maxCoeff() > 1e-3 &&
          changes_along(direction).separated()) {
        throw FitError(FitError::Problem::kSeparation,
                       columns_moved(sample_.data.matrix, basis_, direction.head(slopes_)));
      }
    }
  }

  [[noreturn]] void give_up() const {
    refuse_separation();
    const std::vector<std::string> moving =
        last_step_.size() == 0
            ? std::vector<std::string>()
            : columns_moved(sample_.data.matrix, basis_, last_step_.head(slopes_));
    throw FitError(FitError::Problem::kNoConvergence, moving);
  }
};

}  // namespace

void put_scores(const CumulativeBlock& at, const Eigen::ArrayXd& category, const RowMatrix& z,
                RowMatrix& into) {
  const Eigen::Index rows = category.size();
  const Eigen::Index slopes = z.rows();
  into.topLeftCorner(slopes, rows) = z.array().rowwise() * -(at.by_upper + at.by_lower).transpose();
  into.block(slopes, 0, into.rows() - slopes, rows).setZero();
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto y = static_cast<Eigen::Index>(category[i]);
    if (slopes + y < into.rows()) {
      into(slopes + y, i) = at.by_upper[i];
    }
    if (y > 0) {
      into(slopes + y - 1, i) = at.by_lower[i];
    }
  }
}

NewtonResult maximise(const ModelSample& sample, const MeanModel& link, const Basis& basis,
                      int most_iterations) {
  return Newton(sample, link, basis, most_iterations).run();
}

}  // namespace steelyard
