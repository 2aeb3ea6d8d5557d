"""The resting state: leaks against a pump, the chord equation, and what sets V."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

from math import pi

import jax.numpy as jnp
from cells import at_rest, pump_block, value
from scipy.optimize import brentq

import jaxmembrane as jm
from jaxmembrane import analytic

from .register import claim
from .states import POTASSIUM, SODIUM

E = {"K": -95.0, "Na": 66.6}
"""Nernst potentials of texts 002 and 003, mV."""


def flux_balance(V=-70.0, g_K=1.0):
    """g_Na and pump current with which K and Na leaks and a 3:2 pump hold V.

    From the driving forces that a unit of pump current makes on unit conductances.
    """
    per_Na, per_K, _ = analytic.driving_forces(1.0, 1.0, 1.0, 1.0)
    pump_current = g_K * (V - E["K"]) / per_K
    return per_Na * pump_current / (V - E["Na"]), pump_current


def conductance_ratio(V):
    """g_Na/g_K at which leaks alone, without a pump, make V."""
    return brentq(lambda g: float(analytic.chord_potential({"K": 1.0, "Na": g}, E)) - V, 0.0, 10.0)


@claim("002-01")
def leaky_boat():
    rest = at_rest()
    return {"leak in / bailing out": -rest.flux["leak_Na"] / (3.0 * rest.flux["nka"])}


@claim("002-05")
def steady_but_not_at_equilibrium():
    rest = at_rest()
    dissipated = -1e-3 * rest.flux["nka"] * rest.dG["nka"]  # amol/um^2/s, kJ/mol
    return {
        "net Na": rest.flux["leak_Na"] + 3.0 * rest.flux["nka"],
        "pump turnover": rest.flux["nka"],
        "pump dissipation": dissipated,
        "K leak dissipation": -1e-3 * rest.flux["leak_K"] * rest.dG["leak_K"],
    }


@claim("002-10")
def double_donnan():
    """The published cylinder of 5 by 25 um, before and at rest."""
    rest = at_rest()
    return {
        "volume / start": rest.volume / (pi * 5.0**2 * 25.0),
        "status": rest.status,
        "status without pump and impermeant outside": at_rest(
            "no impermeant outside, no pump"
        ).status,
    }


@claim("002-17")
def v_close_to_potassium():
    g_Na, pump_current = flux_balance()
    V = analytic.chord_potential({"K": 1.0, "Na": g_Na}, E, pump_current)
    return {
        "V": V,
        "V - E_K": V - E["K"],
        "g_Na/g_K with a 3:2 pump": g_Na,
        "g_Na/g_K without a pump": conductance_ratio(-70.0),
    }


@claim("002-18")
def the_larger_leak():
    rest = at_rest()
    potassium = rest.flux["leak_K"] + rest.flux["kcc2"]
    return {"Na leak / K leak": -rest.flux["leak_Na"] / potassium}


@claim("002-19")
def chord_equation():
    g_Na, pump_current = flux_balance()
    return {
        "V": analytic.chord_potential({"K": 1.0, "Na": g_Na}, E, pump_current),
        "I_p": pump_current,
    }


@claim("002-20")
def the_pump_pulls_v_down():
    g_Na, pump_current = flux_balance()
    leaks = {"K": 1.0, "Na": g_Na}
    without = analytic.chord_potential(leaks, E)
    return {"V with the pump - without": analytic.chord_potential(leaks, E, pump_current) - without}


@claim("002-21")
def complete_set():
    rest = at_rest()
    return {
        "V": rest.V,
        **{f"{name}_i": rest.c[name] for name in ("Na", "K", "Cl")},
        "E_Cl": rest.E["Cl"],
    }


@claim("002-22")
def more_impermeant_anions():
    rest, half_more, twice = (at_rest(s) for s in ("mature", "impermeant x 1.5", "impermeant x 2"))
    return {
        "volume for 1.5": half_more.volume / rest.volume,
        "volume for 2": twice.volume / rest.volume,
        "change of V for 2": twice.V - rest.V,
        "largest change of a concentration": jnp.abs(twice.c.values - rest.c.values).max(),
    }


@claim("003-08")
def potassium_dominates():
    rest = at_rest()
    nominal = jm.zoo.neuron().nominal()
    return {
        "share of g_K": nominal["leak_K.g"] / rest.slope_conductance,
        "|V - E_K| - |V - E_Na|": jnp.abs(rest.V - rest.E["K"]) - jnp.abs(rest.V - rest.E["Na"]),
    }


@claim("003-10")
def only_potassium():
    E_K = analytic.nernst(+1, POTASSIUM["K_o"], POTASSIUM["K_i"])
    all_E = {"K": E_K, "Na": 66.6, "Cl": -70.0}
    V = analytic.chord_potential({"K": 1.0, "Na": 0.0, "Cl": 0.0}, all_E)
    channel = jm.leak(jm.K).at(V=V, **POTASSIUM)
    return {"V - E_K": V - E_K, "current there": channel.current}


@claim("003-11")
def sodium_leak_depolarises():
    return {
        "g_Na/g_K for -70 mV": conductance_ratio(-70.0),
        "g_Na/g_K for -60 mV": conductance_ratio(-60.0),
    }


@claim("003-13")
def size_of_the_kick():
    """Ohmic leaks with the texts' potentials; constant field with 140/4 and 12/145 mM."""
    g_Na, _ = flux_balance()
    ohmic = analytic.chord_potential({"K": 1.0, "Na": g_Na}, E) + 70.0
    c = {"K_i": 140.0, "Na_i": 12.0, "K_o": 4.0, "Na_o": 145.0}
    P_Na = brentq(lambda P: float(analytic.mullins_noda(1.0, P, **c)) + 70.0, 1e-3, 1.0)
    without = jm.channel("leak", {jm.K: 1.0, jm.Na: P_Na}).at(**POTASSIUM, **SODIUM).reversal
    rest = at_rest()
    return {
        "kick": ohmic,
        "kick with GHK": without + 70.0,
        "kick of the published neuron": rest.current["nka"] / rest.slope_conductance,
        "upper bound": analytic.thermal_voltage() * jnp.log(1.5),
    }


@claim("003-15")
def currents_sum_to_zero():
    current = at_rest().current.values
    return {"sum": current.sum(), "largest part": jnp.abs(current).max()}


@claim("003-16")
def the_pump_current_is_outward():
    rest = at_rest()
    return {"I_p": rest.current["nka"], "I_Na": rest.current["leak_Na"]}


@claim("003-18")
def ouabain_at_once():
    """The cell that gives the text's numbers: Cl passive at -70 mV, and much of it."""
    g_Na, pump_current = flux_balance()
    leaks = {"K": 1.0, "Na": g_Na, "Cl": 2.89214}
    with_Cl = E | {"Cl": -70.0}
    return {
        "V before": analytic.chord_potential(leaks, with_Cl, pump_current),
        "V after": analytic.chord_potential(leaks, with_Cl),
        "V of the published neuron before": at_rest().V,
        "V of the published neuron after": value(pump_block(), "V", 0.1),
    }


@claim("004-12")
def steady_state_and_equilibrium():
    steady, passive = at_rest(), at_rest("no pump")
    return {
        "pump turnover of the steady state": steady.flux["nka"],
        "largest flux of the equilibrium": jnp.abs(passive.flux.values).max(),
        "E_K - E_Cl of the equilibrium": passive.E["K"] - passive.E["Cl"],
    }


@claim("004-13")
def permeability_weighted_average():
    inside, outside = {"K": 140.0, "Na": 12.0}, {"K": 4.0, "Na": 145.0}
    concentrations = {"K_i": 140.0, "Na_i": 12.0, "K_o": 4.0, "Na_o": 145.0}
    V = analytic.ghk_potential({"K": 1.0, "Na": 0.05}, inside, outside)
    reversal = jm.channel("leak", {jm.K: 1.0, jm.Na: 0.05}).at(**POTASSIUM, **SODIUM).reversal
    return {
        "V of GHK": V,
        "V of Mullins and Noda": analytic.mullins_noda(1.0, 0.05, **concentrations),
        "V of GHK - reversal of the leaks": V - reversal,
    }
