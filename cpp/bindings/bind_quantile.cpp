#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "interval_choice.hpp"
#include "steelyard/quantile.hpp"
#include "steelyard/quantile_score.hpp"

namespace steelyard::bindings {

void bind_quantile(py::module_& m) {
  py::class_<Quantiles>(m, "Quantiles", "Quantiles with what their intervals are made of.")
      .def(py::init([](const Design& design, const std::optional<Codes>& domains,
                       const std::string& name, const py::array& y,
                       const std::vector<double>& probabilities, const std::string& rule,
                       const std::string& interval, double level,
                       std::optional<double> degrees_of_freedom) {
             const Column column = column_view(name, y);
             Quantiles::Options options{.rule = quantile_rule(rule),
                                        .level = level,
                                        .degrees_of_freedom = degrees_of_freedom};
             if (interval == "score") {
               options.errors = QuantileErrors::kScore;
             } else if (interval == "replicate") {
               options.errors = QuantileErrors::kReplicates;
             } else {
               options.interval = interval_of(interval);
             }
             const py::gil_scoped_release no_python_below;
             return Quantiles(design, Domains{domains.value_or(Codes())}, column, probabilities,
                              options);
           }),
           py::arg("design"), py::arg("domains"), py::arg("name"), py::arg("y").noconvert(),
           py::arg("probabilities"), py::arg("rule"), py::arg("interval"), py::arg("level"),
           py::arg("degrees_of_freedom"))
      .def_property_readonly("estimator", &Quantiles::estimator)
      .def(
          "interval",
          [](const Quantiles& quantiles, Eigen::Index domain, Eigen::Index probability,
             const std::string& method, double level, const std::string& side,
             double degrees_of_freedom) {
            const Interval found = quantiles.interval(domain, probability, interval_of(method),
                                                      level, side_of(side), degrees_of_freedom);
            return std::pair(found.low, found.high);
          },
          py::arg("domain"), py::arg("probability"), py::arg("method"), py::arg("level"),
          py::arg("side"), py::arg("degrees_of_freedom"));
  m.def(
      "score_intervals",
      [](const Design& design, const std::optional<Codes>& domains, const std::string& name,
         const py::array& y, const std::vector<double>& probabilities, double level,
         const std::string& side, double degrees_of_freedom) {
        const Column column = column_view(name, y);
        const ScoreOptions options{level, side_of(side), degrees_of_freedom};
        std::vector<Interval> found;
        {
          const py::gil_scoped_release no_python_below;
          found = score_intervals(design, Domains{domains.value_or(Codes())}, column, probabilities,
                                  options);
        }
        std::vector<std::pair<double, double>> bounds;
        for (const Interval& interval : found) {
          bounds.emplace_back(interval.low, interval.high);
        }
        return bounds;
      },
      py::arg("design"), py::arg("domains"), py::arg("name"), py::arg("y").noconvert(),
      py::arg("probabilities"), py::arg("level"), py::arg("side"), py::arg("degrees_of_freedom"));
}

}  // namespace steelyard::bindings
