#include "steelyard/distribution_function.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "steelyard/error.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

void check_points(const Domains& domains, const RowMatrix& points) {
  if (points.rows() != 1 && points.rows() != domains.count()) {
    throw std::invalid_argument("points: one row, or one for every domain");
  }
  for (Eigen::Index d = 0; d < points.rows(); ++d) {
    const double* row = points.row(d).data();
    if (!std::is_sorted(row, row + points.cols())) {
      throw std::invalid_argument("points: in ascending order");
    }
  }
}

}  // namespace

EstimatorPtr distribution_function(const Column& y, const Domains& domains,
                                   const RowMatrix& points) {
  check_points(domains, points);
  std::vector<std::int32_t> interval(static_cast<std::size_t>(y.size()), Codes::kNone);
  const Eigen::Index blocks = (y.size() + kBlockRows - 1) / kBlockRows;
  std::vector<double> room(static_cast<std::size_t>(kBlockRows));
  Offence infinite;
  for (Eigen::Index block = 0; block < blocks; ++block) {
    const Eigen::Index begin = block * kBlockRows;
    const RowBlock rows = domains.block(begin, std::min(kBlockRows, y.size() - begin));
    const double* value = y.read(begin, rows.count, room.data());
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const std::int32_t d = rows.domain_of(i);
      if (d >= 0 && std::isinf(value[i])) {
        infinite.add(begin + i);
      } else if (d >= 0 && !std::isnan(value[i])) {
        const double* first = points.row(points.rows() == 1 ? 0 : d).data();
        const double* found = std::lower_bound(first, first + points.cols(), value[i]);
        interval[static_cast<std::size_t>(begin + i)] = static_cast<std::int32_t>(found - first);
      }
    }
  }
  if (infinite.count > 0) {
    throw InvalidColumn(y.name(), InvalidColumn::Problem::kInfinite, infinite);
  }
  LevelSets below = LevelSets::Zero(points.cols(), points.cols() + 1);
  below.leftCols(points.cols()).triangularView<Eigen::Lower>().setOnes();
  return proportion(Codes(std::move(interval), static_cast<std::int32_t>(points.cols() + 1)),
                    std::move(below));
}

}  // namespace steelyard
