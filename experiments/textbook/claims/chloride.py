"""Chloride: KCC2 and NKCC1, the GABA-A receptor, and what sets the sign of inhibition."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

import jax.numpy as jnp
import numpy as np
from cells import at_rest, dialysed, gaba_opens, value

import jaxmembrane as jm
from jaxmembrane import analytic
from jaxmembrane.constants import R

from .register import claim
from .states import BICARBONATE, BODY, POTASSIUM, SODIUM

BATH_CL = np.array([110.0, 120.0, 130.0])


def equilibrium_chloride(carrier, **state):
    """Inside Cl at which a carrier stands still: its dG is linear in the logarithm of Cl."""
    moved = carrier.legs[0].reaction.change(jm.Cl, "i")
    dG = carrier.at(Cl_i=1.0, **state).dG
    return jnp.exp(-dG / (moved * R * BODY))


def E_Cl(inside, outside=130.0):
    """Nernst potential of Cl, mV."""
    return analytic.nernst(-1, outside, inside)


def E_GABA(Cl_i, Cl_o=130.0):
    """Reversal potential of the GABA-A receptor, with a fifth of P_Cl for HCO3."""
    return jm.gaba_a().at(Cl_i=Cl_i, Cl_o=Cl_o, **BICARBONATE).reversal


@claim("001-07")
def kcc2_free_energy():
    at = jm.kcc2().at(Cl_i=5.0, Cl_o=120.0, **POTASSIUM)
    by_hand = R * BODY * np.log(4.0 * 120.0 / (140.0 * 5.0))
    return {"relative deviation": at.dG / by_hand - 1.0}


@claim("001-08")
def nkcc1_free_energy():
    at = jm.nkcc1().at(Cl_i=5.0, Cl_o=120.0, **SODIUM, **POTASSIUM)
    by_hand = R * BODY * np.log(12.0 * 140.0 * 25.0 / (145.0 * 4.0 * 120.0**2))
    return {"dG": 1e-3 * at.dG, "relative deviation": at.dG / by_hand - 1.0}


@claim("001-10")
def potential_of_gaba():
    chloride, receptor = E_Cl(5.0), E_GABA(5.0)
    return {"E_Cl": chloride, "E_GABA": receptor, "E_GABA - E_Cl": receptor - chloride}


def gaba(scenario):
    """V before GABA-A receptors open, and 20 ms later."""
    found = gaba_opens(scenario)
    return value(found, "V", 0.0), value(found, "V", 0.02)


@claim("001-11")
def gaba_inhibits_or_excites():
    mature, immature = at_rest(), at_rest("immature")
    return {
        "E_GABA - V, mature": mature.E["Cl"] - mature.V,
        "E_GABA - V, immature": immature.E["Cl"] - immature.V,
        "V after GABA, mature": gaba("mature")[1],
        "V after GABA, immature": gaba("immature")[1],
    }


@claim("001-12")
def kcc2_equilibrium():
    chloride = equilibrium_chloride(jm.kcc2(), Cl_o=120.0, **POTASSIUM)
    return {
        "Cl_i": chloride,
        "E_Cl": E_Cl(chloride, 120.0),
        "E_K": analytic.nernst(+1, 4.0, 140.0),
    }


@claim("001-13")
def chloride_at_potassium_equilibrium():
    share = analytic.voltage_ratio(-1, -90.0)
    return {"Cl_i": 130.0 * share, "Cl_o for 5 mM": 5.0 / share}


@claim("001-14")
def mature_gaba_hyperpolarises():
    before, after = gaba("mature")
    receptor = jm.channel("gaba_a", {jm.Cl: 1.0}, law="ohmic", g=10.0)
    opened = receptor.at(V=before, Cl_i=at_rest().c["Cl"], Cl_o=119.0)
    return {"V after 20 ms": after, "change of V": after - before, "J of Cl in": -opened.flux}


@claim("001-15")
def nkcc1_loads_chloride():
    with_it, without = at_rest("immature"), at_rest("bumetanide")
    return {
        "Cl_i - passive": with_it.c["Cl"] - without.c["Cl"],
        "Cl_i": with_it.c["Cl"],
        "Cl_i without NKCC1": without.c["Cl"],
        "J of NKCC1": with_it.flux["nkcc1"],
    }


@claim("001-16")
def nkcc1_equilibrium():
    chloride = equilibrium_chloride(jm.nkcc1(), Cl_o=BATH_CL, **SODIUM, **POTASSIUM)
    by_hand = BATH_CL * np.sqrt(145.0 * 4.0 / (12.0 * 140.0))
    named = {f"Cl_i at Cl_o {Cl_o:.0f}": c for Cl_o, c in zip(BATH_CL, chloride, strict=True)}
    return named | {"largest relative deviation": jnp.abs(chloride / by_hand - 1.0).max()}


@claim("001-17")
def chloride_of_immature_neurons():
    chloride = equilibrium_chloride(jm.nkcc1(), Cl_o=BATH_CL, **SODIUM, **POTASSIUM)
    return {"least Cl_i": chloride.min(), "largest Cl_i": chloride.max()}


@claim("001-18")
def chloride_potential_of_immature_neurons():
    needed = 120.0 * analytic.voltage_ratio(-1, -40.0)
    leaky = at_rest("immature, E_Cl -40 mV")
    return {
        "E_Cl at 80 of 120 mM": E_Cl(80.0, 120.0),
        "E_Cl at 60 of 130 mM": E_Cl(60.0, 130.0),
        "Cl_i for -40 mV": needed,
        "E_Cl of a leaky cell": leaky.E["Cl"],
        "its Cl_i": leaky.c["Cl"],
        "Cl_i of its NKCC1 at equilibrium": equilibrium_chloride(
            jm.nkcc1(), Na_i=leaky.c["Na"], K_i=leaky.c["K"], Na_o=145.0, K_o=3.5, Cl_o=119.0
        ),
    }


@claim("001-19")
def passive_chloride():
    passive = 130.0 * analytic.voltage_ratio(-1, -70.0)
    return {"Cl_i": passive, "70 mM - passive": 70.0 - passive}


@claim("001-20")
def immature_gaba_depolarises():
    before, after = gaba("immature")
    return {"V after 20 ms": after, "change of V": after - before, "V before": before}


@claim("001-21")
def developmental_switch():
    """Cl from the immature to the mature neuron, in steps of the share of KCC2."""
    steps = ("immature", "WNK-SPAK 0.7", "WNK-SPAK 0.35", "mature")
    chloride = np.array([at_rest(step).c["Cl"] for step in steps])
    return {"largest step of Cl_i": np.diff(chloride).max()}


@claim("001-22")
def whole_cell_dialysis():
    """Cl clamped at 10 mM, with KCC2 alone and with NKCC1 alone."""
    clamped = {"cytosol.Cl": 10.0, "wnk": np.array([0.0, 1.0])}
    seen = jm.steady_state(dialysed(), clamped, outputs=["E"]).E["Cl"]
    return {
        "E_Cl with KCC2": seen[0],
        "E_Cl with NKCC1": seen[1],
        "native E_Cl": at_rest().E["Cl"],
    }


@claim("001-24")
def bumetanide():
    before, after = at_rest("immature"), at_rest("bumetanide")
    return {
        "E_Cl - V after": after.E["Cl"] - after.V,
        "E_Cl before": before.E["Cl"],
        "E_Cl after": after.E["Cl"],
        "volume before": before.volume / at_rest().volume,
        "volume after": after.volume / at_rest().volume,
    }


@claim("001-25")
def vu0463271():
    before, after = at_rest(), at_rest("VU0463271")
    return {
        "E_Cl - V after": after.E["Cl"] - after.V,
        "E_Cl before": before.E["Cl"],
        "E_Cl after": after.E["Cl"],
        "Cl_i before": before.c["Cl"],
        "Cl_i after": after.c["Cl"],
        "volume after": after.volume / before.volume,
    }


@claim("001-37")
def wnk_and_spak():
    state = dict(Cl_i=8.0, Cl_o=120.0, wnk=np.array([0.0, 0.5]), **POTASSIUM)
    kcc2 = jm.kcc2().regulated(jm.wnk_spak("inhibits")).at(**state).flux
    nkcc1 = jm.nkcc1().regulated(jm.wnk_spak("activates")).at(**state, **SODIUM).flux
    return {"change of KCC2": kcc2[1] / kcc2[0] - 1.0, "change of NKCC1": nkcc1[1] / nkcc1[0] - 1.0}


@claim("001-38")
def phosphorylation_of_kcc2():
    """Both sites phosphorylated, against none."""
    sites = [jm.phosphorylation(site, f=0.5) for site in ("T906", "T1007")]
    p = np.array([0.0, 1.0])
    kcc2 = jm.kcc2().regulated(*sites)
    at = kcc2.at(Cl_i=8.0, Cl_o=120.0, p_T906=p, p_T1007=p, **POTASSIUM)
    return {
        "turnover left": at.flux[1] / at.flux[0],
        "change of dG": at.dG[1] - at.dG[0],
        "checks passed": jm.check(kcc2).ok,
    }


@claim("001-39")
def chloride_without_kcc2():
    both = at_rest("WNK-SPAK 0.35")
    return {
        "Cl_i without KCC2": at_rest("VU0463271").c["Cl"],
        "Cl_i of a passive cell at -70 mV": 130.0 * analytic.voltage_ratio(-1, -70.0),
        "V at which 15 mM is passive": E_Cl(15.0),
        "Cl_i with 0.35 of WNK-SPAK": both.c["Cl"],
        "E_Cl with 0.35 of WNK-SPAK": both.E["Cl"],
    }


@claim("001-40")
def gaba_potential_before_and_after():
    return {
        "E at 5 mM": E_Cl(5.0),
        "E at 15 mM": E_Cl(15.0),
        "E at 5 mM with HCO3": E_GABA(5.0),
        "E at 15 mM with HCO3": E_GABA(15.0),
    }


@claim("001-41")
def inhibition_weakens():
    before, after = (-70.0 - E_Cl(Cl_i) for Cl_i in (5.0, 15.0))
    return {"V - E_GABA at 5 mM": before, "V - E_GABA at 15 mM": after}


@claim("002-06")
def impermeant_anions():
    less, more = at_rest(), at_rest("impermeant of charge -1")
    return {
        "change of V": more.V - less.V,
        "V": more.V,
        "volume": more.volume / less.volume,
        "Cl_i": more.c["Cl"],
    }
