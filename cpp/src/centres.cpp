#include "steelyard/centres.hpp"

#include <utility>

#include "steelyard/estimator.hpp"
#include "steelyard/influence.hpp"

namespace steelyard {
namespace {

/// Means of several columns over the rows that have all of them.
class Means final : public Estimator {
 public:
  explicit Means(std::vector<Column> columns) : Estimator(std::move(columns)) {}
  Eigen::Index estimates() const override { return width(); }
  bool is_ratio() const override { return true; }
  Linearisation linearise(const DomainSums& sums) const override {
    const double weight = sums.features[0];
    const Eigen::VectorXd offset = sums.features.tail(width()) / weight;
    Linearisation result{sums.centre + offset, Eigen::MatrixXd::Zero(width(), features())};
    result.gradient.col(0) = -offset / weight;
    result.gradient.rightCols(width()).diagonal().setConstant(1 / weight);
    return result;
  }
};

}  // namespace

Centres find_centres(const std::vector<Column>& columns, const Design& design,
                     const Domains& domains, int threads) {
  const EstimatorPtr means = std::make_shared<Means>(columns);
  const std::vector<FeatureSums> sums =
      sum_rows(design, domains, std::span(&means, 1), Grouping::kStratum, threads);
  const Linearised found = linearise(design, domains, *means, sums.front());
  Centres result{RowMatrix(domains.count(), means->width()), Eigen::VectorXd(domains.count())};
  for (Eigen::Index d = 0; d < domains.count(); ++d) {
    result.mean.row(d) = found.by_domain[static_cast<std::size_t>(d)].value.transpose();
    result.used[d] = static_cast<double>(sums.front().used.col(d).sum());
  }
  return result;
}

}  // namespace steelyard
