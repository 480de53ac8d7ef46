#pragma once

#include <Eigen/Core>

namespace steelyard {

/// Rows together in memory: units x estimates are added to and read a unit at a time.
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace steelyard
