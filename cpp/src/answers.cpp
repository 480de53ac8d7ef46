#include "steelyard/answers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "steelyard/error.hpp"
#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

void check_length(const std::string& name, Eigen::Index size, const Design& design) {
  if (size != design.rows()) {
    throw InvalidColumn(name, InvalidColumn::Problem::kWrongLength,
                        {std::abs(size - design.rows()), {}});
  }
}

}  // namespace

std::vector<Answers> gather_answers(const Design& design, const Domains& domains, const Column& y) {
  check_length(y.name(), y.size(), design);
  if (domains.codes.size() > 0) {
    check_length("domains", domains.codes.size(), design);
  }
  std::vector<Answers> answers(static_cast<std::size_t>(domains.count()));
  std::vector<double> room(static_cast<std::size_t>(kBlockRows));
  std::vector<double> weight_room(static_cast<std::size_t>(kBlockRows));
  Offence infinite;
  for (Eigen::Index begin = 0; begin < design.rows(); begin += kBlockRows) {
    const RowBlock rows = domains.block(begin, std::min(kBlockRows, design.rows() - begin));
    const double* value = y.read(begin, rows.count, room.data());
    const double* weight = design.weights(begin, rows.count, weight_room.data());
    for (Eigen::Index i = 0; i < rows.count; ++i) {
      const std::int32_t d = rows.domain_of(i);
      if (d < 0 || weight[i] == 0 || std::isnan(value[i])) {
        continue;
      }
      if (weight[i] < 0) {
        throw WeightingError(WeightingError::Problem::kNegativeWeight);
      }
      if (std::isinf(value[i])) {
        infinite.add(begin + i);
      }
      Answers& mine = answers[static_cast<std::size_t>(d)];
      mine.values.push_back(value[i]);
      mine.weights.push_back(weight[i]);
      mine.rows.push_back(begin + i);
    }
  }
  if (infinite.count > 0) {
    throw InvalidColumn(y.name(), InvalidColumn::Problem::kInfinite, infinite);
  }
  return answers;
}

}  // namespace steelyard
