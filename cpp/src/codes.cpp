#include "steelyard/codes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "steelyard/parallel.hpp"

namespace steelyard {
namespace {

/// Largest code space for which a table beats sorting.
constexpr std::int64_t kTable = std::int64_t{1} << 22;

template <typename Visit>
void for_each_value(const Column& column, const Visit& visit) {
  std::vector<double> buffer(static_cast<std::size_t>(kBlockRows));
  for (Eigen::Index begin = 0; begin < column.size(); begin += kBlockRows) {
    const Eigen::Index count = std::min(kBlockRows, column.size() - begin);
    const double* values = column.read(begin, count, buffer.data());
    for (Eigen::Index i = 0; i < count; ++i) {
      visit(begin + i, values[i]);
    }
  }
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool whole = true;
  bool fits_table() const { return whole && high - low < static_cast<double>(kTable); }
};

Range range_of(const Column& column) {
  Range range;
  for_each_value(column, [&](Eigen::Index, double value) {
    if (!std::isnan(value)) {
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
      range.whole = range.whole && value == std::floor(value);
    }
  });
  return range;
}

Factor factorize_whole(const Column& column, const Range& range) {
  const auto position = [&](double value) { return static_cast<std::size_t>(value - range.low); };
  std::vector<std::int32_t> code(position(range.high) + 1, Codes::kNone);
  for_each_value(column, [&](Eigen::Index, double value) {
    if (!std::isnan(value)) {
      code[position(value)] = 0;
    }
  });
  std::vector<double> levels;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == 0) {
      code[i] = static_cast<std::int32_t>(levels.size());
      levels.push_back(range.low + static_cast<double>(i));
    }
  }
  std::vector<std::int32_t> codes(static_cast<std::size_t>(column.size()), Codes::kNone);
  for_each_value(column, [&](Eigen::Index row, double value) {
    if (!std::isnan(value)) {
      codes[static_cast<std::size_t>(row)] = code[position(value)];
    }
  });
  const auto size = static_cast<std::int32_t>(levels.size());
  return {Codes(std::move(codes), size),
          Eigen::Map<Eigen::VectorXd>(levels.data(), static_cast<Eigen::Index>(size))};
}

Factor factorize_sorted(const Column& column) {
  std::vector<double> levels;
  levels.reserve(static_cast<std::size_t>(column.size()));
  for_each_value(column, [&](Eigen::Index, double value) {
    if (!std::isnan(value)) {
      levels.push_back(value);
    }
  });
  std::sort(levels.begin(), levels.end());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  std::vector<std::int32_t> codes(static_cast<std::size_t>(column.size()), Codes::kNone);
  for_each_value(column, [&](Eigen::Index row, double value) {
    if (!std::isnan(value)) {
      const auto found = std::lower_bound(levels.begin(), levels.end(), value);
      codes[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(found - levels.begin());
    }
  });
  const auto size = static_cast<std::int32_t>(levels.size());
  return {Codes(std::move(codes), size),
          Eigen::Map<Eigen::VectorXd>(levels.data(), static_cast<Eigen::Index>(size))};
}

/// Dense codes 0, 1, ... for the distinct non-negative keys, in ascending order.
std::vector<std::int64_t> compress(std::vector<std::int64_t>& keys, std::int64_t space) {
  std::vector<std::int64_t> distinct;
  if (space <= kTable) {
    std::vector<std::int32_t> code(static_cast<std::size_t>(space), 0);
    for (const std::int64_t key : keys) {
      if (key >= 0) {
        code[static_cast<std::size_t>(key)] = 1;
      }
    }
    for (std::int64_t key = 0; key < space; ++key) {
      std::int32_t& entry = code[static_cast<std::size_t>(key)];
      if (entry == 1) {
        entry = static_cast<std::int32_t>(distinct.size());
        distinct.push_back(key);
      }
    }
    for (std::int64_t& key : keys) {
      key = key < 0 ? Codes::kNone : code[static_cast<std::size_t>(key)];
    }
    return distinct;
  }
  distinct = keys;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  distinct.erase(distinct.begin(), std::lower_bound(distinct.begin(), distinct.end(), 0));
  for (std::int64_t& key : keys) {
    key = key < 0 ? Codes::kNone
                  : std::lower_bound(distinct.begin(), distinct.end(), key) - distinct.begin();
  }
  return distinct;
}

}  // namespace

Codes::Codes(std::vector<std::int32_t> codes, std::int32_t levels) : levels_(levels) {
  for (const std::int32_t code : codes) {
    if (code < kNone || code >= levels) {
      throw std::out_of_range("a code lies outside its levels");
    }
  }
  values_ = std::make_shared<const std::vector<std::int32_t>>(std::move(codes));
}

std::vector<std::int64_t> Codes::counts() const {
  std::vector<std::int64_t> result(static_cast<std::size_t>(levels_), 0);
  for (Eigen::Index row = 0; row < size(); ++row) {
    if ((*this)[row] >= 0) {
      ++result[static_cast<std::size_t>((*this)[row])];
    }
  }
  return result;
}

Codes recoded(const Codes& codes, std::span<const std::int32_t> to, std::int32_t levels) {
  if (static_cast<std::int32_t>(to.size()) != codes.levels()) {
    throw std::invalid_argument("a new code is needed for each level");
  }
  std::vector<std::int32_t> result(static_cast<std::size_t>(codes.size()));
  for (std::size_t row = 0; row < result.size(); ++row) {
    const std::int32_t code = codes[static_cast<Eigen::Index>(row)];
    result[row] = code < 0 ? Codes::kNone : to[static_cast<std::size_t>(code)];
  }
  return Codes(std::move(result), levels);
}

Factor factorize(const Column& column) {
  const Range range = range_of(column);
  if (range.high < range.low) {
    return {
        Codes(std::vector<std::int32_t>(static_cast<std::size_t>(column.size()), Codes::kNone), 0),
        Eigen::VectorXd()};
  }
  constexpr double kExact = 9007199254740992;
  if (column.type() == Column::Type::kInt64 && (range.high >= kExact || range.low <= -kExact)) {
    throw std::out_of_range("column '" + column.name() + "' has whole numbers beyond 2^53");
  }
  return range.fits_table() ? factorize_whole(column, range) : factorize_sorted(column);
}

Crossing cross(std::span<const Codes> columns, std::span<const std::uint8_t> keep,
               Eigen::Index rows) {
  for (const Codes& codes : columns) {
    if (codes.size() != rows) {
      throw std::invalid_argument("cross: every column needs a code for each row");
    }
  }
  if (!keep.empty() && static_cast<Eigen::Index>(keep.size()) != rows) {
    throw std::invalid_argument("cross: keep needs an entry for each row");
  }
  Crossing result;
  std::vector<std::int64_t> keys(static_cast<std::size_t>(rows), 0);
  for (Eigen::Index row = 0; row < rows; ++row) {
    const auto i = static_cast<std::size_t>(row);
    if (!keep.empty() && keep[i] == 0) {
      keys[i] = Codes::kNone;
    } else if (std::any_of(columns.begin(), columns.end(),
                           [row](const Codes& codes) { return codes[row] < 0; })) {
      keys[i] = Codes::kNone;
      result.ungrouped.add(row);
    }
  }
  std::vector<std::vector<std::int32_t>> combinations(1);
  std::int64_t groups = 1;
  for (const Codes& codes : columns) {
    const std::int64_t levels = std::max<std::int64_t>(1, codes.levels());
    for (Eigen::Index row = 0; row < rows; ++row) {
      std::int64_t& key = keys[static_cast<std::size_t>(row)];
      key = key < 0 ? key : key * levels + codes[row];
    }
    const std::vector<std::int64_t> distinct = compress(keys, groups * levels);
    std::vector<std::vector<std::int32_t>> extended;
    for (const std::int64_t key : distinct) {
      extended.push_back(combinations[static_cast<std::size_t>(key / levels)]);
      extended.back().push_back(static_cast<std::int32_t>(key % levels));
    }
    combinations = std::move(extended);
    groups = static_cast<std::int64_t>(combinations.size());
  }
  result.combinations.resize(groups, static_cast<Eigen::Index>(columns.size()));
  for (Eigen::Index g = 0; g < result.combinations.rows(); ++g) {
    for (Eigen::Index c = 0; c < result.combinations.cols(); ++c) {
      result.combinations(g, c) =
          combinations[static_cast<std::size_t>(g)][static_cast<std::size_t>(c)];
    }
  }
  result.codes =
      Codes(std::vector<std::int32_t>(keys.begin(), keys.end()), static_cast<std::int32_t>(groups));
  return result;
}

}  // namespace steelyard
