"""The pump-leak steady state in closed form: in print, and against what it solves."""

import math

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from jaxmembrane import analytic, constants

T_NEURON = 310.1307468
V_NEURON = 26.725
LEAKS = {"g_Na": 0.2, "g_K": 0.7, "g_Cl": 0.2}
BATH = {"Na_o": 145.0, "K_o": 3.5, "Cl_o": 119.0, "X_o": 29.5}
NEURON = LEAKS | BATH | {"g_KCC2": 0.2, "T": T_NEURON}
IMMATURE = NEURON | {"g_KCC2": 0.02, "g_NKCC1": 0.0664214465}
INSIDE = {"X": 304267.17549, "z_X": -0.85}
CURRENT = 10e3 * (14.00165 / 145.0) ** 3  # fA/um^2: 10 A/m^2 (Na_i/Na_o)^3

ROWS = 400


def random_cells(seed=0, X_o=True):
    """Random ohmic cells with a neutral bath."""
    rng = np.random.default_rng(seed)

    def log(low, high):
        return np.exp(rng.uniform(np.log(low), np.log(high), ROWS))

    cells = {
        "g_Na": log(0.01, 2), "g_K": log(0.05, 10), "g_Cl": log(0.01, 10), "g_KCC2": log(1e-3, 2),
        "g_NKCC1": log(1e-3, 1), "Na_o": log(20, 400), "K_o": log(1, 30),
    }  # fmt: skip
    cells["X_o"] = log(1, 15) if X_o else np.zeros(ROWS)
    cells["Cl_o"] = cells["Na_o"] + cells["K_o"] - cells["X_o"]
    return cells | {"T": rng.uniform(275, 315, ROWS)}


def within(cells, share):
    """A pump current at a share of the upper limit."""
    return share * np.asarray(analytic.pump_range(**cells).upper)


def usual(cells, share):
    """A pump current within the limit that leaves some sodium inside, at 7 v of its force."""
    return share * np.minimum(within(cells, 1.0), 60.0 * cells["g_Na"])


def test_driving_forces_solve_the_flux_balance():
    cells, current = random_cells(), 7.0
    d = np.stack([np.asarray(x) for x in analytic.driving_forces(
        current, *(cells[g] for g in ("g_Na", "g_K", "g_Cl", "g_KCC2", "g_NKCC1")))])  # fmt: skip
    kcc = cells["g_KCC2"] * (d[1] - d[2])
    nkcc = cells["g_NKCC1"] * (d[0] + d[1] - 2 * d[2])
    scale = current * 3
    assert_allclose(cells["g_Na"] * d[0] + nkcc, -3 * current, rtol=1e-10)
    assert_allclose(cells["g_K"] * d[1] + kcc + nkcc, 2 * current, rtol=1e-10)
    assert_allclose(cells["g_Cl"] * d[2] - kcc - 2 * nkcc, 0.0, atol=1e-10 * scale)


def test_with_kcc2_alone_the_driving_forces_are_the_published_fractions():
    """With beta of the authors' program; its appendix in print has one sign wrong."""
    g_Na, g_K, g_Cl, g_KCC2 = 0.2, 0.7, 0.2, 0.2
    beta = g_K * g_Cl + g_K * g_KCC2 + g_Cl * g_KCC2
    expected = [-3 * 9 / g_Na, 2 * 9 * (g_Cl + g_KCC2) / beta, 2 * 9 * g_KCC2 / beta]
    assert_allclose(analytic.driving_forces(9.0, g_Na, g_K, g_Cl, g_KCC2), expected, rtol=1e-14)


def test_without_cotransport_chloride_is_passive_whatever_its_conductance():
    for g_Cl in (1e-6, 0.2, 1e3):
        d = analytic.driving_forces(9.0, 0.2, 0.7, g_Cl)
        assert d[2] == 0.0
        assert_allclose(d[:2], [-135.0, 18 / 0.7], rtol=1e-15)


def test_stopping_the_pump_steps_the_potential_by_current_over_conductance():
    rest = analytic.pump_leak(CURRENT, **NEURON, **INSIDE)
    g = {"Na": 0.2, "K": 0.7, "Cl": 0.2}
    z = {"Na": 1, "K": 1, "Cl": -1}
    E = {s: analytic.nernst(z[s], BATH[f"{s}_o"], getattr(rest, s), T_NEURON) for s in g}
    # KCC2 is neutral: at rest the chord potential with the pump is the resting one.
    assert_allclose(analytic.chord_potential(g, E, CURRENT), rest.V, rtol=1e-13)
    jump = analytic.chord_potential(g, E) - rest.V
    assert_allclose(jump, CURRENT / 1.1, rtol=1e-12)
    assert_allclose(jump, 8.19, atol=0.005)


def test_the_published_neuron_rests_where_its_authors_found_it():
    rest = analytic.pump_leak(CURRENT, **NEURON, **INSIDE)
    found = [rest.V, rest.Na, rest.K, rest.Cl, rest.X, 1e-3 * rest.volume]
    # Neutral closure: the source stores charge, which is worth 6e-4 mV.
    assert_allclose(found, [-72.58811, 14.00165, 122.8733, 5.16483, 154.9602, 1.963517], rtol=3e-5)
    # Iterating the charge closure, three passes reach the source's own digits.
    z = INSIDE["z_X"]
    for _ in range(3):
        area = 2.0 * math.sqrt(math.pi * 25.0 * float(rest.volume))
        stored = 0.02 * area / (constants.F * INSIDE["X"])
        rest = analytic.pump_leak(CURRENT, **NEURON, X=INSIDE["X"], z_X=z - stored * rest.V)
    assert_allclose([rest.V, rest.Na, rest.Cl], [-72.58811, 14.00165, 5.16483], rtol=4e-6)


def cubic_rest(cell, strength):
    """Rest with the cubic pump of strength I_p = strength (Na_i/Na_o)^3, by bisection in I_p."""
    low, high = 0.0, float(analytic.pump_range(**cell).upper)
    for _ in range(80):
        middle = 0.5 * (low + high)
        rest = PUMP_LEAK(middle, **cell, **INSIDE)
        enough = strength * (float(rest.Na) / cell["Na_o"]) ** 3 < middle
        low, high = (low, middle) if enough else (middle, high)
    return rest


PUMP_LEAK = jax.jit(analytic.pump_leak)


def test_the_neuron_with_other_kcc2_rests_at_the_printed_chloride():
    for factor, chloride in ((4.0, 3.975), (0.1, 7.836), (0.0, 8.693)):
        rest = cubic_rest(NEURON | {"g_KCC2": 0.2 * factor}, 10e3)
        assert_allclose(rest.Cl, chloride, rtol=1e-4)
    rest = cubic_rest(IMMATURE, 10e3)
    assert_allclose([rest.V, rest.Na, rest.K, rest.Cl, 1e-3 * rest.volume],
                    [-65.381, 14.265, 124.355, 26.640, 2.3096], rtol=4e-5)  # fmt: skip
    assert_allclose(analytic.nernst(-1, 119.0, rest.Cl, T_NEURON), -40.0, atol=1e-4)


@pytest.mark.parametrize("z", [-10.0, -1.5, -1.0, -0.85, 0.0, 1.0, 1.0 + 1e-12, 3.0, 10.0])
def test_the_state_is_neutral_and_in_osmotic_and_flux_balance(z):
    cells = random_cells()
    d = analytic.driving_forces(
        current := within(cells, 0.4),
        *(cells[g] for g in ("g_Na", "g_K", "g_Cl", "g_KCC2", "g_NKCC1")),
    )
    rest = analytic.pump_leak(current, **cells, X=1e4, z_X=z)
    total = cells["Na_o"] + cells["K_o"] + cells["Cl_o"] + cells["X_o"]
    assert rest.exists.all()
    assert_allclose(rest.Na + rest.K + rest.Cl + rest.X, total, rtol=1e-12)
    assert_allclose(rest.Na + rest.K - rest.Cl + z * rest.X, 0.0, atol=1e-11 * total.max())
    assert_allclose(rest.X * rest.volume, 1e4, rtol=1e-14)
    ions = zip(d, ("Na", "K", "Cl"), (1, 1, -1), strict=True)
    for force, s, valence in ions:
        E = analytic.nernst(valence, cells[f"{s}_o"], getattr(rest, s), cells["T"])
        assert_allclose(rest.V - E, force, rtol=1e-9, atol=1e-9)


def test_more_of_the_same_impermeant_changes_volume_only():
    one, two = (analytic.pump_leak(CURRENT, **NEURON, X=X, z_X=-0.85) for X in (1e3, 2e3))
    assert_array_equal(one[:5], two[:5])
    assert_allclose(two.volume, 2.0 * one.volume, rtol=1e-15)


def test_a_rest_exists_exactly_within_the_pump_range():
    cells = random_cells()
    inside = analytic.pump_leak(within(cells, 1 - 1e-9), **cells, X=1e4, z_X=-1.3)
    beyond = analytic.pump_leak(within(cells, 1 + 1e-9), **cells, X=1e4, z_X=-1.3)
    assert inside.exists.all() and not beyond.exists.any()
    assert np.isnan(beyond.V).all() and np.isnan(beyond.volume).all()
    assert (beyond.eps < 0).all()
    at = analytic.pump_leak(within(cells, 1.0), **cells, X=1e4, z_X=-1.3)
    assert_allclose(at.eps, 0.0, atol=1e-12)


@pytest.mark.parametrize("name", ["g_KCC2", "g_NKCC1"])
def test_whatever_the_charge_and_amount_of_impermeant_existence_is_the_same(name):
    cells = random_cells(3) | {name: 0.0}
    current = np.random.default_rng(4).uniform(0, 60, ROWS)
    eps = [
        analytic.pump_leak(current, **cells, X=X, z_X=z).eps
        for X, z in ((1.0, -1.0), (1e9, 0.0), (1e3, 5.0))
    ]
    assert_array_equal(eps[0], eps[1])
    assert_array_equal(eps[0], eps[2])


PRINTED_RANGES = {
    "neuron": (NEURON, 84.86, 9.604),
    # In units of v g_Na: P = 14.2225 and 1.7692 (program of the source); scaled model, 12.788.
    "squid": (
        {"g_Na": 0.11, "g_K": 1.0, "g_Cl": 1.0, "Na_o": 437.0, "K_o": 20.0, "Cl_o": 457.0,
         "T": 25.8 * constants.F / constants.R},
        14.222505 * 25.8 * 0.11, 1.769236 * 25.8 * 0.11,
    ),
    "scaled": (
        {"g_Na": 0.11, "g_K": 1.0, "g_Cl": 1.0, "Na_o": 0.94, "K_o": 0.06, "Cl_o": 1.0,
         "T": 25.8 * constants.F / constants.R},
        12.788 * 25.8 * 0.11, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED_RANGES)
def test_the_pump_range_is_the_one_in_print(name):
    cell, upper, least = PRINTED_RANGES[name]
    found = analytic.pump_range(**cell)
    assert found.lower == 0.0
    assert_allclose(found.upper, upper, rtol=6e-5)
    if least is not None:
        assert_allclose(found.least_volume, least, rtol=5e-5)


def test_volume_is_least_where_the_range_says():
    cells = random_cells(5)
    least = np.asarray(analytic.pump_range(**cells).least_volume)
    rows = np.isfinite(least)
    assert rows.sum() > ROWS / 2

    def volume(share):
        return np.asarray(analytic.pump_leak(share * least, **cells, X=1e4, z_X=-0.7).volume)[rows]

    assert (volume(1.0) < volume(0.98)).all() and (volume(1.0) < volume(1.02)).all()


def test_impermeants_outside_hold_a_passive_cell():
    cells = random_cells(6)
    rest = analytic.pump_leak(0.0, **cells, X=1e4, z_X=-1.0)
    total = 2 * (cells["Na_o"] + cells["K_o"])
    ions, X_o = cells["Na_o"] + cells["K_o"] + cells["Cl_o"], cells["X_o"]
    # 4AB = (Pi - X_o)^2 - z_o^2 X_o^2 with the z_o that makes the bath neutral, here -1.
    assert_allclose(rest.eps, 1 - (ions**2 - X_o**2) / total**2, rtol=1e-11)
    assert rest.exists.all()


def test_without_impermeants_outside_volume_grows_without_limit_as_the_pump_stops():
    cell = {"g_Na": 0.2, "g_K": 0.7, "g_Cl": 0.2, "Na_o": 145.0, "K_o": 3.5, "Cl_o": 148.5}
    cell["T"] = T_NEURON
    rest = analytic.pump_leak(1e-5, **cell, **INSIDE)
    S = (3 * 145.0 / 0.2 - 2 * 3.5 / 0.7) / 148.5 / V_NEURON
    assert_allclose(rest.eps, S * 1e-5, rtol=1e-3)
    assert_allclose(rest.volume, 2 * INSIDE["X"] / (297.0 * S * 1e-5), rtol=1e-3)
    assert not analytic.pump_leak(0.0, **cell, **INSIDE).exists


def test_where_no_pump_current_will_do_the_range_says_so():
    """With 3 Na_o / g_Na < 2 K_o / g_K, no cotransport and nothing impermeant outside."""
    cells = random_cells(10, X_o=False) | {"g_KCC2": 0.0, "g_NKCC1": 0.0}
    excess = np.random.default_rng(11).uniform(1.01, 5.0, ROWS)
    cells["g_Na"] = excess * 1.5 * cells["Na_o"] / cells["K_o"] * cells["g_K"]
    for current in (1e-3, 0.1, 10.0):
        assert not analytic.pump_leak(current, **cells, **INSIDE).exists.any()
    assert np.isnan(analytic.pump_range(**cells)).all()
    held = analytic.pump_range(**cells | {"X_o": 5.0, "Cl_o": cells["Cl_o"] - 5.0})
    assert (held.upper > 0).all() and np.isnan(held.least_volume).all()


@given(st.integers(0, ROWS - 1), st.floats(0.01, 3.0), st.floats(1e-3, 0.3))
def test_the_margin_of_existence_is_convex_in_the_pump_current(row, share, step):
    cell = {name: x[row] for name, x in random_cells(7).items()}
    names = ("g_Na", "g_K", "g_Cl", "g_KCC2", "g_NKCC1")
    per_volt = [float(d) for d in analytic.driving_forces(1.0, *(cell[g] for g in names))]
    v = float(analytic.thermal_voltage(cell["T"]))

    def margin(current):
        """ln(4AB/Pi^2), from its definition."""
        d = [current * x / v for x in per_volt]
        A = cell["Na_o"] * math.exp(d[0]) + cell["K_o"] * math.exp(d[1])
        total = cell["Na_o"] + cell["K_o"] + cell["Cl_o"] + cell["X_o"]
        return math.log(4 * A * cell["Cl_o"] * math.exp(-d[2]) / total**2)

    middle = share * v
    ends = margin(middle * (1 - step)) + margin(middle * (1 + step))
    assert ends >= 2 * margin(middle) - 1e-9 * (1 + abs(ends))
    rest = PUMP_LEAK(middle, **cell, X=1.0, z_X=0.0)
    assert_allclose(rest.eps, 1 - math.exp(margin(middle)), rtol=1e-9, atol=1e-12)


def test_one_rest_for_each_strength_of_the_cubic_pump():
    cells = random_cells(8)
    shares = np.linspace(1e-3, 0.999, 60)
    most = usual(cells, 1.0)
    rest = jax.vmap(lambda s: analytic.pump_leak(s * most, **cells, X=1e4, z_X=-0.9))(shares)
    strength = np.log(shares[:, None] * most * (cells["Na_o"] / rest.Na) ** 3)
    assert (np.diff(strength, axis=0) > 0).all()


def test_calibration_is_the_inverse_of_the_rest():
    cells = random_cells(9) | {"g_NKCC1": 0.0}
    current = usual(cells, 0.6)
    rest = analytic.pump_leak(current, **cells, X=1e4, z_X=-0.9)
    known = {name: cells[name] for name in ("g_Na", "g_K", "Na_o", "K_o", "Cl_o", "X_o", "T")}
    found = analytic.calibrate(V=rest.V, Na=rest.Na, K=rest.K, Cl=rest.Cl, **known)
    assert_allclose(found.pump_current, current, rtol=1e-9)
    assert_allclose(found.g_KCC2, cells["g_KCC2"], rtol=1e-6)
    assert_allclose(found.g_Cl, cells["g_Cl"], rtol=1e-6)
    assert_allclose(found.z_X, -0.9, rtol=1e-9)
    j = current / constants.F * (cells["Na_o"] / rest.Na) ** 3
    assert_allclose(found.j, j, rtol=1e-9)


def test_calibration_to_passive_chloride_leaves_its_conductance_open():
    """The squid axon's ratio of conductances, and the textbook neuron's pump of 15.42 A/m^2."""
    g_Na = -1.5 * 0.7 * (-70.0 - analytic.nernst(1, 4.0, 140.0, 310.0))
    g_Na = g_Na / (-70.0 - analytic.nernst(1, 145.0, 12.0, 310.0))
    assert_allclose(g_Na, 0.192035, rtol=2e-6)
    chloride = 131.0 * math.exp(-70.0 / float(analytic.thermal_voltage(310.0)))
    found = analytic.calibrate(
        V=-70.0, Na=12.0, K=140.0, Cl=chloride, g_Na=g_Na, g_K=0.7,
        Na_o=145.0, K_o=4.0, Cl_o=131.0, X_o=18.0, T=310.0,
    )  # fmt: skip
    assert_allclose(found.g_KCC2, 0.0, atol=1e-12)
    assert_allclose(found.z_X, -1.043967, rtol=2e-6)
    assert_allclose(1e-3 * found.j * constants.F, 15.4228, rtol=5e-6)


def test_every_argument_may_be_an_array():
    many = {name: np.full((3, 2), value) for name, value in (NEURON | INSIDE).items()}
    rest = analytic.pump_leak(np.full((3, 2), CURRENT), **many)
    assert all(field.shape == (3, 2) for field in rest)
    alone = analytic.pump_leak(CURRENT, **NEURON, **INSIDE)
    assert_allclose(np.asarray(rest, float)[:, 2, 1], np.asarray(alone, float), rtol=1e-13)
