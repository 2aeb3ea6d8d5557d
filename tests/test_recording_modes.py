"""Electrodes and pipettes: clamps, dialysis, and the E_GABA that each recording mode reads."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane.constants import F, R
from jaxmembrane.library.recording import electrode, pipette

pytestmark = pytest.mark.slow

NEURON = jm.zoo.neuron()
SIDES = {"Na_i": 14.0, "K_i": 123.0, "Cl_i": 5.2, "Na_o": 145.0, "K_o": 3.5, "Cl_o": 119.0}
REST = {"Na": 14.00165, "K": 122.8733, "Cl": 5.16483}
OUTPUTS = ("V", "E", "c", "volume", "osmolarity", "flux", "current")


def with_devices(*devices):
    parts = [*NEURON.transporters, *devices]
    return jm.Cell(parts, dict(NEURON.overrides), area="cylinder")


WHOLE = with_devices(pipette(), electrode())
PATCH = with_devices(pipette((jm.Na, jm.K)), jm.gramicidin())
# Cations that balance 10 mM of Cl, and the cell's impermeant at what the bath leaves it of 297 mM.
CATIONS = (10.0 + 0.85 * 287.0) / 1.85
MATCHED = {"pipette.Na": 10.0, "pipette.K": CATIONS - 10.0, "pipette.Cl": 10.0}


@pytest.fixture(scope="module")
def whole():
    """Off; clamped loosely and tightly; with a current; dialysed ever faster, then clamped too."""
    columns = {
        "electrode.g": [0.0, 1e3, 1e6, 0.0, 0.0, 0.0, 0.0, 1e6],
        "electrode.V": [-60.0] * 8,
        "electrode.I": [0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0],
        "pipette.k": [0.0, 0.0, 0.0, 0.0, 1.0, 100.0, 1e4, 1e4],
    }
    given = {name: np.array(column) for name, column in columns.items()}
    rest = jm.steady_state(WHOLE, {**MATCHED, **given}, outputs=OUTPUTS)
    assert rest.ok.all()
    return rest


def test_devices_keep_the_contract_and_say_that_they_are_driven():
    for device in (electrode(), electrode(ion=jm.Cl), pipette(), pipette((jm.Na, jm.K))):
        assert device.irreversible
        assert {row.verdict for row in jm.check(device).rows} == {"ok"}


def test_devices_that_are_off_leave_the_rest_where_it_is(whole):
    assert_allclose(whole.V[0], -72.58811, atol=5e-5)
    for s, c in REST.items():
        assert_allclose(whole.c[s][0], c, rtol=1e-6)
    assert_array_equal([whole.current[name][0] for name in ("electrode", "pipette")], 0.0)


@pytest.mark.parametrize("ion", [jm.K, jm.Na, jm.Cl, jm.Ca])
def test_an_electrode_passes_ohmic_and_injected_current_whatever_carries_it(ion):
    sides = SIDES | {"Ca_i": 1e-4, "Ca_o": 1.2}
    given = {f"{ion.name}_{side}": sides[f"{ion.name}_{side}"] for side in "io"}
    V = np.array([-90.0, -70.0, 20.0])
    at = electrode(ion=ion, g=50.0, V=-70.0, I=3.0).at(V=V, **given)
    assert_allclose(at.current, 50.0 * (V + 70.0) - 3.0, atol=1e-11)
    assert_allclose(at.flux, at.current / (ion.z * F), rtol=1e-13)


def test_a_clamp_holds_v_the_closer_the_stronger_it_is(whole):
    off = whole.V[1:3] + 60.0
    assert_allclose(off[0] / off[1], 1e3, rtol=1e-3)
    assert abs(off[1]) < 1e-4
    # Charge: what the electrode passes is what the cell does not.
    others = sum(x for (name,), x in whole.current.items() if name != "electrode")
    assert_allclose(whole.current["electrode"], -others, atol=1e-7)
    assert_allclose(whole.current["electrode"][1:3], np.array([1e3, 1e6]) * off, rtol=1e-6)


def test_matter_that_the_electrode_brings_is_in_the_balance_of_k(whole):
    flux = {name: np.asarray(x) for (name,), x in whole.flux.items()}
    K = flux["leak_K"] + flux["electrode"] + flux["kcc2"] + flux["pipette:K"] - 2.0 * flux["nka"]
    assert_allclose(K, 0.0, atol=1e-9)
    assert flux["electrode"][3] == pytest.approx(-2.0 / F)
    assert whole.V[3] > whole.V[0]


def test_a_pipette_passes_no_current_at_any_state():
    rng = np.random.default_rng(0)
    state = {name: 10.0 ** rng.uniform(-1, 2.5, 200) for name in SIDES}
    held = {name: 10.0 ** rng.uniform(-1, 2.5, 200) for name in ("Na", "K", "Cl")}
    for device in (pipette(k=1.0), pipette((jm.Na, jm.K), k=1.0)):
        own = {name: held[name] for name in held if name in device.declared}
        there = {x: c for x, c in state.items() if x[:-2] in own}
        at = device.at(V=rng.uniform(-150.0, 100.0, 200), **there, **own)
        assert_allclose(at.current, 0.0, atol=1e-9)
        assert max(np.abs(J).max() for J in at.flux.values()) > 100.0


def test_dialysis_ends_in_donnan_equilibrium_with_the_pipette():
    held = {"Na": 10.0, "K": 130.0, "Cl": 10.0}
    ratio = 0.7
    inside = {"Na_i": 7.0, "K_i": 91.0, "Cl_i": 10.0 / ratio}
    at = pipette(k=1.0, **held).at(**SIDES | inside)
    assert_allclose([*at.flux.values()], 0.0, atol=1e-12)
    # A neutral species has only its own concentration to go by.
    glucose = pipette((jm.Na, jm.K, jm.Glucose), k=2.0, Glucose=3.0)
    at = glucose.at(**SIDES | inside, Glucose_i=5.0, Glucose_o=1.0)
    assert_allclose(at.flux["pipette:Glucose"], 2.0 * (5.0 - 3.0), rtol=1e-14)


def test_whole_cell_dialysis_puts_the_pipette_into_the_cell(whole):
    for s, name in (("Na", "pipette.Na"), ("K", "pipette.K"), ("Cl", "pipette.Cl")):
        off = np.abs(whole.c[s][4:7] / MATCHED[name] - 1.0)
        assert off[1] < 0.05 * off[0]
        # What is left is the charge of the membrane.
        assert off[2] < 3e-5
    assert_allclose(whole.osmolarity, 297.0, rtol=1e-12)


def test_a_whole_cell_reads_the_e_gaba_of_the_pipette(whole):
    E = R * 310.1307468 / F * np.log(10.0 / 119.0)
    assert_allclose(E, -66.2, atol=0.05)
    assert_allclose(whole.E["Cl"][6:], E, atol=2e-3)
    assert_allclose(whole.V[7], -60.0, atol=1e-3)
    assert_allclose(whole.E["Cl"][0], -83.8, atol=0.05)


@pytest.fixture(scope="module")
def patch():
    """Perforated patch with the cell's cations, and the usual ones; gramicidin to the bath."""
    columns = {
        "pipette.k": [0.1, 10.0, 10.0, 0.0, 0.0],
        "pipette.Na": [REST["Na"], REST["Na"], 10.0, 10.0, 10.0],
        "pipette.K": [REST["K"], REST["K"], 130.0, 130.0, 130.0],
        "gramicidin.P": [0.0, 0.0, 0.0, 1e-4, 1e-2],
    }
    given = {name: np.array(column) for name, column in columns.items()}
    rest = jm.steady_state(PATCH, given, outputs=OUTPUTS)
    assert rest.ok.all()
    return rest


def test_a_gramicidin_perforated_patch_reads_the_native_e_gaba(patch):
    assert_allclose(patch.E["Cl"][:2], -83.843, atol=5e-4)
    # Other cations move Cl only as far as they move V, here by 7 mV.
    assert_allclose(patch.E["Cl"][2], -80.75, atol=0.01)


def test_gramicidin_in_the_cells_own_membrane_loads_it(patch):
    """It opens to the bath: what it lets in depolarises, and Cl follows."""
    assert_allclose(patch.E["Cl"][3:], [-82.98, -61.07], atol=0.01)
    assert patch.c["Na"][4] > 25.0


def test_dialysis_takes_the_volume_over_the_access():
    """w/(k A): 17 s for 118 um^3/s, where exchange across the membrane is slow against it."""
    access = 118.0
    k = access / (np.pi * 10.0 * 25.0)
    course = jm.simulate(
        WHOLE,
        MATCHED,
        jm.Protocol([jm.Step(0.0, {"pipette.k": k})]),
        times=[0.0, 2.0, 5.0, 600.0],
        outputs=["c", "volume", "V", "current"],
    )
    assert course.ok
    Cl = np.asarray(course.c["Cl"])
    share = (Cl - Cl[0]) / (Cl[-1] - Cl[0])
    tau = course.volume[0] / access
    assert_allclose(share[1:3], 1.0 - np.exp(-np.array([2.0, 5.0]) / tau), rtol=0.02)
    assert np.all(np.diff(Cl) > 0)
    assert_allclose(course.current["pipette"], 0.0, atol=1e-9)


MISTAKES = [
    (lambda: electrode("clamp"), KeyError, "unknown law of electrode 'clamp'"),
    (lambda: electrode(ion="K"), TypeError, "species must be a jm.Species, as jm.K, not 'K'"),
    (lambda: electrode(ion=jm.Glucose), ValueError, "must carry its current by an ion"),
    (lambda: electrode(g=-1.0), ValueError, "g must be a finite number, zero or more, not -1"),
    (lambda: pipette((jm.K, jm.Ca)), ValueError, "charge -1, 0 or [+]1, not Ca of [+]2"),
    (lambda: pipette(jm.K), ValueError, "a pipette must pass two ions or more"),
    (lambda: pipette((jm.K, jm.Glucose)), ValueError, "one alone cannot cross without a current"),
    (lambda: pipette((jm.Na, jm.K), Cl=10.0), KeyError, "unknown parameter 'Cl'"),
]


@pytest.mark.parametrize(("make", "kind", "sentence"), MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()
