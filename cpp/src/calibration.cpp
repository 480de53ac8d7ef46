#include "steelyard/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "steelyard/error.hpp"

namespace steelyard {
namespace {

constexpr double kTolerance = 1e-9;  // relative; what is still missed then is an error
constexpr double kExact = 1e-13;     // what rounding leaves of a total
constexpr double kRoom = 1e-6;       // between 1 and a bound
constexpr int kMostIterations = 200;
constexpr int kMostHalvings = 60;

using Problems = WeightingError::Problem;

}  // namespace

/// What is to be solved, of the cells.
struct Calibration::Problem {
  Cells cells;
  Eigen::VectorXd weight;                    ///< before the step, of the rows that stand
  Eigen::VectorXd q;                         ///< empty: 1
  std::vector<Distance::Bounds> bounds;      ///< of each cell; empty: those of the distance
  RowMatrix wanted;                          ///< groups x controls
  std::vector<Eigen::MatrixXd> information;  ///< sum of w q x x^T, and slack
  RowMatrix slack;                           ///< groups x controls, in units of the information
  RowMatrix scale;                           ///< what a miss is small against
  std::vector<std::vector<bool>> is_redundant;

  double q_of(Eigen::Index cell) const { return q.size() == 0 ? 1 : q[cell]; }
};

struct Calibration::Solution {
  RowMatrix lambda;
  Eigen::VectorXd factor;  ///< g of each cell
  RowMatrix found;         ///< totals
  RowMatrix gradient;
  double error = 0;
  int iterations = 0;
};

namespace {

/// Newton's method on the dual, group by group, in one pass over all.
template <typename Problem, typename Solution>
class Solver {
 public:
  Solver(const Problem& problem, const Distance& distance, int threads)
      : problem_(problem), distance_(distance), threads_(threads) {}

  Solution solve() const {
    Solution now = at(RowMatrix::Zero(problem_.wanted.rows(), problem_.wanted.cols()));
    int idle = 0;
    for (int iteration = 1; now.error > kExact && iteration <= kMostIterations; ++iteration) {
      Solution next = step(now);
      next.iterations = iteration;
      const bool improves = next.error < 0.5 * now.error;
      idle = improves ? 0 : idle + 1;
      const bool is_rounding = !improves && now.error <= kTolerance;
      if (!std::isfinite(next.error) || (is_rounding && next.error >= now.error)) {
        now.iterations = iteration;
        break;
      }
      now = std::move(next);
      if (is_rounding || idle > kMostIterations / 4) {
        break;
      }
    }
    return now;
  }

 private:
  const Problem& problem_;
  const Distance& distance_;
  int threads_;

  const Distance::Bounds& bounds(Eigen::Index cell) const {
    return problem_.bounds.empty() ? distance_.bounds()
                                   : problem_.bounds[static_cast<std::size_t>(cell)];
  }

  Solution at(RowMatrix lambda) const {
    Solution result;
    const Controls& controls = problem_.cells.controls;
    const Eigen::VectorXd scores = controls.scores(lambda, threads_);
    result.factor.resize(scores.size());
    for (Eigen::Index c = 0; c < scores.size(); ++c) {
      result.factor[c] = distance_.factor(problem_.q_of(c) * scores[c], bounds(c));
    }
    result.found = controls.totals(problem_.weight.cwiseProduct(result.factor), threads_);
    result.gradient = result.found + problem_.slack.cwiseProduct(lambda) - problem_.wanted;
    result.lambda = std::move(lambda);
    for (Eigen::Index g = 0; g < result.gradient.rows(); ++g) {
      for (Eigen::Index j = 0; j < result.gradient.cols(); ++j) {
        if (!problem_.is_redundant[static_cast<std::size_t>(g)][static_cast<std::size_t>(j)]) {
          const double miss = std::abs(result.gradient(g, j)) / problem_.scale(g, j);
          result.error = std::isnan(miss) ? miss : std::max(result.error, miss);
        }
      }
    }
    return result;
  }

  std::vector<Eigen::MatrixXd> information(const Solution& now) const {
    if (distance_.is_linear() && problem_.bounds.empty()) {
      return problem_.information;
    }
    const Eigen::VectorXd scores = problem_.cells.controls.scores(now.lambda, threads_);
    Eigen::VectorXd weight(scores.size());
    for (Eigen::Index c = 0; c < scores.size(); ++c) {
      const double q = problem_.q_of(c);
      weight[c] = problem_.weight[c] * q * distance_.slope(q * scores[c], bounds(c));
    }
    std::vector<Eigen::MatrixXd> result = problem_.cells.controls.products(weight, threads_);
    for (std::size_t g = 0; g < result.size(); ++g) {
      result[g].diagonal() += problem_.slack.row(static_cast<Eigen::Index>(g)).transpose();
    }
    return result;
  }

  /// Each group goes as far as the gradient along its step does not turn round by much.
  Solution step(const Solution& now) const {
    const std::vector<Eigen::MatrixXd> all = information(now);
    RowMatrix step(now.lambda.rows(), now.lambda.cols());
    for (Eigen::Index g = 0; g < step.rows(); ++g) {
      const Semidefinite own(all[static_cast<std::size_t>(g)]);
      step.row(g) = -own.solve(now.gradient.row(g).transpose()).transpose();
    }
    const Eigen::VectorXd slope = now.gradient.cwiseProduct(step).rowwise().sum();
    Eigen::VectorXd length = Eigen::VectorXd::Ones(step.rows());
    Solution next = at(now.lambda + step);
    for (int i = 0; i < kMostHalvings && now.error > kTolerance; ++i) {
      bool is_far = false;
      for (Eigen::Index g = 0; g < step.rows(); ++g) {
        const double turned = next.gradient.row(g).dot(step.row(g));
        if (!std::isfinite(turned) || turned > 0.9 * std::abs(slope[g])) {
          length[g] /= 2;
          is_far = true;
        }
      }
      if (!is_far) {
        break;
      }
      next = at(now.lambda + length.asDiagonal() * step);
    }
    return next;
  }
};

bool is_set(const std::vector<std::uint8_t>& flags, Eigen::Index row) {
  return flags[static_cast<std::size_t>(row)] != 0;
}

}  // namespace

Calibration::Calibration(Controls controls, RowMatrix totals, Options options)
    : controls_(std::move(controls)), totals_(std::move(totals)), options_(std::move(options)) {
  if (totals_.rows() != controls_.groups() || totals_.cols() != controls_.width() ||
      !totals_.allFinite()) {
    throw std::invalid_argument("a finite total is needed for each control of each group");
  }
  if (options_.of_totals && options_.of_totals->estimates() != totals_.size()) {
    throw std::invalid_argument("deviations are needed of every total");
  }
  if (options_.slack.size() > 0 &&
      (options_.slack.size() != controls_.width() || options_.slack.minCoeff() < 0)) {
    throw std::invalid_argument("slack: one number of at least 0 for each control");
  }
  const Distance::Bounds& bounds = options_.distance.bounds();
  if (!options_.bounds_on_weights && !(bounds.low < 1 && bounds.high > 1)) {
    throw std::invalid_argument("bounds of the factors lie around 1");
  }
  const bool by_row = options_.bounds_on_weights || options_.scale.size() > 0;
  if (options_.clusters.size() > 0 && by_row) {
    throw std::invalid_argument(
        "rows of a cluster share a factor, not a scale or a bound of their own");
  }
  if (options_.clusters.size() == 0) {
    cells_ = by_row ? Cells{Codes(), controls_} : cells_of(controls_);
  }
}

Calibration::Calibration(Controls controls, std::vector<std::uint8_t> stands,
                         std::vector<std::uint8_t> counts, Options options)
    : Calibration(controls, RowMatrix::Zero(controls.groups(), controls.width()),
                  std::move(options)) {
  const auto rows = static_cast<std::size_t>(controls_.rows());
  if (stands.size() != rows || counts.size() != rows) {
    throw std::invalid_argument("it must be known of every row whether it stands and counts");
  }
  totals_.resize(0, 0);
  stands_ = std::move(stands);
  counts_ = std::move(counts);
}

Calibration::Problem Calibration::pose(const Eigen::VectorXd& weights, int threads) const {
  if (weights.size() != controls_.rows()) {
    throw std::invalid_argument("weights and controls have different numbers of rows");
  }
  if (weights.minCoeff() < 0) {
    throw WeightingError(Problems::kNegativeWeight);
  }
  Eigen::VectorXd standing = weights;
  Eigen::VectorXd counting = weights;
  for (Eigen::Index row = 0; of_sample() && row < weights.size(); ++row) {
    standing[row] = is_set(stands_, row) ? weights[row] : 0;
    counting[row] = is_set(counts_, row) ? weights[row] : 0;
  }
  Problem problem{cells_ ? *cells_ : cells_of_clusters(controls_, options_.clusters, standing),
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {},
                  {}};
  problem.weight = problem.cells.sums(standing);
  problem.wanted =
      of_sample() ? problem.cells.controls.totals(problem.cells.sums(counting), threads) : totals_;
  if (options_.scale.size() > 0) {
    problem.q.resize(weights.size());
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      problem.q[row] = 1 / options_.scale[row];
    }
  }
  if (options_.bounds_on_weights) {
    const Distance::Bounds& b = options_.distance.bounds();
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      // A weight outside, as a replicate may have, can only come nearer.
      const double w = weights[row] > 0 ? weights[row] : 1;
      problem.bounds.push_back({std::min(b.low / w, 1 - kRoom), std::max(b.high / w, 1 + kRoom)});
    }
  }
  const Eigen::VectorXd moved =
      problem.q.size() == 0 ? problem.weight : problem.weight.cwiseProduct(problem.q).eval();
  problem.information = problem.cells.controls.products(moved, threads);
  settle(problem);
  return problem;
}

void Calibration::settle(Problem& problem) const {
  const Eigen::Index width = controls_.width();
  problem.slack = RowMatrix::Zero(controls_.groups(), width);
  problem.scale = RowMatrix::Ones(controls_.groups(), width);
  std::vector<WeightingError::Miss> empty;
  for (Eigen::Index g = 0; g < controls_.groups(); ++g) {
    Eigen::MatrixXd& information = problem.information[static_cast<std::size_t>(g)];
    const double size = problem.weight.sum();
    for (Eigen::Index j = 0; j < width; ++j) {
      const double wanted = problem.wanted(g, j);
      if (information(j, j) == 0 && wanted != 0) {
        empty.push_back({static_cast<std::int32_t>(g), static_cast<std::int32_t>(j), wanted, 0});
      }
      const double mass = std::sqrt(information(j, j) * size);
      problem.scale(g, j) = std::max({std::abs(wanted), mass, 1e-300});
    }
    if (options_.slack.size() > 0) {
      problem.slack.row(g) =
          options_.slack.transpose().cwiseProduct(information.diagonal().transpose());
      information.diagonal() += problem.slack.row(g).transpose();
    }
    std::vector<bool> redundant(static_cast<std::size_t>(width), false);
    const Semidefinite factored(information);
    for (const Eigen::Index j : factored.redundant()) {
      redundant[static_cast<std::size_t>(j)] = true;
    }
    problem.is_redundant.push_back(std::move(redundant));
  }
  if (!empty.empty()) {
    throw WeightingError(Problems::kEmptyControl, std::move(empty));
  }
}

Calibration::Solution Calibration::solve(const Problem& problem, int threads) const {
  const Solver<Problem, Solution> solver(problem, options_.distance, threads);
  Solution solution = solver.solve();
  std::vector<WeightingError::Miss> misses;
  bool is_missed = false;
  for (Eigen::Index g = 0; g < problem.wanted.rows(); ++g) {
    for (Eigen::Index j = 0; j < problem.wanted.cols(); ++j) {
      const double miss = std::abs(solution.gradient(g, j)) / problem.scale(g, j);
      if (!(miss <= kTolerance)) {
        misses.push_back({static_cast<std::int32_t>(g), static_cast<std::int32_t>(j),
                          problem.wanted(g, j), solution.found(g, j)});
        is_missed = is_missed ||
                    !problem.is_redundant[static_cast<std::size_t>(g)][static_cast<std::size_t>(j)];
      }
    }
  }
  if (!misses.empty()) {
    throw WeightingError(is_missed ? Problems::kNotMet : Problems::kDisagreement,
                         std::move(misses));
  }
  return solution;
}

Eigen::VectorXd Calibration::weights_of(const Problem& problem, const Solution& solution,
                                        const Eigen::VectorXd& weights) const {
  Eigen::VectorXd result(weights.size());
  for (Eigen::Index row = 0; row < weights.size(); ++row) {
    const bool stands = !of_sample() || is_set(stands_, row);
    const bool leaves = of_sample() && !stands && is_set(counts_, row);
    const double factor = stands ? solution.factor[problem.cells.cell(row)] : 1;
    result[row] = leaves ? 0 : weights[row] * factor;
  }
  return result;
}

Projection Calibration::project(const Problem& problem, const Solution& solution,
                                const Eigen::VectorXd& before, const Eigen::VectorXd& after,
                                int threads) const {
  const Eigen::Index rows = before.size();
  const bool derivative = options_.residuals == Residuals::kDerivative;
  Eigen::VectorXd slope = Eigen::VectorXd::Ones(problem.weight.size());
  if (derivative) {
    const Eigen::VectorXd scores = problem.cells.controls.scores(solution.lambda, threads);
    for (Eigen::Index c = 0; c < slope.size(); ++c) {
      const Distance::Bounds& bounds = problem.bounds.empty()
                                           ? options_.distance.bounds()
                                           : problem.bounds[static_cast<std::size_t>(c)];
      slope[c] = options_.distance.slope(problem.q_of(c) * scores[c], bounds);
    }
  }
  Projection result;
  result.cells = problem.cells;
  result.part = Eigen::VectorXd::Zero(rows);
  result.pull = Eigen::VectorXd::Zero(rows);
  for (Eigen::Index row = 0; row < rows; ++row) {
    const Eigen::Index cell = problem.cells.cell(row);
    if (problem.cells.controls.group(cell) < 0) {
      continue;  // in no group: the step leaves it as it is
    }
    if (!of_sample() || is_set(stands_, row)) {
      result.part[row] = after[row];
      const double moved = before[row] * problem.q_of(cell) * slope[cell];
      result.pull[row] = after[row] != 0 ? moved / after[row] : 0;
    }
    if (of_sample() && is_set(counts_, row)) {
      result.part[row] -= before[row];
    }
  }
  std::vector<Eigen::MatrixXd> information = problem.information;
  if (derivative) {
    Eigen::VectorXd moved = problem.weight.cwiseProduct(slope);
    if (problem.q.size() > 0) {
      moved = moved.cwiseProduct(problem.q).eval();
    }
    information = problem.cells.controls.products(moved, threads);
    for (std::size_t g = 0; g < information.size(); ++g) {
      information[g].diagonal() += problem.slack.row(static_cast<Eigen::Index>(g)).transpose();
    }
  }
  for (const Eigen::MatrixXd& own : information) {
    result.information.emplace_back(own);
  }
  result.of_totals = options_.of_totals;
  return result;
}

Adjusted Calibration::apply(const Eigen::VectorXd& weights, int threads) const {
  const Problem problem = pose(weights, threads);
  const Solution solution = solve(problem, threads);
  Adjusted result;
  result.weights = weights_of(problem, solution, weights);
  result.projection = project(problem, solution, weights, result.weights, threads);
  result.iterations = solution.iterations;
  result.largest_error = solution.error;
  result.totals = solution.found.reshaped<Eigen::RowMajor>();
  return result;
}

Eigen::VectorXd Calibration::replay(const Eigen::VectorXd& weights, int threads) const {
  const Problem problem = pose(weights, threads);
  return weights_of(problem, solve(problem, threads), weights);
}

}  // namespace steelyard
