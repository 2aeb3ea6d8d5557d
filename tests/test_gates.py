"""Gates: internal states of transporters that join the unknowns."""

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
from example_cells import (
    SHOWN,
    F,
    R,
    T,
    assert_at_rest,
    assert_gradient,
    derive,
    lanes_around,
    leaks,
    of,
)
from motion import assert_course_ends_at_rest, assert_modes, assert_root, equations
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

# A channel that opens with V, and a pump of three states: idle, working as potassium wakes it,
# and asleep.
RATE = {name: jm.Param(x, "1/s") for name, x in (("a", 3.0), ("b", 1.0), ("c", 0.5), ("d", 0.2))}
KV = {**RATE, "g": jm.Param(2.0, "pS/um^2"), "V_0": jm.Param(-40.0, "mV", domain="real")}
KV |= {"V_1": jm.Param(20.0, "mV", domain="positive")}
PUMP = {**RATE, "j": jm.Param(0.2, "amol/um^2/s"), "K_K": jm.Param(100.0, "mM")}
EXPORT = "K_i + ATP <-> K_o + ADP + Pi"


def opening(s, p):
    return p.a * jnp.exp((s.V - p.V_0) / p.V_1)


def closing(s, p):
    return p.b * jnp.exp(-(s.V - p.V_0) / p.V_1)


def n_rate(s, p):
    return opening(s, p) * (1.0 - s.n) - closing(s, p) * s.n


def working_rate(s, p):
    idle = 1.0 - s.working - s.asleep
    return p.a * s.K_i / p.K_K * idle + p.d * s.asleep - (p.b + p.c) * s.working


def asleep_rate(s, p):
    return p.c * s.working - p.d * s.asleep


def by_n(s, p):
    return -p.g * s.n * s.dG / s.F**2


def by_steady_n(s, p):
    return -p.g * opening(s, p) / (opening(s, p) + closing(s, p)) * s.dG / s.F**2


def by_working(s, p):
    return p.j * s.working * s.drive


def by_steady_working(s, p):
    # Where nothing moves: working flows to asleep and back, and to idle and back.
    return p.j / (1.0 + p.c / p.d + p.b * p.K_K / (p.a * s.K_i)) * s.drive


def cell_of(n, working, *, gated):
    """A rigid cell of two transporters by their laws, with the gates that these read."""
    opens, works = {"n": n_rate}, {"working": working_rate, "asleep": asleep_rate}
    cytosol = jm.Compartment("cytosol", "rigid")
    parts = [
        *leaks(jm.K, jm.Cl),
        jm.Transporter("kv", "K_i <-> K_o", n, KV, gates=opens if gated else None),
        jm.Transporter("pump", EXPORT, working, PUMP, gates=works if gated else None),
    ]
    return jm.Cell([jm.Membrane("membrane", parts, inside=cytosol)], {"cytosol.volume": 1000.0})


GATED = cell_of(by_n, by_working, gated=True)
STEADY = cell_of(by_steady_n, by_steady_working, gated=False)
MOVED = ("kv.a", "kv.V_0", "kv.V_1", "kv.g", "pump.a", "pump.c", "pump.K_K", "pump.j")
GATES = ("kv.n", "pump.working", "pump.asleep")
STARTS = ({"V": 500.0}, {"V": -900.0}, {"Cl": 1e-6}, {"Cl": 400.0, "V": 100.0})
SLOW, SHUT, LANES = slice(17, 19), 19, 32


@cache
def gated():
    """Cells with gates: parameters, rests and gradients."""
    own = {f"kv.{name}": p.nominal for name, p in KV.items()}
    own |= {f"pump.{name}": p.nominal for name, p in PUMP.items()}
    own |= {"cytosol.X": 8e4, "bath.K": 148.5}
    params = lanes_around(own, MOVED, LANES)
    # The same gates, but a hundred thousand times slower, and a million times faster.
    for name in (f"{owner}.{rate}" for owner in ("kv", "pump") for rate in RATE):
        params[name][SLOW] *= 1e-5, 1e6
    params["kv.a"][SHUT] = 0.0
    rng, rows = np.random.default_rng(2), slice(20, -len(STARTS))
    for name in (*MOVED, "bath.K"):
        params[name][rows] *= np.exp(rng.uniform(-1.0, 1.0, 12 - len(STARTS)))
    start = {name: np.full(LANES, np.nan) for name in ("V", "Cl")}
    for row, values in enumerate(STARTS, LANES - len(STARTS)):
        for name, x in values.items():
            start[name][row] = x
    slope, rest = derive(GATED, (*SHOWN, "gate"), params, start)
    return params, rest, slope


@pytest.mark.slow
def test_a_cell_with_gates_rests_in_balance():
    params, rest, _ = gated()
    assert_array_equal(rest.status, 0)
    assert_at_rest(GATED, params, rest)
    assert rest.gate.dims == (("gate", GATES),)


@pytest.mark.slow
def test_gates_stand_where_their_rates_vanish():
    p, rest, _ = gated()
    n, working, asleep = (of(rest.gate, name) for name in GATES)
    u = (of(rest.V) - p["kv.V_0"]) / p["kv.V_1"]
    assert_allclose(
        n, p["kv.a"] / (p["kv.a"] + p["kv.b"] * np.exp(-2.0 * u)), rtol=1e-9, atol=1e-15
    )
    assert_allclose(asleep, p["pump.c"] / p["pump.d"] * working, rtol=1e-9)
    wakes = p["pump.a"] * of(rest.c, "K") / p["pump.K_K"]
    assert_allclose(p["pump.b"] * working, wakes * (1.0 - working - asleep), rtol=1e-9)
    assert abs(n[SHUT]) < 1e-15 and n[0] > 0.01


def test_a_gate_rests_as_its_steady_formula_in_the_law_does():
    params, rest, _ = gated()
    u = [np.log(of(rest.c, "Cl")), of(rest.V) * F / (R * T)]
    assert [key[0] for key in equations(STEADY, params).unknowns] == ["c", "phi"]
    assert_root(STEADY, params, u)


def test_the_pace_of_gates_moves_no_rest():
    _, rest, _ = gated()
    for value in (rest.V, *(of(rest.gate, name) for name in GATES)):
        assert_allclose(of(value)[SLOW], of(value)[0], rtol=1e-9)
    rates = of(rest.rate_slowest)
    # The slowest of slow gates sets the pace; fast ones leave it to the ions.
    assert rates[17] > 0.01 * rates[0] and 0.3 < rates[18] / rates[0] < 3.0


def test_rests_with_gates_are_found_from_anywhere():
    _, rest, _ = gated()
    last = slice(-len(STARTS), None)
    assert_allclose(of(rest.V)[last], of(rest.V)[0], rtol=1e-9)
    assert (np.asarray(rest.steps)[last] > 24).any()


def test_gradients_of_a_cell_with_gates():
    assert_gradient(*gated(), MOVED)


def test_motion_of_a_cell_with_gates_ends_at_its_rest():
    params, rest, _ = gated()
    for row in (0, 17, 20):
        assert_modes(GATED, {name: x[row] for name, x in params.items()}, rest, row)
    assert_course_ends_at_rest(GATED, {name: x[0] for name, x in params.items()}, rest, 0)


def test_a_transporter_alone_has_its_gates_at_rest():
    pump = next(t for t in GATED.transporters if t.name == "pump")
    at = pump.at(V=-60.0, K_i=200.0, K_o=150.0, j=0.4)
    working = 1.0 / (1.0 + 2.5 + 1.0 / 6.0)
    assert float(at.gates["working"]) == pytest.approx(working, rel=1e-12)
    assert float(at.gates["asleep"]) == pytest.approx(2.5 * working, rel=1e-12)
    expected = 0.4 * working * np.tanh(-float(at.dG) / (2.0 * 8.314462618 * 310.15))
    assert float(at.flux) == pytest.approx(expected, rel=1e-10)


@pytest.mark.slow
def test_single_precision_finds_rests_with_gates():
    params, rest, _ = gated()
    n = LANES - len(STARTS)
    single = jm.steady_state(
        GATED,
        {name: x[:n] for name, x in params.items()},
        outputs=("V", "gate"),
        precision="float32",
    )
    assert_array_equal(single.status, 0)
    assert_allclose(single.V, rest.V[:n], atol=0.01)
    # A gate is a share of one: where it is shut, rounding is all that is left.
    assert_allclose(single.gate.values, rest.gate.values[:n], rtol=1e-4, atol=1e-7)
