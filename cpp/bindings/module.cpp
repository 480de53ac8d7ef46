#include "bindings.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "The C++ core of steelyard: designs, influence, deviations and inference.";
  m.attr("__version__") = STEELYARD_VERSION;
  using namespace steelyard::bindings;
  bind_error(m);
  bind_codes(m);
  bind_replicates(m);
  bind_model_matrix(m);
  bind_estimates(m);
  bind_weighting(m);
  bind_design(m);
  bind_replication(m);
  bind_selection(m);
  bind_comparison(m);
  bind_dual(m);
  bind_estimate(m);
  bind_hypothesis(m);
  bind_inequality(m);
  bind_interval(m);
  bind_published(m);
  bind_quantile(m);
  bind_regression(m);
}
