#include <pybind11/stl.h>

#include "array.hpp"
#include "bindings.hpp"
#include "choice.hpp"
#include "steelyard/estimates.hpp"
#include "steelyard/table_test.hpp"
#include "steelyard/wald_test.hpp"

namespace steelyard::bindings {
namespace {

RaoScott correction_of(const std::string& name) {
  return choose<RaoScott>("correction", name,
                          {{"first-order", RaoScott::kFirstOrder},
                           {"first-order-f", RaoScott::kFirstOrderF},
                           {"second-order", RaoScott::kSecondOrder},
                           {"second-order-f", RaoScott::kSecondOrderF},
                           {"saddlepoint", RaoScott::kSaddlepoint},
                           {"saddlepoint-f", RaoScott::kSaddlepointF},
                           {"exact", RaoScott::kExact},
                           {"exact-f", RaoScott::kExactF}});
}

WaldVariant variant_of(const std::string& name) {
  return choose<WaldVariant>("variant of the Wald test", name,
                             {{"chi2", WaldVariant::kChiSquare},
                              {"F", WaldVariant::kF},
                              {"adjusted-F", WaldVariant::kAdjustedF}});
}

TableStatistic statistic_of(const std::string& name) {
  return choose<TableStatistic>("statistic", name,
                                {{"pearson", TableStatistic::kPearson},
                                 {"likelihood-ratio", TableStatistic::kLikelihoodRatio}});
}

TableEstimates table_of(const Estimates& estimates, Eigen::Index rows, Eigen::Index columns,
                        double n, double degrees_of_freedom) {
  return {rows, columns, estimates.values, estimates.covariance(), n, degrees_of_freedom};
}

}  // namespace

void bind_hypothesis(py::module_& m) {
  py::class_<TestResult>(m, "TestResult", "A statistic and what it is compared with.")
      .def_readonly("statistic", &TestResult::statistic)
      .def_readonly("ndf", &TestResult::ndf)
      .def_readonly("ddf", &TestResult::ddf)
      .def_readonly("p_value", &TestResult::p_value);
  py::class_<TableTest>(m, "TableTest", "A test of a table, and what it rests on.")
      .def_readonly("result", &TableTest::result)
      .def_readonly("uncorrected", &TableTest::uncorrected)
      .def_property_readonly("design_effects",
                             [](const TableTest& t) { return to_array(t.design_effects); })
      .def_readonly("rows_dropped", &TableTest::rows_dropped)
      .def_readonly("columns_dropped", &TableTest::columns_dropped)
      .def_readonly("at_fitted", &TableTest::at_fitted);
  m.def(
      "wald_test",
      [](const Estimates& estimates, double degrees_of_freedom, const std::string& variant,
         const Array<double>& null) {
        return wald_test(estimates.values, estimates.covariance(), degrees_of_freedom,
                         variant_of(variant), to_eigen(null));
      },
      py::arg("estimates"), py::arg("degrees_of_freedom"), py::arg("variant"),
      py::arg("null").noconvert());
  m.def(
      "independence_test",
      [](const Estimates& cells, Eigen::Index rows, Eigen::Index columns, double n, double df,
         const std::string& statistic, const std::string& correction) {
        return independence_test(table_of(cells, rows, columns, n, df), statistic_of(statistic),
                                 correction_of(correction));
      },
      py::arg("cells"), py::arg("rows"), py::arg("columns"), py::arg("n"), py::arg("df"),
      py::arg("statistic"), py::arg("correction"));
  m.def(
      "wald_independence_test",
      [](const Estimates& cells, Eigen::Index rows, Eigen::Index columns, double n, double df,
         const std::string& variant) {
        return wald_independence_test(table_of(cells, rows, columns, n, df), variant_of(variant));
      },
      py::arg("cells"), py::arg("rows"), py::arg("columns"), py::arg("n"), py::arg("df"),
      py::arg("variant"));
  m.def(
      "goodness_of_fit_test",
      [](const Estimates& cells, const Array<double>& proportions, double n, double df,
         const std::string& statistic, const std::string& correction) {
        return goodness_of_fit_test(table_of(cells, cells.size(), 1, n, df), to_eigen(proportions),
                                    statistic_of(statistic), correction_of(correction));
      },
      py::arg("cells"), py::arg("proportions").noconvert(), py::arg("n"), py::arg("df"),
      py::arg("statistic"), py::arg("correction"));
}

}  // namespace steelyard::bindings
