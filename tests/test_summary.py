"""Summaries of courses against numpy on the same courses, saved at eleven thousand times."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

PUMP = jm.na_k_atpase().regulated(jm.ouabain("alpha2", kinetics=True))
CELL = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), PUMP])
NOMINAL = CELL.nominal()
DOSE = np.array([1e-2, 1e-3, 1e-4, 0.0])
# The last lane loses its pump at once: its turnover is zero from the beginning.
LEFT = NOMINAL["nka.j_max"] * np.array([1.0, 1.0, 1.0, 0.0])
END = 4000.0
# Close together where the membrane answers a jump.
AFTER = np.geomspace(1e-5, 0.4, 300)
TIMES = np.unique(np.r_[np.linspace(0.0, END, 10_398), 777.0, AFTER, 2000.0, 2000.0 + AFTER])
# Ouabain at once, a bath of more potassium from 500 to 900 s, washed out at 2000 s.
PROTOCOL = jm.Protocol(
    [
        jm.Step(0.0, {"nka.ouabain": DOSE, "nka.j_max": LEFT}),
        jm.Step(500.0, {"bath.K": 12.0}, over=400.0),
        jm.Step(2000.0, {"bath.K": jm.protocol.Initial()}),
    ]
)
WINDOW, LATE = {"since": 10.0, "until": 1700.0}, {"since": 2000.0}
SUMMARIES = {
    "V_777": jm.At("V", 777.0),
    "c_end": jm.At("c", END),
    "highest": jm.Maximum("V"),
    "highest_between": jm.Maximum("V", **WINDOW),
    "lowest": jm.Minimum("V"),
    "lowest_late": jm.Minimum("V", **LATE),
    "most": jm.Maximum("c"),
    "least": jm.Minimum("c", **WINDOW),
    "loaded": jm.Area("c"),
    "pumped": jm.Area("flux", **WINDOW),
    "to_30": jm.TimeTo("c", 30.0),
    "up": jm.TimeTo("V", -60.0),
    "again": jm.TimeTo("V", -58.0, **LATE),
    "down": jm.TimeTo("V", -63.0, **LATE),
    "never": jm.TimeTo("V", 100.0),
    "flowing": jm.TimeTo("flux", 0.0),
    "tau": jm.TimeConstant("gate"),
    "tau_between": jm.TimeConstant("gate", **WINDOW),
    "late_V": jm.Maximum("V", **LATE),
    "late_area": jm.Area("V", **LATE),
}
NAMES = ("V", "c", "flux", "gate")


def run(**options):
    return jm.simulate(
        CELL, None, PROTOCOL, TIMES, outputs=NAMES, summaries=SUMMARIES, rtol=1e-8, **options
    )


@cache
def dense():
    found = run()
    assert_array_equal(found.status, 0)
    return found


def saved(name, since=0.0, until=np.inf):
    """Times and values, with their own dims last, of a window."""
    found = dense().values[name]
    values = np.asarray(getattr(found, "values", found))
    inside = (TIMES >= since) & (TIMES <= until)
    return TIMES[inside], values[:, inside]


def value(name):
    found = dense().values[name]
    return np.asarray(getattr(found, "values", found))


def test_a_value_at_a_time_is_the_saved_one():
    times, V = saved("V")
    assert_array_equal(value("V_777"), V[:, times == 777.0][:, 0])
    assert_array_equal(dense().c_end["Na"], dense().c["Na"][:, -1])


@pytest.mark.parametrize(
    ("name", "of", "window"),
    [("highest", "V", {}), ("highest_between", "V", WINDOW), ("most", "c", {}),
     ("lowest", "V", {}), ("lowest_late", "V", LATE), ("least", "c", WINDOW)],
)  # fmt: skip
def test_extremes(name, of, window):
    """The dense course misses a peak between two of its points by its curvature there, the
    summary by a little more where steps are long; neither beyond 1e-5 of the range."""
    _, y = saved(of, **window)
    found = value(name)
    assert found.shape == (len(DOSE), *y.shape[2:])
    sign = 1.0 if name in ("highest", "highest_between", "most") else -1.0
    expected = sign * (sign * y).max(axis=1)
    spread = y.max(axis=1) - y.min(axis=1)
    assert (sign * (found - expected) > -1e-5 * spread - 1e-9).all()
    assert (sign * (found - expected) < 1e-4 * spread + 1e-9).all()


def test_one_of_the_lowest_potentials_is_a_dip_inside_a_step():
    """So that the tests of extremes have one that is not at an end."""
    times, V = saved("V", **LATE)
    assert 2300.0 < times[V[2].argmin()] < 2500.0


@pytest.mark.parametrize(
    ("name", "of", "window"), [("loaded", "c", {}), ("pumped", "flux", WINDOW)]
)
def test_areas(name, of, window):
    times, y = saved(of, **window)
    if window:
        # Beside a jump of a parameter the saved flux is that after it: none lies in this window.
        assert times[0] >= window["since"]
    middle = np.diff(times)[:, None] * 0.5 * (y[:, 1:] + y[:, :-1])
    expected = middle.sum(axis=1)
    if window:
        # What the window has beyond the outermost saved points.
        expected += (times[0] - window["since"]) * y[:, 0] + (window["until"] - times[-1]) * y[
            :, -1
        ]
    assert_allclose(value(name), expected, rtol=2e-5, atol=1e-9)


def crossing(times, y, threshold):
    """First time at which a piecewise linear curve meets a threshold; NaN where it never does."""
    over = y - threshold
    met = np.flatnonzero(over[:-1] * over[1:] <= 0)
    if not met.size:
        return np.nan
    i = met[0]
    if over[i] == 0:
        return times[i]
    return times[i] + (times[i + 1] - times[i]) * over[i] / (over[i] - over[i + 1])


@pytest.mark.parametrize(
    ("name", "threshold", "since"), [("up", -60.0, 0.0), ("again", -58.0, 2000.0),
                                     ("down", -63.0, 2000.0), ("never", 100.0, 0.0)],
)  # fmt: skip
def test_times_to_a_potential(name, threshold, since):
    times, V = saved("V", since)
    expected = [crossing(times, y, threshold) for y in V]
    # Within a point's distance where it jumps.
    assert_allclose(value(name), expected, rtol=1e-5, atol=2e-3)
    if name == "never":
        assert np.isnan(value(name)).all()


def test_some_times_are_met_from_either_side_and_some_never():
    """So that the test above is one of all three."""
    up, down = value("up"), value("down")
    assert np.isfinite(up).all() and (np.asarray(dense().V)[:, 0] < -60.0).all()
    assert np.isfinite(down).any() and np.isnan(down).any()


def test_times_to_a_concentration_have_its_dims():
    times, c = saved("c")
    expected = [[crossing(times, y, 30.0) for y in lane.T] for lane in c]
    assert_allclose(value("to_30"), expected, rtol=1e-5)
    assert_array_equal(dense().to_30["Na"], value("to_30")[:, 0])
    assert np.isfinite(expected).any() and np.isnan(expected).any()


def test_a_threshold_that_is_met_at_the_beginning_is_met_then():
    assert_array_equal(dense().flux["nka"][3], 0.0)
    assert dense().flowing["nka"][3] == 0.0


def test_the_time_constant_of_an_exponential_is_its_own():
    """Ouabain binds as 1 - exp(-(k_on dose + k_off) t)."""
    times, gate = saved("gate")
    on, off = NOMINAL["nka.k_on"], NOMINAL["nka.k_off"]
    tau = 1.0 / (on * DOSE[:3] + off)
    bound = on * DOSE[:3] * tau
    assert_allclose(
        gate[:3, :, 0].T, bound * (1.0 - np.exp(-times[:, None] / tau)), rtol=0, atol=1e-7
    )
    for name, lasting in (("tau", END), ("tau_between", 1690.0)):
        # Cut off before it is at rest.
        late = np.exp(-lasting / tau)
        expected = tau - lasting * late / (1.0 - late)
        assert_allclose(value(name)[:3, 0], expected, rtol=1e-5)
    assert np.isnan(value("tau")[3]).all()


# ---------------------------------------------------------------- courses that end early


@cache
def short():
    found = run(max_steps=40)
    assert_array_equal(found.status, 3)
    assert (np.asarray(found.stopped) < 2000.0).all()
    return found


@pytest.mark.parametrize("name", ["late_V", "late_area"])
def test_a_window_that_a_course_never_reaches_has_no_summary(name):
    assert np.isnan(np.asarray(short().values[name])).all()


def test_what_a_short_course_saw_it_tells():
    """Values are kept up to the event, and so are summaries that were complete by then."""
    reached = np.asarray(short().stopped)
    up, whole = np.asarray(short().up), value("up")
    assert_array_equal(up[reached > whole], whole[reached > whole])
    assert np.isnan(np.asarray(short().c_end["Na"])).all()
    lowest = np.asarray(short().lowest)
    V = np.asarray(short().V)
    assert (lowest <= np.nanmin(V, axis=1) + 1e-9).all() and np.isfinite(lowest).all()


def test_a_course_that_swells_beyond_its_bound_is_summed_up_to_there():
    """What was saved up to the crossing was seen by the summaries as well."""
    found = run(growth=0.2)
    burst = np.asarray(found.status) == 6
    assert burst.any() and not burst.all()
    c, V = np.asarray(found.c.values)[burst], np.asarray(found.V)[burst]
    spread = np.nanmax(c, axis=1) - np.nanmin(c, axis=1)
    assert (found.most.values[burst] >= np.nanmax(c, axis=1) - 1e-5 * spread).all()
    assert (np.asarray(found.highest)[burst] >= np.nanmax(V, axis=1) - 1e-4).all()


# ---------------------------------------------------------------- what is refused

TINY = jm.Cell([jm.leak(jm.K), jm.leak(jm.Na), jm.leak(jm.Cl), jm.na_k_atpase(law="linear")])


def test_summaries_that_cannot_be_are_refused_when_they_are_written():
    for wrong in (
        lambda: jm.Maximum("U"),
        lambda: jm.Maximum("V", since=-1.0),
        lambda: jm.Maximum("V", since=2.0, until=1.0),
        lambda: jm.Maximum("V", since=True),
        lambda: jm.Minimum("V", until=np.nan),
        lambda: jm.TimeTo("V", np.nan),
        lambda: jm.TimeTo("V", "high"),
        lambda: jm.At("V", -1.0),
        lambda: jm.At("V", np.inf),
        lambda: jm.At("volum", 1.0),
    ):
        with pytest.raises((ValueError, KeyError)) as caught:
            wrong()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("summaries", "error", "said"),
    [
        ({"V": jm.Maximum("V")}, ValueError, "has the name of an output"),
        ({"stopped": jm.Maximum("V")}, ValueError, "has the name of an output"),
        ({"time": jm.Maximum("V")}, ValueError, "name"),
        ({"ok": jm.Maximum("V")}, ValueError, "name"),
        ({"values": jm.Maximum("V")}, ValueError, "name"),
        ({"cell": jm.Maximum("V")}, ValueError, "name"),
        ({"a b": jm.Maximum("V")}, ValueError, "letters"),
        ({1: jm.Maximum("V")}, ValueError, "letters"),
        ({"peak": "V"}, TypeError, "must be as jm.Maximum"),
        ({"peak": jm.Maximum}, TypeError, "must be as jm.Maximum"),
        ({"g": jm.Maximum("gate")}, ValueError, "needs a transporter with gates"),
        ({"late": jm.At("V", 10.1)}, ValueError, "ends at 10 s"),
        ({"late": jm.Maximum("V", since=10.0)}, ValueError, "ends at 10 s"),
    ],
)
def test_summaries_that_no_course_can_have_are_refused(summaries, error, said):
    with pytest.raises(error, match=said):
        jm.simulate(TINY, times=[0.0, 10.0], summaries=summaries)


@pytest.mark.parametrize("wrong", [[jm.Maximum("V")], jm.Maximum("V"), "V"])
def test_summaries_must_have_names(wrong):
    with pytest.raises(TypeError, match="summaries must"):
        jm.simulate(TINY, times=[0.0, 10.0], summaries=wrong)
