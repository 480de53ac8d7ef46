#include "steelyard/basis.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace steelyard {
namespace {

struct Gram {
  ModelCounts counts;
  Eigen::VectorXd sum;
  Eigen::MatrixXd products;  // lower triangle

  explicit Gram(Eigen::Index columns)
      : sum(Eigen::VectorXd::Zero(columns)), products(Eigen::MatrixXd::Zero(columns, columns)) {}

  void add(const ModelBlock& block, const RowMatrix& z) {
    const auto values = z.leftCols(block.count);
    sum += values * block.weight.matrix();
    add_gram(values, block.weight, products);
  }

  void count(const ModelBlock& block, const std::function<bool(double)>& allows) {
    counts.used += block.count;
    counts.missing += block.missing;
    counts.missing_weight += block.missing_weight;
    if (block.count > 0) {
      counts.weight += block.weight.sum();
      counts.response += (block.weight * block.response).sum();
    }
    for (Eigen::Index i = 0; i < block.count; ++i) {
      if (!allows(block.response[i])) {
        counts.out_of_range.add(block.row[static_cast<std::size_t>(i)]);
      }
    }
  }

  void merge(const Gram& part) {
    counts.used += part.counts.used;
    counts.missing += part.counts.missing;
    counts.weight += part.counts.weight;
    counts.missing_weight += part.counts.missing_weight;
    counts.response += part.counts.response;
    Offence& into = counts.out_of_range;
    const std::int64_t total = into.count + part.counts.out_of_range.count;
    for (const std::int64_t row : part.counts.out_of_range.rows) {
      into.add(row);
    }
    into.count = total;
    sum += part.sum;
    products += part.products;
  }
};

/// Gram-Schmidt in the metric of a Gram matrix.
struct Orthogonaliser {
  Eigen::MatrixXd map;  // lower triangular: rows of the new basis from those of the old
  std::vector<bool> doubtful;
  double smallest = 1;  // share of a column's square that earlier ones leave, doubtful ones aside

  /// Rows of which earlier ones leave less than `floor` are doubtful: only rid of the earlier ones,
  /// not scaled, and not used for later ones.
  Orthogonaliser(const Eigen::MatrixXd& gram, const std::vector<bool>& aliased, double floor)
      : map(Eigen::MatrixXd::Zero(gram.rows(), gram.rows())), doubtful(aliased.size(), false) {
    for (Eigen::Index j = 0; j < gram.rows(); ++j) {
      if (aliased[static_cast<std::size_t>(j)]) {
        continue;
      }
      Eigen::VectorXd row = Eigen::VectorXd::Unit(gram.rows(), j);
      double left = gram(j, j);
      for (Eigen::Index l = 0; l < j; ++l) {
        const auto at = static_cast<std::size_t>(l);
        if (!aliased[at] && !doubtful[at]) {
          const double along = map.row(l).dot(gram.col(j));
          row -= along * map.row(l).transpose();
          left -= along * along;
        }
      }
      const double share = left / gram(j, j);
      doubtful[static_cast<std::size_t>(j)] = !(share > floor);
      smallest = share > floor ? std::min(smallest, share) : smallest;
      map.row(j) = (share > floor ? 1 / std::sqrt(left) : 1) * row.transpose();
    }
  }
};

}  // namespace

void add_gram(const Eigen::Ref<const RowMatrix>& z, const Eigen::ArrayXd& weight,
              Eigen::MatrixXd& into) {
  // Few columns: inner products are faster than the packing of a matrix product.
  constexpr Eigen::Index kFewColumns = 16;
  const RowMatrix weighted = z.array().rowwise() * weight.transpose();
  if (z.rows() > kFewColumns) {
    into.triangularView<Eigen::Lower>() += weighted * z.transpose();
    return;
  }
  for (Eigen::Index j = 0; j < z.rows(); ++j) {
    for (Eigen::Index k = 0; k <= j; ++k) {
      into(j, k) += weighted.row(j).dot(z.row(k));
    }
  }
}

/// Looks for the basis in passes over the rows.
class BasisSearch {
 public:
  BasisSearch(const ModelSample& sample, bool constant, const std::function<bool(double)>& allows)
      : sample_(sample),
        allows_(allows),
        columns_(sample.data.matrix.columns()),
        leading_(constant ? 0 : sample.data.matrix.constant()),
        centred_(constant || leading_ > 0),
        aliased_(static_cast<std::size_t>(columns_), false),
        centre_(Eigen::VectorXd::Zero(columns_)),
        transform_(Eigen::MatrixXd::Identity(columns_, columns_)) {}

  Basis find() {
    guess_centre();
    standardise();
    const Eigen::VectorXd scale = transform_.diagonal().cwiseInverse();
    const bool diagonal = orthogonalise();
    Basis basis;
    basis.counts_ = counts_;
    basis.columns_ = columns_;
    basis.leading_ = leading_;
    basis.diagonal_ = diagonal;
    basis.centre_ = centre_;
    for (Eigen::Index j = 0; j < columns_; ++j) {
      if (!aliased_[static_cast<std::size_t>(j)]) {
        basis.kept_.push_back(j);
      }
    }
    basis.transform_ = transform_(basis.kept_, Eigen::indexing::all);
    basis.scale_ = scale(basis.kept_);
    return basis;
  }

 private:
  const ModelSample& sample_;
  const std::function<bool(double)>& allows_;
  Eigen::Index columns_;
  Eigen::Index leading_;
  bool centred_;
  std::vector<bool> aliased_;
  Eigen::VectorXd centre_;
  Eigen::MatrixXd transform_;
  Eigen::MatrixXd gram_;
  ModelCounts counts_;

  bool moves(Eigen::Index j) const { return centred_ && j >= leading_; }

  /// The means of the first block with rows: near enough to the data to begin with.
  void guess_centre() {
    const Eigen::Index rows = sample_.design.rows();
    ModelBlock block;
    for (Eigen::Index row = 0; row < rows && block.count == 0; row += kBlockRows) {
      block.read_used(sample_, row, std::min(kBlockRows, rows - row));
    }
    if (block.count == 0) {
      throw FitError(FitError::Problem::kNothingToFit, {});
    }
    const Eigen::VectorXd mean =
        block.x.leftCols(block.count) * (block.weight / block.weight.sum()).matrix();
    for (Eigen::Index j = 0; j < columns_; ++j) {
      centre_[j] = moves(j) ? mean[j] : 0;
    }
  }

  Gram pass() const {
    const bool plain = transform_.isDiagonal(0);
    return sum_blocks(
        sample_, Gram(columns_), columns_ * columns_, [&](const ModelBlock& block, Gram& gram) {
          gram.count(block, allows_);
          if (block.count == 0) {
            return;
          }
          RowMatrix z = block.x.leftCols(block.count).colwise() - centre_;
          z = plain ? RowMatrix(transform_.diagonal().asDiagonal() * z) : RowMatrix(transform_ * z);
          gram.add(block, z);
        });
  }

  /// Centres columns at their means and scales them, with another pass where the first centre lay
  /// so far off that digits were lost.
  void standardise() {
    constexpr double kFarInVariances = 1e4;
    constexpr int kPasses = 3;
    for (int i = 0; i < kPasses; ++i) {
      const Gram sums = pass();
      counts_ = sums.counts;
      if (counts_.out_of_range.count > 0) {
        throw FitError(FitError::Problem::kOutOfRange, {sample_.data.response.name()},
                       counts_.out_of_range);
      }
      Eigen::VectorXd offset = sums.sum / counts_.weight;
      const Eigen::VectorXd mean = offset;
      for (Eigen::Index j = 0; j < columns_; ++j) {
        offset[j] = moves(j) ? offset[j] : 0;
      }
      gram_ = sums.products.selfadjointView<Eigen::Lower>();
      gram_ /= counts_.weight;
      gram_ += offset * offset.transpose() - mean * offset.transpose() - offset * mean.transpose();
      centre_ += offset;
      const Eigen::ArrayXd variance = gram_.diagonal();
      if (!(offset.array().square() > kFarInVariances * variance && variance > 0).any()) {
        break;
      }
    }
    scale_columns();
  }

  void scale_columns() {
    // As R's glm: a column that varies by less than this part of its size is constant.
    constexpr double kConstant = 1e-11;
    Eigen::VectorXd factor = Eigen::VectorXd::Ones(columns_);
    for (Eigen::Index j = 0; j < columns_; ++j) {
      const double size = std::sqrt(std::max(0.0, gram_(j, j)));
      aliased_[static_cast<std::size_t>(j)] = !(size > kConstant * std::abs(centre_[j]));
      factor[j] = aliased_[static_cast<std::size_t>(j)] ? 1 : 1 / size;
    }
    gram_ = factor.asDiagonal() * gram_ * factor.asDiagonal();
    transform_ = factor.asDiagonal();
  }

  /// @return whether the scaled columns that are kept are good enough as they are.
  bool orthogonalise() {
    constexpr double kGood = 1e-4;
    constexpr double kDoubtful = 1e-8;
    constexpr double kNothing = 1e-20;  // a relative residual of 1e-10, squared
    constexpr int kPasses = 4;
    const Eigen::MatrixXd scaled = transform_;
    bool good = true;
    for (int i = 0; i < kPasses; ++i) {
      const Orthogonaliser found(gram_, aliased_, kDoubtful);
      const bool settled = std::count(found.doubtful.begin(), found.doubtful.end(), true) == 0;
      good = good && (i > 0 || found.smallest > kGood);
      if (settled && (good || i > 0) && found.smallest > kGood) {
        transform_ = good ? scaled : Eigen::MatrixXd(found.map * transform_);
        return good;
      }
      transform_ = found.map * transform_;
      const Gram sums = pass();
      gram_ = sums.products.selfadjointView<Eigen::Lower>();
      gram_ /= counts_.weight;
      for (Eigen::Index j = 0; j < columns_; ++j) {
        const auto at = static_cast<std::size_t>(j);
        aliased_[at] =
            aliased_[at] || gram_(j, j) < kNothing || (i == kPasses - 1 && found.doubtful[at]);
        // What a doubtful column adds is real, and lies too close to the others.
        good = good && (aliased_[at] || !found.doubtful[at]);
      }
    }
    return false;
  }
};

Basis Basis::of(const ModelSample& sample, bool constant,
                const std::function<bool(double)>& allows) {
  return BasisSearch(sample, constant, allows).find();
}

std::vector<bool> Basis::aliased() const {
  std::vector<bool> result(static_cast<std::size_t>(columns_), true);
  for (const Eigen::Index j : kept_) {
    result[static_cast<std::size_t>(j)] = false;
  }
  return result;
}

void Basis::apply(const RowMatrix& x, Eigen::Index count, RowMatrix& z) const {
  if (!diagonal_) {
    z.noalias() = transform_ * (x.leftCols(count).colwise() - centre_);
    return;
  }
  z.resize(size(), count);
  for (Eigen::Index i = 0; i < size(); ++i) {
    const Eigen::Index j = kept_[static_cast<std::size_t>(i)];
    z.row(i) = (x.row(j).head(count).array() - centre_[j]) * transform_(i, j);
  }
}

void Basis::apply_to_slopes(const RowMatrix& x, Eigen::Index count, RowMatrix& z) const {
  z.noalias() = transform_ * x.leftCols(count);
}

Eigen::MatrixXd Basis::to_columns() const {
  Eigen::MatrixXd result = transform_(Eigen::indexing::all, kept_).transpose();
  const Eigen::RowVectorXd lost = shift().transpose();
  for (Eigen::Index i = 0; i < size() && kept_[static_cast<std::size_t>(i)] < leading_; ++i) {
    result.row(i) -= lost;
  }
  return result;
}

}  // namespace steelyard
