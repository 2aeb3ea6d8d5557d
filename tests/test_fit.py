"""Fits: closed forms, simulated recordings, both methods, shared parameters, courses, statuses."""

from itertools import pairwise

import numpy as np
import optax
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

NEURON = jm.zoo.neuron()
NOMINAL = NEURON.nominal()
RATES = ("leak_K.g", "leak_Cl.g", "kcc2.g", "nka.j")
BATHS = np.array([2.5, 5.0, 10.0])
CELLS = 40


def around(names, factor=5.0):
    return jm.Space({n: jm.LogUniform(NOMINAL[n] / factor, NOMINAL[n] * factor) for n in names})


def population(n, names=RATES, seed=0):
    """True parameters of cells, and their rests at three bath potassium levels."""
    rng = np.random.default_rng(seed)
    truth = {name: NOMINAL[name] * np.exp(rng.uniform(-1.0, 1.0, n)) for name in names}
    given = {name: x[:, None] for name, x in truth.items()} | {"bath.K": BATHS + np.zeros((n, 1))}
    return truth, jm.steady_state(NEURON, given, outputs=("V", "c", "volume"))


def seen(rest, noise=0, seed=1):
    """Targets of V, Na, Cl, and volume, with 0.5 mV and 2 % of noise or none."""
    rng, targets = np.random.default_rng(seed), []
    for name, y in (
        ("V", rest.V),
        ("c.Na", rest.c["Na"]),
        ("c.Cl", rest.c["Cl"]),
        ("volume", rest.volume),
    ):
        sd = 0.5 * np.ones(y.shape) if name == "V" else 0.02 * np.asarray(y)
        targets.append(jm.Target(name, y + noise * sd * rng.standard_normal(y.shape), sd))
    return targets


def known_conductance(truth, n):
    """The chloride leak as a condition, since rest fixes only ratios; what is left is fitted."""
    held = np.repeat(truth["leak_Cl.g"][:, None], len(BATHS), axis=1)
    return around([name for name in RATES if name != "leak_Cl.g"]), {
        "bath.K": BATHS,
        "leak_Cl.g": held,
    }


@pytest.fixture(scope="module")
def exact():
    """Noise-free recordings of cells of which one conductance is known."""
    truth, rest = population(CELLS)
    free, conditions = known_conductance(truth, CELLS)
    return truth, jm.fit(NEURON, seen(rest), free, conditions=conditions, starts=4).load()


def test_parameters_come_back_from_data_without_noise(exact):
    truth, found = exact
    assert_array_equal(found.status, 0)
    for name in found.parameter.values:
        assert_allclose(found.estimate.sel(parameter=name), truth[str(name)], rtol=1e-7)
    assert float(found.chi_square.max()) < 1e-12


def test_a_fit_repeats_what_steady_state_gives(exact):
    _, found = exact
    given = {
        str(n): found.estimate.sel(parameter=n).values[:, None] for n in found.parameter.values
    }
    given |= {"bath.K": found["bath.K"].values, "leak_Cl.g": found["leak_Cl.g"].values}
    rest = jm.steady_state(NEURON, given)
    assert_allclose(found.predicted.sel(target="V"), rest.V, rtol=1e-10)
    assert_allclose(found.predicted.sel(target="c.Cl"), rest.c["Cl"], rtol=1e-10)


def test_the_closed_form_of_calibration_is_the_fit():
    """Measured V, Na, K, Cl and two conductances give pump, KCC2, chloride leak, fixed charge."""
    V, Na = np.array([-72.0, -71.0, -70.0, -73.0]), np.array([15.0, 14.0, 16.0, 14.5])
    K, Cl = np.array([121.0, 118.0, 119.0, 124.0]), np.array([6.0, 6.5, 7.0, 5.5])
    outside = {f"{s}_o": NOMINAL[f"bath.{s}"] for s in ("Na", "K", "Cl", "X")}
    known = {"leak_Na.g": 0.2, "leak_K.g": 0.7}
    closed = jm.analytic.calibrate(
        V=V, Na=Na, K=K, Cl=Cl, g_Na=0.2, g_K=0.7, T=NOMINAL["T"], **outside
    )
    # What the closed form leaves to the impermeant is the charge on the membrane.
    volume = NOMINAL["cytosol.X"] / (sum(outside.values()) - Na - K - Cl)
    area = 2.0 * np.sqrt(np.pi * volume * NOMINAL["membrane.length"])
    charge = NOMINAL["membrane.C_m"] * area * V / (jm.constants.F * NOMINAL["cytosol.X"])
    expected = {"kcc2.g": closed.g_KCC2, "leak_Cl.g": closed.g_Cl, "nka.j": closed.j}
    space = jm.Space(
        {
            name: jm.LogUniform(float(x.min()) / 9.0, float(x.max()) * 7.0)
            for name, x in expected.items()
        }
        | {"cytosol.z_X": jm.Uniform(-1.5, -0.3)}
    )
    data = (("V", V, 0.5), ("c.Na", Na, 0.3), ("c.K", K, 2.0), ("c.Cl", Cl, 0.2))
    found = jm.fit(NEURON, [jm.Target(*t) for t in data], space, params=known, starts=4)
    assert_array_equal(found.status, 0)
    for name, x in (expected | {"cytosol.z_X": closed.z_X + charge}).items():
        assert_allclose(found.estimate.sel(parameter=name), x, rtol=1e-6)


@pytest.mark.slow
def test_rest_alone_does_not_fix_the_scale_of_all_rates():
    _, rest = population(6)
    free = around([*RATES, "leak_Na.g"])
    found = jm.fit(NEURON, seen(rest, noise=1), free, conditions={"bath.K": BATHS}, starts=2).load()
    assert_array_equal(found.determined, 0)
    # Of all rates times one factor the data know nothing.
    along = found.direction.sum("parameter") / np.sqrt(5.0)
    known = (found.information_eigenvalue * along**2).sum("rank")
    assert float((known / found.information_eigenvalue[:, 0]).max()) < 1e-9
    text = jm.explain(found, 0)
    assert "not determined by these data: leak_K.g, leak_Cl.g, kcc2.g, nka.j, leak_Na.g" in text


@pytest.mark.slow
def test_optax_and_levenberg_reach_one_optimum(exact):
    truth, rest = population(4)
    free, conditions = known_conductance(truth, 4)
    targets = seen(rest, noise=1)
    one = jm.fit(NEURON, targets, free, conditions=conditions, starts=2).load()
    schedule = optax.exponential_decay(0.1, 200, 0.5)
    other = jm.fit(
        NEURON,
        targets,
        free,
        conditions=conditions,
        starts=1,
        turns=2500,
        gradient=1e-4,
        method=optax.adam(schedule),
    ).load()
    assert_allclose(other.loss, one.loss, rtol=1e-6)
    assert_allclose(other.estimate, one.estimate, rtol=2e-3)
    assert "optax" in other.attrs["method"] and "Levenberg" in one.attrs["method"]


@pytest.mark.slow
def test_no_start_ends_above_where_it_began(exact):
    truth, rest = population(6, seed=3)
    free, conditions = known_conductance(truth, 6)
    targets = seen(rest, noise=1)
    begin = {
        "leak_K.g": np.full(6, NOMINAL["leak_K.g"] * 3),
        "kcc2.g": np.full(6, NOMINAL["kcc2.g"]),
    }
    begin["nka.j"] = np.full(6, NOMINAL["nka.j"])
    losses = [
        jm.fit(NEURON, targets, free, conditions=conditions, begin=begin, turns=turns).loss.values
        for turns in (1, 2, 4, 200)
    ]
    for before, after in pairwise(losses):
        assert (after <= before * (1 + 1e-12)).all()


def test_a_cell_that_cannot_be_met_says_so_and_keeps_its_best():
    truth, rest = population(2)
    free, conditions = known_conductance(truth, 2)
    targets = seen(rest)
    wrong = np.array(targets[0].values)
    wrong[1] = -200.0
    targets[0] = jm.Target("V", wrong, 0.5)
    found = jm.fit(NEURON, targets, free, conditions=conditions, starts=4)
    assert found.status.values.tolist() == [0, 7]
    assert np.isfinite(found.estimate.values[1]).all() and found.chi_square.values[1] > 1e3
    assert found.status.attrs["flag_meanings"].split()[8] == "not_improved"


def test_missing_values_are_left_out():
    truth, rest = population(3)
    free, conditions = known_conductance(truth, 3)
    targets = seen(rest)
    holes = [np.array(t.values) for t in targets]
    holes[0][0, 1] = np.nan
    holes[3][1] = np.nan
    for h in holes:
        h[2] = np.nan
    found = jm.fit(
        NEURON,
        [jm.Target(t.of, h, 0.1) for t, h in zip(targets, holes, strict=True)],
        free,
        conditions=conditions,
        starts=4,
    )
    assert found.status.values.tolist() == [0, 0, 5]
    assert found.degrees_of_freedom.values[:2].tolist() == [11 - 3, 9 - 3]
    for name in found.parameter.values:
        assert_allclose(found.estimate.sel(parameter=name)[:2], truth[str(name)][:2], rtol=1e-5)
    assert np.isnan(found.estimate.values[2]).all()


@pytest.mark.slow
def test_a_time_course_fixes_the_scale_that_rest_leaves_open():
    """Pump block from rest: ions run down at a pace that is the conductances' own."""
    n, times = 3, [0.0, 60.0, 300.0, 900.0]
    names = ("leak_K.g", "leak_Na.g", "nka.j")
    rng = np.random.default_rng(5)
    truth = {name: NOMINAL[name] * np.exp(rng.uniform(-0.5, 0.5, n)) for name in names}
    block = jm.Protocol([jm.Step(0.0, {"nka.j": 0.0})])
    course = jm.simulate(NEURON, truth, block, times, rtol=1e-8)
    targets = [jm.Target("V", course.V, 0.5), jm.Target("c.Na", course.c["Na"], 0.3)]
    found = jm.fit(
        NEURON, targets, around(names), protocol=block, times=times, starts=2, rtol=1e-8
    ).load()
    assert dict(found.predicted.sizes) == {"cell": n, "target": 2, "condition": 1, "time": 4}
    assert_array_equal(found.status, 0)
    assert_array_equal(found.determined, 1)
    for name in names:
        assert_allclose(found.estimate.sel(parameter=name), truth[name], rtol=1e-5)
    # The same values taken for rests of different cells know nothing of the scale.
    rest = jm.fit(
        NEURON,
        [jm.Target("V", course.V[:, 0], 0.5), jm.Target("c.Na", course.c["Na"][:, 0], 0.3)],
        around(names),
        starts=2,
    ).load()
    assert (rest.determined.values == 0).any(axis=1).all()
