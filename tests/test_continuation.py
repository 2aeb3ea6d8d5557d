"""Branches along a parameter: closed forms, folds, stability, batches, ends and errors."""

import logging
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq

import jaxmembrane as jm
from jaxmembrane import analytic, constants
from jaxmembrane.continuation import continuation

pytestmark = pytest.mark.slow

F = constants.F
BOUND, USED_UP, STABLE, UNSTABLE, NO_REST, INVALID, BURST = 0, -1, 0, 1, 2, 5, 6
LONG = 0.4
ROWS, POINTS = 200, 200
SHOWN = ("V", "volume", "c", "flux", "rate_slowest")


def fading(s, p):
    """A pump that sodium inhibits; one of constant rate where K is large."""
    return p.j * jnp.exp(-((s.Na_i / p.K) ** 2))


CELL = jm.Cell(
    [
        *(jm.leak(s, law="ohmic") for s in (jm.Na, jm.K, jm.Cl)),
        jm.kcc2(law="log"),
        jm.Transporter(
            "nka",
            "3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi",
            fading,
            {
                "j": jm.Param(0.05, "amol/um^2/s", "", "real"),
                "K": jm.Param(60.0, "mM", "", "positive"),
            },
            irreversible=True,
        ),
    ]
)
X, Z, CONSTANT = 3e5, -0.85, 1e12
NOMINAL = {"g_Na": 0.2, "g_K": 0.7, "g_Cl": 0.2, "g_KCC2": 0.2,
           "Na_o": 145.0, "K_o": 3.5, "Cl_o": 119.0, "X_o": 29.5}  # fmt: skip
NAMES = dict(
    zip(
        NOMINAL,
        ("leak_Na.g", "leak_K.g", "leak_Cl.g", "kcc2.g", "bath.Na", "bath.K", "bath.Cl", "bath.X"),
        strict=True,
    )
)


def follow(params, bounds, **options):
    """A branch of CELL; every batch of one size shares a compilation."""
    return continuation(CELL, "nka.j", bounds, params, outputs=SHOWN, points=POINTS, **options)


def closed_form(current, V, taken):
    """The rest at a pump current; the charge of the membrane, at potential V, counts with X's."""
    return analytic.pump_leak(current, **taken, X=X, z_X=Z - 0.01 * 800.0 * V / (F * X))


def assert_at_closed_form(branch, there, taken):
    current = F * np.asarray(branch.flux["nka"])
    truth = closed_form(current, branch.V, taken)
    assert np.asarray(truth.exists)[there].all()
    assert_allclose(branch.V[there], truth.V[there], atol=1e-8 * 26.7, rtol=1e-8)
    assert_allclose(branch.volume[there], truth.volume[there], rtol=1e-8)
    for name in ("Na", "K", "Cl"):
        assert_allclose(branch.c[name][there], getattr(truth, name)[there], rtol=1e-8)


@cache
def population():
    """Cells of many conductances and baths, a third without impermeant outside."""
    rng = np.random.default_rng(1)
    taken = {name: x * np.exp(rng.uniform(-0.3, 0.3, ROWS)) for name, x in NOMINAL.items()}
    taken["g_Na"] = rng.uniform(1.0, 2.0, ROWS)
    taken["g_K"] = rng.uniform(0.3, 0.6, ROWS)
    none = np.arange(ROWS) % 3 == 0
    taken["X_o"] = np.where(none, 0.0, taken["X_o"])
    taken["Cl_o"] = np.where(none, taken["Na_o"] + taken["K_o"], taken["Cl_o"])
    upper = np.asarray(analytic.pump_range(**taken).upper)
    params = {NAMES[name]: x for name, x in taken.items()}
    params |= {"cytosol.X": X, "nka.K": CONSTANT, "nka.j": 0.3 * upper / F}
    return taken, params, upper


@cache
def towards_the_limits():
    _, params, upper = population()
    up = np.arange(ROWS) % 2 == 0
    first, second = np.where(up, 2.0 * upper / F, 0.0), np.where(up, 0.0, 2.0 * upper / F)
    return follow(params, (first, second), largest_step=LONG)


def test_the_branch_of_a_constant_pump_is_the_closed_form_as_far_as_there_are_rests():
    taken, _, upper = population()
    branch = towards_the_limits()
    there = np.arange(POINTS) < np.asarray(branch.length)[:, None]
    assert_array_equal(np.isfinite(branch.at), there)
    assert_at_closed_form(branch, there, {name: x[:, None] for name, x in taken.items()})
    assert_array_equal(branch.status, np.where(there, STABLE, -1))
    assert np.isnan(branch.folds.at).all()
    # Upwards, and down without impermeant outside, volume grows without limit.
    up, closed = np.arange(ROWS) % 2 == 0, taken["X_o"] > 0
    assert_array_equal(branch.ended, np.where(~up & closed, BOUND, BURST))
    assert_array_equal(branch.ok, ~up & closed)
    last = np.asarray(branch.at)[np.arange(ROWS), np.asarray(branch.length) - 1]
    assert_allclose(last[up], upper[up] / F, rtol=1e-3)
    assert (last <= upper / F).all()
    assert_array_equal(last[~up & closed], 0.0)
    assert (last[~up & ~closed] < 1e-3 * upper[~up & ~closed] / F).all()


@pytest.mark.parametrize("row", [0, 1, 3])
def test_a_cell_in_a_batch_has_the_branch_that_it_has_alone(row):
    _, params, upper = population()
    alone = {name: np.ravel(x)[row % np.size(x)] for name, x in params.items()}
    limit = 2.0 * upper[row] / F
    bounds = (limit, 0.0) if row % 2 == 0 else (0.0, limit)
    single, many = follow(alone, bounds, largest_step=LONG), towards_the_limits()
    assert int(single.length) == int(many.length[row]) > 5
    for name in ("at", "V", "volume", "rate_slowest"):
        assert_allclose(getattr(single, name), getattr(many, name)[row], rtol=1e-9, atol=1e-12)
    assert_allclose(single.c.values, many.c.values[row], rtol=1e-9)
    assert_array_equal(single.status, many.status[row])
    assert int(single.ended) == int(many.ended[row])


def test_lanes_that_fail_change_no_other_lane():
    _, params, upper = population()
    good = towards_the_limits()
    spoiled = {name: np.broadcast_to(x, ROWS).copy() for name, x in params.items()}
    spoiled["nka.j"][4] = 1.5 * upper[4] / F
    spoiled["leak_K.g"][5] = np.nan
    spoiled["nka.j"][6] = 3.0 * upper[6] / F
    up = np.arange(ROWS) % 2 == 0
    first, second = np.where(up, 2.0 * upper / F, 0.0), np.where(up, 0.0, 2.0 * upper / F)
    first[8] = np.nan
    branch = follow(spoiled, (first, second), largest_step=LONG)
    bad = [4, 5, 6, 8]
    assert_array_equal(branch.ended[np.array(bad)], [NO_REST, INVALID, INVALID, INVALID])
    assert_array_equal(branch.length[np.array(bad)], 0)
    assert np.isnan(branch.V[np.array(bad)]).all() and np.isnan(branch.at[np.array(bad)]).all()
    others = np.setdiff1d(np.arange(ROWS), bad)
    for name in ("at", "V", "length", "ended", "status"):
        assert_array_equal(getattr(branch, name)[others], getattr(good, name)[others])


def strength(current):
    """Pump strength that turns at a current in the nominal cell, and the rest: both exact."""
    V = jnp.asarray(-60.0)
    for _ in range(8):
        rest = closed_form(current, V, NOMINAL)
        V = rest.V
    return current / F * jnp.exp((rest.Na / 60.0) ** 2), rest


@cache
def around_two_folds():
    """Rests of the pump that sodium stops: from a stopped one to the limit of one that runs."""
    return follow({}, (10.0, 0.0), largest_step=LONG)


@cache
def exact_folds():
    slope = jax.jit(jax.grad(lambda current: jnp.log(strength(current)[0])))
    currents = np.linspace(0.5, 20.0, 40)
    signs = np.sign([float(slope(x)) for x in currents])
    (at,) = np.nonzero(np.diff(signs))
    return [brentq(lambda x: float(slope(x)), currents[i], currents[i + 1], xtol=1e-13) for i in at]


def test_folds_are_those_of_the_closed_form():
    branch, currents = around_two_folds(), exact_folds()
    n = len(currents)
    assert n and np.isfinite(branch.folds.at[:n]).all() and np.isnan(branch.folds.at[n:]).all()
    for i, current in enumerate(currents):
        j, rest = strength(current)
        assert_allclose(branch.folds.at[i], j, rtol=1e-10)
        assert_allclose(branch.folds.V[i], rest.V, rtol=1e-8)
        assert_allclose(branch.folds.c["Na"][i], rest.Na, rtol=1e-8)
        assert_allclose(branch.folds.volume[i], rest.volume, rtol=1e-8)
        # There one eigenvalue is zero: far slower than anything on the branch.
        assert abs(branch.folds.rate_slowest[i]) < 1e-6 * np.nanmax(abs(branch.rate_slowest))


def test_a_branch_goes_on_round_its_folds_and_stability_changes_there():
    branch = around_two_folds()
    n = int(branch.length)
    assert int(branch.ended) == BURST
    assert_at_closed_form(branch, np.arange(POINTS) < n, NOMINAL)
    rates = np.asarray(branch.rate_slowest[:n])
    assert_array_equal(branch.status[:n], np.where(rates < 0, STABLE, UNSTABLE))
    turns = np.nonzero(np.diff(np.sign(np.diff(branch.at[:n]))))[0] + 1
    changes = np.nonzero(np.diff(branch.status[:n]))[0]
    assert len(turns) == len(changes) == np.isfinite(branch.folds.at).sum()
    assert (abs(turns - changes) <= 1).all()
    assert int(branch.status[0]) == STABLE


def test_points_are_no_further_apart_than_the_largest_step():
    branch = around_two_folds()
    n = int(branch.length)
    coordinates = [np.log(branch.c[s][:n]) for s in ("Na", "Cl")] + [np.log(branch.volume[:n])]
    coordinates += [np.asarray(branch.V[:n]) * F / (constants.R * 310.15)]
    steps = np.linalg.norm(np.diff(coordinates, axis=1), axis=0)
    assert steps.max() < LONG * 1.4  # a chord and its correction, at right angles at most


def test_a_stable_point_is_the_rest_that_a_search_from_there_finds():
    branch = around_two_folds()
    chosen = np.flatnonzero(np.asarray(branch.status) == STABLE)
    rows = np.resize(chosen, POINTS)
    start = {name: np.asarray(branch.c[name])[rows] for name in ("Na", "K", "Cl")}
    start |= {"V": branch.V[rows], "volume": branch.volume[rows]}
    rest = jm.steady_state(
        CELL, {"nka.j": branch.at[rows]}, start=start, outputs=("V", "volume", "c")
    )
    assert len(chosen) > 20
    assert_array_equal(rest.status, STABLE)
    assert_allclose(rest.V, branch.V[rows], rtol=1e-9)
    assert_allclose(rest.volume, branch.volume[rows], rtol=1e-9)
    assert_allclose(rest.c.values, np.asarray(branch.c.values)[rows], rtol=1e-9)


def test_a_branch_goes_through_zero_and_ends_exactly_on_its_bound():
    branch = follow({"nka.j": 0.02, "nka.K": CONSTANT}, (-0.002, 1.0))
    n = int(branch.length)
    at = np.asarray(branch.at[:n])
    assert int(branch.ended) == BOUND and at[0] == 0.02 and at[-1] == -0.002
    assert (np.diff(at) < 0).all()
    assert_at_closed_form(branch, np.arange(POINTS) < n, NOMINAL)


def test_points_that_are_used_up_leave_the_branch_pending():
    branch = follow({}, (2.0, 0.0), largest_step=1e-3)
    assert int(branch.ended) == USED_UP and not bool(branch.ok)
    assert int(branch.length) == POINTS and np.isfinite(branch.V).all()


def test_a_value_compiles_nothing(caplog):
    follow({}, (2.0, 0.0))
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        follow({"nka.j": 0.06, "bath.K": 3.6}, (3.0, 0.01), largest_step=0.05)
    assert not [r for r in caplog.records if r.getMessage().startswith("Compiling")]


@pytest.mark.slow  # the example of `continuation` asserts the same digits
def test_the_neuron_of_dijkstra_loses_its_rest_where_its_pump_falls_to_65_percent():
    # Printed digits of the source: fold at 0.6470, -58.17 mV.
    neuron = jm.zoo.neuron_dijkstra()
    pump = neuron.nominal()["nka.j_max"]
    start = {"V": -65.5, "Na": 10.0, "Cl": 7.0}
    branch = continuation(neuron, "nka.j_max", (0.0, 2.0 * pump), start=start)
    assert_allclose(branch.folds.at[0] / pump, 0.6470, atol=5e-5)
    assert_allclose(branch.folds.V[0], -58.17, atol=5e-3)
    assert np.isnan(branch.folds.at[1:]).all()
    n = int(branch.length)
    V = np.asarray(branch.V[:n])
    assert_allclose(V[0], -65.503, atol=5e-4)
    assert_array_equal(branch.status[:n], np.where(V < branch.folds.V[0], STABLE, UNSTABLE))
    assert int(branch.ended) == BOUND and branch.at[n - 1] == 2.0 * pump


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"parameter": "nka.jj"}, KeyError, r"unknown parameter 'nka\.jj'; did you mean nka\.j"),
        ({"parameter": "j"}, KeyError, r"did you mean nka\.j\?"),
        ({"bounds": (0.2, 0.5)}, ValueError, r"bounds of nka\.j must contain .* 0\.05, and"),
        ({"bounds": (0.05, 0.5)}, ValueError, r"first must differ from it, not \(0\.05, 0\.5\)"),
        ({"bounds": 0.5}, ValueError, r"bounds must be two values of nka\.j"),
        ({"bounds": (-np.inf, 0.5)}, ValueError, r"bound of nka\.j must be a finite number, not"),
        ({"points": 1}, ValueError, "points must be a whole number, 2 or more, not 1"),
        ({"largest_step": 0.0}, ValueError, "largest_step must be a number above zero, not 0"),
        ({"outputs": ("Vm",)}, KeyError, "unknown output 'Vm'"),
        ({"bounds": (np.zeros(2), np.ones(3))}, ValueError, "shapes that broadcast"),
        ({"start": {"v": 1.0}}, KeyError, "unknown name in a start"),
        ({"cell": None}, TypeError, "continuation needs a jm.Cell, not NoneType"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(change, error, message):
    given = {"cell": CELL, "parameter": "nka.j", "bounds": (0.0, 1.0)} | change
    with pytest.raises(error, match=message):
        continuation(**given)


def test_an_unknown_field_is_named_with_those_that_are():
    with pytest.raises(AttributeError, match="no output 'Vm'; it has at, V, volume"):
        _ = around_two_folds().Vm
