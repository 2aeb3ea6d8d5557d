"""Derivatives of resting states: forward, reverse and second order, against differences.

Each lane of a batch moves one parameter, so that one compilation gives the values of all central
differences, all columns of the Jacobian and all of its rows.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

_CYTOSOL, _MATRIX = jm.Compartment("cytosol"), jm.Compartment("matrix", volume="rigid")
CELLS = {
    "neuron": jm.zoo.neuron(),
    "ghk": jm.Cell(
        [jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), jm.na_k_atpase(), jm.kcc2(), jm.nkcc1()]
    ),
    "two membranes": jm.Cell(
        [
            jm.Membrane("plasma", [jm.leak(jm.K), jm.leak(jm.Cl)], inside=_CYTOSOL),
            jm.Membrane("inner", [jm.leak(jm.K, name="inner_K")], inside=_MATRIX, outside=_CYTOSOL),
        ],
        # Potassium and chloride alone: an impermeant outside keeps the volume finite.
        {"bath.K": 119.0, "bath.X": 59.0, "bath.z_X": 0.0},
    ),
}
STEP = 2e-4


@partial(jax.jit, static_argnums=0)
def derive(cell, params, moved, weight):
    """Results by lane, their derivative as params move, and the gradient of their weighted sum."""

    def results(params):
        rest = jm.steady_state(cell, params, outputs=("V", "c", "volume"))
        parts = [getattr(part, "values", part) for part in (rest.V, rest.c, rest.volume)]
        columns = jnp.concatenate([part.reshape(part.shape[0], -1) for part in parts], axis=1)
        # A species that a compartment does not hold is NaN everywhere.
        return jnp.where(jnp.isnan(columns) & rest.ok[:, None], 0.0, columns), rest.status

    (values, status), push = jax.linearize(results, params)
    tangent = push(moved)[0]
    pull = jax.linear_transpose(lambda moved: push(moved)[0], params)
    return values, status, tangent, pull(weight)[0]


def lanes(cell):
    """Parameters in lanes, twice as many as there are parameters, and their names."""
    names = list(cell.parameters)
    n = 2 * len(names)
    return {k: np.full(n, v) for k, v in cell.nominal().items()}, names, n


def size(value):
    """What a relative step refers to: a parameter that is zero moves by one unit."""
    return abs(value) if value else 1.0


def results_of(cell):
    return len(cell.membranes) + len(cell.compartments) * (len(cell.species) + 1)


@pytest.fixture(
    scope="module", params=["neuron", "two membranes", pytest.param("ghk", marks=pytest.mark.slow)]
)
def derived(request):
    """Values, Jacobian by columns, Jacobian by rows, and differences, of one cell."""
    cell = CELLS[request.param]
    params, names, n = lanes(cell)
    still = {name: np.zeros(n) for name in names}
    moved = {name: still[name].copy() for name in names}
    shifted = {name: params[name].copy() for name in names}
    for k, name in enumerate(names):
        moved[name][k] = 1.0
        h = STEP * size(params[name][k])
        shifted[name][2 * k] += h
        # Impermeant that is absent cannot be less: a difference to one side, twice as far.
        if cell.parameters[name].allows(params[name][k] - h):
            shifted[name][2 * k + 1] -= h
        else:
            shifted[name][2 * k + 1] += 2.0 * h
    count = results_of(cell)
    ask = np.eye(n, count)  # lane k asks for the gradient of result k
    values, status, columns, rows = derive(cell, params, moved, ask)
    around, ok, _, _ = derive(cell, shifted, still, ask)
    assert not status.any() and not ok.any()
    y = np.asarray(values[0])
    forward = np.asarray(columns[: len(names)]).T
    reverse = np.array([[float(rows[name][i]) for name in names] for i in range(count)])
    p = np.array([size(params[name][0]) for name in names])
    return cell, names, y, p, forward, reverse, np.asarray(around)


def test_gradients_agree_with_central_differences(derived):
    cell, names, y, p, forward, _, around = derived
    nominal = cell.nominal()
    for k, name in enumerate(names):
        h = STEP * p[k]
        up, down = around[2 * k], around[2 * k + 1]
        if cell.parameters[name].allows(nominal[name] - h):
            slope = (up - down) / (2.0 * h)
        else:
            slope = (4.0 * up - 3.0 * y - down) / (2.0 * h)
        scale = np.maximum(abs(forward[:, k]), abs(y) / p[k])
        scale = np.where(scale > 0, scale, 1.0)
        assert_allclose(forward[:, k] / scale, slope / scale, atol=1e-6, rtol=0, err_msg=name)


def test_forward_and_reverse_derivatives_are_the_same(derived):
    _, _, y, p, forward, reverse, _ = derived
    scale = np.maximum(abs(forward), abs(y)[:, None] / p)
    scale = np.where(scale > 0, scale, 1.0)
    assert_allclose(reverse / scale, forward / scale, atol=1e-10, rtol=0)


def test_every_kind_of_parameter_moves_something(derived):
    _, names, y, p, forward, _, _ = derived
    elasticity = abs(forward) * p / np.where(y == 0.0, 1.0, abs(y))[:, None]
    # Water's permeability sets a pace, not a rest.
    paces = {name for name in names if name.endswith(".L_w")}
    for k, name in enumerate(names):
        if name in paces:
            assert_allclose(elasticity[:, k], 0.0, atol=1e-12, err_msg=name)
    assert (elasticity.max(axis=0) > 1e-9).sum() >= len(names) // 2


def test_rows_without_a_rest_have_zero_gradient_and_spoil_no_other():
    cell = CELLS["neuron"]
    params, names, n = lanes(cell)
    ask, one = np.ones((n, results_of(cell))), {name: np.ones(n) for name in names}
    _, _, clean, pulled = derive(cell, params, one, ask)
    params["bath.K"][3] = -1.0
    params["T"][5] = np.nan
    # Without pump and impermeants outside the volume runs away.
    params["nka.j"][7], params["bath.X"][7], params["bath.Cl"][7] = 0.0, 0.0, 148.5
    _, status, tangent, gradient = derive(cell, params, one, ask)
    assert_array_equal(status[np.array([3, 5, 7])], [5, 5, 2])
    bad = np.isin(np.arange(n), [3, 5, 7])
    assert_array_equal(status[~bad], 0)
    assert_array_equal(tangent[bad], 0.0)
    assert_array_equal(tangent[~bad], clean[~bad])
    for name in names:
        assert_array_equal(gradient[name][bad], 0.0, err_msg=name)
        assert_array_equal(gradient[name][~bad], pulled[name][~bad], err_msg=name)


@pytest.mark.slow
def test_hessians_agree_with_differences_of_gradients():
    cell = CELLS["neuron"]
    params, names, n = lanes(cell)
    ask = np.tile([1.0, 0.3, 0.1, 2.0, 0.02], (n, 1))  # of V, Na, K, Cl and volume
    still = {name: np.zeros(n) for name in names}
    moved = {name: still[name].copy() for name in names}
    shifted = {name: params[name].copy() for name in names}
    for k, name in enumerate(names):
        moved[name][k] = size(params[name][k])
        shifted[name][2 * k] += STEP * size(params[name][k])
        shifted[name][2 * k + 1] -= STEP * size(params[name][k])

    def gradient(params):
        return derive(cell, params, still, ask)[3]

    _, second = jax.jvp(gradient, (params,), (moved,))
    around = gradient(shifted)
    p = np.array([size(params[name][0]) for name in names])
    hessian = np.array([np.asarray(second[name][: len(names)]) for name in names]) * p[:, None]
    slope = np.array(
        [(np.asarray(around[name][0::2]) - np.asarray(around[name][1::2])) for name in names]
    )
    slope *= p[:, None] / (2.0 * STEP)
    # In elasticities, entries are comparable: 100 mV and mM are their scale.
    assert_allclose(hessian, slope, atol=1e-4 * abs(slope).max())
    assert_allclose(hessian, slope, rtol=1e-5, atol=1e-6 * abs(slope).max())
    assert_allclose(hessian, hessian.T, rtol=1e-9, atol=1e-9 * abs(hessian).max())


def test_gradients_under_jit_and_vmap_are_those_of_single_cells():
    cell = CELLS["neuron"]

    def V(K, z):
        return jm.steady_state(cell, {"bath.K": K, "cytosol.z_X": z}, outputs=("V",)).V

    K, z = jnp.linspace(2.0, 8.0, 4), jnp.linspace(-1.5, -0.5, 4)
    mapped = jax.jit(jax.vmap(jax.grad(V, argnums=(0, 1))))(K, z)
    cell_by_lane = {**lanes(cell)[0]}
    for name, values in (("bath.K", K), ("cytosol.z_X", z)):
        cell_by_lane[name][: len(K)] = values
    n = len(cell_by_lane["T"])
    still = {name: np.zeros(n) for name in cell_by_lane}
    *_, gradient = derive(cell, cell_by_lane, still, np.tile(np.eye(results_of(cell))[0], (n, 1)))
    for one, name in zip(mapped, ("bath.K", "cytosol.z_X"), strict=True):
        assert np.isfinite(one).all()
        assert_allclose(one, gradient[name][: len(K)], rtol=1e-10)
