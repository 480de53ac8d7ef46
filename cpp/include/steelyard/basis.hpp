#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <vector>

#include "steelyard/error.hpp"
#include "steelyard/matrix.hpp"
#include "steelyard/model_rows.hpp"

namespace steelyard {

/// Adds z diag(weight) z^T to the lower triangle of `into`.
void add_gram(const Eigen::Ref<const RowMatrix>& z, const Eigen::ArrayXd& weight,
              Eigen::MatrixXd& into);

/// Counts and sums over the rows of a model.
struct ModelCounts {
  std::int64_t used = 0;
  std::int64_t missing = 0;
  double weight = 0;          ///< of the rows used
  double missing_weight = 0;  ///< of the rows left out
  double response = 0;        ///< weighted sum
  Offence out_of_range;       ///< rows whose response is not allowed

  double mean_response() const { return response / weight; }
  /// Mean weight of all rows of the domain. Fits use weights relative to it, as R's svyglm.
  double mean_weight() const {
    return (weight + missing_weight) / static_cast<double>(used + missing);
  }
};

/// Regressors z = transform (x - centre) that are nearly orthonormal under the weights, so that a
/// year or a value around 1e9 loses no digits, and columns that are combinations of earlier ones
/// are found and left out.
///
/// Columns are centred where the leading ones add up to 1 (ModelMatrix::constant), which leaves
/// what the columns span as it is. Reference: Fukaya, Kannan, Nakatsukasa, Yamamoto & Yanagisawa
/// (2020), Shifted Cholesky QR for computing the QR factorization of ill-conditioned matrices, SIAM
/// J. Sci. Comput. 42(1), for the repeated Cholesky factors.
class Basis {
 public:
  /// @param constant what is constant beside the columns: of categories, the thresholds.
  /// @param allows   may the response have this value?
  /// @throws FitError kNothingToFit when no row can be used, kOutOfRange for a response.
  static Basis of(const ModelSample& sample, bool constant,
                  const std::function<bool(double)>& allows);

  const ModelCounts& counts() const { return counts_; }
  /// Columns that are not combinations of earlier ones: those of z.
  Eigen::Index size() const { return static_cast<Eigen::Index>(kept_.size()); }
  const std::vector<Eigen::Index>& kept() const { return kept_; }
  std::vector<bool> aliased() const;

  /// @param x columns x at least count. @param z size() x count.
  void apply(const RowMatrix& x, Eigen::Index count, RowMatrix& z) const;
  /// The same for differences of rows: without the centre.
  void apply_to_slopes(const RowMatrix& x, Eigen::Index count, RowMatrix& z) const;

  /// Brings coefficients of z to those of the columns kept: size() square.
  Eigen::MatrixXd to_columns() const;
  /// What the linear predictor lacks of that of the columns when it has this coefficient of z:
  /// transform * centre.
  Eigen::VectorXd shift() const { return transform_ * centre_; }
  /// Root mean square of each column kept.
  const Eigen::VectorXd& scale() const { return scale_; }

 private:
  ModelCounts counts_;
  std::vector<Eigen::Index> kept_;
  Eigen::Index columns_ = 0;
  Eigen::Index leading_ = 0;
  bool diagonal_ = true;
  Eigen::VectorXd centre_;
  Eigen::MatrixXd transform_;  // size x columns
  Eigen::VectorXd scale_;

  friend class BasisSearch;
};

}  // namespace steelyard
