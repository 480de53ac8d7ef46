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
  std::vector<char> is_dropped;  ///< cells that get no weight; empty: none

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
  check();
  if (options_.shares.size() > 0) {
    target_ = Target::kShares;
  }
  const bool by_row = options_.bounds_on_weights || options_.scale.size() > 0;
  if (options_.clusters.size() == 0) {
    cells_ = by_row ? Cells{Codes(), controls_} : cells_of(controls_);
  }
}

void Calibration::check() const {
  const auto refuse = [](bool wrong, const char* what) {
    if (wrong) {
      throw std::invalid_argument(what);
    }
  };
  const Eigen::Index width = controls_.width();
  refuse(totals_.rows() != controls_.groups() || totals_.cols() != width || !totals_.allFinite(),
         "a finite total is needed for each control of each group");
  refuse(options_.of_totals && options_.of_totals->estimates() != totals_.size(),
         "deviations are needed of every total");
  const Eigen::VectorXd& slack = options_.slack;
  refuse(slack.size() > 0 && (slack.size() != width || !slack.allFinite() || slack.minCoeff() < 0),
         "slack: one number of at least 0 for each control");
  const Eigen::VectorXd& shares = options_.shares;
  refuse(shares.size() > 0 && (shares.size() != width || controls_.groups() != 1),
         "shares: one of each control, of one group");
  const Distance::Bounds& bounds = options_.distance.bounds();
  refuse(!options_.bounds_on_weights && !(bounds.low < 1 && bounds.high > 1),
         "bounds of the factors lie around 1");
  const Column& scale = options_.scale;
  const auto is_bad = [](double v) { return !(v > 0) || std::isinf(v); };
  refuse(
      scale.size() > 0 && (scale.size() != controls_.rows() || scale.rows_where(is_bad).count > 0),
      "scale: a finite number above 0 for each row");
  const Codes& clusters = options_.clusters;
  refuse(clusters.size() > 0 && clusters.size() != controls_.rows(),
         "clusters have another number of rows than the controls");
  for (Eigen::Index row = 0; row < clusters.size(); ++row) {
    refuse(clusters[row] < 0, "clusters: a row has none");
  }
  refuse(clusters.size() > 0 && (options_.bounds_on_weights || scale.size() > 0),
         "rows of a cluster share a factor, not a scale or a bound of their own");
}

Calibration::Calibration(Controls controls, std::vector<std::uint8_t> stands,
                         std::vector<std::uint8_t> counts, Options options)
    : Calibration(controls, RowMatrix::Zero(controls.groups(), controls.width()),
                  std::move(options)) {
  const auto rows = static_cast<std::size_t>(controls_.rows());
  if (stands.size() != rows || counts.size() != rows) {
    throw std::invalid_argument("it must be known of every row whether it stands and counts");
  }
  target_ = Target::kSample;
  stands_ = std::move(stands);
  counts_ = std::move(counts);
}

std::shared_ptr<Calibration> Calibration::to_base(Controls controls, Options options) {
  RowMatrix none = RowMatrix::Zero(controls.groups(), controls.width());
  auto result =
      std::make_shared<Calibration>(std::move(controls), std::move(none), std::move(options));
  result->target_ = Target::kBase;
  return result;
}

Calibration::Problem Calibration::pose(const Before& before, int threads) const {
  const Eigen::VectorXd& weights = before.weights;
  if (weights.size() != controls_.rows()) {
    throw std::invalid_argument("weights and controls have different numbers of rows");
  }
  if (weights.minCoeff() < 0) {
    throw WeightingError(Problems::kNegativeWeight);
  }
  Eigen::VectorXd standing = weights;
  Eigen::VectorXd counting = target_ == Target::kBase ? before.base : weights;
  for (Eigen::Index row = 0; of_sample() && row < weights.size(); ++row) {
    standing[row] = is_set(stands_, row) ? weights[row] : 0;
    counting[row] = is_set(counts_, row) ? weights[row] : 0;
  }
  Problem problem;
  problem.cells = cells_ ? *cells_ : cells_of_clusters(controls_, options_.clusters, standing);
  problem.weight = problem.cells.sums(standing);
  switch (target_) {
    case Target::kTotals:
      problem.wanted = totals_;
      break;
    case Target::kShares:
      problem.wanted = options_.shares.transpose() * standing.sum();
      break;
    case Target::kSample:
    case Target::kBase:
      problem.wanted = problem.cells.controls.totals(problem.cells.sums(counting), threads);
      break;
  }
  if (options_.scale.size() > 0) {
    problem.q.resize(weights.size());
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      problem.q[row] = 1 / options_.scale[row];
    }
  }
  if (options_.bounds_on_weights) {
    const Distance::Bounds& b = options_.distance.bounds();
    for (Eigen::Index row = 0; row < weights.size(); ++row) {
      // Of the weight each time that the row counts. One outside can only come nearer.
      const double count = before.count(row);
      const double w = weights[row] > 0 && count > 0 ? weights[row] / count : 1;
      problem.bounds.push_back({std::min(b.low / w, 1 - kRoom), std::max(b.high / w, 1 + kRoom)});
    }
  }
  drop(problem);
  const Eigen::VectorXd moved =
      problem.q.size() == 0 ? problem.weight : problem.weight.cwiseProduct(problem.q).eval();
  problem.information = problem.cells.controls.products(moved, threads);
  settle(problem);
  return problem;
}

/// Cells with a level whose total is 0 get no weight: no positive factor comes to it.
void Calibration::drop(Problem& problem) const {
  const Controls& controls = problem.cells.controls;
  const bool can_be_zero = problem.bounds.empty() && options_.distance.bounds().low <= 0 &&
                           options_.distance.kind() != Distance::Kind::kLogit;
  if (!can_be_zero || options_.slack.size() > 0) {
    return;
  }
  Eigen::Index at = 0;
  for (const Codes& margin : controls.margins()) {
    for (Eigen::Index cell = 0; cell < controls.rows(); ++cell) {
      const std::int32_t level = margin[cell];
      const std::int32_t group = controls.group(cell);
      if (level >= 0 && group >= 0 && problem.wanted(group, at + level) == 0) {
        problem.weight[cell] = 0;
        problem.is_dropped.resize(static_cast<std::size_t>(controls.rows()), 0);
        problem.is_dropped[static_cast<std::size_t>(cell)] = 1;
      }
    }
    at += margin.levels();
  }
}

void Calibration::settle(Problem& problem) const {
  const Eigen::Index width = controls_.width();
  problem.slack = RowMatrix::Zero(controls_.groups(), width);
  problem.scale = RowMatrix::Ones(controls_.groups(), width);
  std::vector<WeightingError::Miss> empty;
  for (Eigen::Index g = 0; g < controls_.groups(); ++g) {
    Eigen::MatrixXd& information = problem.information[static_cast<std::size_t>(g)];
    if (!information.allFinite()) {
      throw std::invalid_argument("a control is missing or infinite in a row with a weight");
    }
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
    const Eigen::Index cell = problem.cells.cell(row);
    const bool is_dropped =
        !problem.is_dropped.empty() && problem.is_dropped[static_cast<std::size_t>(cell)] != 0;
    const double factor = stands ? solution.factor[cell] : 1;
    result[row] = leaves || (stands && is_dropped) ? 0 : weights[row] * factor;
  }
  return result;
}

Projection Calibration::project(const Problem& problem, const Solution& solution,
                                const Before& start, const Eigen::VectorXd& after,
                                int threads) const {
  const Eigen::VectorXd& before = start.weights;
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
  if (target_ == Target::kShares) {
    result.shares = options_.shares;
    result.lift = before;
  }
  if (target_ == Target::kBase) {  // what the base weights give does not pass through steps between
    result.part_of_weight = result.part;
    result.part -= start.base;
  }
  return result;
}

Adjusted Calibration::apply(const Before& before, int threads) const {
  const Problem problem = pose(before, threads);
  const Solution solution = solve(problem, threads);
  Adjusted result;
  result.weights = weights_of(problem, solution, before.weights);
  result.projection = project(problem, solution, before, result.weights, threads);
  result.iterations = solution.iterations;
  result.largest_error = solution.error;
  result.totals = solution.found.reshaped<Eigen::RowMajor>();
  return result;
}

Eigen::VectorXd Calibration::replay(const Before& before, int threads) const {
  const Problem problem = pose(before, threads);
  return weights_of(problem, solve(problem, threads), before.weights);
}

}  // namespace steelyard
