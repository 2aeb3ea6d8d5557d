"""Current-voltage curves: zeros, slopes, and what a clamp measures where composition moves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane.clamp import iv_curve
from jaxmembrane.library.gating import ExpLinearRate, ExponentialRate, gate
from jaxmembrane.library.recording import electrode

# Ions, a cotransporter, a reversible pump, a pore of two ions, a voltage gate and an electrode.
GATE = gate("n", ExpLinearRate(80.0, -35.0, 5.0), ExponentialRate(250.0, -50.0, -40.0), 2)
PARTS = [
    *(jm.leak(s, law="ohmic", g=g) for s, g in ((jm.Na, 0.2), (jm.K, 0.7), (jm.Cl, 0.2))),
    jm.na_k_atpase(j_max=0.3),
    jm.kcc2(law="log", g=0.2),
    jm.cation_channel(P=1e-4),
    jm.leak(jm.K, name="k_v", P=0.01).regulated(GATE),
    electrode(),
]
CELL = jm.Cell(PARTS, dict(jm.zoo.neuron().overrides), area="cylinder")
# As many lanes as potentials in every test, so that all share a compilation; one is no cell.
BATH_K = np.array([3.5, 8.0, -1.0, 2.0, 20.0, 3.5])
REVERSING = ("leak_Na", "leak_K", "leak_Cl", "nka", "cation", "k_v")
STEP = 1e-3


@pytest.fixture(scope="module")
def rest():
    outputs = ["V", "current", "reversal", "slope_conductance", "gate", "c"]
    return jm.steady_state(CELL, {"bath.K": BATH_K}, outputs=outputs)


def test_at_rest_no_current_is_left_and_its_slope_is_the_slope_conductance(rest):
    at = np.repeat(np.asarray(rest.V)[[0, 4]], 3) + STEP * np.tile([-1.0, 0.0, 1.0], 2)
    curve = iv_curve(CELL, at, {"bath.K": BATH_K}, gates="held")
    total = np.asarray(curve.total)[[0, 4]].reshape(2, 2, 3)[[0, 1], [0, 1]]
    assert_allclose(total[:, 1], 0.0, atol=1e-10)
    slope = (total[:, 2] - total[:, 0]) / (2.0 * STEP)
    assert_allclose(slope, rest.slope_conductance[np.array([0, 4])], rtol=1e-7)
    for lane, column in ((0, 1), (4, 4)):
        found = curve.current.values[lane, column]
        assert_allclose(found, rest.current.values[lane], atol=1e-10)
    assert_allclose(curve.total, curve.current.values.sum(-1), atol=1e-9)


def test_a_lane_without_a_cell_has_no_curve(rest):
    curve = iv_curve(CELL, np.linspace(-90.0, 30.0, 6), {"bath.K": BATH_K})
    np.testing.assert_array_equal(curve.status, rest.status)
    assert int(curve.status[2]) == 5 and np.isnan(curve.total[2]).all()
    assert np.isfinite(curve.total[np.array([0, 1, 3, 4, 5])]).all()


@pytest.mark.parametrize("gates", ["resting", "held"])
@pytest.mark.parametrize("lane", [0, 1, 4])
def test_each_transporter_crosses_zero_at_its_reversal_potential(rest, lane, gates):
    crossing = np.array([rest.reversal[name][lane] for name in REVERSING])
    curve = iv_curve(CELL, crossing, {"bath.K": BATH_K}, gates=gates)
    for k, name in enumerate(REVERSING):
        passed = curve.current[name][lane]
        assert abs(passed[k]) < 1e-8 * max(1.0, np.abs(passed).max())
        # Outward above it, inward below.
        others = crossing != crossing[k]
        assert np.all((passed * (crossing - crossing[k]))[others] >= 0.0)
    assert_allclose(curve.current["kcc2"][lane], 0.0)


def test_gates_follow_the_potential_or_stay(rest):
    V = np.linspace(-90.0, 31.0, 6)
    found = {
        gates: iv_curve(CELL, V, {"bath.K": BATH_K}, gates=gates).current["k_v"][0]
        for gates in ("resting", "held")
    }
    channel = next(t for t in CELL.transporters if t.name == "k_v")
    at = {"V": V, "T": CELL.nominal()["T"], "K_i": rest.c["K"][0], "K_o": 3.5}
    n = rest.gate["k_v.n"][0]
    assert_allclose(found["resting"], channel.at(**at).current, rtol=1e-9)
    assert_allclose(found["held"], channel.at(**at, n=n).current, rtol=1e-9)
    assert found["resting"][-1] > 100.0 * found["held"][-1] > 0.0


@pytest.mark.slow
def test_a_clamp_measures_the_curve_until_composition_has_moved():
    """Short steps give that of the rest; long ones that of where the cell has gone."""
    V = np.array([-110.0, -90.0, -60.0, -40.0, -20.0, 10.0])
    given = {"bath.K": np.full(6, 3.5)}
    step = jm.Protocol([jm.Step(0.0, {"electrode.g": 1e5, "electrode.V": V})])
    outputs = ["V", "c", "volume", "current"]
    course = jm.simulate(CELL, given, step, [0.03, 300.0], outputs=outputs)
    assert course.ok.all()
    assert_allclose(course.V[:, 0], V, atol=1e-2)
    measured = -np.asarray(course.current["electrode"])
    fixed = iv_curve(CELL, V, given).total[0]
    assert_allclose(measured[:, 0], fixed, rtol=4e-3)
    assert np.abs(measured[:, 1] / fixed - 1.0).max() > 0.1
    moved = {s: np.asarray(course.c[s])[:, 1] for s in ("Na", "Cl")}
    moved |= {"V": np.asarray(course.V)[:, 1], "volume": np.asarray(course.volume)[:, 1]}
    there = iv_curve(CELL, moved["V"], given, start=moved)
    assert_allclose(measured[:, 1], np.diagonal(there.total), rtol=1e-5)


@pytest.mark.slow
def test_each_membrane_of_an_epithelial_cell_has_its_total():
    cytosol, lumen, blood = jm.Compartment("cytosol"), jm.Bath("lumen"), jm.Bath("blood")
    leaks = [jm.leak(s, name=f"apical_{s.name}", P=P) for s, P in ((jm.Na, 1e-3), (jm.Cl, 1e-3))]
    apical = jm.Membrane("apical", leaks, inside=cytosol, outside=lumen)
    basal = [jm.leak(jm.K, law="ohmic", g=1.0), jm.leak(jm.Cl), jm.na_k_atpase()]
    cell = jm.Cell([apical, jm.Membrane("basolateral", basal, inside=cytosol, outside=blood)])
    curve = iv_curve(cell, [-60.0, 0.0])
    assert int(curve.status) == 0
    sums = {m.name: sum(curve.current[t.name] for t in m.transporters) for m in cell.membranes}
    for name, total in sums.items():
        assert_allclose(curve.total[name], total, rtol=1e-12)
    assert curve.total.dims == (("membrane", ("apical", "basolateral")),)


MISTAKES = [
    (lambda: iv_curve(None, [0.0]), TypeError, "iv_curve needs a jm.Cell, not NoneType"),
    (lambda: iv_curve(CELL, 0.0), ValueError, "V must be a row of potentials in mV"),
    (lambda: iv_curve(CELL, [0.0, np.nan]), ValueError, "V must be a row of potentials in mV"),
    (lambda: iv_curve(CELL, [0.0], gates="rest"), ValueError, "did you mean resting"),
    (lambda: iv_curve(CELL, [0.0], {"bath.Q": 1.0}), KeyError, "unknown parameter 'bath.Q'"),
    (lambda: iv_curve(CELL, [0.0], start={"Q": 1.0}), KeyError, "unknown name in a start: 'Q'"),
]


@pytest.mark.parametrize(("make", "kind", "sentence"), MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()
