#include "steelyard/known_influence.hpp"

#include <cmath>
#include <limits>

#include "steelyard/parallel.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

RowMatrix KnownInfluence::refit(const Design& design, const Domains& domains) const {
  const EstimatorPtr again = remake_(design, domains);
  const auto& known = dynamic_cast<const KnownInfluence&>(*again);
  RowMatrix values(domains.count(), 1);
  for (Eigen::Index d = 0; d < domains.count(); ++d) {
    values(d, 0) = known.value(d);
  }
  return values;
}

void KnownInfluence::read(const RowBlock& rows, RowMatrix& buffer,
                          std::vector<const double*>& into) const {
  std::vector<double> room(static_cast<std::size_t>(kBlockRows));
  const double* y = columns().front().read(rows.begin, rows.count, room.data());
  influence(rows, y, buffer.row(0).data());
  into.assign(1, buffer.row(0).data());
}

/// The feature is the influence less its mean: both go in as they are.
Linearisation KnownInfluence::linearise(const DomainSums& sums) const {
  Linearisation result{Eigen::VectorXd::Constant(1, value(sums.domain)),
                       Eigen::MatrixXd::Zero(1, features())};
  if (std::isnan(result.value[0])) {
    return result;
  }
  if (has_influence(sums.domain)) {
    result.gradient << sums.centre[0], 1;
  } else {
    result.gradient.setConstant(std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

}  // namespace steelyard
