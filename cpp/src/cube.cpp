#include "steelyard/cube.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace steelyard {
namespace {

constexpr double kWhole = 1e-9;

bool is_open(double p) { return p > kWhole && p < 1 - kWhole; }

/// Moves the probabilities of some units along a direction that keeps the sums, until one is whole.
void move(const std::vector<Eigen::Index>& units, const Eigen::VectorXd& direction,
          Eigen::VectorXd& p, Random& random) {
  double forward = std::numeric_limits<double>::infinity();
  double back = forward;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const double step = direction[static_cast<Eigen::Index>(i)];
    const double own = p[units[i]];
    if (step > 0) {
      forward = std::min(forward, (1 - own) / step);
      back = std::min(back, own / step);
    } else if (step < 0) {
      forward = std::min(forward, -own / step);
      back = std::min(back, (own - 1) / step);
    }
  }
  const bool goes_forward = random.uniform() * (forward + back) < back;
  const double length = goes_forward ? forward : -back;
  for (std::size_t i = 0; i < units.size(); ++i) {
    double& own = p[units[i]];
    own = std::clamp(own + length * direction[static_cast<Eigen::Index>(i)], 0.0, 1.0);
    own = is_open(own) ? own : std::round(own);
  }
}

/// A direction in which none of the first sums changes; empty: there is none.
Eigen::VectorXd kernel(const std::vector<Eigen::Index>& units, const RowMatrix& scaled,
                       Eigen::Index variables) {
  if (variables == 0) {
    return Eigen::VectorXd::Unit(std::ssize(units), 0);
  }
  const Eigen::MatrixXd sums = scaled(units, Eigen::seqN(0, variables)).transpose();
  Eigen::FullPivLU<Eigen::MatrixXd> lu(sums);
  lu.setThreshold(1e-10);
  return lu.dimensionOfKernel() > 0 ? Eigen::VectorXd(lu.kernel().col(0)) : Eigen::VectorXd();
}

}  // namespace

Draw draw_balanced(const Eigen::VectorXd& probability, const RowMatrix& balance, Random& random) {
  if (probability.size() != balance.rows() || !balance.allFinite()) {
    throw std::invalid_argument("balancing variables need a number for each unit");
  }
  if (probability.size() == 0 || !probability.allFinite() || probability.minCoeff() < 0 ||
      probability.maxCoeff() > 1 + kWhole) {
    throw std::invalid_argument("probabilities lie between 0 and 1");
  }
  RowMatrix scaled = balance;
  for (Eigen::Index i = 0; i < scaled.rows(); ++i) {
    scaled.row(i) *= probability[i] > 0 ? 1 / probability[i] : 0;
  }
  for (Eigen::Index j = 0; j < scaled.cols(); ++j) {  // so that none is lost beside another
    const double size = scaled.col(j).cwiseAbs().maxCoeff();
    scaled.col(j) *= size > 0 ? 1 / size : 0;
  }
  Eigen::VectorXd p = probability;
  std::vector<Eigen::Index> pool;
  Eigen::Index next = 0;
  for (Eigen::Index variables = balance.cols();;) {
    std::erase_if(pool, [&](Eigen::Index unit) { return !is_open(p[unit]); });
    while (static_cast<Eigen::Index>(pool.size()) <= variables && next < p.size()) {
      if (is_open(p[next])) {
        pool.push_back(next);
      }
      ++next;
    }
    if (pool.empty()) {
      break;
    }
    Eigen::VectorXd direction = kernel(pool, scaled, variables);
    while (direction.size() == 0) {  // landing: as many sums as still leave a way
      direction = kernel(pool, scaled, --variables);
    }
    move(pool, direction, p, random);
  }
  Draw result;
  for (Eigen::Index i = 0; i < p.size(); ++i) {
    if (p[i] > 0.5) {
      result.push_back(i);
    }
  }
  return result;
}

}  // namespace steelyard
