#pragma once

#include <Eigen/Core>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/design.hpp"
#include "steelyard/sums.hpp"

namespace steelyard {

/// One column's answers in a domain, in the order of the rows. Rows without an answer and rows that
/// weigh nothing are left out.
struct Answers {
  std::vector<double> values;
  std::vector<double> weights;  ///< all positive
  std::vector<Eigen::Index> rows;
};

/// The answers of every domain: for estimators that need them sorted, or all at once. Keeps 24
/// bytes an answer.
/// @throws InvalidColumn for a column or domains of another length than the sample, and for
///         infinite answers.
std::vector<Answers> gather_answers(const Design& design, const Domains& domains, const Column& y);

}  // namespace steelyard
