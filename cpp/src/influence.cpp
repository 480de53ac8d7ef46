#include "steelyard/influence.hpp"

#include <utility>

namespace steelyard {
namespace {

/// Sums of one domain over its strata, brought to one centre: the domain's mean.
class DomainView {
 public:
  DomainView(const FeatureSums& sums, const RowMatrix& by_stratum, Eigen::Index domain,
             Eigen::Index domains)
      : sums_(sums), by_stratum_(by_stratum), domain_(domain), domains_(domains) {
    weight_ = by_stratum.col(domain * sums.features).sum();
    centre_ = Eigen::VectorXd::Zero(sums.centre.cols());
    if (weight_ > 0) {
      for (Eigen::Index h = 0; h < by_stratum.rows(); ++h) {
        centre_ += (columns(h) + weight(h) * stratum_centre(h)) / weight_;
      }
    }
  }

  const Eigen::VectorXd& centre() const { return centre_; }
  double weight(Eigen::Index h) const { return by_stratum_(h, domain_ * sums_.features); }
  Eigen::VectorXd columns(Eigen::Index h) const {
    return by_stratum_.row(h).segment(domain_ * sums_.features + 1, centre_.size()).transpose();
  }
  Eigen::VectorXd stratum_centre(Eigen::Index h) const {
    return sums_.centre.row(h * domains_ + domain_).transpose();
  }
  /// What a stratum's centre lacks of the domain's.
  Eigen::VectorXd offset(Eigen::Index h) const { return stratum_centre(h) - centre_; }

  Eigen::VectorXd features() const {
    Eigen::VectorXd result = Eigen::VectorXd::Zero(sums_.features);
    result[0] = weight_;
    for (Eigen::Index h = 0; h < by_stratum_.rows(); ++h) {
      result.tail(centre_.size()) += columns(h) + weight(h) * offset(h);
    }
    return result;
  }

  Eigen::MatrixXd second(const Eigen::VectorXd& features) const {
    const Eigen::Index q = centre_.size();
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(1 + q, 1 + q);
    for (Eigen::Index h = 0; h < by_stratum_.rows(); ++h) {
      const Eigen::VectorXd shift = offset(h);
      const Eigen::MatrixXd products = sums_.second.row(h * domains_ + domain_).reshaped(q, q);
      result.bottomRightCorner(q, q) += products + shift * columns(h).transpose() +
                                        columns(h) * shift.transpose() +
                                        weight(h) * shift * shift.transpose();
    }
    result.row(0) = features.transpose();
    result.col(0) = features;
    return result;
  }

 private:
  const FeatureSums& sums_;
  const RowMatrix& by_stratum_;
  Eigen::Index domain_;
  Eigen::Index domains_;
  double weight_ = 0;
  Eigen::VectorXd centre_;
};

void linearise_columns(const Estimator& estimator, const FeatureSums& sums,
                       const RowMatrix& by_stratum, Eigen::Index domains, Linearised& result) {
  result.intercept.resize(by_stratum.rows() * domains, estimator.estimates());
  for (Eigen::Index d = 0; d < domains; ++d) {
    const DomainView view(sums, by_stratum, d, domains);
    const Eigen::VectorXd features = view.features();
    Linearisation linear = estimator.linearise({features, view.centre(), d});
    for (Eigen::Index h = 0; h < by_stratum.rows(); ++h) {
      result.intercept.row(h * domains + d) =
          (linear.gradient.rightCols(view.centre().size()) * view.offset(h)).transpose();
    }
    result.second.push_back(view.second(features));
    result.sums.push_back(features);
    result.centre.push_back(view.centre());
    result.by_domain.push_back(std::move(linear));
  }
}

void linearise_levels(const Estimator& estimator, const FeatureSums& sums,
                      const RowMatrix& by_stratum, Eigen::Index domains, Linearised& result) {
  const Eigen::RowVectorXd all = by_stratum.colwise().sum();
  for (Eigen::Index d = 0; d < domains; ++d) {
    const Eigen::VectorXd features = all.segment(d * sums.features, sums.features).transpose();
    result.by_domain.push_back(estimator.linearise({features, Eigen::VectorXd(), d}));
    result.second.push_back(features.asDiagonal());
    result.centre.emplace_back();
    result.sums.push_back(features);
  }
}

}  // namespace

Linearised linearise(const Design& design, const Domains& domains, const Estimator& estimator,
                     const FeatureSums& sums) {
  const RowMatrix by_stratum = sum_by_stratum(design, sums);
  Linearised result;
  if (estimator.of_levels()) {
    linearise_levels(estimator, sums, by_stratum, domains.count(), result);
  } else {
    linearise_columns(estimator, sums, by_stratum, domains.count(), result);
  }
  return result;
}

}  // namespace steelyard
