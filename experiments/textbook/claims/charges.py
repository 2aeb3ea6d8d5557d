"""What each transporter carries, and the charge that it moves: read off its reaction."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

import jax.numpy as jnp
import numpy as np

import jaxmembrane as jm
from jaxmembrane.kinetics.mitochondrial import free_nucleotides

from .register import claim
from .states import CALCIUM, POTASSIUM, SODIUM, protons


def outward(transporter):
    """Charge moved out of the first compartment per turnover."""
    return -transporter.charge


def inside(transporter, species):
    """Change of a species inside per turnover, over all legs."""
    return sum(leg.reaction.change(species, "i") for leg in transporter.legs)


def uses_atp(transporter):
    """ATP spent per turnover."""
    return sum(dict(leg.reaction.energy).get("ATP", 0) for leg in transporter.legs)


@claim("000-01")
def charge_of_every_transporter():
    return {
        "Na/K pump": outward(jm.na_k_atpase()),
        "reverse pump": outward(jm.na_k_atpase(stoichiometry=(2, 3))),
        "NKCC1": outward(jm.nkcc1()),
        "KCC2": outward(jm.kcc2()),
        "NCX": outward(jm.ncx()),
        "NCLX": outward(jm.nclx()),
        "ANT": outward(jm.ant()),
        "PMCA with 1 H": outward(jm.pmca(protons=1)),
        "PMCA with 2 H": outward(jm.pmca(protons=2)),
        "NHE": outward(jm.nhe()),
        "AE": outward(jm.ae()),
        "NBC with 2 HCO3": outward(jm.nbc(bicarbonates=2)),
        "SGLT1": outward(jm.sglt1()),
        "SGLT2": outward(jm.sglt1(sodium=1)),
        "plant H pump": outward(jm.h_atpase()),
        "light pump": outward(jm.light_pump()),
        "Na/H antiporter": outward(jm.na_h_antiporter()),
        "NADPH oxidase": outward(jm.nadph_oxidase()),
        "water": outward(jm.leak(jm.Species("H2O", 0))),
    }


@claim("000-02")
def sodium_potassium_pump():
    pump = jm.na_k_atpase()
    return {
        "Q out": outward(pump),
        "Na inside": inside(pump, jm.Na),
        "K inside": inside(pump, jm.K),
        "ATP used": uses_atp(pump),
    }


@claim("000-04")
def nkcc1_is_invisible_to_the_voltmeter():
    V = np.array([-100.0, 0.0, 50.0])
    at = jm.nkcc1().at(V=V, Cl_i=5.0, Cl_o=120.0, **SODIUM, **POTASSIUM)
    return {
        "Q out": outward(jm.nkcc1()),
        "current": jnp.abs(at.current).max(),
        "change of J over 150 mV": jnp.ptp(at.flux),
        "checks passed": jm.check(jm.nkcc1()).ok,
    }


@claim("000-05")
def ncx_depolarises_in_forward_mode():
    at = jm.ncx().at(V=-70.0, Na_i=10.0, Na_o=145.0, **CALCIUM)
    return {"Q in": jm.ncx().charge, "current at -70 mV, Na_i 10 mM": at.current}


@claim("000-06")
def nucleotide_carrier():
    carrier = jm.ant()
    return {
        "Q into the matrix": carrier.charge,
        "ATP in the matrix": inside(carrier, jm.ATP),
        "ADP in the matrix": inside(carrier, jm.ADP),
    }


@claim("000-07")
def charge_of_the_nucleotides_in_the_matrix():
    free = free_nucleotides(1.0, 1.0, Mg=0.0, H=protons(7.8))
    ATP, ADP = (s.z + 1.0 - share for s, share in zip((jm.ATP, jm.ADP), free, strict=True))
    return {"z of ATP": ATP, "z of ADP": ADP, "difference": ATP - ADP}


@claim("000-10")
def depolarising_and_hyperpolarising():
    pump = jm.na_k_atpase().at(V=-70.0, **SODIUM, **POTASSIUM)
    exchanger = jm.ncx().at(V=-70.0, Na_i=10.0, Na_o=145.0, **CALCIUM)
    return {"current of NCX, forward": exchanger.current, "current of the pump": pump.current}


@claim("000-16")
def ncx_runs_on_sodium_alone():
    state = {"V": -70.0, **SODIUM, **CALCIUM}
    sodium = -jm.leak(jm.Na).at(V=-70.0, **SODIUM).dG
    calcium = -jm.leak(jm.Ca).at(V=-70.0, **CALCIUM).dG
    exchanger = jm.ncx()
    return {
        "ATP used": uses_atp(exchanger),
        "dG - (3 dG_Na - dG_Ca)": exchanger.at(**state).dG - (3.0 * sodium - calcium),
    }


@claim("000-17")
def a_peripheral_protein_carries_nothing():
    try:
        jm.Transporter("peripheral", "Na_i + K_i <-> K_i + Na_i", jm.nkcc1().legs[0].rate)
    except ValueError as refusal:
        refused = "carries nothing across the membrane" in str(refusal)
    else:
        refused = False
    return {"refused": refused}


@claim("001-06")
def kcc2():
    carrier = jm.kcc2()
    return {
        "Q out": outward(carrier),
        "K inside": inside(carrier, jm.K),
        "Cl inside": inside(carrier, jm.Cl),
    }


@claim("001-09")
def ncx_charge():
    by_hand = 3 * jm.Na.z - jm.Ca.z
    return {"Q in": jm.ncx().charge, "3 (+1) - 1 (+2)": by_hand}


@claim("001-23")
def gramicidin_passes_no_chloride():
    pore = jm.gramicidin(P=0.1)
    carried = {s.name for leg in pore.legs for s in leg.reaction.species}
    chloride = sum(abs(leg.reaction.change(jm.Cl, "i")) for leg in pore.legs)
    return {"Cl through the pore": chloride, "cations that pass": len(carried & {"Na", "K", "H"})}


@claim("003-04")
def post_albers_cycle():
    """Turnover of the six-state cycle by spanning trees and by a linear solve; what it carries."""
    pump = jm.na_k_atpase("post_albers_6", density=1.0)
    p = {name: param.nominal for name, param in pump.params}
    state = {**SODIUM, **POTASSIUM}
    at = pump.at(V=-70.0, **state)
    bare = {name: param.nominal for name, param in pump.bare.items()}
    half = float(np.exp(0.5 * -70.0 / jm.analytic.thermal_voltage()))
    # Detailed balance gives the rate at which phosphate rebinds.
    forward = [p["k_1"] * 12.0**3, p["k_2"], p["k_3"], p["k_4"] * 4.0**2]
    forward += [p["k_5"] * bare["ATP"] * half, p["k_6"]]
    back = [p["r_1"], p["r_2"] * bare["ADP"], p["r_3"] * 145.0**3, 1.0]
    back += [p["r_5"] / half, p["r_6"] * 140.0**2]
    back[3] = np.prod(forward) / np.prod(back) * np.exp(at.dG / (jm.constants.R * 310.15))
    return {
        "Na carried out": -inside(pump, jm.Na),
        "K carried in": inside(pump, jm.K),
        "ATP used": uses_atp(pump),
        "linear solve / trees - 1": ring_turnover(forward, back) / at.flux - 1.0,
        "checks passed": jm.check(pump).ok,
    }


def ring_turnover(forward, back):
    """Cycles per second of a ring of states, from the stationary solution of its rate equations."""
    n = len(forward)
    rates = np.zeros((n, n))
    for j in range(n):
        after = (j + 1) % n
        rates[after, j] += forward[j]
        rates[j, after] += back[j]
    rates -= np.diag(rates.sum(axis=0))
    rates[-1] = 1.0
    share = np.linalg.solve(rates, np.eye(n)[-1])
    return forward[0] * share[0] - back[0] * share[1]


@claim("003-05")
def e1_binds_sodium_and_e2_potassium():
    p = dict(jm.na_k_atpase("post_albers_4").params)
    K = {name: p[name].nominal for name in ("K_Na_i2", "K_Na_o2", "K_K_o", "K_K_i")}
    return {
        "affinity for Na, E1 / E2": K["K_Na_o2"] / K["K_Na_i2"],
        "affinity for K, E2 / E1": K["K_K_i"] / K["K_K_o"],
        "K_Na inside": K["K_Na_i2"],
        "K_Na outside": K["K_Na_o2"],
        "K_K outside": K["K_K_o"],
        "K_K inside": K["K_K_i"],
    }


@claim("004-17")
def sodium_per_glucose():
    return {"Na per glucose": inside(jm.sglt1(), jm.Na) / inside(jm.sglt1(), jm.Glucose)}
