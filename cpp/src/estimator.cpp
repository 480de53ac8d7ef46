#include "steelyard/estimator.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// Weight of each set, added in the order of the levels: the set of all levels weighs exactly what
/// they weigh together, and its proportion is exactly 1.
Eigen::VectorXd weigh(const LevelSets& sets, const Eigen::VectorXd& levels) {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(sets.rows());
  for (Eigen::Index l = 0; l < levels.size(); ++l) {
    result += sets.col(l) * levels[l];
  }
  return result;
}

Linearisation undefined(Eigen::Index estimates, Eigen::Index features) {
  return {Eigen::VectorXd::Constant(estimates, kNotANumber),
          Eigen::MatrixXd::Zero(estimates, features)};
}

void check_sets(const Codes& levels, const LevelSets& sets) {
  if (sets.cols() != levels.levels()) {
    throw std::invalid_argument("sets of levels need a column for each level");
  }
}

class Total final : public Estimator {
 public:
  explicit Total(Column y) : Estimator({std::move(y)}) {}
  bool is_ratio() const override { return false; }
  Linearisation linearise(const DomainSums& sums) const override {
    Linearisation result{Eigen::VectorXd(1), Eigen::MatrixXd(1, 2)};
    result.value << sums.centre[0] * sums.features[0] + sums.features[1];
    result.gradient << sums.centre[0], 1;
    return result;
  }
};

class Mean final : public Estimator {
 public:
  explicit Mean(Column y) : Estimator({std::move(y)}) {}
  bool is_ratio() const override { return true; }
  Linearisation linearise(const DomainSums& sums) const override {
    const double weight = sums.features[0];
    if (!(weight > 0)) {
      return undefined(1, 2);
    }
    const double offset = sums.features[1] / weight;
    Linearisation result{Eigen::VectorXd(1), Eigen::MatrixXd(1, 2)};
    result.value << sums.centre[0] + offset;
    result.gradient << -offset / weight, 1 / weight;
    return result;
  }
};

class Ratio final : public Estimator {
 public:
  Ratio(Column y, Column x) : Estimator({std::move(y), std::move(x)}) {}
  bool is_ratio() const override { return true; }
  Linearisation linearise(const DomainSums& sums) const override {
    const double weight = sums.features[0];
    const double numerator = sums.centre[0] * weight + sums.features[1];
    const double denominator = sums.centre[1] * weight + sums.features[2];
    if (!(weight > 0) || denominator == 0) {
      return undefined(1, 3);
    }
    const double value = numerator / denominator;
    Linearisation result{Eigen::VectorXd(1), Eigen::MatrixXd(1, 3)};
    result.value << value;
    // (centre_0 - value centre_1) / denominator, written so that centres alike do not cancel.
    const double at_centre =
        (sums.centre[0] * sums.features[2] - sums.centre[1] * sums.features[1]) /
        (denominator * denominator);
    result.gradient << at_centre, 1 / denominator, -value / denominator;
    return result;
  }
};

class Count final : public Estimator {
 public:
  Count(Codes levels, LevelSets sets) : Estimator(std::move(levels)), sets_(std::move(sets)) {}
  Eigen::Index estimates() const override { return sets_.rows(); }
  bool is_ratio() const override { return false; }
  Linearisation linearise(const DomainSums& sums) const override {
    return {weigh(sets_, sums.features), sets_};
  }

 private:
  LevelSets sets_;
};

class Proportion final : public Estimator {
 public:
  Proportion(Codes levels, LevelSets sets) : Estimator(std::move(levels)), sets_(std::move(sets)) {}
  Eigen::Index estimates() const override { return sets_.rows(); }
  bool is_ratio() const override { return true; }
  Linearisation linearise(const DomainSums& sums) const override {
    const double weight = weigh(LevelSets::Ones(1, sets_.cols()), sums.features)[0];
    if (!(weight > 0)) {
      return undefined(sets_.rows(), sets_.cols());
    }
    Linearisation result;
    result.value = weigh(sets_, sums.features) / weight;
    result.gradient = (sets_.colwise() - result.value) / weight;
    return result;
  }

 private:
  LevelSets sets_;
};

}  // namespace

Eigen::VectorXd Estimator::replicate(const DomainSums& sums, const DomainSums&) const {
  return linearise(sums).value;
}

RowMatrix Estimator::refit(const Design&, const Domains&) const {
  throw std::logic_error("the estimates are a function of the sums");
}

void Estimator::read(const RowBlock& rows, RowMatrix& buffer,
                     std::vector<const double*>& into) const {
  into.clear();
  for (const Column& column : columns_) {
    double* room = buffer.row(static_cast<Eigen::Index>(into.size())).data();
    into.push_back(column.read(rows.begin, rows.count, room));
  }
}

EstimatorPtr total(Column y) { return std::make_shared<Total>(std::move(y)); }

EstimatorPtr mean(Column y) { return std::make_shared<Mean>(std::move(y)); }

EstimatorPtr ratio(Column y, Column x) {
  return std::make_shared<Ratio>(std::move(y), std::move(x));
}

EstimatorPtr count(Codes levels, LevelSets sets) {
  check_sets(levels, sets);
  return std::make_shared<Count>(std::move(levels), std::move(sets));
}

EstimatorPtr proportion(Codes levels, LevelSets sets) {
  check_sets(levels, sets);
  return std::make_shared<Proportion>(std::move(levels), std::move(sets));
}

}  // namespace steelyard
