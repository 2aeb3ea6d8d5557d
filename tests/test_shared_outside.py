"""Two cells in a finite outside: pools are conserved, and each rests as it would in a bath."""

from functools import cache

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm

# Cells of many compartments take ten seconds or more to compile.
pytestmark = pytest.mark.slow

VOLUME = 2500.0
PARAMS = {
    "outside.Na_0": 80.0 * VOLUME, "outside.Cl_0": 65.0 * VOLUME, "outside.volume_0": VOLUME,
    "outside.X": 5e3, "outside.z_X": -1.0, "neuron.X": 1.5e5, "glia.X": 1e5,
}  # fmt: skip
SPECIES = ("Na", "K", "Cl")


def face(name, inside, outside, leaky):
    paths = [
        jm.leak(jm.Na, name=f"{name}_Na", P=6.7e-4 * leaky),
        jm.leak(jm.K, name=f"{name}_K", P=0.012),
        jm.leak(jm.Cl, name=f"{name}_Cl", P=3e-3),
        jm.na_k_atpase(name=f"{name}_pump"),
    ]
    return jm.Membrane(f"{name}_face", paths, inside=inside, outside=outside)


OUTSIDE = jm.Compartment("outside")
NEURON, GLIA = jm.Compartment("neuron"), jm.Compartment("glia")
SHARED = jm.Cell([face("neuron", NEURON, OUTSIDE, 1.0), face("glia", GLIA, OUTSIDE, 2.0)])


@cache
def shared():
    """The rest, and that of 1.0001 and 0.9999 times as much sodium."""
    sodium = PARAMS["outside.Na_0"] * np.array([1.0, 1.0001, 0.9999])
    return jm.steady_state(SHARED, PARAMS | {"outside.Na_0": sodium})


def test_what_is_conserved_becomes_a_parameter():
    assert SHARED.ground == "outside"
    assert [pool.parameter for pool in SHARED.pools] == [
        "outside.Na_0", "outside.Cl_0", "outside.volume_0"
    ]  # fmt: skip
    # Potassium follows from charge; what holds sodium holds it nowhere else.
    assert "outside.K_0" not in SHARED.parameters and "outside.Na" not in SHARED.parameters


def test_pools_are_kept():
    rest = shared()
    assert rest.ok.all()
    for species, total in (("Na", "outside.Na_0"), ("Cl", "outside.Cl_0")):
        found = sum(rest.c[a, species] * rest.volume[a] for a in ("outside", "neuron", "glia"))
        assert_allclose(found[0], PARAMS[total], rtol=1e-12)
    water = sum(rest.volume[a] for a in ("outside", "neuron", "glia"))
    assert_allclose(water, VOLUME, rtol=1e-12)


@pytest.mark.parametrize(("name", "leaky"), [("neuron", 1.0), ("glia", 2.0)])
def test_each_cell_rests_as_in_a_bath_of_what_is_outside(name, leaky):
    rest = shared()
    alone = jm.Cell([face(name, jm.Compartment(name), jm.Bath(), leaky)])
    bath = {f"bath.{s}": rest.c["outside", s][0] for s in SPECIES}
    bath["bath.X"] = PARAMS["outside.X"] / rest.volume["outside"][0]
    own = jm.steady_state(alone, bath | {f"{name}.X": PARAMS[f"{name}.X"]})
    assert_allclose(own.V, rest.V[f"{name}_face"][0], rtol=1e-9)
    assert_allclose([own.c[s] for s in SPECIES], [rest.c[name, s][0] for s in SPECIES], rtol=1e-9)
    assert_allclose(own.volume, rest.volume[name][0], rtol=1e-9)


def test_gradients_with_respect_to_a_pool():
    rest = shared()

    def potential(sodium):
        return jm.steady_state(SHARED, PARAMS | {"outside.Na_0": sodium}).V["glia_face"]

    slope = jax.grad(potential)(PARAMS["outside.Na_0"])
    difference = (rest.V["glia_face"][1] - rest.V["glia_face"][2]) / (2e-4 * PARAMS["outside.Na_0"])
    assert_allclose(slope, difference, rtol=1e-6)


def test_its_energy_budget_holds_and_refuses_what_breaks_the_second_law():
    names = ["dissipation", "heat", "entropy_production", "atp_rate", "dG", "area", "flux"]
    rest = jm.steady_state(SHARED, PARAMS, outputs=names)
    assert all(x > -1e-9 * rest.heat for _, x in rest.dissipation.items())
    assert_allclose(rest.entropy_production, rest.heat / 310.15, rtol=1e-12)
    cell = jm.zoo.neuron()
    with pytest.raises(ValueError, match="output 'heat' needs laws that keep the second law"):
        jm.steady_state(cell, outputs=["heat"])


def test_a_gate_rests_at_its_occupancy():
    def kinetic(dose):
        pump = jm.na_k_atpase().regulated(jm.ouabain("alpha2", kinetics=True))
        cell = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), pump])
        return jm.steady_state(cell, {"nka.ouabain": dose})

    doses = np.array([0.0, 1.15e-4, 3.45e-4])
    pump = jm.na_k_atpase().regulated(jm.ouabain("alpha2"))
    plain = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), pump])
    steady = jm.steady_state(plain, {"nka.ouabain": doses})
    rest = kinetic(doses)
    assert_allclose(rest.gate["nka.bound"], doses / (doses + 1.15e-4), atol=1e-12)
    assert_allclose(rest.V, steady.V, rtol=1e-9)
    assert np.all(np.diff(rest.c["Na"]) > 0.0)


def test_a_cell_whose_charge_nothing_changes_is_refused():
    with pytest.raises(ValueError, match="no transporter changes the charge of cytosol"):
        jm.Cell([jm.kcc2()])
