#pragma once

#include <string>

#include "steelyard/interval.hpp"

namespace steelyard::bindings {

Side side_of(const std::string& name);
ProportionInterval interval_of(const std::string& name);

}  // namespace steelyard::bindings
