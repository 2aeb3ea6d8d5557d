"""Courses against SciPy: accuracy, derivatives, protocols of every shape, and statuses."""

from functools import cache
from itertools import pairwise
from math import exp, log, tanh

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import solve_ivp

import jaxmembrane as jm

F, R = jm.constants.F, jm.constants.R
LEAKS = [jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl)]
CELL = jm.Cell([*LEAKS, jm.na_k_atpase(), jm.kcc2(), jm.nkcc1("palk")])
NOMINAL = CELL.nominal()
OUTPUTS = ("V", "volume", "c", "flux")

# One compiled program: 200 lanes, three jumps, 12 times; all else are numbers.
LANES = 200
JUMPS = (60.0, 300.0, 600.0)
MOMENTS = (0.0, 0.01, 10.0, 60.0, 60.01, 200.0, 300.0, 400.0, 600.0, 601.0, 1500.0, 3600.0)
UNCHANGED = {name: NOMINAL[name] for name in ("nka.j_max", "kcc2.j_max", "bath.Na", "bath.Cl")}


def wide(x):
    return x if np.shape(x) == (LANES,) else np.resize(x, LANES)


def course(params, changed=UNCHANGED, *, at=JUMPS, times=MOMENTS, **options):
    """Cells whose pump, KCC2 and bath change, one after another; what is short is repeated."""
    spread = {name: wide(x) for name, x in (UNCHANGED | changed).items()}
    groups = (("nka.j_max",), ("kcc2.j_max",), ("bath.Na", "bath.Cl"))
    steps = [jm.Step(t, {n: spread[n] for n in g}) for t, g in zip(at, groups, strict=True)]
    filled = {name: wide(x) for name, x in params.items()}
    return jm.simulate(CELL, filled, jm.Protocol(steps), times, outputs=OUTPUTS, **options)


def unknowns(found, params=NOMINAL):
    """Logarithms of Na, K, Cl, F V/(R T) and ln volume."""
    logs = [np.log(found.c[s]) for s in ("Na", "K", "Cl")]
    reduced = np.asarray(found.V) * F / (R * np.asarray(params["T"])[..., None])
    return np.stack([*logs, reduced, np.log(found.volume)], axis=-1)


def motion(u, p):
    """Rates of change of `unknowns`, written out for one cell: every ion and V are carried."""
    na, k, cl, phi, w = exp(u[0]), exp(u[1]), exp(u[2]), u[3], exp(u[4])
    na_o, k_o, cl_o = p["bath.Na"], p["bath.K"], p["bath.Cl"]
    area, RT = p["membrane.area"], R * p["T"]

    def ghk(z, inside, outside, P):
        x = z * phi
        if abs(x) < 1e-4:
            return P * (
                inside * (1.0 + 0.5 * x + x * x / 12) - outside * (1 - 0.5 * x + x * x / 12)
            )
        return P * x * (inside - outside * exp(-x)) / (1.0 - exp(-x))

    sodium = na / (na + p["nka.K_Na"] * (1.0 + k / p["nka.K_K_i"]))
    potassium = k_o / (k_o + p["nka.K_K"] * (1.0 + na_o / p["nka.K_Na_o"]))
    # 3 Na_i + 2 K_o + ATP -> 3 Na_o + 2 K_i + ADP + Pi carries one charge out.
    dG = 3.0 * (log(na_o) - u[0]) + 2.0 * (u[1] - log(k_o)) - phi
    dG += log(p["ADP"] * p["Pi"] / (p["ATP"] * p["K_ATP"]))
    pump = p["nka.j_max"] * sodium**3 * potassium**2 * tanh(-0.5 * dG)
    i, o = k * cl, k_o * cl_o
    both = p["kcc2.K_K"] * p["kcc2.K_Cl"]
    bound = [
        (1 + x * y / both) * (1 + x / p["kcc2.K_K"]) * (1 + y / p["kcc2.K_Cl"])
        for x, y in ((k, cl), (k_o, cl_o))
    ]
    kcc = p["kcc2.j_max"] * (i - o) / both / sum(bound)
    within, without = na * k * cl**2, na_o * k_o * cl_o**2
    nkcc = p["nkcc1.j_max"] * (without - within) / (p["nkcc1.K"] + within)
    d_na = nkcc - ghk(1, na, na_o, p["leak_Na.P"]) - 3.0 * pump
    d_k = nkcc - ghk(1, k, k_o, p["leak_K.P"]) + 2.0 * pump - kcc
    d_cl = 2.0 * nkcc - ghk(-1, cl, cl_o, p["leak_Cl.P"]) - kcc
    osmolarity = na + k + cl + p["cytosol.X"] / w - na_o - k_o - cl_o - p["bath.X"]
    growth = p["membrane.L_w"] * area * osmolarity / w
    pace = area / w
    return [
        pace * d_na / na - growth,
        pace * d_k / k - growth,
        pace * d_cl / cl - growth,
        F / RT * F / p["membrane.C_m"] * (d_na + d_k - d_cl),
        growth,
    ]


def integrated(begin, params, ends, times, rtol=1e-11, **options):
    """SciPy's Radau in pieces, each from the end before it; `params(t)`; values at `times`."""
    u, seen, found = np.array(begin), {0.0: np.array(begin)}, None
    for begins, stop in pairwise((0.0, *ends)):
        own = [t for t in times if begins < t <= stop]
        # The value before a jump holds up to it: Radau asks at both ends of a step.
        found = solve_ivp(
            lambda t, u, b=begins, s=stop: motion(u, params(t, b, s)),
            (begins, stop),
            u,
            "Radau",
            sorted({*own, stop}),
            rtol=rtol,
            atol=rtol * 1e-2,
            **options,
        )
        assert found.success
        for t, y in zip(found.t, found.y.T, strict=True):
            seen[t] = y
        if found.status == 1:
            break
        u = found.y[:, -1]
    return np.stack([seen[t] for t in times if t in seen]), found


def jumping(own, changed, at):
    """Parameters in time, where each of three groups jumps."""
    groups = (("nka.j_max",), ("kcc2.j_max",), ("bath.Na", "bath.Cl"))

    def params(_, begins, __):
        now = NOMINAL | own
        for when, group in zip(at, groups, strict=True):
            if when <= begins:
                now |= {name: changed[name] for name in group}
        return now

    return params


VARIED = ("leak_Na.P", "leak_K.P", "leak_Cl.P", "nkcc1.j_max", "kcc2.j_max", "nka.j_max")
VARIED += ("membrane.L_w", "membrane.C_m", "membrane.area", "cytosol.X", "bath.K")


@cache
def population():
    """Random cells: from a block to twice the pump, KCC2 up or down, a bath of less salt."""
    rng = np.random.default_rng(11)
    params = {n: NOMINAL[n] * np.exp(rng.uniform(-0.7, 0.7, LANES)) for n in VARIED}
    pump = params["nka.j_max"] * rng.choice([0.0, 0.1, 0.5, 2.0], LANES)
    less = rng.uniform(5.0, 60.0, LANES)
    changed = {"nka.j_max": pump, "kcc2.j_max": params["kcc2.j_max"] * rng.uniform(0, 10, LANES)}
    changed |= {"bath.Na": NOMINAL["bath.Na"] - less, "bath.Cl": NOMINAL["bath.Cl"] - less}
    return params, changed


@cache
def followed(rtol):
    return course(*population(), rtol=rtol)


def errors(lanes):
    """Largest distance from SciPy at rtol 1e-6 and at 1e-9, by lane."""
    (params, changed), worst = population(), []
    usual, close = (unknowns(followed(rtol)) for rtol in (1e-6, 1e-9))
    for lane in lanes:
        own, jumps = ({n: x[lane] for n, x in given.items()} for given in (params, changed))
        ends = (*JUMPS, MOMENTS[-1])
        exact, _ = integrated(close[lane, 0], jumping(own, jumps, JUMPS), ends, MOMENTS)
        worst.append([np.abs(x[lane] - exact).max() for x in (usual, close)])
    return np.array(worst)


@pytest.mark.slow
def test_the_right_hand_side_is_the_same_cell():
    params, changed = population()
    found = unknowns(followed(1e-9))[:, 0]
    for lane in range(0, LANES, 20):
        own = {n: x[lane] for n, x in params.items()}
        rates = motion(found[lane], NOMINAL | own)
        moved = NOMINAL | own | {n: x[lane] for n, x in changed.items()}
        assert np.abs(rates).max() < 1e-9 * np.abs(motion(found[lane], moved)).max()


def test_every_random_cell_ends_its_course():
    found = followed(1e-6)
    assert_array_equal(found.status, 0)
    assert_array_equal(found.stopped, MOMENTS[-1])
    assert np.isfinite(unknowns(found)).all()
    moved = np.abs(unknowns(found)[:, -1] - unknowns(found)[:, 0]).max(axis=1)
    assert np.median(moved) > 0.5


def test_random_cells_run_as_scipy_says():
    worst = errors(range(4))
    assert worst[:, 0].max() < 1e-5, f"errors {worst[:, 0]} at rtol 1e-6"
    assert worst[:, 1].max() < 1e-7, f"errors {worst[:, 1]} at rtol 1e-9"


@pytest.mark.slow
def test_two_hundred_random_cells_run_as_scipy_says():
    worst = errors(range(LANES))
    usual, close = worst.max(axis=0)
    assert usual < 1e-5, f"error {usual:.1e} of lane {worst[:, 0].argmax()} at rtol 1e-6"
    assert close < 1e-7, f"error {close:.1e} of lane {worst[:, 1].argmax()} at rtol 1e-9"


# ---------------------------------------------------------------- derivatives

SLOPES = ("T", "bath.K", "leak_Na.P", "leak_K.P", "leak_Cl.P", "nka.j_max", "kcc2.j_max")
SLOPES += ("membrane.C_m", "membrane.L_w", "cytosol.X", "cytosol.z_X", "protocol")


@pytest.mark.slow  # a derivative takes a minute to compile
def test_forward_derivatives_agree_with_differences():
    """Each lane has one parameter, or the pump of the protocol, changed by e^x."""

    def run(logs):
        params = {n: NOMINAL[n] * jnp.exp(logs[i]) for i, n in enumerate(SLOPES[:-1])}
        changed = {"nka.j_max": 0.3 * NOMINAL["nka.j_max"] * jnp.exp(logs[-1])}
        found = course(params, changed | {"bath.Na": 115.0, "bath.Cl": 89.0}, rtol=1e-9)
        every = [jnp.log(found.c[s]) for s in ("Na", "K", "Cl")]
        # Over the nominal thermal voltage: T moves V alone.
        every += [found.V * (F / (R * NOMINAL["T"])), jnp.log(found.volume)]
        return jnp.stack(every)

    lanes = np.arange(len(SLOPES))
    direction = np.zeros((len(SLOPES), LANES))
    direction[lanes, lanes] = 1.0
    slope = jax.jit(lambda: jax.jvp(run, (jnp.zeros_like(direction),), (direction,))[1])()
    h = 3e-4
    near, far = (np.asarray(run(k * h * direction) - run(-k * h * direction)) for k in (1, 2))
    difference = (8.0 * near - far) / (12.0 * h)
    assert np.isfinite(slope).all()
    assert (np.abs(difference[:, lanes]).max(axis=(0, 2)) > 1e-5).all()
    assert_allclose(slope[:, lanes], difference[:, lanes], rtol=1e-5, atol=1e-5)


# ---------------------------------------------------------------- statuses


def test_endless_swelling_ends_where_the_volume_crosses_its_bound():
    """Without impermeants outside and without a pump nothing holds the volume."""
    at, times, bound = (0.5, 1.0, 2.0), np.r_[0.0, np.geomspace(1.0, 3e5, 11)], 1.0
    fresh = {"bath.X": 0.0, "bath.Cl": 148.5}
    changed = {"nka.j_max": [0.0, NOMINAL["nka.j_max"]], "bath.Cl": 148.5}
    found = course(fresh, changed, at=at, times=times, growth=bound)
    assert_array_equal(found.status[:2], [6, 0])
    begin = unknowns(found)[0, 0]

    def crossing(_, u):
        return u[4] - begin[4] - bound

    crossing.terminal = True
    params = jumping(fresh, UNCHANGED | {"nka.j_max": 0.0, "bath.Cl": 148.5}, at)
    seen, last = integrated(begin, params, (*at, times[-1]), times, rtol=1e-9, events=crossing)
    (moment,) = last.t_events[0]
    assert found.stopped[0] == pytest.approx(moment, rel=1e-6)
    assert_array_equal(np.isfinite(found.V[0]), times <= moment)
    assert_allclose(unknowns(found)[0, : len(seen)], seen, rtol=0, atol=1e-5)
    for output in (found.volume, found.c.values, found.flux.values):
        assert np.isnan(output[0, times > moment]).all()


def test_a_limit_of_steps_ends_a_course_with_what_it_has():
    whole, found = course({}, {"nka.j_max": 0.0}), course({}, {"nka.j_max": 0.0}, max_steps=40)
    assert_array_equal(found.status, 3)
    assert_array_equal(found.steps, 40)
    seen = np.array(MOMENTS) <= found.stopped[0]
    assert 4 < seen.sum() < len(MOMENTS)
    assert_array_equal(found.V[0, seen], whole.V[0, seen])
    assert np.isnan(found.V[0, ~seen]).all()
    assert_array_equal(course({}, {"nka.j_max": 0.0}, max_steps=int(whole.steps[0])).status, 0)


def test_invalid_lanes_and_those_without_a_rest_are_told_apart():
    nan, inf = np.nan, np.inf
    params = {"leak_K.P": NOMINAL["leak_K.P"] * np.array([1.0, nan, -1.0, inf, 1.0])}
    params |= {"nka.j_max": [*[NOMINAL["nka.j_max"]] * 4, 0.0], "bath.X": [*[29.5] * 4, 0.0]}
    params |= {"bath.Cl": [*[119.0] * 4, 148.5]}
    found = course(params, {"nka.j_max": 0.2})
    assert_array_equal(found.status[:5], [0, 5, 5, 5, 2])
    for output in (found.V, found.volume, found.c.values, found.stopped[:, None]):
        assert np.isnan(output[1:5]).all() and np.isfinite(output[0]).all()
    assert_array_equal(found.steps[1:5], 0)


@pytest.mark.parametrize("wrong", [np.nan, -5.0, np.inf])
@pytest.mark.parametrize("name", ["nka.j_max", "bath.Na"])
def test_a_lane_whose_protocol_leaves_a_domain_is_invalid(name, wrong):
    """As such a lane of the parameters is: it neither runs nor holds up its neighbours."""
    found = course({}, {name: [wrong, UNCHANGED[name]]}, max_steps=2000)
    assert_array_equal(found.status[:2], [5, 0])
    assert found.steps[0] == 0


@pytest.mark.parametrize("begins", [60.0, 1e6, 1e9])
def test_twenty_two_decades_of_time_scales_are_no_obstacle(begins):
    """Capacitances down to a time constant of 1e-14 s, courses to 1e10 s, jumps at any time."""
    rng = np.random.default_rng(0)
    stiff = {"membrane.C_m": 10 ** rng.uniform(-14, -2, LANES)}
    changed = {"nka.j_max": NOMINAL["nka.j_max"] * rng.uniform(0, 2, LANES)}
    changed |= {"bath.Na": 100.0, "bath.Cl": 74.0}
    times = np.r_[0.0, np.geomspace(1e-9, 1e10, 11)]
    found = course(stiff, changed, at=(begins, 2 * begins, 3 * begins), times=times)
    stuck = np.flatnonzero(found.status)
    assert not stuck.size, f"lanes {stuck} ended at {found.stopped[stuck]} s"
    # At the end it is at rest, whatever its capacitance.
    sorted_pump = np.argsort(changed["nka.j_max"])
    assert (np.diff(found.c["Na"][sorted_pump, -1]) < 1e-3).all()
