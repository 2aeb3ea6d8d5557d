"""Conserved pools: cells in a finite outside, and their closed volumes."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
from example_cells import (
    F,
    R,
    T,
    assert_at_rest,
    assert_gradient,
    derive,
    driven,
    lanes_around,
    leaks,
    of,
)
from motion import (
    anywhere,
    assert_course_ends_at_rest,
    assert_modes,
    assert_root,
    contents,
    equations,
    speeds,
    unknowns,
)
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

# Cells of many compartments take ten seconds or more to compile.
pytestmark = pytest.mark.slow

SHOWN = ("V", "c", "volume", "flux", "z_X", "area", "osmolarity", "rate_slowest")
OUTSIDE = jm.Compartment("outside")


def around(name, outside):
    """A membrane around a cell of potassium and chloride, with a pump."""
    pump = driven(f"pump_{name}", "K_o + ATP <-> K_i + ADP + Pi", 0.02)
    parts = [*leaks(jm.K, jm.Cl, of=f"_{name}"), pump]
    within = jm.Compartment(f"in_{name}")
    return jm.Membrane(name, parts, inside=within, outside=outside, area="sphere")


# Two cells that share an outside, and one alone in a bath.
SHARED = jm.Cell([around("a", OUTSIDE), around("b", OUTSIDE)])
ALONE = jm.Cell([around("a", jm.Bath())])
POOLS = ("outside.Cl_0", "outside.volume_0")
MOVED = (*POOLS, "outside.X", "in_a.X", "in_b.z_X", "leak_a_K.P", "pump_b.k")
OWN = ("leak_{}_K.P", "leak_{}_Cl.P", "pump_{}.k", "in_{}.X", "in_{}.z_X")
SWAPPED, WIDE, LANES = 15, slice(16, 19), 48
STARTS = (
    {"a.V": 300.0},
    {"in_a.volume": 50.0, "in_b.volume": 60.0},
    {"in_a.volume": 3500.0},
    {"in_a.Cl": 1e-3, "in_b.Cl": 300.0},
)


@cache
def shared():
    """Pairs of cells in a finite outside: parameters, starts and rests."""
    base = {"outside.Cl_0": 3e5, "outside.volume_0": 4000.0, "outside.X": 2e4, "outside.z_X": -1.0}
    base |= {"in_a.X": 1e5, "in_a.z_X": -0.85, "in_b.X": 5e4, "in_b.z_X": -1.2}
    base |= {"leak_a_K.P": 0.7, "leak_b_K.P": 0.1, "leak_a_Cl.P": 0.05, "leak_b_Cl.P": 0.3}
    base |= {"pump_a.k": 0.02, "pump_b.k": 0.2}
    params = lanes_around(base, MOVED, LANES)
    for name in OWN:
        a, b = name.format("a"), name.format("b")
        params[a][SWAPPED], params[b][SWAPPED] = base[b], base[a]
    params["outside.volume_0"][WIDE] = 1e6, 1e8, 1e10
    for name, c in (("outside.Cl_0", 145.0), ("outside.X", 5.0)):
        params[name][WIDE] = c * params["outside.volume_0"][WIDE]
    rng, rows = np.random.default_rng(4), slice(19, -len(STARTS))
    n = len(range(LANES)[rows])
    for name in base:
        params[name][rows] *= np.exp(rng.uniform(-0.7, 0.7, n) * (name[-3:] != "z_X"))
    # From outsides that hold most of the water down to some that hold next to none.
    share = np.exp(rng.uniform(np.log(0.05), np.log(20.0), n))
    for name in (*POOLS, "outside.X"):
        params[name][rows] *= share if name != "outside.Cl_0" else share + 0.3
    start = {name: np.full(LANES, np.nan) for values in STARTS for name in values}
    for row, values in enumerate(STARTS, LANES - len(STARTS)):
        for name, x in values.items():
            start[name][row] = x
    return params, start, jm.steady_state(SHARED, params, start=start, outputs=SHOWN)


def totals(rest):
    """What the pools are said to hold, from the outputs."""
    parts = ("outside", "in_a", "in_b")
    w = {a: of(rest.volume, a) for a in parts}
    return {
        "outside.Cl_0": sum(of(rest.c, a, "Cl") * w[a] for a in parts),
        "outside.volume_0": sum(w.values()),
    }


def test_two_cells_in_a_finite_outside_rest_in_balance():
    params, _, rest = shared()
    assert_array_equal(rest.status, 0)
    assert_at_rest(SHARED, params, rest)
    for name, total in totals(rest).items():
        assert_allclose(total, params[name], rtol=1e-11, err_msg=name)


def test_each_cell_rests_as_in_a_bath_like_the_outside():
    params, _, rest = shared()
    bath = {f"bath.{s}": of(rest.c, "outside", s) for s in ("K", "Cl")}
    bath |= {"bath.X": params["outside.X"] / of(rest.volume, "outside")}
    bath |= {"bath.z_X": params["outside.z_X"]}
    for name in "ab":
        given = bath | {own.format("a"): params[own.format(name)] for own in OWN}
        chloride, w = of(rest.c, f"in_{name}", "Cl"), of(rest.volume, f"in_{name}")
        u = [np.log(chloride), of(rest.V, name) * F / (R * T), np.log(w)]
        assert [key[0] for key in equations(ALONE, given).unknowns] == ["c", "phi", "w"]
        assert_root(ALONE, given, u)


def test_a_large_outside_is_a_bath():
    params, _, rest = shared()
    w = params["outside.volume_0"][WIDE]
    for s, c in (("Cl", 145.0), ("K", 150.0)):
        share = abs(of(rest.c, "outside", s)[WIDE] / c - 1.0)
        # What cells take or give is a share of the outside that fades as its volume grows.
        assert np.all(share < 1e4 / w) and share[0] > 1e-6


def test_cells_that_change_places_change_rests():
    rest = shared()[-1]
    for here, there in (("a", "b"), ("b", "a")):
        assert_allclose(of(rest.V, here)[SWAPPED], of(rest.V, there)[0], rtol=1e-10)
        volume = of(rest.volume, f"in_{here}")[SWAPPED]
        assert_allclose(volume, of(rest.volume, f"in_{there}")[0], rtol=1e-10)


def test_rests_of_closed_cells_are_found_from_anywhere():
    rest = shared()[-1]
    last = slice(-len(STARTS), None)
    assert_array_equal(rest.status[last], 0)
    for value in (of(rest.V, "a"), of(rest.V, "b"), of(rest.volume, "outside")):
        assert_allclose(value[last], value[0], rtol=1e-9)


def test_gradients_by_the_totals_of_pools():
    params, start, rest = shared()
    slope, _ = derive(SHARED, ("V", "volume"), params, start)
    assert_gradient(params, rest, slope, MOVED)


def on_pools(eq, u):
    """The same state with the outside changed to fit the totals."""
    w, chloride = (eq.unknowns.index(("w", "outside")), eq.unknowns.index(("c", "outside", "Cl")))
    for j, amount in ((w, lambda u: u[w]), (chloride, lambda u: u[chloride] + u[w])):
        excess = dict(zip(eq.rows, eq.residual(list(map(jnp.asarray, u))), strict=True))
        value = float(excess["p", "outside", "volume" if j == w else "Cl"])
        u[j] += np.log1p(-value / np.exp(amount(u)))
    return u


def test_motion_keeps_pools_and_ends_at_the_rest():
    params, _, rest = shared()
    given = {name: x[0] for name, x in params.items()}
    assert_modes(SHARED, given, rest, 0, conserved=2)
    eq = equations(SHARED, given)
    end = unknowns(SHARED, rest, 0)
    start = on_pools(eq, end + 0.1 * np.random.default_rng(5).normal(size=end.size))
    found = assert_course_ends_at_rest(SHARED, given, rest, 0, start)
    along = [jnp.asarray(x) for x in found.y]
    n, X, w, charge = contents(eq, along)
    chloride = sum(x for (_, s), x in n.items() if s == "Cl")
    assert_allclose(chloride, given["outside.Cl_0"], rtol=1e-9)
    assert_allclose(sum(w.values()), given["outside.volume_0"], rtol=1e-9)
    potassium = sum(x for (_, s), x in n.items() if s == "K")
    assert_allclose(potassium, potassium[0], rtol=1e-9)
    assert_allclose(sum(charge.values()), 0.0, atol=1e-9 * abs(charge["in_a"]).max())
    assert set(X) == {"outside", "in_a", "in_b"}


def test_the_order_of_cells_and_transporters_does_not_matter():
    turned = [
        jm.Membrane(m.name, m.transporters[::-1], inside=m.inside, outside=m.outside, area=m.area)
        for m in SHARED.membranes[::-1]
    ]
    turned = jm.Cell(turned)
    assert set(turned.parameters) == set(SHARED.parameters)
    eq, other = equations(SHARED, {}), equations(turned, {})
    state = dict(zip(eq.unknowns, anywhere(eq, 4), strict=True))
    rates = dict(zip(eq.unknowns, speeds(SHARED, {}, state.values()), strict=True))
    moved = speeds(turned, {}, [state[key] for key in other.unknowns])
    for key, value in zip(other.unknowns, moved, strict=True):
        assert_allclose(value, rates[key], rtol=1e-10, err_msg=str(key))


def test_a_total_outside_its_domain_is_refused():
    with pytest.raises(ValueError, match=r"outside.Cl_0 must be a finite number above zero"):
        jm.steady_state(SHARED, {"outside.Cl_0": -1.0})
    with pytest.raises(KeyError, match=r"unknown parameter 'outside.K_0'"):
        SHARED.nominal({"outside.K_0": 1.0})


def test_totals_are_swept_as_any_parameter():
    space = jm.Space(
        {"outside.Cl_0": jm.Uniform(2e5, 4e5), "outside.volume_0": jm.Uniform(3e3, 6e3)}
    )
    found = jm.sweep(SHARED, space.sobol(8, seed=1), outputs=("V", "volume", "status"))
    assert (found.status == 0).all()
    assert_allclose(found.volume.sum("compartment"), found["outside.volume_0"], rtol=1e-11)
    assert found["outside.Cl_0"].attrs["units"] == "amol"


def test_single_precision_finds_rests_of_closed_cells():
    params, _, rest = shared()
    n = SWAPPED + 1
    params = {name: x[:n] for name, x in params.items()}
    single = jm.steady_state(SHARED, params, outputs=("V", "volume"), precision="float32")
    assert_array_equal(single.status, 0)
    assert_allclose(single.V.values, rest.V.values[:n], atol=0.02)
    assert_allclose(single.volume.values, rest.volume.values[:n], rtol=1e-4)
