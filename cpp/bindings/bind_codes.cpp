#include <pybind11/eigen.h>
#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "steelyard/codes.hpp"

namespace steelyard::bindings {

void bind_codes(py::module_& m) {
  py::class_<Codes>(m, "Codes", "A categorical column: one dense code a row, -1 for none.")
      .def(py::init([](const Array<std::int32_t>& codes, std::int32_t levels) {
             return Codes(to_vector(codes), levels);
           }),
           py::arg("codes").noconvert(), py::arg("levels"))
      .def_property_readonly("levels", &Codes::levels)
      .def_property_readonly("counts", [](const Codes& codes) { return to_array(codes.counts()); })
      .def("__len__", &Codes::size)
      .def("to_numpy", [](const Codes& codes) {
        return Array<std::int32_t>(static_cast<py::ssize_t>(codes.size()), codes.data());
      });

  m.def(
      "factorize",
      [](const std::string& name, const py::array& values) {
        const Column column = column_view(name, values);
        Factor factor;
        {
          const py::gil_scoped_release no_python_below;
          factor = factorize(column);
        }
        return std::pair(factor.codes, to_array(factor.values));
      },
      py::arg("name"), py::arg("values").noconvert(),
      "Codes of a column of numbers and its distinct values, ascending.");

  m.def(
      "recoded",
      [](const Codes& codes, const std::vector<std::int32_t>& to, std::int32_t levels) {
        const py::gil_scoped_release no_python_below;
        return recoded(codes, to, levels);
      },
      py::arg("codes"), py::arg("to"), py::arg("levels"), "The same rows under other codes.");
  m.def(
      "cross",
      [](const std::vector<Codes>& columns, const Array<bool>& keep, Eigen::Index rows) {
        const std::vector<std::uint8_t> mask(keep.data(), keep.data() + keep.size());
        Crossing crossing;
        {
          const py::gil_scoped_release no_python_below;
          crossing = cross(columns, mask, rows);
        }
        std::vector<std::vector<std::int32_t>> combinations;
        for (Eigen::Index g = 0; g < crossing.combinations.rows(); ++g) {
          const auto row = crossing.combinations.row(g);
          combinations.emplace_back(row.begin(), row.end());
        }
        return std::tuple(crossing.codes, combinations, crossing.ungrouped.count);
      },
      py::arg("columns"), py::arg("keep").noconvert(), py::arg("rows"),
      "Codes of the combinations that occur, the code of each column in them, and the number of "
      "rows kept that have none.");
}

}  // namespace steelyard::bindings
