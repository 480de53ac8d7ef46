#pragma once

#include <pybind11/pybind11.h>

namespace steelyard::bindings {

void bind_error(pybind11::module_& m);
void bind_codes(pybind11::module_& m);
void bind_comparison(pybind11::module_& m);
void bind_design(pybind11::module_& m);
void bind_dual(pybind11::module_& m);
void bind_estimates(pybind11::module_& m);
void bind_estimate(pybind11::module_& m);
void bind_hypothesis(pybind11::module_& m);
void bind_inequality(pybind11::module_& m);
void bind_interval(pybind11::module_& m);
void bind_model_matrix(pybind11::module_& m);
void bind_published(pybind11::module_& m);
void bind_quantile(pybind11::module_& m);
void bind_regression(pybind11::module_& m);
void bind_replicates(pybind11::module_& m);
void bind_replication(pybind11::module_& m);
void bind_selection(pybind11::module_& m);
void bind_weighting(pybind11::module_& m);

}  // namespace steelyard::bindings
