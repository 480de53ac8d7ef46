#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "interval_choice.hpp"
#include "steelyard/distribution.hpp"
#include "steelyard/interval.hpp"

namespace steelyard::bindings {

Side side_of(const std::string& name) {
  return choose<Side>("side", name,
                      {{"two", Side::kTwo}, {"lower", Side::kLower}, {"upper", Side::kUpper}});
}

ProportionInterval interval_of(const std::string& name) {
  return choose<ProportionInterval>("interval for proportions", name,
                                    {{"t", ProportionInterval::kWald},
                                     {"normal", ProportionInterval::kWald},
                                     {"logit", ProportionInterval::kLogit},
                                     {"wilson", ProportionInterval::kWilson},
                                     {"beta", ProportionInterval::kBeta},
                                     {"korn-graubard", ProportionInterval::kKornGraubard},
                                     {"clopper-pearson", ProportionInterval::kClopperPearson},
                                     {"agresti-coull", ProportionInterval::kAgrestiCoull},
                                     {"arcsine", ProportionInterval::kArcsine},
                                     {"likelihood", ProportionInterval::kLikelihood}});
}

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
  m.def(
      "wald_intervals",
      [](const Array<double>& values, const Array<double>& ses,
         const Array<double>& degrees_of_freedom, double level, const std::string& side) {
        return bounds(values.size(), [&, bounded = side_of(side)](py::ssize_t i) {
          return wald_interval(values.at(i), ses.at(i), degrees_of_freedom.at(i), level, bounded);
        });
      },
      py::arg("values").noconvert(), py::arg("ses").noconvert(),
      py::arg("degrees_of_freedom").noconvert(), py::arg("level"), py::arg("side"));
  m.def(
      "proportion_intervals",
      [](const Array<double>& values, const Array<double>& ses,
         const Array<double>& degrees_of_freedom, const Array<std::int64_t>& n,
         const Array<bool>& census, const std::string& method, double level,
         const std::string& side) {
        const ProportionInterval how = interval_of(method);
        return bounds(values.size(), [&, bounded = side_of(side)](py::ssize_t i) {
          return proportion_interval(
              {values.at(i), ses.at(i), degrees_of_freedom.at(i), n.at(i), census.at(i)}, how,
              level, bounded);
        });
      },
      py::arg("values").noconvert(), py::arg("ses").noconvert(),
      py::arg("degrees_of_freedom").noconvert(), py::arg("n").noconvert(),
      py::arg("census").noconvert(), py::arg("method"), py::arg("level"), py::arg("side"));
  m.def(
      "confidence_in_bound",
      [](double value, double se, double degrees_of_freedom, const std::string& side,
         double bound) {
        return confidence_in_bound(value, se, degrees_of_freedom, side_of(side), bound);
      },
      py::arg("value"), py::arg("se"), py::arg("degrees_of_freedom"), py::arg("side"),
      py::arg("bound"), "How sure it is that a value is at least, or at most, a bound.");
  m.def(
      "confidence_in_share_bound",
      [](double share, double se, double degrees_of_freedom, std::int64_t n, bool census,
         const std::string& method, const std::string& side, double bound) {
        return confidence_in_bound({share, se, degrees_of_freedom, n, census}, interval_of(method),
                                   side_of(side), bound);
      },
      py::arg("share"), py::arg("se"), py::arg("degrees_of_freedom"), py::arg("n"),
      py::arg("census"), py::arg("method"), py::arg("side"), py::arg("bound"),
      "The same for a proportion.");
  m.def("t_quantile", &t_quantile, py::arg("p"), py::arg("degrees_of_freedom"));
  m.def("t_upper_tail", &t_upper_tail, py::arg("t"), py::arg("degrees_of_freedom"));
}

}  // namespace steelyard::bindings
