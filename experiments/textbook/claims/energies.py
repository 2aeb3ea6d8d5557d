"""Free energies, equilibrium and reversal potentials, driving forces."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

import jaxmembrane as jm
from jaxmembrane import analytic
from jaxmembrane.constants import F, R

from .register import claim
from .states import BODY, CALCIUM, POTASSIUM, ROOM, SODIUM, hydrolysis, inside_for

GLUCOSE = {"Glucose_i": 5.0, "Glucose_o": 5.0}


def entry(species, T=BODY, **state):
    """Free energy of one ion that enters, J/mol."""
    return -jm.leak(species).at(T=T, **state).dG


@claim("000-11")
def electrical_energy_of_a_cation():
    electrical = entry(jm.Na, V=-70.0, Na_i=1.0, Na_o=1.0)
    return {"dG in": 1e-3 * electrical, "dG out": -1e-3 * electrical}


@claim("000-12")
def chemical_and_electrical_part():
    whole = entry(jm.Na, V=-70.0, **SODIUM)
    chemical = entry(jm.Na, V=0.0, **SODIUM)
    electrical = entry(jm.Na, V=-70.0, Na_i=1.0, Na_o=1.0)
    return {"dG - chemical - electrical": whole - chemical - electrical}


@claim("000-13")
def primary_active_transport():
    paid = hydrolysis(-57e3)
    at = jm.na_k_atpase().at(V=-70.0, **SODIUM, **POTASSIUM, **paid)
    return {"dG of a cycle": 1e-3 * at.dG, "V_rev": at.reversal}


@claim("000-19")
def nucleotides_across_the_inner_membrane():
    balanced = dict(ATP_i=1.0, ADP_i=1.0, ADP_o=1.0)
    amplified = analytic.voltage_ratio(jm.ant().charge, -160.0, 310.0)
    at = jm.ant().at(V=-160.0, T=310.0, ATP_o=amplified, **balanced)
    return {"ATP/ADP outside over inside": amplified, "dG of the carrier there": at.dG}


@claim("000-22")
def drift_diffusion_of_semiconductors():
    """GHK against Scharfetter and Gummel's current, x = u / (exp(u) - 1)."""
    V = np.array([-70.0, 1e-3, 40.0])
    u = F * V / (R * BODY)
    found = jm.leak(jm.K, P=1.0).at(V=V, **POTASSIUM).flux
    scharfetter_gummel = 140.0 * -u / np.expm1(-u) - 4.0 * u / np.expm1(u)
    return {"largest relative deviation": jnp.abs(found / scharfetter_gummel - 1.0).max()}


@claim("001-01")
def electrochemical_potential():
    V, c = -70.0, np.array([1e-4, 12.0, 145.0])
    found = entry(jm.Ca, V=V, Ca_i=c, Ca_o=1.0)
    return {"dG - (mu_i - mu_o)": jnp.abs(found - (R * BODY * np.log(c) + 2.0 * F * V)).max()}


@claim("001-02")
def activities():
    gamma = 0.76
    E = analytic.nernst(+1, gamma * 4.0, gamma * 140.0)
    return {"change of E_K": E - analytic.nernst(+1, 4.0, 140.0)}


@claim("001-03")
def free_energy_of_transport():
    V = np.array([-100.0, 0.0, 60.0])
    found = entry(jm.K, V=V, **POTASSIUM)
    by_hand = R * BODY * np.log(140.0 / 4.0) + F * V
    return {"largest relative deviation": jnp.abs(found / by_hand - 1.0).max()}


@claim("001-04")
def signs_of_the_two_forces():
    return {
        "chemical part, less inside": 1e-3 * entry(jm.Na, V=0.0, **SODIUM),
        "electrical part, cation at -65 mV": 1e-3 * entry(jm.Na, V=-65.0, Na_i=1.0, Na_o=1.0),
    }


@claim("001-05")
def sodium_entry():
    return {"dG": 1e-3 * entry(jm.Na, T=310.0, V=-65.0, **SODIUM)}


@claim("002-15")
def potassium_potential():
    return {"E_K": analytic.nernst(+1, 4.0, 140.0, 310.0)}


@claim("002-16")
def sodium_potential():
    return {"E_Na": analytic.nernst(+1, 145.0, 12.0, 310.0)}


@claim("003-02")
def no_net_movement_at_the_nernst_potential():
    E = analytic.nernst(+1, 4.0, 140.0)
    paths = {law: jm.leak(jm.K, law) for law in ("ghk", "ohmic")}
    flux = [path.at(V=E, **POTASSIUM).flux for path in paths.values()]
    return {"J of GHK": flux[0], "J of an ohmic leak": flux[1]}


@claim("003-09")
def range_of_potassium_potentials():
    return {
        "E_K at 140/4": analytic.nernst(+1, 4.0, 140.0),
        "E_K at 30 to 1": analytic.nernst(+1, 1.0, 30.0),
    }


@claim("004-01")
def ink_spreads_by_diffusion():
    ink = jm.Species("ink", 0)
    V = np.array([-100.0, 0.0, 100.0])
    flux = jm.leak(ink, P=2.0).at(V=V, ink_i=1.0, ink_o=5.0).flux
    return {"J out - P (c_i - c_o)": jnp.abs(flux - 2.0 * (1.0 - 5.0)).max()}


@claim("004-03")
def influx_equals_efflux():
    E = analytic.nernst(+1, 4.0, 140.0)
    at_rest = analytic.flux_ratio(+1, 4.0, 140.0, -70.0)
    return {
        "influx / efflux at E_K": analytic.flux_ratio(+1, 4.0, 140.0, E),
        "influx / efflux at -70 mV": at_rest,
    }


@claim("004-04")
def nernst_equation():
    T = np.array([ROOM, BODY])
    by_hand = R * T / (2.0 * F) * np.log(1.2 / 1e-4)
    return {
        "E_Ca by hand - reversal": jnp.abs(
            jm.leak(jm.Ca).at(T=T, **CALCIUM).reversal - by_hand
        ).max()
    }


@claim("004-05")
def equal_concentrations():
    return {"E": analytic.nernst(+1, 140.0, 140.0)}


@claim("004-06")
def half_the_voltage_for_two_charges():
    return {"E_Ca / E_K": analytic.nernst(+2, 4.0, 1.0) / analytic.nernst(+1, 4.0, 1.0)}


@claim("004-07")
def potassium_thirty_to_one():
    return {
        "E_K at 37 C": analytic.nernst(+1, 1.0, 30.0),
        "E_K at 25 C": analytic.nernst(+1, 1.0, 30.0, ROOM),
    }


@claim("004-08")
def calcium_ten_thousand_to_one():
    needed = 1.0 / analytic.voltage_ratio(+2, 130.0, 310.0)
    return {"E_Ca": analytic.nernst(+2, 1e4, 1.0, 310.0), "ratio for +130 mV": needed}


@claim("004-10")
def driving_force():
    V = np.array([-90.0, -70.0, 0.0])
    at = jm.leak(jm.K, "ohmic", g=1.0).at(V=V, **POTASSIUM)
    forces = V - analytic.nernst(+1, 4.0, 140.0)
    return {"I/g - (V - E_K)": jnp.abs(at.current - forces).max()}


@claim("004-11")
def outward_potassium():
    at = jm.leak(jm.K, "ohmic", g=1.0).at(V=-70.0, K_i=inside_for(-90.0, +1, 4.0), K_o=4.0)
    return {"V - E_K": at.current}


@claim("004-14")
def sodium_potential_of_sixty():
    return {
        "E_Na": analytic.nernst(+1, 145.0, 12.0),
        "Na_i for +60 mV": inside_for(60.0, +1, 145.0, 310.0),
    }


@claim("004-16")
def glucose_has_no_nernst_potential():
    path = jm.leak(jm.Glucose)
    V = np.array([-100.0, 0.0, 60.0])
    equal = path.at(V=V, **GLUCOSE)
    uneven = path.at(V=V, Glucose_i=5.0, Glucose_o=4.0)
    return {
        "reversal potentials": jnp.isfinite(equal.reversal).sum(),
        "J at 5/5 mM": jnp.abs(equal.flux).max(),
        "least J at 5/4 mM": uneven.flux.min(),
    }


@claim("004-18")
def uphill_glucose():
    found = {}
    for n in (2, 1):
        limit = analytic.accumulation_limit(n, 145.0, 12.0, -50.0)
        at = jm.sglt1(sodium=n).at(V=-50.0, Glucose_i=limit, Glucose_o=1.0, **SODIUM)
        found |= {f"G_i/G_o with {n} Na": limit, f"dG there with {n} Na": at.dG}
    return found


@claim("004-19")
def reversal_of_a_pure_potassium_channel():
    channel = jm.channel("K_channel", {jm.K: 1.0}, P=0.01)
    E = analytic.nernst(+1, 4.0, 140.0)
    at = channel.at(V=E, **POTASSIUM)
    return {"E_rev - E_K": at.reversal - E, "current at E_K": at.current}


def selectivity(reversal, law, V=-20.0):
    """Permeability (or conductance) to Na over that to K at which a channel reverses at V."""
    return brentq(lambda r: float(reversal(law, r)) - V, 1e-3, 10.0)


@claim("004-20")
def reversal_of_a_cation_channel():
    def reversal(law, r):
        return jm.cation_channel(law, r_Na=r).at(**POTASSIUM, **SODIUM).reversal

    return {
        "E_rev of the cation channel": jm.cation_channel().at(**POTASSIUM, **SODIUM).reversal,
        "P_Na/P_K for -20 mV": selectivity(reversal, "ghk"),
        "g_Na/g_K for -20 mV": selectivity(reversal, "ohmic"),
        "E_rev at equal permeability": reversal("ghk", 1.0),
    }


@claim("004-21")
def currents_cancel_at_the_reversal_potential():
    channel = jm.cation_channel(P=0.01)
    E = channel.at(**POTASSIUM, **SODIUM).reversal
    at = channel.at(V=E, **POTASSIUM, **SODIUM)
    return {
        "I_K + I_Na": at.current,
        "I_K": F * at.flux["cation:K"],
        "I_Na": F * at.flux["cation:Na"],
    }
