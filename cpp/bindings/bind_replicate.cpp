#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/bootstrap.hpp"
#include "steelyard/generalised_bootstrap.hpp"
#include "steelyard/half_samples.hpp"
#include "steelyard/jackknife.hpp"
#include "steelyard/mixed_bootstrap.hpp"
#include "steelyard/replicate.hpp"
#include "steelyard/successive_differences.hpp"

namespace steelyard::bindings {
namespace {

void bind_bootstraps(py::module_& m) {
  py::class_<BootstrapOptions>(m, "BootstrapOptions", "How many replicates, and from which seed.")
      .def(py::init([](Eigen::Index replicates, std::uint64_t seed, bool about_estimate) {
             return BootstrapOptions{replicates, seed, about_estimate};
           }),
           py::arg("replicates"), py::arg("seed"), py::arg("about_estimate"));
  using without_python = py::call_guard<py::gil_scoped_release>;
  m.def("rescaled_bootstrap", &rescaled_bootstrap, py::arg("design"), py::arg("options"),
        without_python());
  m.def("canty_davison_bootstrap", &canty_davison_bootstrap, py::arg("design"), py::arg("options"),
        without_python());
  m.def("multistage_bootstrap", &multistage_bootstrap, py::arg("design"), py::arg("options"),
        without_python());
  m.def("generalised_bootstrap", &generalised_bootstrap, py::arg("design"), py::arg("options"),
        py::arg("tau"), without_python());
  m.def(
      "mixed_bootstrap",
      [](const Design& design, const std::vector<std::string>& draws,
         const BootstrapOptions& options) {
        std::vector<StageDraw> chosen;
        for (const std::string& draw : draws) {
          chosen.push_back(choose<StageDraw>(
              "draw of a stage", draw,
              {{"fixed-size", StageDraw::kFixedSize}, {"poisson", StageDraw::kPoisson}}));
        }
        const py::gil_scoped_release no_python_below;
        return mixed_bootstrap(design, chosen, options);
      },
      py::arg("design"), py::arg("draws"), py::arg("options"));
}

}  // namespace

void bind_replicates(py::module_& m) {
  py::class_<Replicates>(m, "Replicates", "Weights that the sample might have had.")
      .def_static(
          "of_rows",
          [](const std::vector<std::string>& names, const std::vector<py::array>& columns,
             bool combined, const Array<double>& scales, bool about_estimate) {
            std::vector<Column> views;
            for (std::size_t i = 0; i < columns.size(); ++i) {
              views.push_back(column_view(names.at(i), columns[i]));
            }
            Replicates::Rule rule{to_eigen(scales), about_estimate};
            const py::gil_scoped_release no_python_below;
            return Replicates::of_rows(std::move(views), combined, std::move(rule));
          },
          py::arg("names"), py::arg("columns"), py::arg("combined"), py::arg("scales").noconvert(),
          py::arg("about_estimate"))
      .def_property_readonly("count", &Replicates::count)
      .def_property_readonly("about_estimate", &Replicates::about_estimate)
      .def_property_readonly("scales", [](const Replicates& replicates) {
        Eigen::VectorXd scales(replicates.count());
        for (Eigen::Index r = 0; r < replicates.count(); ++r) {
          scales[r] = replicates.scale(r);
        }
        return to_array(scales);
      });
}

void bind_replication(py::module_& m) {
  using without_python = py::call_guard<py::gil_scoped_release>;
  m.def("jackknife", &jackknife, py::arg("design"), py::arg("about_estimate"), without_python());
  m.def("random_groups", &random_groups, py::arg("design"), py::arg("groups"), py::arg("seed"),
        py::arg("about_estimate"), without_python());
  m.def("half_samples", &half_samples, py::arg("design"), py::arg("rho"), py::arg("about_estimate"),
        without_python());
  m.def("successive_differences", &successive_differences, py::arg("design"), py::arg("replicates"),
        py::arg("about_estimate"), without_python());
  bind_bootstraps(m);
}

}  // namespace steelyard::bindings
