"""Pipettes, patches and clamps as interventions: what each reads of the same neuron."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import interventions as act
from jaxmembrane.library.recording import electrode, pipette
from jaxmembrane.naming import UnknownName

pytestmark = pytest.mark.slow

_PUBLISHED = jm.zoo.neuron()
KEPT = {
    name: x for name, x in _PUBLISHED.nominal().items() if name.split(".")[0] in ("bath", "cytosol")
}
NEURON = jm.Cell(
    [*_PUBLISHED.transporters, pipette(), pipette((jm.Na, jm.K), name="patch"), electrode()],
    KEPT | {"membrane.area": 2.0 * np.pi * 5.0 * 25.0, "membrane.C_m": 0.02},
)
NOMINAL = NEURON.nominal()
# A pipette that holds 10 mM of Cl and as much charge and osmolarity as a cell with it: 297 mM of
# which the impermeant of charge -0.85 makes up 277/1.85.
MATCHED = {"Na": 14.0, "K": 10.0 + 0.85 * 277.0 / 1.85 - 14.0, "Cl": 10.0}
LANES = {
    "native": jm.Protocol(),
    "whole cell": act.dialysis(NEURON, 1e4, MATCHED),
    "patch": act.gramicidin_patch(NEURON, 1.0, {"Na": 14.0, "K": 122.87}, transporter="patch"),
    "clamp": act.voltage_clamp(NEURON, -40.0, g=1e5),
}


@cache
def rests():
    finals = [protocol.final(NOMINAL) for protocol in LANES.values()]
    params = {name: np.array([float(final[name]) for final in finals]) for name in NOMINAL}
    params = {name: x for name, x in params.items() if np.ptp(x)}
    return jm.steady_state(NEURON, params, outputs=["V", "c", "E"])


def test_a_whole_cell_pipette_clamps_chloride_and_a_gramicidin_patch_reads_the_native():
    E_Cl = dict(zip(LANES, np.asarray(rests().E["Cl"]), strict=True))
    assert_allclose(E_Cl["whole cell"], -66.2, atol=0.051)
    assert_allclose([E_Cl["native"], E_Cl["patch"]], -83.8, atol=0.051)
    assert_allclose(rests().c["Cl"][1], 10.0, rtol=1e-3)


def test_a_clamp_holds_v():
    assert_allclose(rests().V[3], -40.0, atol=1e-3)


def test_a_clamp_that_is_on_takes_steps_from_its_holding_potential():
    held = jm.Cell([*_PUBLISHED.transporters, electrode(name="amp", g=200.0, V=-60.0)], KEPT)
    step = act.voltage_clamp(held, 0.0, at=1.0, lasting=0.1, transporter="amp")
    assert step.names == ("amp.V",)
    assert step.values("amp.V", -60.0)[0] == [-60.0, 0.0, -60.0]
    ramp = act.voltage_clamp(NEURON, 20.0, g=500.0, at=1.0, over=2.0)
    assert ramp.values("electrode.g", 0.0)[0] == [0.0, 500.0, 500.0]
    assert ramp.values("electrode.V", -70.0) == ([-70.0, -70.0, 20.0], [-70.0, 20.0, 20.0])


REFUSED = {
    "dialysis needs a transporter 'pipette', and this cell has leak_Na": lambda: act.dialysis(
        _PUBLISHED, 1.0
    ),
    "add jm.pipette(), or name yours by transporter=": lambda: act.dialysis(_PUBLISHED, 1.0),
    "voltage_clamp needs a transporter 'electrode', and this cell has": lambda: act.voltage_clamp(
        _PUBLISHED, 0.0
    ),
    "pipette passes Cl, which gramicidin does not: add jm.pipette((jm.Na, jm.K))": (
        lambda: act.gramicidin_patch(NEURON, 1.0)
    ),
    "unknown species in patch: 'Cl'; there are K, Na": lambda: act.gramicidin_patch(
        NEURON, 1.0, {"Cl": 10.0}, transporter="patch"
    ),
    "dialysis: k must be a finite number, zero or more, not -1 um/s": lambda: act.dialysis(
        NEURON, -1.0
    ),
    "voltage_clamp: g must be a finite number above zero, not 0 pS/um^2": (
        lambda: act.voltage_clamp(NEURON, 0.0, g=0.0)
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence(said):
    with pytest.raises((ValueError, UnknownName)) as told:
        REFUSED[said]()
    assert said in str(told.value)
