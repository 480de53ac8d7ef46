#include "array.hpp"

#include <cstring>

namespace steelyard::bindings {

std::shared_ptr<const void> keep(py::object object) {
  PyObject* raw = object.release().ptr();
  return {raw, [](const void* held) {
            const py::gil_scoped_acquire lock;
            Py_DECREF(static_cast<PyObject*>(const_cast<void*>(held)));
          }};
}

Column column_view(const std::string& name, const py::array& values) {
  if (values.ndim() != 1 || (values.flags() & py::array::c_style) == 0 ||
      !values.dtype().attr("isnative").cast<bool>()) {
    throw py::type_error("column '" + name + "' must be a contiguous one-dimensional array");
  }
  const auto type = [&] {
    const py::dtype dtype = values.dtype();
    const char kind = dtype.kind();
    const auto size = dtype.itemsize();
    if (kind == 'f' && (size == 8 || size == 4)) {
      return size == 8 ? Column::Type::kFloat64 : Column::Type::kFloat32;
    }
    if (kind == 'i') {
      switch (size) {
        case 8:
          return Column::Type::kInt64;
        case 4:
          return Column::Type::kInt32;
        case 2:
          return Column::Type::kInt16;
        default:
          return Column::Type::kInt8;
      }
    }
    if (kind == 'b' || (kind == 'u' && size == 1)) {
      return Column::Type::kUInt8;
    }
    throw py::type_error("column '" + name + "' has a type that is not read in place");
  }();
  return {name, type, values.data(), static_cast<Eigen::Index>(values.size()), keep(values)};
}

Array<double> to_array(const Eigen::VectorXd& values) {
  return Array<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

Array<double> to_array(const RowMatrix& values) {
  return Array<double>(
      {static_cast<py::ssize_t>(values.rows()), static_cast<py::ssize_t>(values.cols())},
      values.data());
}

Eigen::VectorXd to_eigen(const Array<double>& values) {
  return Eigen::Map<const Eigen::VectorXd>(values.data(), values.size());
}

RowMatrix to_matrix(const Array<double>& values) {
  if (values.ndim() != 2) {
    throw py::value_error("a two-dimensional array is needed");
  }
  return Eigen::Map<const RowMatrix>(values.data(), values.shape(0), values.shape(1));
}

}  // namespace steelyard::bindings
