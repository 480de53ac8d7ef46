#include "steelyard/quantile_score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <utility>

#include "steelyard/answers.hpp"
#include "steelyard/distribution.hpp"
#include "steelyard/distribution_function.hpp"
#include "steelyard/estimate.hpp"

namespace steelyard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// The distribution function at an answer, and how far from it a share is not rejected.
struct Test {
  double share;
  double reach;
};

/// The search for one end of an interval among a domain's distinct answers: the first answer past
/// the end, where the answers before it are not.
class Search {
 public:
  Search(double p, bool lower, Eigen::Index answers) : p_(p), lower_(lower), past_(answers - 1) {}

  bool is_over() const { return past_ - before_ <= 1; }
  Eigen::Index result() const { return past_; }

  /// Up to `most` answers to try next, evenly spaced.
  std::vector<Eigen::Index> candidates(Eigen::Index most) const {
    const Eigen::Index inside = past_ - before_ - 1;
    const Eigen::Index count = std::min(inside, most);
    std::vector<Eigen::Index> result;
    for (Eigen::Index i = 1; i <= count; ++i) {
      result.push_back(before_ + i * (inside + 1) / (count + 1));
    }
    return result;
  }

  /// Between the outermost pair of answers tried of which only the second is past the end.
  void narrow(const std::vector<Eigen::Index>& tried, const std::vector<Test>& tests) {
    const auto is_past = [this](const Test& test) {
      return lower_ ? test.share - p_ >= -test.reach : test.share - p_ > test.reach;
    };
    auto split = std::find_if(tests.begin(), tests.end(), is_past);
    if (!lower_) {
      split = std::find_if_not(tests.rbegin(), tests.rend(), is_past).base();
    }
    const auto at = static_cast<std::size_t>(split - tests.begin());
    if (at < tried.size()) {
      past_ = tried[at];
    }
    if (at > 0) {
      before_ = tried[at - 1];
    }
  }

 private:
  double p_;
  bool lower_;
  Eigen::Index before_ = -1;
  Eigen::Index past_;  // the largest answer always is
};

/// One domain's distinct answers, and the searches for both ends.
struct Domain {
  std::vector<double> answers;
  std::vector<Search> searches;
  bool undefined = false;

  bool is_over() const {
    return undefined || std::all_of(searches.begin(), searches.end(),
                                    [](const Search& s) { return s.is_over(); });
  }
  void start(double p) {
    const auto size = static_cast<Eigen::Index>(answers.size());
    searches = {Search(p, true, size), Search(p, false, size)};
  }
  Interval found(double p, Side side) const {
    if (undefined) {
      return {kNotANumber, kNotANumber};
    }
    const auto end = [this](std::size_t s) {
      return answers[static_cast<std::size_t>(searches[s].result())];
    };
    return {side == Side::kUpper || p == 0 ? -kInfinity : end(0),
            side == Side::kLower || p == 1 ? kInfinity : end(1)};
  }
};

Domain domain_of(Answers answers) {
  Domain domain{std::move(answers.values), {}, false};
  std::vector<double>& values = domain.answers;
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  domain.undefined = values.empty();
  return domain;
}

/// Answers to try in one pass, with the searches they are for.
struct Trial {
  std::vector<Eigen::Index> sorted;  // indices of answers
  std::vector<std::vector<Eigen::Index>> of_search;
};

Trial next_trial(const Domain& domain, Eigen::Index most) {
  Trial trial;
  for (const Search& search : domain.searches) {
    trial.of_search.push_back(domain.undefined ? std::vector<Eigen::Index>{}
                                               : search.candidates(most));
    trial.sorted.insert(trial.sorted.end(), trial.of_search.back().begin(),
                        trial.of_search.back().end());
  }
  std::sort(trial.sorted.begin(), trial.sorted.end());
  trial.sorted.erase(std::unique(trial.sorted.begin(), trial.sorted.end()), trial.sorted.end());
  return trial;
}

/// Rows of equal length: the last point is repeated.
RowMatrix points_of(const std::vector<Domain>& domains, const std::vector<Trial>& trials) {
  std::size_t most = 1;
  for (const Trial& trial : trials) {
    most = std::max(most, trial.sorted.size());
  }
  RowMatrix points =
      RowMatrix::Zero(static_cast<Eigen::Index>(trials.size()), static_cast<Eigen::Index>(most));
  for (std::size_t d = 0; d < trials.size(); ++d) {
    const std::vector<Eigen::Index>& sorted = trials[d].sorted;
    for (std::size_t i = 0; i < most && !sorted.empty(); ++i) {
      const Eigen::Index k = sorted[std::min(i, sorted.size() - 1)];
      points(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(i)) =
          domains[d].answers[static_cast<std::size_t>(k)];
    }
  }
  return points;
}

void narrow(const Trial& trial, const std::vector<Test>& tests, Domain& domain) {
  for (std::size_t s = 0; s < domain.searches.size() && !domain.undefined; ++s) {
    std::vector<Test> mine;
    for (const Eigen::Index k : trial.of_search[s]) {
      const auto found = std::lower_bound(trial.sorted.begin(), trial.sorted.end(), k);
      mine.push_back(tests[static_cast<std::size_t>(found - trial.sorted.begin())]);
    }
    domain.searches[s].narrow(trial.of_search[s], mine);
  }
}

/// Tests all domains at their next answers.
void pass(const Design& design, const Domains& domains, const Column& y,
          const ScoreOptions& options, int threads, Eigen::Index most,
          std::vector<Domain>& searched) {
  std::vector<Trial> trials;
  for (const Domain& domain : searched) {
    trials.push_back(next_trial(domain, most));
  }
  const RowMatrix points = points_of(searched, trials);
  const EstimatorPtr below = distribution_function(y, domains, points);
  const Estimated found = estimate(design, SampleKeys(0), domains, std::span(&below, 1), threads);
  const Eigen::VectorXd errors = found.estimates.standard_errors();
  const double tail = options.side == Side::kTwo ? (1 + options.level) / 2 : options.level;
  for (std::size_t d = 0; d < searched.size(); ++d) {
    // A domain in one unit: nothing is known of the error at any point.
    const auto first = static_cast<Eigen::Index>(d) * points.cols();
    searched[d].undefined = searched[d].undefined || std::isnan(errors[first]);
    std::vector<Test> tests;
    for (std::size_t i = 0; i < trials[d].sorted.size(); ++i) {
      const Eigen::Index at = first + static_cast<Eigen::Index>(i);
      const auto counted = static_cast<std::size_t>(at);
      const auto in_domain = static_cast<double>(found.units[counted] - found.strata[counted]);
      const double freedom = options.degrees_of_freedom.value_or(std::max(1.0, in_domain));
      tests.push_back({found.estimates.values[at], t_quantile(tail, freedom) * errors[at]});
    }
    narrow(trials[d], tests, searched[d]);
  }
}

/// Answers that each search tries in a pass: so few that deviations are kept by unit, which is
/// faster than a sum of products over rows.
Eigen::Index answers_at_once(const Design& design, const Domains& domains) {
  const Eigen::Index cells = std::max<Eigen::Index>(1, design.units() * domains.count());
  return std::clamp<Eigen::Index>(kKeptDeviations / cells, 8, 256) / 2;
}

void check(const std::vector<double>& probabilities, double level) {
  if (probabilities.empty() || !std::all_of(probabilities.begin(), probabilities.end(),
                                            [](double p) { return p >= 0 && p <= 1; })) {
    throw std::invalid_argument("probabilities: at least one, within [0, 1]");
  }
  if (!(level > 0 && level < 1)) {
    throw std::invalid_argument("the confidence level must lie between 0 and 1");
  }
}

}  // namespace

std::vector<Interval> score_intervals(const Design& design, const Domains& domains, const Column& y,
                                      const std::vector<double>& probabilities,
                                      const ScoreOptions& options, int threads) {
  check(probabilities, options.level);
  std::vector<Domain> searched;
  for (Answers& answers : gather_answers(design, domains, y)) {
    searched.push_back(domain_of(std::move(answers)));
  }
  const Eigen::Index most = answers_at_once(design, domains);
  const std::size_t width = probabilities.size();
  std::vector<Interval> result(searched.size() * width);
  for (std::size_t j = 0; j < width; ++j) {
    for (Domain& domain : searched) {
      domain.start(probabilities[j]);
    }
    do {
      pass(design, domains, y, options, threads, most, searched);
    } while (!std::all_of(searched.begin(), searched.end(),
                          [](const Domain& domain) { return domain.is_over(); }));
    for (std::size_t d = 0; d < searched.size(); ++d) {
      result[d * width + j] = searched[d].found(probabilities[j], options.side);
    }
  }
  return result;
}

}  // namespace steelyard
