#include "steelyard/projection.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

/// Influence w z of rows on the estimates of all terms in their domains: count x per_domain.
class RowInfluence {
 public:
  RowInfluence(const Design& design, const Domains& domains, std::span<const Term> terms)
      : design_(design), domains_(domains), terms_(terms) {
    for (const Term& term : terms) {
      width_ = std::max(width_, term.estimator->width());
      per_domain_ += term.estimator->estimates();
    }
    buffer_.resize(std::max<Eigen::Index>(1, width_), kBlockRows);
  }

  Eigen::Index per_domain() const { return per_domain_; }
  RowBlock rows(Eigen::Index begin, Eigen::Index count) const {
    return domains_.block(begin, count);
  }

  void read(const RowBlock& rows, RowMatrix& into) {
    into.topRows(rows.count).setZero();
    Eigen::VectorXd room(rows.count);
    const double* weight = design_.weights(rows.begin, rows.count, room.data());
    Eigen::Index offset = 0;
    for (const Term& term : terms_) {
      auto mine = into.middleCols(offset, term.estimator->estimates());
      term.estimator->of_levels() ? read_levels(rows, term, weight, mine)
                                  : read_columns(rows, term, weight, mine);
      offset += term.estimator->estimates();
    }
  }

 private:
  using Part = Eigen::Block<RowMatrix, Eigen::Dynamic, Eigen::Dynamic, true>;

  const Design& design_;
  const Domains& domains_;
  std::span<const Term> terms_;
  Eigen::Index width_ = 0;
  Eigen::Index per_domain_ = 0;
  RowMatrix buffer_;
  std::vector<const double*> columns_;

  template <typename Into>
  static void read_levels(const RowBlock& rows, const Term& term, const double* weight,
                          Into& into) {
    const std::int32_t* level = term.estimator->levels().data() + rows.begin;
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const Eigen::Index d = rows.domain_of(i);
      if (d >= 0 && level[i] >= 0) {
        const Eigen::MatrixXd& gradient =
            term.linearised.by_domain[static_cast<std::size_t>(d)].gradient;
        into.row(i) = weight[i] * gradient.col(level[i]).transpose();
      }
    }
  }

  template <typename Into>
  void read_columns(const RowBlock& rows, const Term& term, const double* weight, Into& into) {
    term.estimator->read(rows, buffer_, columns_);
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const Eigen::Index d = rows.domain_of(i);
      if (d < 0 || weight[i] == 0) {
        continue;
      }
      const auto at = static_cast<std::size_t>(d);
      const Eigen::MatrixXd& gradient = term.linearised.by_domain[at].gradient;
      const Eigen::VectorXd& centre = term.linearised.centre[at];
      bool present = true;
      for (Eigen::Index e = 0; e < gradient.rows(); ++e) {
        double z = gradient(e, 0);
        for (Eigen::Index j = 0; j < centre.size(); ++j) {
          const double y = columns_[static_cast<std::size_t>(j)][i];
          present = present && !std::isnan(y);
          z += gradient(e, 1 + j) * (y - centre[j]);
        }
        into(i, e) = present ? weight[i] * z : 0;
      }
    }
  }
};

}  // namespace

Eigen::Index ProjectionChain::Link::at(Eigen::Index row) const {
  const Cells& cells = projection->cells;
  const std::int32_t group = cells.controls.group(cells.cell(row));
  return group < 0 ? -1 : group * width();
}

void ProjectionChain::Link::read(Eigen::Index begin, Eigen::Index count, RowMatrix& x) const {
  const Cells& cells = projection->cells;
  if (cells.of_row.size() == 0) {
    cells.controls.read(begin, count, x);
    return;
  }
  for (Eigen::Index i = 0; i < count; ++i) {
    cells.controls.read_row(cells.of_row[begin + i], i, x);
  }
}

void ProjectionChain::Link::move(const Eigen::VectorXd& part, Eigen::Index begin,
                                 Eigen::Index count, RowMatrix& x) const {
  x.topRows(count).array().colwise() *= part.segment(begin, count).array();
  if (projection->shares.size() > 0) {
    x.topRows(count).noalias() -=
        projection->lift.segment(begin, count) * projection->shares.transpose();
  }
}

ProjectionChain::ProjectionChain(const Weighting& weighting, const Codes& unit_of_row,
                                 Eigen::Index units)
    : weighting_(weighting) {
  Eigen::VectorXd keep = Eigen::VectorXd::Ones(weighting_.base().size());
  for (std::size_t k = weighting_.steps(); k-- > 0;) {
    const Projection& projection = weighting_.step(k).projection;
    if (projection.has_parameters()) {
      Link link{&projection, projection.pull.cwiseProduct(keep), {}, {}};
      if (unit_of_row.size() > 0) {
        sum_by_unit(link, unit_of_row, units);
      }
      relate(k, link);
      links_.insert(links_.begin(), std::move(link));
    }
    if (projection.keep.size() > 0) {
      keep = keep.cwiseProduct(projection.keep).eval();
    }
  }
}

/// Links after a step are those there are already.
void ProjectionChain::relate(std::size_t step, Link& link) const {
  Eigen::VectorXd between = Eigen::VectorXd::Ones(weighting_.base().size());
  std::size_t next = 0;
  for (std::size_t l = step + 1; l < weighting_.steps(); ++l) {
    const Projection& later = weighting_.step(l).projection;
    if (later.has_parameters()) {
      link.later.push_back(relation(link, links_[next++], between));
    }
    if (later.keep.size() > 0) {
      between = between.cwiseProduct(later.keep).eval();
    }
  }
}

Eigen::MatrixXd ProjectionChain::relation(const Link& first, const Link& later,
                                          const Eigen::VectorXd& between) const {
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(first.size(), later.size());
  const Projection& moves = *later.projection;
  const Eigen::VectorXd& part = moves.part_of_weight.size() > 0 ? moves.part_of_weight : moves.part;
  const Eigen::VectorXd pull = first.projection->pull.cwiseProduct(between);
  RowMatrix x(kBlockRows, first.width());
  RowMatrix z(kBlockRows, later.width());
  for (Eigen::Index begin = 0; begin < pull.size(); begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, pull.size() - begin);
    first.read(begin, count, x);
    later.read(begin, count, z);
    later.move(part, begin, count, z);
    for (Eigen::Index i = 0; i < count; ++i) {
      const Eigen::Index at = first.at(begin + i);
      const Eigen::Index other = later.at(begin + i);
      if (at >= 0 && other >= 0 && pull[begin + i] != 0) {
        sum.block(at, other, x.cols(), z.cols()).noalias() +=
            pull[begin + i] * x.row(i).transpose() * z.row(i);
      }
    }
  }
  return sum;
}

void ProjectionChain::sum_by_unit(Link& link, const Codes& unit_of_row, Eigen::Index units) const {
  link.by_unit = RowMatrix::Zero(units, link.size());
  RowMatrix x(kBlockRows, link.width());
  const Eigen::Index rows = unit_of_row.size();
  for (Eigen::Index begin = 0; begin < rows; begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, rows - begin);
    link.read(begin, count, x);
    link.move(link.projection->part, begin, count, x);
    for (Eigen::Index i = 0; i < count; ++i) {
      if (const Eigen::Index at = link.at(begin + i); at >= 0) {
        link.by_unit.row(unit_of_row[begin + i]).segment(at, x.cols()) += x.row(i);
      }
    }
  }
}

std::vector<RowMatrix> ProjectionChain::pull(const Design& design, const Domains& domains,
                                             std::span<const Term> terms, Eigen::Index estimates,
                                             int threads) const {
  Eigen::Index numbers = 0;
  std::vector<RowMatrix> zero;
  for (const Link& link : links_) {
    zero.push_back(RowMatrix::Zero(link.size(), estimates));
    numbers += link.size() * estimates;
  }
  const Eigen::Index segments = segment_count(design.rows(), numbers);
  std::vector<std::vector<RowMatrix>> parts(static_cast<std::size_t>(segments), zero);
  parallel_for(segments, threads, [&](Eigen::Index s) {
    std::vector<RowMatrix>& sums = parts[static_cast<std::size_t>(s)];
    RowInfluence influence(design, domains, terms);
    const Eigen::Index per_domain = influence.per_domain();
    RowMatrix u(kBlockRows, per_domain);
    RowMatrix x;
    const Eigen::Index end = design.rows() * (s + 1) / segments;
    for (Eigen::Index begin = design.rows() * s / segments; begin < end; begin += kBlockRows) {
      const RowBlock rows = influence.rows(begin, std::min(kBlockRows, end - begin));
      influence.read(rows, u);
      for (std::size_t k = 0; k < links_.size(); ++k) {
        const Link& link = links_[k];
        x.resize(kBlockRows, link.width());
        link.read(rows.begin, rows.count, x);
        if (domains.count() == 1 && link.size() == link.width()) {
          const auto pull = link.pull.segment(rows.begin, rows.count);
          sums[k].noalias() +=
              x.topRows(rows.count).transpose() * (pull.asDiagonal() * u.topRows(rows.count));
          continue;
        }
        for (Eigen::Index i = 0; i < rows.count; ++i) {
          const Eigen::Index d = rows.domain_of(i);
          const Eigen::Index at = link.at(rows.begin + i);
          const double pull = link.pull[rows.begin + i];
          if (d >= 0 && at >= 0 && pull != 0) {
            sums[k].block(at, d * per_domain, x.cols(), per_domain).noalias() +=
                pull * x.row(i).transpose() * u.row(i);
          }
        }
      }
    }
  });
  for (std::size_t s = 1; s < parts.size(); ++s) {
    for (std::size_t k = 0; k < links_.size(); ++k) {
      parts.front()[k] += parts[s][k];
    }
  }
  return std::move(parts.front());
}

ProjectionChain::Coefficients ProjectionChain::coefficients(const Design& design,
                                                            const Domains& domains,
                                                            std::span<const Term> terms,
                                                            Eigen::Index estimates,
                                                            int threads) const {
  std::vector<RowMatrix> pulls = pull(design, domains, terms, estimates, threads);
  for (std::size_t k = links_.size(); k-- > 0;) {
    const Link& link = links_[k];
    for (std::size_t l = k + 1; l < links_.size(); ++l) {
      pulls[k] -= link.later[l - k - 1] * pulls[l];
    }
    const Eigen::Index width = link.width();
    for (std::size_t g = 0; g < link.projection->information.size(); ++g) {
      auto own = pulls[k].middleRows(static_cast<Eigen::Index>(g) * width, width);
      own = link.projection->information[g].solve(own).eval();
    }
  }
  return pulls;
}

bool ProjectionChain::has_errors_of_totals() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const Link& link) { return link.projection->of_totals.has_value(); });
}

void ProjectionChain::add_errors_of_totals(const Coefficients& b, Deviations& deviations) const {
  for (std::size_t k = 0; k < links_.size(); ++k) {
    if (links_[k].projection->of_totals) {
      Deviations own = *links_[k].projection->of_totals;
      own.matrix = (own.matrix * b[k]).eval();
      deviations = add(deviations, std::move(own));
    }
  }
}

void ProjectionChain::apply(const Design& design, const Coefficients& b, RowMatrix& totals,
                            int threads) const {
  for (std::size_t k = 0; k < links_.size(); ++k) {
    if (links_[k].by_unit.size() > 0) {
      totals.noalias() -= links_[k].by_unit * b[k];
    }
  }
  if (!design.rows_are_units()) {
    return;
  }
  const Eigen::Index blocks = (design.rows() + kBlockRows - 1) / kBlockRows;
  parallel_for(blocks, threads, [&](Eigen::Index block) {
    const Eigen::Index begin = block * kBlockRows;
    const Eigen::Index count = std::min(kBlockRows, design.rows() - begin);
    for (std::size_t k = 0; k < links_.size(); ++k) {
      const Link& link = links_[k];
      RowMatrix x(count, link.width());
      link.read(begin, count, x);
      link.move(link.projection->part, begin, count, x);
      for (Eigen::Index i = 0; i < count; ++i) {
        if (const Eigen::Index at = link.at(begin + i); at >= 0) {
          totals.row(begin + i).noalias() -= x.row(i) * b[k].middleRows(at, x.cols());
        }
      }
    }
  });
}

}  // namespace steelyard
