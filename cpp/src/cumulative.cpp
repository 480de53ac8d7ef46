#include "steelyard/cumulative.hpp"

namespace steelyard {
namespace {

using Array = Eigen::ArrayXd;

/// F, its density and the density's slope at one threshold of each row.
struct Side {
  MeanBlock at;
  Array curvature;

  Side(const MeanModel& link, const Array& distance) {
    link.evaluate(distance, at);
    curvature = link.curvature(distance, at);
  }
  /// Where there is no threshold F is 0 or 1, and does not change.
  void drop(Eigen::Index i, double mean) {
    at.mean[i] = mean;
    at.rest[i] = 1 - mean;
    at.slope[i] = 0;
    curvature[i] = 0;
  }
};

}  // namespace

void evaluate_cumulative(const MeanModel& link, const Array& category, const Array& predictor,
                         const Eigen::VectorXd& thresholds, CumulativeBlock& into) {
  const Eigen::Index rows = category.size();
  const auto last = static_cast<double>(thresholds.size());
  Array above(rows);
  Array below(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto y = static_cast<Eigen::Index>(category[i]);
    above[i] = category[i] < last ? thresholds[y] - predictor[i] : 0;
    below[i] = category[i] > 0 ? thresholds[y - 1] - predictor[i] : 0;
  }
  Side upper(link, above);
  Side lower(link, below);
  Array probability(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    if (!(category[i] < last)) {
      upper.drop(i, 1);
    }
    if (!(category[i] > 0)) {
      lower.drop(i, 0);
    }
    // The difference of the smaller tails keeps its digits.
    const bool in_upper_tail = lower.at.mean[i] > 0.5;
    probability[i] =
        in_upper_tail ? lower.at.rest[i] - upper.at.rest[i] : upper.at.mean[i] - lower.at.mean[i];
  }
  into.valid = (probability > 0).all();
  into.log_likelihood = probability.log();
  into.by_upper = upper.at.slope / probability;
  into.by_lower = -lower.at.slope / probability;
  into.upper_upper = upper.curvature / probability - into.by_upper.square();
  into.upper_lower = -into.by_upper * into.by_lower;
  into.lower_lower = -lower.curvature / probability - into.by_lower.square();
}

}  // namespace steelyard
