#include "steelyard/separation.hpp"

#include <cmath>

namespace steelyard {

bool separates(const ModelSample& sample, const Basis& basis, const Eigen::VectorXd& direction,
               const std::function<int(double)>& limit) {
  const Eigen::VectorXd unit = direction / direction.cwiseAbs().maxCoeff();
  const SeparationSums sums =
      sum_blocks(sample, SeparationSums(), 2, [&](const ModelBlock& block, SeparationSums& into) {
        if (block.count == 0) {
          return;
        }
        RowMatrix z;
        basis.apply(block.x, block.count, z);
        const Eigen::ArrayXd size = z.cwiseAbs().colwise().sum().transpose();
        const Eigen::ArrayXd change = (unit.transpose() * z).transpose().array() / (1e-3 + size);
        for (Eigen::Index i = 0; i < block.count; ++i) {
          const int towards = limit(block.response[i]);
          into.add(towards == 0 ? -std::abs(change[i]) : towards * change[i]);
        }
      });
  return sums.separated();
}

std::vector<std::string> columns_moved(const ModelMatrix& matrix, const Basis& basis,
                                       const Eigen::VectorXd& direction) {
  constexpr double kUnmoved = 1e-6;
  const Eigen::ArrayXd moved =
      (basis.to_columns() * direction).array().abs() * basis.scale().array();
  std::vector<std::string> names;
  for (Eigen::Index i = 0; i < moved.size(); ++i) {
    if (moved[i] > kUnmoved * moved.maxCoeff()) {
      names.push_back(matrix.name(basis.kept()[static_cast<std::size_t>(i)]));
    }
  }
  return names;
}

}  // namespace steelyard
