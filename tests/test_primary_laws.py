"""Pumps other than the Na/K-ATPase: the numbers in print, the exact zero, light and electrons."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_pump_laws import hydrolysis

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.library.primary import (
    PRIMARY,
    h_atpase,
    light_pump,
    nadph_oxidase,
    pmca,
    respiratory_chain,
)

F = constants.F
IRREVERSIBLE = ("pmca hill", "pmca red_cell", "h_atpase weinstein", "light_pump geibel")
IRREVERSIBLE += ("light_pump constant",)
PUMPS = {f"{entry.name} {law}": entry.make(law) for entry in PRIMARY for law in entry.laws}
TWO_PROTONS = {f"pmca {law}, 2 H": pmca(law, protons=2) for law in PRIMARY[0].laws}
TWO_PROTONS |= {f"h_atpase {law}, 2 H": h_atpase(law, protons=2) for law in PRIMARY[1].laws}
ALL = PUMPS | TWO_PROTONS


@pytest.mark.parametrize("name", ALL)
def test_every_pump_keeps_the_contract(name):
    report = jm.check(ALL[name])
    assert {row.verdict for row in report.rows} == {"ok"}


CA_HIGH = {"Ca_i": 1e-4, "Ca_o": 1.2, "H_i": 10**-4.2, "H_o": 10**-4.4, "V": -70.0, "T": 310.0}
CA_LOW = CA_HIGH | {"Ca_i": 1e-5}
ACID = {"H_i": 10**-4.2, "H_o": 10**-2.7}
PLANT = ACID | {"T": 298.15} | hydrolysis(45, 298.15)
STATE = CA_HIGH | {"e_i": 1e-9, "e_o": 1e-9}


@pytest.mark.parametrize("name", PUMPS)
def test_a_pump_has_a_source_a_strength_and_says_whether_it_defies_its_free_energy(name):
    pump = PUMPS[name]
    assert any(word in pump.source for word in ("doi:10.", "derived"))
    assert pump.irreversible == (name in IRREVERSIBLE)
    strength, param = pump.params[0]
    assert strength in ("j_max", "density")
    given = STATE if pump.name == "nadph_oxidase" else {k: STATE[k] for k in STATE if k[0] != "e"}
    once, twice = (pump.at(**given, **{strength: k * param.nominal}).flux for k in (1, 2))
    assert once != 0.0
    assert_allclose(twice, 2.0 * once, rtol=1e-15)


HILL, RED_CELL = (pmca(law, j_max=1.0) for law in ("hill", "red_cell"))
REVERSED, REVERSED_2H = (pmca("hill_reversible", j_max=1.0, protons=n) for n in (1, 2))
BOUNDED, TWO_STATE = pmca(j_max=1.0), h_atpase(density=1.0)
SIGMOID = h_atpase("weinstein", j_max=1.0)
STRONG, WEAK = hydrolysis(57, 310.0), hydrolysis(40, 310.0)
# As printed in the reference notes, to nine digits. The page prints H rounded to five; all are at
# 310 K, the two-state carrier at 25 C.
PRINTED = {
    "pmca hill": (HILL, CA_HIGH, 0.070758193),
    "pmca hill, 1 uM": (HILL, CA_HIGH | {"Ca_i": 1e-3}, 0.751949253),
    "pmca red_cell": (RED_CELL, CA_HIGH, 0.0588235294),
    "pmca red_cell, half": (RED_CELL, CA_HIGH | {"Ca_i": 2e-4}, 0.5),
    "pmca reversible": (REVERSED, CA_HIGH | STRONG, 0.0707535934),
    "pmca reversible, weak ATP": (REVERSED, CA_LOW | WEAK, 0.00100083193),
    "pmca bounded": (BOUNDED, CA_HIGH | STRONG, 0.0707489943),
    "pmca bounded, weak ATP": (BOUNDED, CA_LOW | WEAK, 0.000678187836),
    "pmca reversible, 2 H": (REVERSED_2H, CA_HIGH | STRONG, 0.0707576625),
    "pmca reversible, 2 H, weak ATP": (REVERSED_2H, CA_LOW | WEAK, 0.00180429791),
    "h_atpase": (TWO_STATE, PLANT | {"V": -150}, 1.79151421),
    "h_atpase, -300 mV": (TWO_STATE, PLANT | {"V": -300}, 0.106261677),
    "weinstein": (SIGMOID, ACID | {"V": -150, "T": 310.0}, 0.000201394221),
    "weinstein, -300 mV": (SIGMOID, ACID | {"V": -300, "T": 310.0}, 6.16525964e-07),
}


@pytest.mark.parametrize("name", PRINTED)
def test_a_law_gives_the_number_in_print(name):
    pump, given, expected = PRINTED[name]
    assert_allclose(pump.at(**given).flux, expected, rtol=1e-8)


def test_reversal_of_the_proton_pump_tells_how_many_protons_an_atp_moves():
    found = [round(float(h_atpase(protons=n).at(**PLANT).reversal), 1) for n in (1, 2)]
    assert found == [-377.7, -144.5]
    at = PLANT | {"V": -150.0}
    still = hydrolysis(23.0, 298.15)
    assert h_atpase().at(**at | hydrolysis(24.0, 298.15)).flux > 0
    assert h_atpase().at(**at | hydrolysis(22.0, 298.15)).flux < 0
    assert abs(h_atpase().at(**at | still).dG) < 70.0


@pytest.mark.parametrize("kJ", [30.0, 50.0])
@pytest.mark.parametrize("name", [n for n, pump in ALL.items() if not pump.irreversible])
def test_a_reversible_pump_turns_exactly_where_its_free_energy_does(name, kJ):
    pump = ALL[name]
    energy = hydrolysis(kJ) | {"E_photon": 1e3 * kJ, "E_redox": 10.0 * kJ}
    given = {k: STATE[k] for k in STATE if k[0] != "e" or pump.name == "nadph_oxidase"}
    given |= {k: v for k, v in energy.items() if k in pump.bare}
    # A pump without charge is stopped by its ion alone: by the one that it drives out.
    if pump.charge:
        name, middle = "V", float(pump.at(**given).reversal)
        aside = (middle - 15.0 / pump.charge, middle + 15.0 / pump.charge)
    else:
        name = "Ca_o"
        middle = given[name] * math.exp(-pump.at(**given).dG / (constants.R * 310.0))
        aside = (0.5 * middle, 2.0 * middle)
    along, still, against = (pump.at(**given | {name: x}) for x in (aside[0], middle, aside[1]))
    along, against = (along, against) if along.dG < 0 else (against, along)
    assert along.dG < 0 < along.flux
    assert against.flux < 0 < against.dG
    assert abs(still.flux) < 1e-11 * along.flux


@pytest.mark.parametrize("make", [pmca, h_atpase])
@pytest.mark.parametrize("protons", [0, 3, 1.5, True, "1"])
def test_other_numbers_of_protons_are_refused(make, protons):
    with pytest.raises(ValueError, match="must move 1 or 2 protons per ATP, not"):
        make(protons=protons)


@pytest.mark.parametrize("entry", PRIMARY, ids=lambda entry: entry.name)
def test_a_law_that_does_not_exist_is_refused_with_the_nearest(entry):
    law = next(iter(entry.laws))
    with pytest.raises(KeyError, match=f"law of {entry.name} '{law}s'; did you mean {law}"):
        entry.make(f"{law}s")


def proton_motive_force(pump, conductance, **given):
    """Steady dp (mV) of a pump in parallel to a proton conductance, pS/um^2, at equal pH."""
    low, high = 0.0, 1000.0
    for _ in range(60):
        dp = 0.5 * (low + high)
        current = float(pump.at(V=-dp, H_i=1e-4, H_o=1e-4, **given).current)
        low, high = (dp, high) if current > conductance * dp else (low, dp)
    return low


def test_a_light_pump_and_a_leak_settle_at_the_proton_motive_force_in_print():
    """20 pA against 100 pS on 1000 um^2: 0.2 V, and 0.1111 V where 0.25 V stops the pump."""
    given = {"j_max": 20.0 / F, "light": 1e15}  # all the light it can use
    for law, expected in (("constant", 200.0), ("linear", 111.111111), ("geibel", 111.111111)):
        energy = {"E_photon": 250.0 * F} if law == "linear" else {}
        found = proton_motive_force(light_pump(law), 0.1, **given, **energy)
        assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("law", ["linear", "geibel", "constant"])
def test_light_saturates_and_its_absence_stops_the_pump(law):
    at = {"V": -100.0, "H_i": 1e-4, "H_o": 2e-4}
    pump = light_pump(law, L_half=3.0)
    dark, half, full = (float(pump.at(**at, light=L).flux) for L in (0.0, 3.0, 3e12))
    assert dark == 0.0
    assert_allclose(half / full, 0.5, rtol=1e-11)


def test_a_unit_of_ph_moves_each_light_pump_by_its_own_slope():
    V = np.array([-400.0, -300.0])

    def stop(law, H_o):
        """Where the line through two currents crosses zero."""
        J = np.asarray(light_pump(law).at(V=V, H_i=1e-4, H_o=H_o).flux)
        return V[0] - J[0] * (V[1] - V[0]) / (J[1] - J[0])

    assert_allclose(stop("geibel", 1e-3) - stop("geibel", 1e-4), 34.0, rtol=1e-12)
    moved = stop("linear", 1e-3) - stop("linear", 1e-4)
    assert_allclose(moved, constants.R * 310.15 / F * math.log(10), rtol=1e-12)
    assert_allclose(stop("linear", 1e-4), -24121.33 / F, rtol=1e-12)


def test_the_oxidase_is_flat_and_stops_at_its_redox_potential():
    V = np.array([-100.0, 50.0, 190.0, 240.0])
    oxidase = nadph_oxidase(j_max=1.0).at(V=V, e_i=1e-9, e_o=1e-9)
    assert 0.98 < oxidase.flux[1] < oxidase.flux[0] <= 1.0
    assert abs(oxidase.flux[2]) < 1e-12
    assert oxidase.flux[3] < 0.0
    assert_allclose(oxidase.current, -F * oxidase.flux, rtol=1e-15)  # electrons out: inward
    assert_allclose(oxidase.reversal, 190.0, rtol=1e-12)


def test_the_oxidase_alone_would_depolarise_a_membrane_by_12_volts_a_second():
    at = nadph_oxidase().at(V=-60.0, e_i=1e-9, e_o=1e-9)
    assert_allclose(-at.current / 0.01, 12e3, rtol=1e-3)  # fA/um^2 over pF/um^2


def test_the_respiratory_chain_balances_two_electrons_against_ten_protons():
    chain = respiratory_chain().at(V=-150.0, H_i=1e-4, H_o=1e-4, E_redox=1140.0)
    assert_allclose(chain.reversal, -228.0, rtol=1e-12)
    assert_allclose(chain.dG, 10 * F * 150.0 - 2 * F * 1140.0, rtol=1e-12)
    assert respiratory_chain().charge == -10
    parts = [respiratory_chain(), jm.leak(jm.K), jm.leak(jm.H)]
    assert jm.Cell(parts, {"E_redox": 1140.0}).parameters["E_redox"].nominal == 1140.0
