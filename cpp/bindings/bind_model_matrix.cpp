#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "steelyard/model_matrix.hpp"

namespace steelyard::bindings {

void bind_model_matrix(py::module_& m) {
  py::class_<ModelMatrix::Factor>(m, "ModelFactor", "A variable that model columns multiply.")
      .def_static(
          "numbers",
          [](const std::string& name, const py::array& values) {
            return ModelMatrix::Factor{column_view(name, values), Codes(), {}};
          },
          py::arg("name"), py::arg("values").noconvert())
      .def_static(
          "levels",
          [](const Codes& codes, const Array<double>& value_of_level) {
            return ModelMatrix::Factor{Column(), codes, to_eigen(value_of_level)};
          },
          py::arg("codes"), py::arg("value_of_level").noconvert());
  py::class_<ModelMatrix>(m, "ModelMatrix", "A regression's columns, made block by block.")
      .def(py::init([](Eigen::Index rows, std::vector<ModelMatrix::Factor> factors,
                       const std::vector<std::string>& names,
                       const std::vector<std::vector<int>>& products) {
             std::vector<ModelMatrix::Product> columns;
             for (std::size_t i = 0; i < names.size(); ++i) {
               columns.push_back({names[i], products.at(i)});
             }
             return ModelMatrix(rows, std::move(factors), std::move(columns));
           }),
           py::arg("rows"), py::arg("factors"), py::arg("names"), py::arg("products"))
      .def("with_value", &ModelMatrix::with, py::arg("factor"), py::arg("value"))
      .def("__len__", &ModelMatrix::columns);
}

}  // namespace steelyard::bindings
