#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "samples.hpp"
#include "steelyard/codes.hpp"
#include "steelyard/column.hpp"
#include "steelyard/design.hpp"

namespace steelyard::testing {

/// A table of tests/reference, column by column, as text.
class Table {
 public:
  explicit Table(const std::string& file) {
    std::ifstream stream(std::string(STEELYARD_REFERENCE) + "/" + file);
    if (!stream) {
      throw std::runtime_error("no reference table " + file);
    }
    std::string line;
    std::getline(stream, line);
    const std::vector<std::string> names = split(line);
    while (std::getline(stream, line)) {
      const std::vector<std::string> fields = split(line);
      for (std::size_t i = 0; i < names.size(); ++i) {
        columns_[names[i]].push_back(i < fields.size() ? fields[i] : "");
      }
    }
  }

  const std::vector<std::string>& text(const std::string& name) const { return columns_.at(name); }
  /// Empty or NA: NaN.
  Values numbers(const std::string& name) const {
    Values result;
    for (const std::string& field : text(name)) {
      result.push_back(field.empty() || field == "NA" ? kNaN : std::strtod(field.c_str(), nullptr));
    }
    return result;
  }
  /// Codes in the order of the labels.
  Codes codes_of(const std::string& name) const {
    std::map<std::string, std::int32_t> levels;
    for (const std::string& field : text(name)) {
      levels.emplace(field, 0);
    }
    std::int32_t next = 0;
    for (auto& [label, code] : levels) {
      code = next++;
    }
    std::vector<std::int32_t> result;
    for (const std::string& field : text(name)) {
      result.push_back(levels.at(field));
    }
    return {std::move(result), next};
  }
  Column column_of(const std::string& name) const { return column(numbers(name), name); }
  Eigen::Index rows() const { return static_cast<Eigen::Index>(columns_.begin()->second.size()); }

 private:
  std::map<std::string, std::vector<std::string>> columns_;

  static std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        fields.emplace_back();
      } else if (c != '\r') {
        fields.back() += c;
      }
    }
    return fields;
  }
};

/// A design of designs.csv with one stage: strat_fpc, strat_nofpc, clus1_fpc, clus1_nofpc.
inline Design api_design(const Table& data, const std::string& name) {
  const bool stratified = name.starts_with("strat");
  const Column fpc = name.ends_with("_fpc") ? data.column_of("fpc") : Column();
  return Design::stratified(data.rows(), data.column_of("pw"),
                            stratified ? data.codes_of("stype") : Codes(),
                            stratified ? Codes() : data.codes_of("dnum"), fpc, Lonely::kFail);
}

/// Writes the regressors of a model: columns of numbers, and indicators of levels.
class Model {
 public:
  explicit Model(const Table& data) : data_(data) { columns_.push_back({"(Intercept)", {}}); }

  Model& number(const std::string& name) {
    columns_.push_back({name, {static_cast<int>(factors_.size())}});
    factors_.push_back({data_.column_of(name), {}, {}});
    return *this;
  }
  /// Indicators of all levels but the first.
  Model& levels(const std::string& name, const std::vector<std::string>& labels) {
    const Codes codes = data_.codes_of(name);
    for (std::int32_t level = 1; level < codes.levels(); ++level) {
      columns_.push_back(
          {labels[static_cast<std::size_t>(level)], {static_cast<int>(factors_.size())}});
      factors_.push_back({{}, codes, Eigen::VectorXd::Unit(codes.levels(), level)});
    }
    return *this;
  }
  ModelMatrix matrix() const { return {data_.rows(), factors_, columns_}; }

 private:
  const Table& data_;
  std::vector<ModelMatrix::Factor> factors_;
  std::vector<ModelMatrix::Product> columns_;
};

}  // namespace steelyard::testing
