"""Cells of other families: they rest where their sources, or their calibration, say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane.constants import F, R

# Each is a cell of its own, to be compiled for one test.
pytestmark = pytest.mark.slow

CELLS = (
    "neuron_calcium", "neuron_mitochondrion", "red_cell", "enterocyte", "corneal_stroma",
    "root_cell", "proteoliposome", "vent_protocell",
)  # fmt: skip
MMHG = 133.322387415  # Pa


@pytest.mark.parametrize("name", CELLS)
def test_it_names_its_source_and_makes_the_same_cell_twice(name):
    cell = jm.zoo.get(name)
    assert cell.source and cell == jm.zoo.get(name) and hash(cell) == hash(jm.zoo.get(name))


def test_the_red_cell_has_the_ions_ph_and_water_of_rogers_and_lew():
    rest = jm.steady_state(jm.zoo.red_cell())
    assert rest.ok
    assert_allclose([rest.c[s] for s in ("Na", "K", "Cl")], [10.0, 140.0, 95.0], rtol=6e-4)
    pH = 3.0 - np.log10(rest.c["H"])
    assert_allclose(pH, 7.209, atol=1e-3)
    assert_allclose(rest.volume, 0.75 * 90.0, rtol=1e-3)
    # Protons go with chloride alone, so that both have one Nernst potential; the source's V is it.
    assert_allclose(rest.E["H"], rest.E["Cl"], rtol=1e-9)
    assert_allclose(rest.E["Cl"], -11.73, atol=0.01)
    assert_allclose(rest.V, -11.876, atol=1e-3)
    # Haemoglobin's charge, -10 (pH - 6.608), as far as pH has moved since it was calibrated.
    share = 7.0284 / (7.0284 + 44.607)
    calibrated = jm.zoo.red_cell().nominal()
    moved = -10.0 * share * (pH - calibrated["cytosol.pH_X"])
    assert_allclose(rest.z_X - calibrated["cytosol.z_X"], moved, rtol=1e-6)


def test_haemoglobins_osmotic_coefficient_holds_the_volume():
    cell = jm.zoo.red_cell()
    params = cell.nominal()
    rest = jm.steady_state(cell, {"cytosol.b_2": [params["cytosol.b_2"], 0.0],
                                  "cytosol.b_3": [params["cytosol.b_3"], 0.0]})  # fmt: skip
    haemoglobin = 7.0284 * 67.5 / rest.volume[0]
    others = 44.607 * 67.5 / rest.volume[0]
    coefficient = 1.0 + 0.0645 * haemoglobin + 0.0258 * haemoglobin**2
    ions = sum(rest.c[s][0] for s in ("Na", "K", "Cl", "H"))
    assert_allclose(rest.osmolarity[0], ions + others + haemoglobin * coefficient, rtol=1e-9)
    assert rest.volume[1] < 0.9 * rest.volume[0]


def test_the_proteoliposome_charges_to_the_balance_of_pump_and_leak():
    cell = jm.zoo.proteoliposome()
    G, light = 100.0, np.array([1e12, 1.0, 0.0])
    rest = jm.steady_state(cell, {"light": light})
    lit = 2e4 * light / (light + 1.0)
    dp_max = cell.nominal()["E_photon"] / F
    assert_allclose(-rest.V, lit / (G + lit / dp_max), rtol=1e-9, atol=1e-12)
    assert_allclose(-rest.V[0], 111.1111, rtol=1e-6)
    constant = jm.Cell(
        [jm.light_pump("constant", j_max=cell.nominal()["light_pump.j_max"]),
         *(t for t in cell.transporters if t.name == "leak_H")],
        {k: x for k, x in cell.overrides if not k.startswith("light_pump")},
        compartment=cell.compartments[0],
    )  # fmt: skip
    assert_allclose(-jm.steady_state(constant).V, 200.0, rtol=1e-9)


def test_the_vent_protocell_has_the_forces_of_the_closed_model():
    cell = jm.zoo.vent_protocell()
    tight = {f"{ion}_{side}.P": 1e-2 for ion in ("H", "OH") for side in ("ocean", "vent")}
    g = 1e-3 * F**2 / (R * 298.15)  # 1e-9 mol/m2/s for each RT
    loose = {name: 10.0 for name in tight}
    rows = [{}, {"na_h.k": 1.0}, {"consumer.g": g}, {"consumer.g": g, **tight}]
    full = [{"na_h.k": 0.0, "consumer.g": 0.0, **loose} | row for row in rows]
    rest = jm.steady_state(cell, {name: [row[name] for row in full] for name in full[0]})
    assert rest.ok.all()
    assert_allclose(3.0 - np.log10(rest.c["H"][0]), 9.699, atol=5e-4)
    H, Na = (-1e-3 * rest.dG[f"{ion}_ocean"] for ion in ("H", "Na"))
    assert_allclose(H[:2], [-15.41, -15.33], atol=5e-3)
    assert_allclose(Na[:2], [0.0, -5.77], atol=5e-3)
    assert_allclose(H[2:], [-15.4, -2.5], atol=5e-2)
    assert_allclose((H[1] + Na[1]) / (H[0] + Na[0]), 1.37, atol=5e-3)


def test_the_corneal_stroma_closes_the_published_balance():
    cell = jm.zoo.corneal_stroma()
    rest, bath = jm.steady_state(cell), cell.nominal()
    pull = {s: R * 310.15 * (bath[f"aqueous.{s}"] - rest.c[s]) / MMHG for s in ("Na", "Cl")}
    assert_allclose([pull["Na"], pull["Cl"]], [98.5, -8.1], rtol=1e-3)
    outside = sum(bath[f"aqueous.{s}"] for s in ("Na", "Cl", "X"))
    left = jm.analytic.osmotic_pressure(outside - rest.osmolarity) / MMHG
    assert_allclose(left, 98.5 - 8.1 - 60.0, rtol=2e-3)
    off = jm.steady_state(cell, {"pump.j_max": 0.0})
    swelling = jm.analytic.osmotic_pressure(off.osmolarity - outside) / MMHG
    assert swelling > 0.0  # without its pump it draws water in


def test_the_root_cell_is_held_by_its_pump_and_pressed_by_its_wall():
    cell = jm.zoo.root_cell()
    density = cell.nominal()["h_atpase.density"]
    rest = jm.steady_state(cell, {"h_atpase.density": density * np.array([1.0, 0.5, 0.0])})
    assert rest.ok.all()
    assert_allclose(rest.V[0], -151.15, atol=0.01)
    assert_allclose(rest.E["K"], rest.V, rtol=1e-9)
    assert np.all(np.diff(rest.V) > 0.0) and rest.V[2] > 0.0
    assert_allclose(rest.V[2], rest.E["H"][2], rtol=1e-9)
    outside = sum(cell.nominal()[f"bath.{s}"] for s in ("K", "H", "X")) + 0.5 + 10 ** (3.0 - 5.7)
    excess = R * 298.15 * (rest.osmolarity - outside)
    assert_allclose(rest.turgor, excess, rtol=1e-9)
    assert_allclose(rest.turgor[0], 0.90e6, rtol=5e-3)


def test_the_enterocyte_accumulates_glucose_within_the_limit_of_its_carrier():
    cell = jm.zoo.enterocyte()
    rest = jm.steady_state(cell, {"lumen.Glucose": [5.0, 0.5, 1e-6]})
    assert rest.ok.all()
    assert_allclose(rest.V["apical"], rest.V["basolateral"], rtol=1e-12)
    assert_allclose(rest.V["apical"][0], -77.03, atol=0.01)
    assert_allclose(rest.c["Glucose"][0], 19.97, atol=0.01)
    # Without sugar in the lumen the carrier leaks the blood's back; it cannot beat its own limit.
    limit = (140.0 / rest.c["Na"]) ** 2 * np.exp(-2.0 * rest.V["apical"] * F / (R * 310.15))
    lumen = np.array([5.0, 0.5, 1e-6])
    assert np.all((rest.c["Glucose"] / lumen < limit) == (rest.flux["sglt1"] > 0.0))


def test_the_calcium_neuron_balances_leak_against_ncx_and_pmca():
    rest = jm.steady_state(jm.zoo.neuron_calcium(), outputs=["V", "c", "flux", "heat", "dG",
                           "atp_rate", "entropy_production", "reversal", "area"])  # fmt: skip
    assert_allclose(rest.V, -70.978, atol=1e-3)
    assert_allclose(rest.c["Ca"], 9.0e-5, rtol=1e-3)
    flux = rest.flux
    assert_allclose(flux["pmca"] + flux["ncx"], -flux["leak_Ca"], rtol=1e-9)
    # At rest all that ATP gives ends as heat.
    cell = jm.zoo.neuron_calcium().nominal()
    quotient = cell["ADP"] * cell["Pi"] / cell["ATP"] / cell["K_ATP"]
    dG_ATP = R * cell["T"] * np.log(quotient)
    # The clamp that holds H against PMCA does work, too: what the protons fall by.
    protons = R * cell["T"] * np.log(cell["cytosol.H"] / cell["bath.H"]) + F * rest.V
    supplied = -rest.atp_rate * dG_ATP - rest.area * flux["pmca"] * protons
    assert_allclose(rest.heat, supplied, rtol=1e-9)
    assert rest.entropy_production > 0.0


def test_the_mitochondrion_holds_its_potential_against_its_loads():
    cell = jm.zoo.neuron_mitochondrion()
    rest = jm.steady_state(cell)
    assert rest.ok and int(rest.status) == 0
    assert_allclose(rest.V["inner"], -159.17, atol=0.02)
    assert_allclose(rest.c["matrix", "Ca"], 1.8e-4, rtol=5e-3)
    flux, charges = rest.flux, {leg.name: leg.reaction.charge for leg in cell.legs}
    inner = [t.name for t in cell.membranes[1].transporters]
    moved = sum(charges[name] * flux[name] for name in inner)
    assert_allclose(moved, 0.0, atol=1e-12)
    assert_allclose(flux["mcu"], -flux["nclx"], rtol=1e-9)
    # ATP leaves against its gradient of free forms, by the potential.
    assert flux["ant"] > 0.0 and rest.c["cytosol", "ATP"] > rest.c["matrix", "ATP"]
