#include "steelyard/poverty.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <utility>

#include "steelyard/distribution_function.hpp"
#include "steelyard/error.hpp"
#include "steelyard/known_influence.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The weighted density of income, by a Gaussian kernel; Osier (2009).
class KernelDensity {
 public:
  explicit KernelDensity(const Answers& answers) : answers_(answers) {
    double sum = 0;
    for (std::size_t i = 0; i < answers.values.size(); ++i) {
      population_ += answers.weights[i];
      sum += answers.weights[i] * answers.values[i];
    }
    const double mean = sum / population_;
    double squares = 0;
    for (std::size_t i = 0; i < answers.values.size(); ++i) {
      const double distance = answers.values[i] - mean;
      squares += answers.weights[i] * distance * distance;
    }
    bandwidth_ = std::sqrt(squares / population_) * std::pow(population_, -0.2);
  }

  double population() const { return population_; }

  double at(double x) const {
    const double scale = std::numbers::inv_sqrtpi / std::numbers::sqrt2 / population_ / bandwidth_;
    double sum = 0;
    for (std::size_t i = 0; i < answers_.values.size(); ++i) {
      const double u = (x - answers_.values[i]) / bandwidth_;
      sum += answers_.weights[i] * std::exp(-u * u / 2);
    }
    return sum * scale;
  }

 private:
  const Answers& answers_;
  double population_ = 0;
  double bandwidth_ = 0;
};

/// A figure in one domain, and the influence
///   line (1(y <= quantile) - probability)
///     + 1(group) (below (1(y < threshold) - rate) + median (1(y <= median_at) - rate / 2)).
struct Figure {
  double value = kNotANumber;
  double quantile = -kInfinity;
  double probability = 0;
  double line = 0;
  double threshold = -kInfinity;
  double rate = 0;
  double below = 0;
  double median_at = -kInfinity;
  double median = 0;

  bool has_influence() const {
    return std::isfinite(line) && std::isfinite(below) && std::isfinite(median);
  }
  double influence(double y, bool in_group) const {
    double z = line == 0 ? 0 : line * ((y <= quantile ? 1 : 0) - probability);
    if (in_group) {
      z += below * ((y < threshold ? 1 : 0) - rate);
      z += median * ((y <= median_at ? 1 : 0) - rate / 2);
    }
    return z;
  }
};

bool is_in(const PovertyGroup& group, Eigen::Index row) {
  return group.codes.size() == 0 || group.codes[row] == group.code;
}

class PovertyFigure final : public KnownInfluence {
 public:
  PovertyFigure(Column y, Remake remake, PovertyGroup group, std::vector<Figure> figures)
      : KnownInfluence(std::move(y), std::move(remake)),
        group_(std::move(group)),
        figures_(std::move(figures)) {}

 protected:
  void influence(const RowBlock& rows, const double* y, double* z) const override {
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const std::int32_t d = rows.domain_of(i);
      if (d < 0) {
        continue;
      }
      const Figure& figure = figures_[static_cast<std::size_t>(d)];
      if (std::isnan(y[i]) || !figure.has_influence()) {
        z[i] = std::isnan(y[i]) ? kNotANumber : 0;
        continue;
      }
      z[i] = figure.influence(y[i], is_in(group_, rows.begin + i));
    }
  }
  double value(Eigen::Index domain) const override {
    return figures_[static_cast<std::size_t>(domain)].value;
  }
  bool has_influence(Eigen::Index domain) const override {
    return figures_[static_cast<std::size_t>(domain)].has_influence();
  }

 private:
  PovertyGroup group_;
  std::vector<Figure> figures_;  // by domain
};

Answers members(const Answers& answers, const PovertyGroup& group) {
  Answers result;
  for (std::size_t i = 0; i < answers.rows.size(); ++i) {
    if (is_in(group, answers.rows[i])) {
      result.values.push_back(answers.values[i]);
      result.weights.push_back(answers.weights[i]);
    }
  }
  return result;
}

Answers those_below(const Answers& answers, double threshold) {
  Answers result;
  for (std::size_t i = 0; i < answers.values.size(); ++i) {
    if (answers.values[i] < threshold) {
      result.values.push_back(answers.values[i]);
      result.weights.push_back(answers.weights[i]);
    }
  }
  return result;
}

double total_weight(const Answers& answers) {
  double sum = 0;
  for (const double weight : answers.weights) {
    sum += weight;
  }
  return sum;
}

void set_rate(const Answers& group, const KernelDensity& density, double slope, Figure& figure) {
  const double poor = total_weight(those_below(group, figure.threshold));
  figure.rate = figure.value = poor / density.population();
  figure.below = 1 / density.population();
  figure.line = slope == 0 ? 0 : slope * density.at(figure.threshold);
}

/// From the rate's influence to that of the gap.
void set_gap(const Answers& group, const KernelDensity& density, double slope, QuantileRule rule,
             Figure& figure) {
  Answers poor = those_below(group, figure.threshold);
  if (poor.values.empty() || !(figure.threshold > 0)) {
    figure.value = kNotANumber;
    return;
  }
  const double t = figure.threshold;
  const double m =
      WeightedSample(std::move(poor.values), std::move(poor.weights)).quantile(0.5, rule);
  const double scale = 1 / (density.at(m) * t);
  figure.value = (t - m) / t;
  figure.median_at = m;
  figure.median = scale * figure.below;
  figure.line = m / t * slope / t - scale * figure.line / 2;
  figure.below *= -scale / 2;
}

}  // namespace

PovertyLine::PovertyLine(const Design& design, const Domains& domains, const Column& y,
                         const Options& options, int threads)
    : rows_(design.rows()), y_(y), options_(options), threads_(threads) {
  if (!(options.share > 0 && options.share < kInfinity)) {
    throw std::invalid_argument("the poverty line is a positive share of a quantile");
  }
  if (!(options.probability > 0 && options.probability < 1)) {
    throw std::invalid_argument("the quantile of a poverty line is taken between 0 and 1");
  }
  if (options.fixed && !std::isfinite(*options.fixed)) {
    throw std::invalid_argument("a fixed poverty line is a finite number");
  }
  answers_ = std::make_shared<const std::vector<Answers>>(gather_answers(design, domains, y));
  quantiles_ = thresholds_ = Eigen::VectorXd::Constant(domains.count(), kNotANumber);
  slopes_ = Eigen::VectorXd::Zero(domains.count());
  if (options.fixed) {
    thresholds_.setConstant(*options.fixed);
    return;
  }
  parallel_for(domains.count(), threads, [&](Eigen::Index d) {
    const Answers& mine = (*answers_)[static_cast<std::size_t>(d)];
    if (mine.values.empty()) {
      return;
    }
    quantiles_[d] =
        WeightedSample(mine.values, mine.weights).quantile(options.probability, options.rule);
    thresholds_[d] = options.share * quantiles_[d];
    const KernelDensity density(mine);
    slopes_[d] = -options.share / (density.population() * density.at(quantiles_[d]));
  });
}

EstimatorPtr PovertyLine::threshold() const {
  std::vector<Figure> figures(answers_->size());
  for (std::size_t d = 0; d < figures.size(); ++d) {
    const auto at = static_cast<Eigen::Index>(d);
    figures[d].value = thresholds_[at];
    figures[d].quantile = quantiles_[at];
    figures[d].probability = options_.probability;
    figures[d].line = slopes_[at];
  }
  const auto remake = [y = y_, options = options_](const Design& design, const Domains& domains) {
    return PovertyLine(design, domains, y, options, 1).threshold();
  };
  return std::make_shared<PovertyFigure>(y_, remake, PovertyGroup{}, std::move(figures));
}

EstimatorPtr PovertyLine::figure(const PovertyGroup& group, bool of_gap) const {
  if (group.codes.size() > 0 && group.codes.size() != rows_) {
    throw InvalidColumn("group", InvalidColumn::Problem::kWrongLength,
                        {std::abs(group.codes.size() - rows_), {}});
  }
  std::vector<Figure> figures(answers_->size());
  parallel_for(static_cast<Eigen::Index>(figures.size()), threads_, [&](Eigen::Index d) {
    const auto at = static_cast<std::size_t>(d);
    const Answers mine = members((*answers_)[at], group);
    if (mine.values.empty()) {
      return;
    }
    Figure& figure = figures[at];
    figure.quantile = quantiles_[d];
    figure.probability = options_.probability;
    figure.threshold = thresholds_[d];
    const KernelDensity density(mine);
    set_rate(mine, density, slopes_[d], figure);
    if (of_gap) {
      set_gap(mine, density, slopes_[d], options_.rule, figure);
    }
  });
  const auto remake = [y = y_, options = options_, group, of_gap](const Design& design,
                                                                  const Domains& domains) {
    const PovertyLine line(design, domains, y, options, 1);
    return of_gap ? line.gap(group) : line.rate(group);
  };
  return std::make_shared<PovertyFigure>(y_, remake, group, std::move(figures));
}

EstimatorPtr PovertyLine::rate(const PovertyGroup& group) const { return figure(group, false); }

EstimatorPtr PovertyLine::gap(const PovertyGroup& group) const { return figure(group, true); }

EstimatorPtr share_below(const Column& y, const Domains& domains, double threshold) {
  if (!std::isfinite(threshold)) {
    throw std::invalid_argument("a fixed poverty line is a finite number");
  }
  // At or below the number before it is below it.
  return distribution_function(y, domains,
                               RowMatrix::Constant(1, 1, std::nextafter(threshold, -kInfinity)));
}

}  // namespace steelyard
