"""Time courses: published and independent numbers, oracles, derivatives, batches and statuses."""

from functools import cache, partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import solve_ivp

import jaxmembrane as jm
from jaxmembrane.balance import Equations
from jaxmembrane.dynamics import velocity

F, R = jm.constants.F, jm.constants.R
NEURON = jm.zoo.neuron()
NOMINAL = NEURON.nominal()
PUMP, KCC2 = NOMINAL["nka.j"], NOMINAL["kcc2.g"]

# All courses of the published neuron are one compiled program: 12 times, 300 lanes, one protocol.
LANES = 300
MOMENTS = (0.0, 0.1, 10.0, 60.0, 120.0, 300.0, 480.0, 700.0, 1000.0, 1800.0, 3000.0, 3600.0)


def neurons(params, pump, chloride, *, times=MOMENTS, **options):
    """The published neuron whose pump is set at 0 and whose KCC2 climbs from 120 to 480 s.

    What is given for fewer lanes is repeated.
    """
    filled = {name: np.resize(x, LANES) for name, x in params.items()}
    protocol = jm.Protocol(
        [
            jm.Step(0.0, {"nka.j": np.resize(pump, LANES)}),
            jm.Step(120.0, {"kcc2.g": np.resize(chloride, LANES)}, over=360.0),
        ]
    )
    return jm.simulate(NEURON, filled, protocol, times, **options)


# The neuron of fixed area from an independent float64 model: V (mV), Na, K, Cl (mM), E_Cl (mV),
# volume over that at rest, to their printed digits.
BLOCKED = {
    0.0: (-72.59, 14.00, 122.87, 5.16, -83.85, 1.000),
    0.1: (-64.44, 14.01, 122.86, 5.17, -83.85, 1.000),
    1.0: (-64.42, 14.11, 122.77, 5.17, -83.81, 1.000),
    10.0: (-64.55, 15.04, 121.86, 5.23, -83.52, 1.000),
    60.0: (-65.00, 20.03, 116.88, 5.49, -82.22, 1.002),
    600.0: (-61.38, 62.86, 74.21, 7.40, -74.23, 1.016),
    1800.0: (-39.22, 116.52, 21.34, 16.71, -52.46, 1.087),
    3600.0: (-18.85, 131.73, 7.89, 38.33, -30.28, 1.300),
    7200.0: (-11.11, 135.72, 5.63, 59.92, -18.34, 1.618),
    21600.0: (-5.04, 139.14, 4.35, 86.45, -8.54, 2.309),
}
PARTIAL = {0.5: (-72.78, 17.39, 119.49, 5.22, -83.57, 1.000)}
PARTIAL |= {0.1: (-72.42, 28.65, 108.25, 5.52, -82.07, 1.002)}
# Half a printed digit.
DIGITS = np.array([0.01, 0.01, 0.01, 0.01, 0.01, 0.001]) * 0.51


@cache
def blocked():
    """Ouabain, as shares of the pump that are left: times and courses."""
    kept = ("bath", "cytosol", "membrane")
    fixed = {name: x for name, x in NOMINAL.items() if name.split(".")[0] in kept}
    fixed |= {"T": 310.15, "membrane.area": 2.0 * np.pi * 5.0 * fixed.pop("membrane.length")}
    fixed.pop("membrane.radius", None)
    cell = jm.Cell(NEURON.transporters, fixed)
    left = jm.Protocol([jm.Step(0.0, {"nka.j": PUMP * np.array([0.0, *PARTIAL])})])
    return jm.simulate(cell, protocol=left, times=[*BLOCKED, 1e6])


def row_of(course, lane, moment):
    c = [course.c[s][lane, moment] for s in ("Na", "K", "Cl")]
    size = course.volume[lane, moment] / course.volume[lane, 0]
    return np.array([course.V[lane, moment], *c, course.E["Cl"][lane, moment], size], float)


@pytest.mark.slow
@pytest.mark.parametrize("t", BLOCKED)
def test_pump_block_runs_as_in_an_independent_model(t):
    found = row_of(blocked(), 0, list(BLOCKED).index(t))
    assert (np.abs(found - BLOCKED[t]) <= DIGITS).all(), found


@pytest.mark.parametrize("share", PARTIAL)
def test_a_partial_block_ends_at_the_rest_of_an_independent_model(share):
    found = row_of(blocked(), 1 + list(PARTIAL).index(share), -1)
    assert (np.abs(found - PARTIAL[share]) <= DIGITS).all(), found


@cache
def published():
    """The published neuron: pump blocked, KCC2 raised 18.4-fold, and nothing done."""
    return neurons({}, [0.0, PUMP, PUMP], [KCC2, 18.4 * KCC2, KCC2])


def test_the_published_cylinder_without_pump():
    found = published()
    assert_array_equal(found.status, 0)
    assert found.ok.all()
    assert found.V[0, -1] == pytest.approx(-17.99, abs=0.005)
    assert found.volume[0, -1] / found.volume[0, 0] == pytest.approx(1.323, abs=0.0005)


def test_the_published_ramp_of_kcc2():
    """Duesterwald et al. 2018, Fig. 3A, without their explicit Euler step."""
    found, late = published(), np.array(MOMENTS) > 700.0
    assert_allclose(found.c["Cl"][1, late], 3.5321, atol=6e-5)
    assert_allclose(found.E["Cl"][1, late], -93.998, atol=6e-4)
    assert_allclose(found.V[1, late], -74.5402, atol=6e-5)
    # 1.941403 pL, printed as 1.94140.
    assert_allclose(found.volume[1, late], 1941.40, atol=6e-3)
    assert_allclose(found.V[1, :4], found.V[1, 0], atol=1e-6)


def test_a_cell_at_rest_stays_there():
    found = published()
    assert_allclose(found.V[2], -72.588, atol=5e-4)
    assert_allclose(found.V[2], found.V[2, 0], atol=1e-6)
    assert_allclose(found.volume[2], found.volume[2, 0], rtol=1e-8)
    assert found.steps[2] < 20


def test_fluxes_are_those_of_the_parameters_of_their_time():
    found = published()
    # The block at t = 0 holds there; the state is still that of the rest.
    assert_array_equal(found.flux["nka"][0], 0.0)
    assert_array_equal(found.V[0, 0], found.V[2, 0])
    moments = np.array(MOMENTS)
    g = KCC2 * np.interp(moments, [120.0, 480.0], [1.0, 18.4])
    dG = F * (found.E["Cl"][1] - found.E["K"][1])
    force = (
        R
        * NOMINAL["T"]
        * np.log(found.c["K"][1] * found.c["Cl"][1] / (NOMINAL["bath.K"] * NOMINAL["bath.Cl"]))
    )
    assert_allclose(dG, force, rtol=1e-9)
    assert_allclose(found.flux["kcc2"][1], g * force / F**2, rtol=1e-9)


RANDOM = 3
VARIED = ("leak_Na.g", "leak_K.g", "leak_Cl.g", "bath.K", "membrane.L_w", "membrane.C_m")


@cache
def random_cells():
    rng = np.random.default_rng(3)
    return (
        {name: NOMINAL[name] * np.exp(rng.uniform(-0.7, 0.7, RANDOM)) for name in VARIED},
        PUMP * rng.uniform(0.0, 1.5, RANDOM),
        KCC2 * rng.uniform(0.1, 5.0, RANDOM),
    )


@partial(jax.jit, static_argnums=0)
def independent_motion(cell, u, params):
    """Every species and V carried, whatever the package follows from charge."""
    eq = Equations(cell, params, carry_all=True)
    each = list(u)
    return jnp.stack(velocity(eq, eq.state(each), eq.residual(each)))


independent_slope = partial(jax.jit, static_argnums=0)(jax.jacfwd(independent_motion, argnums=1))


def oracle(params, pump, chloride, begin):
    """SciPy's Radau on a neuron: its unknowns by time, in the order of `begin`."""
    given = {name: jnp.asarray(x, float) for name, x in (NOMINAL | params).items()}

    def at(t):
        g = np.interp(t, [120.0, 480.0], [KCC2, chloride])
        return given | {"nka.j": jnp.asarray(pump), "kcc2.g": jnp.asarray(g)}

    u, seen = np.array(begin), {0.0: np.array(begin)}
    for piece in pairwise((0.0, 120.0, 480.0, 3600.0)):
        found = solve_ivp(
            lambda t, u: np.asarray(independent_motion(NEURON, jnp.asarray(u), at(t))),
            piece,
            u,
            "Radau",
            [t for t in MOMENTS if piece[0] < t <= piece[1]],
            jac=lambda t, u: np.asarray(independent_slope(NEURON, jnp.asarray(u), at(t))),
            rtol=1e-11,
            atol=1e-13,
        )
        assert found.success
        seen |= dict(zip(found.t, found.y.T, strict=True))
        u = found.y[:, -1]
    return np.stack([seen[t] for t in MOMENTS])


def test_random_cells_run_as_an_independent_integrator_says():
    params, pump, chloride = random_cells()
    found = neurons(params, pump, chloride)
    fine = neurons(params, pump, chloride, rtol=1e-9)
    assert_array_equal(found.status, 0)
    for lane in range(RANDOM):
        own = {name: x[lane] for name, x in params.items()}
        seen = [
            np.stack(
                [
                    *(np.log(course.c[s][lane]) for s in ("Na", "K", "Cl")),
                    course.V[lane] * F / (R * NOMINAL["T"]),
                    np.log(course.volume[lane]),
                ],
                axis=-1,
            )
            for course in (found, fine)
        ]
        expected = oracle(own, pump[lane], chloride[lane], seen[0][0])
        usual, close = (float(np.abs(x - expected).max()) for x in seen)
        assert usual < 1e-5, f"error {usual:.1e} at rtol 1e-6"
        assert close < 3e-8, f"error {close:.1e} at rtol 1e-9"


def test_lanes_do_not_depend_on_their_neighbours():
    params, pump, chloride = random_cells()
    found = neurons(params, pump, chloride)
    # Other cells beside the first, and another number of them.
    order = np.r_[0, np.random.default_rng(4).integers(0, RANDOM, LANES - 1)]
    other = neurons({n: x[order] for n, x in params.items()}, pump[order], chloride[order])
    for name in ("V", "volume", "steps", "stopped"):
        assert_array_equal(found.values[name][0], other.values[name][0])
        assert_array_equal(found.values[name][order[:20]], other.values[name][:20])
    assert_array_equal(found.c.values[0], other.c.values[0])


def test_a_volume_that_grows_beyond_its_bound_ends_a_course():
    # Without impermeants outside nothing holds the volume of a cell whose pump has stopped.
    open_bath = {"bath.X": [0.0, 29.5], "bath.Cl": [148.5, 119.0]}
    times = np.linspace(0.0, 3e4, 12)
    bound = np.log(1.6)
    found = neurons(open_bath, [0.0, PUMP], KCC2, times=times, growth=bound)
    free = neurons(open_bath, [0.0, PUMP], KCC2, times=times)
    assert_array_equal(found.status[:2], [6, 0])
    assert_array_equal(free.status[:2], [0, 0])
    assert_array_equal(found.ok[:2], [False, True])
    assert found.stopped[1] == times[-1]
    stopped = float(found.stopped[0])
    crossed = np.interp(bound, np.log(free.volume[0] / free.volume[0, 0]), times)
    assert 0.8 * crossed < stopped < 1.2 * crossed
    assert_array_equal(np.isfinite(found.V[0]), times <= stopped)
    seen = times <= stopped
    assert_array_equal(found.volume[0, seen], free.volume[0, seen])


def test_the_step_limit_ends_a_course():
    found, whole = neurons({}, 0.0, KCC2, max_steps=30), published()
    assert_array_equal(found.status, 3)
    assert_array_equal(found.steps, 30)
    stopped = float(found.stopped[0])
    assert 0.0 < stopped < MOMENTS[-1]
    assert_array_equal(np.isfinite(found.V[0]), np.array(MOMENTS) <= stopped)
    seen = np.array(MOMENTS) <= stopped
    assert_array_equal(found.V[0, seen], whole.V[0, seen])


def test_a_cell_without_a_rest_says_so_and_leaves_its_neighbours_alone():
    params = {"nka.j": [PUMP, 0.0, PUMP], "bath.X": [29.5, 0.0, 29.5]}
    params |= {"bath.Cl": [119.0, 148.5, 119.0], "leak_K.g": [0.7, 0.7, -1.0]}
    found = neurons(params, [0.0, PUMP, PUMP], [KCC2, KCC2, KCC2])
    assert_array_equal(found.status[:3], [0, 2, 5])
    assert np.isnan(found.V[1:3]).all() and np.isnan(found.c.values[1:3]).all()
    assert_array_equal(found.steps[1:3], 0)
    assert_array_equal(found.V[0], published().V[0])
