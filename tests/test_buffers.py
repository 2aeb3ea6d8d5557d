"""Buffered species: rests where their currents cancel, and cells in which nothing makes them."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from example_cells import (
    BAD,
    BUFFERED,
    HCL,
    SHOWN,
    assert_at_rest,
    assert_found_from_anywhere,
    assert_gradient,
    assert_same_in_single_precision,
    bad_starts,
    derive,
    electroneutral,
    inside,
    lanes_around,
    leaks,
    net_fluxes,
    of,
    salt,
)
from motion import assert_course_ends_at_rest, assert_determined, assert_modes
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane.balance import Equations

pytestmark = pytest.mark.slow

HELD = ("cytosol.HCO3", "cytosol.H", "bath.HCO3", "khe.k", "leak_H.P", "membrane.length")
BASE = {"cytosol.HCO3": 22.0, "cytosol.H": 5e-5, "bath.HCO3": 24.0, "khe.k": 5.0}
BASE |= {"bath.K": 172.5, "bath.Cl": 119.0, "leak_Cl.P": 1e-3}
BASE |= {"leak_H.P": 100.0, "membrane.length": 40.0, "cytosol.z_X": -0.85}
LANES = 32


@cache
def buffered():
    """Cells that buffer: parameters and rests."""
    params = lanes_around(BASE, HELD, LANES)
    params["cytosol.z_X"][13:16] = -2.0, 0.0, 1.5
    rng, rows = np.random.default_rng(1), slice(16, -len(BAD))
    for name in HELD:
        params[name][rows] *= np.exp(rng.uniform(-0.1, 0.1, LANES - 16 - len(BAD)))
    return params, jm.steady_state(BUFFERED, params, start=bad_starts(LANES), outputs=SHOWN)


def room(params):
    """Share of the bath's osmolarity that ions leave to impermeants, from balances of fluxes.

    Those of potassium, chloride and what is buffered know neither volume nor buffered charge.
    """
    given = {name: jnp.asarray(x) for name, x in BUFFERED.nominal(params).items()}
    eq = Equations(BUFFERED, given, carry_all=True)
    lanes = params["cytosol.HCO3"].shape
    order = (("c", "cytosol", "K"), ("c", "cytosol", "Cl"), ("phi", "cytosol"))

    def balances(x):
        known = dict(zip(order, x, strict=True)) | {("w", "cytosol"): jnp.full(lanes, 7.0)}
        u = [known.get(key, jnp.full(lanes, -1.0)) for key in eq.unknowns]
        rows = dict(zip(eq.rows, eq.residual(u), strict=True))
        balanced = (("n", "cytosol", "K"), ("n", "cytosol", "Cl"), ("z", "cytosol"))
        return jnp.stack([rows[key] for key in balanced])

    @jax.jit
    def improve(x):
        at = jnp.broadcast_to(x[:, None], (3, *x.shape))
        pushes = jnp.broadcast_to(jnp.eye(3)[..., None], at.shape)
        matrix = jax.vmap(lambda dx: jax.jvp(balances, (x,), (dx,))[1])(pushes.swapaxes(0, 1))
        matrix, rhs = matrix.transpose(2, 1, 0), balances(x).T[..., None]
        size = jnp.abs(matrix).max(axis=2, keepdims=True)
        step = jnp.linalg.solve(matrix / size, rhs / size)[..., 0].T
        return x - step * jnp.minimum(1.0, 0.7 / jnp.abs(step).max(axis=0)), jnp.abs(step).max()

    x = jnp.stack([jnp.log(given["bath.K"]), jnp.log(given["bath.Cl"]), jnp.zeros(lanes)])
    for _ in range(100):
        x, size = improve(x)
    assert size < 1e-8
    inside = jnp.exp(x[0]) + jnp.exp(x[1]) + given["cytosol.HCO3"] + given["cytosol.H"]
    outside = sum(given[f"bath.{s}"] for s in ("K", "Cl", "HCO3", "H", "X"))
    return np.asarray(1.0 - inside / outside)


def test_only_cells_whose_ions_leave_no_room_have_no_steady_state():
    rng, n = np.random.default_rng(5), 256
    params = {name: np.full(n, x) for name, x in BASE.items()}
    for name in BASE.keys() - {"cytosol.z_X"}:
        params[name] *= np.exp(rng.uniform(-1.0, 1.0, n))
    params["cytosol.z_X"] = rng.uniform(-3.0, 2.0, n)
    start = {name: 10.0 ** rng.uniform(-6.0, 3.0, n) for name in ("K", "Cl")}
    start |= {"V": rng.uniform(-900.0, 500.0, n), "volume": 10.0 ** rng.uniform(-3.0, 7.0, n)}
    # Half of them begin where the package chooses.
    start = {name: np.where(np.arange(n) % 2, x, np.nan) for name, x in start.items()}
    found = jm.steady_state(BUFFERED, params, start=start, outputs=("status",))
    assert_array_equal(found.status, np.where(room(params) > 0.0, 0, 2))
    assert 60 < np.sum(found.status == 0) < 200


def test_a_buffered_cell_rests_where_the_currents_of_what_it_buffers_cancel():
    params, rest = buffered()
    assert_array_equal(rest.status, 0)
    assert_at_rest(BUFFERED, params, rest)
    net, size = net_fluxes(BUFFERED, rest)
    # Neither is at equilibrium: what comes in as acid comes in as base.
    assert_allclose(net["cytosol", "H"], net["cytosol", "HCO3"], rtol=1e-9)
    assert np.all(abs(net["cytosol", "H"]) > 1e-3 * size["cytosol", "H"])


def test_the_charge_that_buffers_hold_is_a_result():
    _, rest = buffered()
    # What the impermeant is said to carry only says where the search begins.
    for value in (rest.V, rest.volume, rest.z_X):
        assert_allclose(of(value)[13:16], of(value)[0], rtol=1e-9)


def test_rests_of_buffered_cells_are_found_from_anywhere():
    assert_found_from_anywhere(buffered()[1])


@pytest.mark.slow
def test_gradients_of_a_buffered_cell():
    params, rest = buffered()
    slope, _ = derive(BUFFERED, ("V", "volume"), params, bad_starts(LANES))
    assert_gradient(params, rest, slope, HELD)
    assert_array_equal(slope["cytosol.z_X"], 0.0)


@pytest.mark.slow
def test_single_precision_finds_the_rests_of_buffered_cells():
    assert_same_in_single_precision(BUFFERED, *buffered())


def test_a_buffered_species_without_charge_is_as_a_clamped_one():
    glucose = jm.leak(jm.Glucose)
    pair = [inside(*salt(), glucose, **{kind: ["Glucose"]}) for kind in ("buffered", "clamped")]
    assert [cell.buffered for cell in pair] == [{}, {}]


KCC = electroneutral("kcc", "K_i + Cl_i <-> K_o + Cl_o")
ACID = electroneutral("acid", "H_o + HCO3_o <-> H_i + HCO3_i")
HOLDING = {"buffered": ["HCO3"]}


def closed(within, without):
    """A cell in a finite outside, both of which hold HCO3 in their own way."""
    cytosol, outside = jm.Compartment(**within), jm.Compartment("outside", **without)
    parts = [*salt(), jm.leak(jm.HCO3)]
    return jm.Cell([jm.Membrane("membrane", parts, inside=cytosol, outside=outside)])


ALONE = "nothing brings or takes the charge of HCO3 buffered in cytosol: "
UNSET = {
    "without a path": (lambda: inside(*salt(), buffered=["HCO3"]), ALONE),
    "together with its opposite": (
        lambda: inside(*salt(), ACID, buffered=["H", "HCO3"]),
        "HCO3 buffered in cytosol: give it a path of its own to a bath",
    ),
    "together with what is stuck": (
        lambda: inside(*leaks(jm.Na, jm.K), HCL, buffered=["H"]),
        "H buffered in cytosol, but in a fixed ratio with Cl in cytosol",
    ),
    # What one side loses the other gains, whatever it does to HCO3.
    "in a finite outside": (lambda: closed(HOLDING, HOLDING), "HCO3 buffered in outside and HCO3"),
    "in a finite outside alone": (lambda: closed({"free": ["HCO3"]}, HOLDING), "in outside, but"),
}
SET = {
    "a path of its own": inside(*salt(), jm.leak(jm.HCO3), buffered=["HCO3"]),
    "together with what leaks": inside(*salt(), HCL, buffered=["H"]),
    "in two ratios": inside(*salt(), ACID, jm.leak(jm.H), buffered=["H", "HCO3"]),
    # Free chloride and potassium keep their charge, so that the buffer's follows.
    "beside a closed pair": inside(KCC, jm.leak(jm.H), buffered=["H"]),
    # Bicarbonate outside follows from all charge, since potassium there has a total.
    "in a cell without a bath": closed(HOLDING, {"free": ["HCO3"]}),
}


@pytest.mark.parametrize(("make", "sentence"), UNSET.values(), ids=UNSET)
def test_a_cell_in_which_nothing_sets_what_buffers_hold_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize("carry_all", [False, True], ids=["followed", "all carried"])
@pytest.mark.parametrize("cell", SET.values(), ids=SET)
def test_a_cell_in_which_something_sets_what_buffers_hold_is_determined(cell, carry_all):
    assert_determined(cell, carry_all)


def test_motion_of_a_buffered_cell_ends_at_its_rest():
    params, rest = buffered()
    given = {name: x[0] for name, x in params.items()}
    assert_modes(BUFFERED, given, rest, 0)
    assert_course_ends_at_rest(BUFFERED, given, rest, 0)


def test_a_cell_in_which_nothing_can_change_is_refused():
    held = jm.Compartment(volume="rigid", clamped=[jm.K, jm.Na])
    with pytest.raises(ValueError, match=r"nothing in this cell can change.*let them be buffered"):
        jm.Cell([jm.leak(jm.K), jm.leak(jm.Na)], compartment=held)
