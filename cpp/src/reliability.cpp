#include "steelyard/reliability.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

#include "steelyard/centres.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

/// Sums, for each item and for the total score, the distance from its mean and the square of it.
class Alpha final : public Estimator {
 public:
  Alpha(const std::vector<Column>& items, Centres centres)
      : Estimator(items, 2 * static_cast<Eigen::Index>(items.size()) + 2),
        items_(static_cast<Eigen::Index>(items.size())),
        centres_(std::move(centres)) {}

  bool is_ratio() const override { return true; }

  void read(const RowBlock& rows, RowMatrix& buffer,
            std::vector<const double*>& into) const override {
    std::vector<double> room(static_cast<std::size_t>(kBlockRows));
    buffer.row(2 * items_).head(rows.count).setZero();
    for (Eigen::Index j = 0; j < items_; ++j) {
      const double* y =
          columns()[static_cast<std::size_t>(j)].read(rows.begin, rows.count, room.data());
      for (Eigen::Index i = 0; i < rows.count; ++i) {
        const std::int32_t d = rows.domain_of(i);
        const double distance = d < 0 ? 0 : y[i] - centres_.mean(d, j);
        buffer(2 * j, i) = distance;
        buffer(2 * j + 1, i) = distance * distance;
        buffer(2 * items_, i) += distance;
      }
    }
    buffer.row(2 * items_ + 1).head(rows.count) =
        buffer.row(2 * items_).head(rows.count).cwiseAbs2();
    into.clear();
    for (Eigen::Index j = 0; j < width(); ++j) {
      into.push_back(buffer.row(j).data());
    }
  }

  Linearisation linearise(const DomainSums& sums) const override {
    const double weight = sums.features[0];
    const Eigen::VectorXd offset = sums.features.tail(width()) / weight;
    const Eigen::VectorXd mean = sums.centre + offset;
    const double total = spread(mean, items_);
    Linearisation result{Eigen::VectorXd::Constant(1, std::numeric_limits<double>::quiet_NaN()),
                         Eigen::MatrixXd::Zero(1, features())};
    if (!(weight > 0) || !(total > 0)) {
      return result;
    }
    double items = 0;
    for (Eigen::Index j = 0; j < items_; ++j) {
      items += spread(mean, j);
    }
    const auto k = static_cast<double>(items_);
    result.value[0] = k / (k - 1) * (1 - items / total);
    for (Eigen::Index j = 0; j <= items_; ++j) {
      const double slope = j < items_ ? -1 / total : items / (total * total);
      result.gradient(0, 1 + 2 * j + 1) = k / (k - 1) * slope / weight;
      result.gradient(0, 1 + 2 * j) = -2 * mean[2 * j] * k / (k - 1) * slope / weight;
    }
    result.gradient(0, 0) = -result.gradient.row(0).tail(width()).dot(offset);
    return result;
  }

 private:
  Eigen::Index items_;
  Centres centres_;

  static double spread(const Eigen::VectorXd& mean, Eigen::Index j) {
    return mean[2 * j + 1] - mean[2 * j] * mean[2 * j];
  }
};

}  // namespace

EstimatorPtr cronbach_alpha(const std::vector<Column>& items, const Design& design,
                            const Domains& domains, int threads) {
  if (items.size() < 2) {
    throw std::invalid_argument("a scale has at least two items");
  }
  return std::make_shared<Alpha>(items, find_centres(items, design, domains, threads));
}

}  // namespace steelyard
