#include "steelyard/replication.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

/// Sums of one term's features under every replicate, at the centres of the domains:
/// (domains * features) x replicates.
using ReplicateSums = RowMatrix;

/// Sums by unit, brought from the centres of strata to those of domains.
RowMatrix at_domain_centres(const Design& design, const Term& term, Eigen::Index domains) {
  RowMatrix result = term.sums.by_group;
  const Eigen::Index features = term.sums.features;
  for (Eigen::Index unit = 0; unit < result.rows(); ++unit) {
    const Eigen::Index h = design.stratum_of_unit(unit);
    for (Eigen::Index d = 0; d < domains; ++d) {
      const Eigen::VectorXd& centre = term.linearised.centre[static_cast<std::size_t>(d)];
      const double weight = result(unit, d * features);
      for (Eigen::Index j = 0; j < centre.size(); ++j) {
        result(unit, d * features + 1 + j) +=
            weight * (term.sums.centre(h * domains + d, j) - centre[j]);
      }
    }
  }
  return result;
}

/// Reads supplied weights and rows together.
class RowSums {
 public:
  RowSums(const Design& design, const Domains& domains, std::span<const Term> terms)
      : design_(design), domains_(domains), terms_(terms) {}

  std::vector<ReplicateSums> sum(int threads) const {
    const Eigen::Index segments = segment_count(design_.rows(), cells());
    std::vector<std::vector<ReplicateSums>> parts(static_cast<std::size_t>(segments));
    parallel_for(segments, threads, [&](Eigen::Index s) {
      std::vector<ReplicateSums> sums = zero();
      Room room(*this);
      const Eigen::Index end = design_.rows() * (s + 1) / segments;
      for (Eigen::Index row = design_.rows() * s / segments; row < end; row += kBlockRows) {
        add(row, std::min(kBlockRows, end - row), room, sums);
      }
      parts[static_cast<std::size_t>(s)] = std::move(sums);
    });
    for (std::size_t s = 1; s < parts.size(); ++s) {
      for (std::size_t t = 0; t < terms_.size(); ++t) {
        parts.front()[t] += parts[s][t];
      }
    }
    return std::move(parts.front());
  }

 private:
  /// What a thread reads a block into.
  struct Room {
    explicit Room(const RowSums& sums)
        : weights(kBlockRows, sums.design_.replicates()->count()),
          buffer(sums.width(), kBlockRows) {}
    RowMatrix weights;
    RowMatrix buffer;
    std::vector<const double*> columns;
  };

  const Design& design_;
  const Domains& domains_;
  std::span<const Term> terms_;

  Eigen::Index width() const {
    Eigen::Index result = 1;
    for (const Term& term : terms_) {
      result = std::max(result, term.estimator->width());
    }
    return result;
  }

  Eigen::Index cells() const {
    Eigen::Index result = 0;
    for (const Term& term : terms_) {
      result += domains_.count() * term.sums.features * design_.replicates()->count();
    }
    return result;
  }

  std::vector<ReplicateSums> zero() const {
    std::vector<ReplicateSums> sums;
    for (const Term& term : terms_) {
      sums.push_back(ReplicateSums::Zero(domains_.count() * term.sums.features,
                                         design_.replicates()->count()));
    }
    return sums;
  }

  void add(Eigen::Index begin, Eigen::Index count, Room& room,
           std::vector<ReplicateSums>& sums) const {
    const RowBlock rows = domains_.block(begin, count);
    design_.read_replicates(begin, count, room.weights.topRows(count));
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      if (terms_[t].estimator->of_levels()) {
        add_levels(rows, terms_[t], room, sums[t]);
      } else {
        add_columns(rows, terms_[t], room, sums[t]);
      }
    }
  }

  static void add_levels(const RowBlock& rows, const Term& term, const Room& room,
                         ReplicateSums& sums) {
    const std::int32_t* level = term.estimator->levels().data() + rows.begin;
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const Eigen::Index d = rows.domain_of(i);
      if (d >= 0 && level[i] >= 0) {
        sums.row(d * term.sums.features + level[i]) += room.weights.row(i);
      }
    }
  }

  static void add_columns(const RowBlock& rows, const Term& term, Room& room, ReplicateSums& sums) {
    term.estimator->read(rows, room.buffer, room.columns);
    const auto present = [&](Eigen::Index i) {
      return std::none_of(room.columns.begin(), room.columns.end(),
                          [i](const double* column) { return std::isnan(column[i]); });
    };
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const Eigen::Index d = rows.domain_of(i);
      if (d < 0 || !present(i)) {
        continue;
      }
      const Eigen::VectorXd& centre = term.linearised.centre[static_cast<std::size_t>(d)];
      const Eigen::Index at = d * term.sums.features;
      sums.row(at) += room.weights.row(i);
      for (Eigen::Index j = 0; j < centre.size(); ++j) {
        const double centred = room.columns[static_cast<std::size_t>(j)][i] - centre[j];
        sums.row(at + 1 + j) += centred * room.weights.row(i);
      }
    }
  }
};

std::vector<ReplicateSums> sum_all(const Design& design, const Domains& domains,
                                   std::span<const Term> terms, int threads) {
  if (!design.replicates()->by_unit()) {
    return RowSums(design, domains, terms).sum(threads);
  }
  std::vector<ReplicateSums> sums;
  for (const Term& term : terms) {
    sums.push_back(at_domain_centres(design, term, domains.count()).transpose() *
                   design.replicates()->factors());
  }
  return sums;
}

/// Replicates x (domains * estimates) of one term.
RowMatrix estimates_from_sums(const Term& term, const ReplicateSums& sums, Eigen::Index domains) {
  const Eigen::Index per_domain = term.estimator->estimates();
  const Eigen::Index features = term.sums.features;
  RowMatrix result(sums.cols(), domains * per_domain);
  for (Eigen::Index d = 0; d < domains; ++d) {
    const auto at = static_cast<std::size_t>(d);
    const DomainSums whole{term.linearised.sums[at], term.linearised.centre[at], d};
    for (Eigen::Index r = 0; r < sums.cols(); ++r) {
      const DomainSums own{sums.col(r).segment(d * features, features), term.linearised.centre[at],
                           d};
      result.row(r).segment(d * per_domain, per_domain) =
          term.estimator->replicate(own, whole).transpose();
    }
  }
  return result;
}

RowMatrix refitted(const Design& design, const Domains& domains, const Term& term, int threads) {
  const Eigen::Index per_domain = term.estimator->estimates();
  RowMatrix result(design.replicates()->count(), domains.count() * per_domain);
  parallel_for(result.rows(), threads, [&](Eigen::Index r) {
    if (!design.replicates()->is_defined(r)) {
      result.row(r).setConstant(std::numeric_limits<double>::quiet_NaN());
      return;
    }
    const RowMatrix values = term.estimator->refit(design.under_replicate(r), domains);
    result.row(r) = values.reshaped<Eigen::RowMajor>().transpose();
  });
  return result;
}

/// Turns the estimates of one column into deviations, in place; not numbers where fewer than two
/// replicates have one.
std::int64_t deviate(const Replicates& replicates, double estimate,
                     Eigen::Ref<Eigen::VectorXd, 0, Eigen::InnerStride<>> column) {
  double sum = 0;
  double count = 0;
  std::int64_t left_out = 0;
  for (Eigen::Index r = 0; r < column.size(); ++r) {
    const bool known = std::isfinite(column[r]);
    left_out += known ? 0 : 1;
    if (known && replicates.scale(r) > 0) {
      sum += column[r] - estimate;
      ++count;
    }
  }
  const double centre = replicates.about_estimate() || count == 0 ? 0 : sum / count;
  for (Eigen::Index r = 0; r < column.size(); ++r) {
    const double distance = column[r] - estimate - centre;
    column[r] = std::isfinite(column[r]) ? std::sqrt(replicates.scale(r)) * distance : 0;
  }
  if (count < 2) {
    column.setConstant(std::numeric_limits<double>::quiet_NaN());
  }
  return left_out;
}

}  // namespace

Replicated replicate(const Design& design, const Domains& domains, std::span<const Term> terms,
                     const Eigen::VectorXd& estimates, int threads) {
  const Replicates& replicates = *design.replicates();
  const std::vector<ReplicateSums> sums = sum_all(design, domains, terms, threads);
  Replicated result{RowMatrix(replicates.count(), estimates.size()), {}};
  const Eigen::Index width = estimates.size() / domains.count();
  Eigen::Index offset = 0;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const RowMatrix own = terms[t].estimator->needs_refit()
                              ? refitted(design, domains, terms[t], threads)
                              : estimates_from_sums(terms[t], sums[t], domains.count());
    const Eigen::Index mine = terms[t].estimator->estimates();
    for (Eigen::Index d = 0; d < domains.count(); ++d) {
      result.deviations.middleCols(d * width + offset, mine) = own.middleCols(d * mine, mine);
    }
    offset += mine;
  }
  for (Eigen::Index j = 0; j < estimates.size(); ++j) {
    result.left_out.push_back(deviate(replicates, estimates[j], result.deviations.col(j)));
  }
  return result;
}

}  // namespace steelyard
