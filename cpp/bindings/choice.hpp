#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace steelyard::bindings {

/// The value that a name stands for.
/// @throws std::invalid_argument listing the names, when it is none of them.
template <typename Value, std::size_t N>
Value choose(std::string_view what, std::string_view name,
             const std::pair<std::string_view, Value> (&choices)[N]) {
  std::string names;
  for (const auto& [known, value] : choices) {
    if (known == name) {
      return value;
    }
    names += (names.empty() ? "'" : ", '") + std::string(known) + "'";
  }
  throw std::invalid_argument("there is no " + std::string(what) + " '" + std::string(name) +
                              "': choose one of " + names);
}

}  // namespace steelyard::bindings
