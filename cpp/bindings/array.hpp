#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "steelyard/column.hpp"
#include "steelyard/deviations.hpp"

namespace steelyard::bindings {

namespace py = pybind11;

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

/// Keeps a Python object alive from C++, and lets go of it only while holding the GIL.
std::shared_ptr<const void> keep(py::object object);

/// A view of a one-dimensional, contiguous array of a supported type.
/// @throws TypeError otherwise.
Column column_view(const std::string& name, const py::array& values);

template <typename T>
std::vector<T> to_vector(const Array<T>& values) {
  return std::vector<T>(values.data(), values.data() + values.size());
}

template <typename T>
Array<T> to_array(const std::vector<T>& values) {
  return Array<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

Array<double> to_array(const Eigen::VectorXd& values);
Array<double> to_array(const RowMatrix& values);
Eigen::VectorXd to_eigen(const Array<double>& values);
RowMatrix to_matrix(const Array<double>& values);

}  // namespace steelyard::bindings
