#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "steelyard/error.hpp"
#include "steelyard/parallel.hpp"
#include "steelyard/prediction.hpp"

namespace steelyard {
namespace {

using Array = Eigen::ArrayXd;

/// What one average is of, in a block of rows.
class Averaged {
 public:
  Averaged(const FittedModel& model, const Average& wanted, Eigen::Index begin, Eigen::Index rows)
      : model_(model),
        wanted_(wanted),
        x_(wanted.matrix.columns(), rows),
        slopes_(wanted.slope ? wanted.matrix.columns() : 0, rows) {
    wanted.matrix.read(begin, rows, x_);
    if (wanted.slope) {
      wanted.matrix.read_slopes(*wanted.slope, begin, rows, slopes_);
    }
  }

  /// Leaves only these of its rows.
  void keep(const std::vector<Eigen::Index>& which) {
    x_ = RowMatrix(x_(Eigen::indexing::all, which));
    slopes_ = RowMatrix(slopes_(Eigen::indexing::all, which));
  }

  /// @param jacobian where not null: derivatives by the coefficients of the basis, size x rows.
  Array evaluate(const Array& offset, RowMatrix* jacobian) const {
    RowMatrix z;
    model_.basis.apply(x_, x_.cols(), z);
    const Array predictor = (model_.coefficients.transpose() * z).transpose().array() + offset;
    MeanBlock at;
    model_.mean.evaluate(predictor, at);
    const bool of_mean = wanted_.scale == PredictionScale::kMean;
    const Array slope = of_mean ? at.slope : Array::Ones(predictor.size());
    if (!wanted_.slope) {
      if (jacobian != nullptr) {
        *jacobian = z.array().rowwise() * slope.transpose();
      }
      return of_mean ? at.mean : predictor;
    }
    RowMatrix dz;
    model_.basis.apply_to_slopes(slopes_, slopes_.cols(), dz);
    const Array change = (model_.coefficients.transpose() * dz).transpose().array();
    if (jacobian != nullptr) {
      const Array curved = of_mean ? Array(change * model_.mean.curvature(predictor, at))
                                   : Array::Zero(predictor.size());
      *jacobian =
          z.array().rowwise() * curved.transpose() + dz.array().rowwise() * slope.transpose();
    }
    return slope * change;
  }

 private:
  const FittedModel& model_;
  const Average& wanted_;
  RowMatrix x_;
  RowMatrix slopes_;
};

struct AverageSums {
  double weight = 0;
  Eigen::VectorXd value;
  Eigen::MatrixXd jacobian;  // averages x coefficients of the basis
  Offence missing;

  void merge(const AverageSums& part) {
    weight += part.weight;
    value += part.value;
    jacobian += part.jacobian;
    missing.count += part.missing.count;
    for (const std::int64_t row : part.missing.rows) {
      if (missing.rows.size() < Offence::kShown) {
        missing.rows.push_back(row);
      }
    }
  }
};

AverageSums sum_averages(const FittedModel& model, const std::vector<Average>& wanted,
                         const ModelSample& sample) {
  const auto count = static_cast<Eigen::Index>(wanted.size());
  const AverageSums zero{
      0, Eigen::VectorXd::Zero(count), Eigen::MatrixXd::Zero(count, model.basis.size()), {}};
  return sum_blocks(
      sample, zero, zero.jacobian.size(), [&](const ModelBlock& block, AverageSums& sums) {
        if (block.count == 0) {
          return;
        }
        const std::int64_t begin = block.row.front();
        std::vector<Eigen::Index> which;
        for (const std::int64_t row : block.row) {
          which.push_back(row - begin);
        }
        RowMatrix jacobian;
        for (Eigen::Index j = 0; j < count; ++j) {
          Averaged averaged(model, wanted[static_cast<std::size_t>(j)], begin, which.back() + 1);
          averaged.keep(which);
          const Array value = averaged.evaluate(block.offset, &jacobian);
          for (Eigen::Index i = 0; i < block.count; ++i) {
            if (std::isnan(value[i])) {
              sums.missing.add(block.row[static_cast<std::size_t>(i)]);
            }
          }
          sums.value[j] += (block.weight * value).sum();
          sums.jacobian.row(j) += (jacobian * block.weight.matrix()).transpose();
        }
        sums.weight += block.weight.sum();
      });
}

/// Sums the scores of the basis, and distances of what is averaged from its average.
class Averages final : public Estimator {
 public:
  Averages(std::shared_ptr<const FittedModel> model, std::vector<Average> wanted,
           Eigen::VectorXd average, Eigen::MatrixXd jacobian)
      : Estimator(model->data.columns(), model->basis.size() + average.size()),
        model_(std::move(model)),
        wanted_(std::move(wanted)),
        average_(std::move(average)),
        jacobian_(std::move(jacobian)) {}

  Eigen::Index estimates() const override { return average_.size(); }
  bool is_ratio() const override { return true; }

  void read(const RowBlock& rows, RowMatrix& buffer,
            std::vector<const double*>& into) const override {
    ModelBlock block;
    model_->read_scores(block, rows.begin, rows.count, buffer);
    const Eigen::Index scores = model_->basis.size();
    for (Eigen::Index j = 0; j < average_.size(); ++j) {
      const Averaged averaged(*model_, wanted_[static_cast<std::size_t>(j)], rows.begin,
                              rows.count);
      buffer.row(scores + j).head(rows.count) =
          averaged.evaluate(block.offset, nullptr) - average_[j];
    }
    into.clear();
    for (Eigen::Index j = 0; j < width(); ++j) {
      into.push_back(buffer.row(j).data());
    }
  }

  bool needs_refit() const override { return true; }
  RowMatrix refit(const Design& design, const Domains& domains) const override {
    const std::optional<Regression> again = steelyard::refit(*model_, design, domains);
    if (!again) {
      return RowMatrix::Constant(1, estimates(), std::numeric_limits<double>::quiet_NaN());
    }
    const AverageSums sums =
        sum_averages(*again->model, wanted_, {again->model->data, design, domains, 1});
    return (sums.value / sums.weight).transpose();
  }

  Linearisation linearise(const DomainSums& sums) const override {
    const Eigen::Index scores = model_->basis.size();
    const double weight = sums.features[0];
    const Eigen::VectorXd offset = sums.features.tail(average_.size()) / weight;
    const Eigen::MatrixXd response = jacobian_ * model_->inverse / model_->mean_weight;
    Linearisation result{average_ + sums.centre.tail(average_.size()) + offset,
                         Eigen::MatrixXd::Zero(estimates(), features())};
    result.gradient.col(0) = response * sums.centre.head(scores) - offset / weight;
    result.gradient.middleCols(1, scores) = response;
    result.gradient.rightCols(average_.size()).diagonal().setConstant(1 / weight);
    return result;
  }

 private:
  std::shared_ptr<const FittedModel> model_;
  std::vector<Average> wanted_;
  Eigen::VectorXd average_;
  Eigen::MatrixXd jacobian_;
};

}  // namespace

EstimatorPtr averages(const Regression& fit, std::vector<Average> wanted, const Design& design,
                      const Domains& domains, int threads) {
  const ModelMatrix& matrix = fit.model->data.matrix;
  for (const Average& average : wanted) {
    if (average.matrix.columns() != matrix.columns() || average.matrix.rows() != matrix.rows()) {
      throw std::invalid_argument("averages need the columns and rows of the fit");
    }
    if (average.slope && (*average.slope < 0 || *average.slope >= average.matrix.factors())) {
      throw std::out_of_range("averages: there is no such factor");
    }
  }
  const ModelSample sample{fit.model->data, design, domains, threads};
  sample.check();
  const AverageSums sums = sum_averages(*fit.model, wanted, sample);
  if (sums.missing.count > 0) {
    throw InvalidColumn("averages", InvalidColumn::Problem::kNaN, sums.missing);
  }
  return std::make_shared<Averages>(fit.model, std::move(wanted), sums.value / sums.weight,
                                    sums.jacobian / sums.weight);
}

}  // namespace steelyard
