"""What no course may break: matter, free energy, continuity; and protocols of every shape."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from test_course_accuracy import CELL, LEAKS, F, R, integrated, unknowns
from test_shared_outside import PARAMS as POOLED
from test_shared_outside import SHARED, VOLUME

import jaxmembrane as jm

NOMINAL = CELL.nominal()
SPECIES = ("Na", "K", "Cl")
# Turnovers of CELL: what each brings into the cell of Na, K, Cl.
INWARD = {"leak_Na": (-1, 0, 0), "leak_K": (0, -1, 0), "leak_Cl": (0, 0, -1), "nka": (-3, 2, 0)}
INWARD |= {"kcc2": (0, -1, -1), "nkcc1": (1, 1, 2)}

# ---------------------------------------------------------------- matter and free energy

PANELS, NODES = np.r_[0.0, np.geomspace(1e-6, 1e6, 73)], 8
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(NODES)
HALF = 0.5 * np.diff(PANELS)
TIMES = (PANELS[:-1, None] + HALF[:, None] * (1.0 + POINTS)).ravel()
BLOCK = jm.Protocol([jm.Step(0.0, {"nka.j_max": NOMINAL["nka.j_max"] * np.array([0.0, 0.2])})])


@cache
def blocked(rtol):
    """The pump stopped and slowed, for 1e6 s, seen at Gauss-Legendre nodes and at both ends."""
    names = ("V", "volume", "c", "flux", "area", "heat", "atp_rate")
    moments = np.r_[0.0, TIMES, 1e6]
    options = {"outputs": names, "rtol": rtol, "max_steps": 1_000_000}
    found = jm.simulate(CELL, None, BLOCK, moments, **options)
    assert_array_equal(found.status, 0)
    return found


def integral(values):
    """Of values by (lane, time), from the beginning to each end of a panel."""
    panels = np.asarray(values)[:, 1:-1].reshape(len(values), -1, NODES) @ WEIGHTS * HALF
    return np.cumsum(panels, axis=1)


@pytest.mark.slow
def test_matter_is_conserved_for_a_million_seconds():
    """What left the cell is what its transporters carried into the bath."""
    found = blocked(1e-11)
    amounts = np.stack([found.c[s] * found.volume for s in SPECIES])
    largest = amounts.max()
    for i, s in enumerate(SPECIES):
        carried = sum(n[i] * np.asarray(found.flux[t]) for t, n in INWARD.items())
        brought = integral(carried * found.area)[:, -1]
        change = amounts[i, :, -1] - amounts[i, :, 0]
        assert np.abs(brought - change).max() < 1e-9 * largest, s


def free_energy(found):
    """Of the cell in its bath, fC mV: what it could still do.

    ``sum n_s (RT ln(c_s/c_bath) - RT) + X (RT ln c_X - RT) + RT w osm_bath + C A V^2 / 2``: its
    derivatives are the electrochemical potentials of ions and water against the bath.
    """
    RT, w = R * NOMINAL["T"], np.asarray(found.volume)
    total = 0.5 * NOMINAL["membrane.C_m"] * np.asarray(found.area) * np.asarray(found.V) ** 2
    for s in SPECIES:
        total = total + RT * found.c[s] * w * (np.log(found.c[s] / NOMINAL[f"bath.{s}"]) - 1.0)
    X = NOMINAL["cytosol.X"]
    outside = sum(NOMINAL[f"bath.{s}"] for s in (*SPECIES, "X"))
    return np.asarray(total + RT * X * (np.log(X / w) - 1.0) + RT * outside * w)


@pytest.mark.slow
def test_free_energy_never_rises_without_a_pump():
    found = blocked(1e-8)
    G = free_energy(found)[0]
    assert G[0] - G[-1] > 0.05 * abs(G[0])
    assert (np.diff(G) < 1e-11 * np.abs(G).max()).all()
    assert (np.asarray(found.heat) >= 0.0).all()


def test_free_energy_becomes_heat():
    """With a slowed pump as well: what ATP gives and the cell loses is what is dissipated."""
    found = blocked(1e-8)
    G = free_energy(found)
    ratio = NOMINAL["ADP"] * NOMINAL["Pi"] / (NOMINAL["ATP"] * NOMINAL["K_ATP"])
    given = -R * NOMINAL["T"] * np.log(ratio) * np.asarray(found.atp_rate)
    lost = integral(found.heat) - integral(given)
    assert lost[0, -1] > 0.05 * abs(G[0, 0])
    assert_array_equal(found.atp_rate[0], 0.0)
    change = G[:, :1] - G[:, -1:]
    # In 1e6 s a slowed pump turns over a hundred times what the cell holds.
    scale = np.abs(G).max() + integral(given)[:, -1:]
    assert np.abs((lost[:, -1:] - change) / scale).max() < 1e-7


# ---------------------------------------------------------------- a closed system

# Moments inside steps as well as at the times of the protocol.
CLOSED = np.r_[0.0, np.geomspace(1e-3, 1e5, 39), 2e5]


# Off the rest, as shares of it: volume, sodium, chloride.
OFF = {"outside": (0.9, 0.98, 1.02), "neuron": (1.2, 1.3, 0.8), "glia": (1.1, 1.3, 0.8)}


@cache
def closed():
    """Two cells and what is between them: from rest, and from off it; then a pump stops."""
    rest = jm.steady_state(SHARED, POOLED)
    c, V = rest.c, rest.V
    start = {}
    for a, (swollen, sodium, chloride) in OFF.items():
        start[f"{a}.volume"] = rest.volume[a] * np.array([1.0, swollen])
        start[f"{a}.Na"] = c[a, "Na"] * np.array([1.0, sodium])
        start[f"{a}.Cl"] = c[a, "Cl"] * np.array([1.0, chloride])
    start |= {f"{m}.V": V[m] + np.array([0.0, 5.0]) for m in ("neuron_face", "glia_face")}
    left = jm.Protocol([jm.Step(50.0, {"neuron_pump.j_max": 0.0})])
    found = jm.simulate(SHARED, POOLED, left, CLOSED, start=start, outputs=("V", "volume", "c"))
    assert_array_equal(found.status, 0)
    return found


@pytest.mark.slow  # two cells at once take a minute to compile
@pytest.mark.parametrize("what", ["Na", "K", "Cl", "volume"])
def test_two_cells_in_a_finite_outside_lose_nothing(what):
    found = closed()
    parts = ("outside", "neuron", "glia")
    if what == "volume":
        total = sum(np.asarray(found.volume[a]) for a in parts)
        assert_allclose(total[0], VOLUME, rtol=1e-12)
    else:
        total = sum(np.asarray(found.c[a, what] * found.volume[a]) for a in parts)
    change = np.abs(total / total[:, :1] - 1.0).max(axis=1)
    assert (change < 1e-12).all(), f"{what} changes by {change} from rest and from off it"
    moved = np.asarray(found.c["neuron", "Na"])
    assert (np.abs(moved[:, -1] / moved[:, 0] - 1.0) > 0.5).all()


# ---------------------------------------------------------------- protocols

TINY = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), jm.na_k_atpase()])
PUMP = TINY.nominal()["nka.j_max"]
KNOTS = {  # what changes, by time: (time, value), linear in between
    "bath.X": [(0.0, 40.0)],
    "nka.j_max": [
        (0.0, PUMP),
        (20.0, PUMP),
        (80.0, 0.2 * PUMP),
        (120.0, 0.2 * PUMP),
        (180.0, PUMP),
    ],
    "leak_K.P": [(0.0, 0.012), (300.0, 0.012), (300.0, 0.006)],
    "bath.K": [(0.0, 3.5), (500.0, 3.5), (900.0, 9.5)],
}
STEPS = jm.Protocol(
    [
        jm.Step(0.0, {"bath.X": 40.0}),
        jm.Step(20.0, {"nka.j_max": 0.2 * PUMP}, over=60.0),
        jm.Step(120.0, {"nka.j_max": jm.protocol.Initial()}, over=60.0),
        jm.Step(300.0, {"leak_K.P": 0.006}),
        jm.Step(500.0, {"bath.K": 9.5}, over=400.0),
    ]
)
ENDS = (20.0, 80.0, 120.0, 180.0, 300.0, 500.0, 900.0)
ABSENT = {"kcc2.j_max": 0.0, "nkcc1.j_max": 0.0}


def value(name, t, after):
    """A parameter at a time, after or before what happens there."""
    knots = KNOTS[name]
    past = [k for k in knots if k[0] < t or (k[0] == t and after)] or knots[:1]
    later = [k for k in knots if k not in past]
    (t0, x0), (t1, x1) = past[-1], later[0] if later else past[-1]
    return x0 if t1 == t0 else x0 + (t - t0) / (t1 - t0) * (x1 - x0)


def prescribed(t, begins, _):
    """Within the piece that begins there; Radau may ask a little beyond it."""
    return NOMINAL | ABSENT | {name: value(name, t, t <= begins) for name in KNOTS}


SEEN = {
    "every knot": (0.0, 1.0, *ENDS[:5], 400.0, *ENDS[5:], 901.0, 2000.0),
    "an end on a jump": (0.0, 1.0, 5.0, 10.0, *ENDS[:4], 200.0, 250.0, 299.0, 300.0),
    "an end inside a ramp": (0.0, 0.5, *ENDS[:4], 299.0, 300.0, 301.0, 400.0, 500.0, 700.0),
    "all beyond the end": (0.0, 1e-3, 1e-2, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 9.0, 10.0),
    "an end where a ramp begins": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 19.0, 20.0),
    "an end of a ramp": (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 20.0, 30.0, 70.0, 80.0),
}


def shaped(times):
    return jm.simulate(TINY, None, STEPS, times, outputs=("V", "volume", "c", "flux"), rtol=1e-10)


@pytest.mark.parametrize("which", SEEN)
def test_protocols_of_every_shape_run_as_scipy_says(which):
    times = SEEN[which]
    found = shaped(times)
    assert found.status == 0 and found.stopped == times[-1]
    begin = unknowns(shaped(SEEN["every knot"]))[0]
    ends = [t for t in ENDS if t < times[-1]]
    expected, _ = integrated(begin, prescribed, (*ends, times[-1]), times, rtol=1e-9)
    assert_allclose(unknowns(found), expected, rtol=0, atol=2e-7)


def test_outputs_are_those_of_the_parameters_after_what_happens_at_their_time():
    times = SEEN["every knot"]
    found = shaped(times)
    for i, t in enumerate(times):
        P, outside = value("leak_K.P", t, True), value("bath.K", t, True)
        phi = float(found.V[i]) * F / (R * NOMINAL["T"])
        leak = P * phi * (found.c["K"][i] - outside * np.exp(-phi)) / (1.0 - np.exp(-phi))
        assert found.flux["leak_K"][i] == pytest.approx(float(leak), rel=1e-9), t
        site = {f"{s}_i": found.c[s][i] for s in ("Na", "K")}
        site |= {"Na_o": NOMINAL["bath.Na"], "K_o": outside, "j_max": value("nka.j_max", t, True)}
        at = jm.na_k_atpase().at(V=found.V[i], T=NOMINAL["T"], **site)
        assert found.flux["nka"][i] == pytest.approx(float(at.flux), rel=1e-8), t


def test_a_course_without_length_is_its_beginning():
    found = jm.simulate(TINY, None, STEPS, [0.0], outputs=("V", "flux"))
    assert found.status == 0 and found.stopped == 0.0 and found.steps == 0
    assert found.V.shape == (1,)
    assert found.V[0] == pytest.approx(float(shaped(SEEN["every knot"]).V[0]), abs=1e-9)


@pytest.mark.slow
def test_a_start_without_room_for_the_ion_of_charge_is_not_followed():
    """500 mM of sodium leave -367 mM of potassium: no amount is negative."""
    begin = {"V": -60.0, "Na": np.array([500.0, 20.0]), "Cl": 5.0, "volume": 2000.0}
    cell, kept = jm.Cell([*LEAKS, jm.na_k_atpase("linear")]), ("c",)
    found = jm.simulate(cell, times=[0.0, 1e3], start=begin, outputs=kept, max_steps=2000)
    assert found.status[1] == 0
    assert found.status[0] == 5 and found.steps[0] == 0
    assert np.isnan(found.c.values[0]).all()


# ---------------------------------------------------------------- temperature and the membrane


WARM = jm.Protocol(
    [
        jm.Step(0.0, {"T": 305.0}),
        jm.Step(10.0, {"T": 310.0}),
        jm.Step(20.0, {"T": 295.0}, over=30.0),
        jm.Step(60.0, {"membrane.C_m": 0.02}),
        jm.Step(70.0, {"membrane.area": 900.0}),
        jm.Step(80.0, {"cytosol.X": 3.1e5}),
        jm.Step(90.0, {"cytosol.z_X": -0.86}),
    ]
)
KNOWN = (0.0, 10.0, 20.0, 35.0, 50.0, 60.0, 70.0, 80.0, 90.0)
WARM_TIMES = np.unique([t + d for t in KNOWN for d in (0.0, 1e-9, 1e-7)])


@cache
def warmed():
    found = jm.simulate(TINY, None, WARM, WARM_TIMES, outputs=("V", "volume", "c", "area"))
    assert found.status == 0
    return found


@pytest.mark.parametrize("t", KNOWN[1:])
def test_V_is_continuous_through_jumps_and_ramps_of_temperature_and_capacitance(t):
    found = warmed()
    at = list(WARM_TIMES).index(t)
    assert_allclose(found.V[at], found.V[at + 1], rtol=0, atol=1e-4)
    assert_allclose(found.volume[at], found.volume[at + 1], rtol=1e-9)
    assert np.isfinite(found.c.values).all() and np.isfinite(found.V).all()


def test_a_jump_of_temperature_at_the_beginning_leaves_V_where_it_is():
    rest = jm.steady_state(TINY)
    assert_allclose(warmed().V[:2], rest.V, rtol=0, atol=1e-4)
    assert_allclose(warmed().c["K"][:2], rest.c["K"], rtol=1e-8)


def test_charge_is_kept_through_a_ramp_of_temperature():
    """V is what the charge of the ions makes of it, at any temperature."""
    found, nominal = warmed(), TINY.nominal()
    for i, t in enumerate(WARM_TIMES):
        C_m = 0.02 if t >= 60.0 else nominal["membrane.C_m"]
        X = 3.1e5 if t >= 80.0 else nominal["cytosol.X"]
        z_X = -0.86 if t >= 90.0 else nominal["cytosol.z_X"]
        ions = found.c["Na"][i] + found.c["K"][i] - found.c["Cl"][i]
        charge = F * (ions * found.volume[i] + z_X * X)
        scale = F * float(found.volume[i]) * 150.0
        assert charge == pytest.approx(C_m * float(found.area[i] * found.V[i]), abs=1e-12 * scale)
