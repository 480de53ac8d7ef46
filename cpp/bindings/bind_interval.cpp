#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "steelyard/distribution.hpp"
#include "steelyard/interval.hpp"

namespace steelyard::bindings {
namespace {

/// Both bounds of each estimate, as two arrays.
template <typename Compute>
std::pair<Array<double>, Array<double>> bounds(py::ssize_t size, const Compute& compute) {
  Eigen::VectorXd low(size);
  Eigen::VectorXd high(size);
  for (py::ssize_t i = 0; i < size; ++i) {
    const Interval interval = compute(i);
    low[i] = interval.low;
    high[i] = interval.high;
  }
  return {to_array(low), to_array(high)};
}

}  // namespace

void bind_interval(py::module_& m) {
  py::native_enum<Side>(m, "Side", "enum.Enum")
      .value("two", Side::kTwo)
      .value("lower", Side::kLower)
      .value("upper", Side::kUpper)
      .finalize();
  py::native_enum<ProportionInterval>(m, "ProportionInterval", "enum.Enum")
      .value("wald", ProportionInterval::kWald)
      .value("logit", ProportionInterval::kLogit)
      .value("wilson", ProportionInterval::kWilson)
      .value("beta", ProportionInterval::kBeta)
      .value("korn_graubard", ProportionInterval::kKornGraubard)
      .value("clopper_pearson", ProportionInterval::kClopperPearson)
      .finalize();

  m.def(
      "wald_intervals",
      [](const Array<double>& values, const Array<double>& ses, double degrees_of_freedom,
         double level, Side side) {
        return bounds(values.size(), [&](py::ssize_t i) {
          return wald_interval(values.at(i), ses.at(i), degrees_of_freedom, level, side);
        });
      },
      py::arg("values").noconvert(), py::arg("ses").noconvert(), py::arg("degrees_of_freedom"),
      py::arg("level"), py::arg("side") = Side::kTwo);
  m.def(
      "proportion_intervals",
      [](const Array<double>& values, const Array<double>& ses, double degrees_of_freedom,
         const Array<std::int64_t>& n, ProportionInterval method, double level, Side side) {
        return bounds(values.size(), [&](py::ssize_t i) {
          return proportion_interval({values.at(i), ses.at(i), degrees_of_freedom, n.at(i)}, method,
                                     level, side);
        });
      },
      py::arg("values").noconvert(), py::arg("ses").noconvert(), py::arg("degrees_of_freedom"),
      py::arg("n").noconvert(), py::arg("method"), py::arg("level"), py::arg("side") = Side::kTwo);
  m.def("t_quantile", &t_quantile, py::arg("p"), py::arg("degrees_of_freedom"));
  m.def("t_upper_tail", &t_upper_tail, py::arg("t"), py::arg("degrees_of_freedom"));
}

}  // namespace steelyard::bindings
