"""Interventions in time: pump block, ATP depletion, pumps of other stoichiometry."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

import numpy as np
from cells import PUMP, after, at_rest, atp_falls, neuron, other_pump, pump_block, value
from scipy.optimize import curve_fit

import jaxmembrane as jm
from jaxmembrane import analytic

from .register import claim

AVOGADRO = 602214.076  # molecules per amol
NOWHERE = {"Na_i": 1.0, "Na_o": 1.0, "K_i": 1.0, "K_o": 1.0}


def after_block(name, t):
    """V, volume or a concentration of the neuron, t seconds after its pump was blocked."""
    return value(pump_block(), name, t)


def relative_volume(t):
    """Volume after the block over that before."""
    return after_block("volume", t) / after_block("volume", 0.0)


def fitted_time_constant():
    """Time constant (s) of the exponential through V of the first 100 ms after the block."""
    found = pump_block()
    early = found.time <= 0.1
    t, V = found.time[early], np.asarray(found.V)[early]
    shape = curve_fit(
        lambda t, end, size, tau: end - size * np.exp(-t / tau), t, V, (-64.0, 8.0, 0.02)
    )
    return shape[0][2]


@claim("000-03")
def the_pump_makes_v_more_negative():
    return {"V with the pump - without": after_block("V", 0.0) - after_block("V", 0.1)}


@claim("000-08")
def ohms_law():
    return {"V - V without pumps": shift_by_pumps(3, 2)}


def shift_by_pumps(sodium, potassium):
    """Change of V (mV) that 4e6 pumps of 50 turnovers a second make on 100 MOhm."""
    pump = jm.na_k_atpase("constant", stoichiometry=(sodium, potassium), j=1.0)
    current = 4e6 * 50.0 / AVOGADRO * pump.at(**NOWHERE).current
    return analytic.chord_potential({"leak": 1e4}, {"leak": 0.0}, current)


def stoichiometry_step(sodium, potassium):
    """Change of V (mV) 0.2 s after every pump of the neuron changes its stoichiometry."""
    # Where the neuron rests, the other pump begins.
    found = after({"nka.j": PUMP}, (0.2,), other_pump(sodium, potassium), start=at_rest())
    return found.V[1] - found.V[0]


@claim("000-09")
def reverse_pump():
    return {
        "Q in": jm.na_k_atpase(stoichiometry=(2, 3)).charge,
        "shift by reverse pumps": shift_by_pumps(2, 3),
        "step of V, 3:2 to 2:3": stoichiometry_step(2, 3),
        "step of V, 3:2 to 2:2": stoichiometry_step(2, 2),
    }


@claim("000-23")
def the_membrane_charges():
    return {"tau fitted": 1e3 * fitted_time_constant(), "C/g": 1e3 * at_rest().tau_m}


@claim("002-11")
def atp_deprivation():
    found = atp_falls(1e-3, 1.0)
    return {
        **{f"{name}_i after 1 h": c[-1] for (name,), c in found.c.items()},
        "V after 1 h": found.V[-1],
        "volume after 1 h": found.volume[-1] / found.volume[0],
        "V after 1 h at 10 uM ATP": atp_falls(1e-2, 0.5).V[-1],
    }


@claim("002-14")
def hydropic_change():
    return {
        "volume after 2 h": relative_volume(7200.0),
        "volume at the end": at_rest("no pump").volume / at_rest().volume,
    }


@claim("003-06")
def stopped_fountain():
    rest = at_rest()
    at_end = at_rest("no pump")
    return {
        "net current at rest": rest.current.values.sum(),
        "turnover of the pump": rest.flux["nka"],
        "V of the drained cell": at_end.V,
        "turnover at the end": at_end.flux["nka"],
    }


@claim("003-07")
def atp_for_the_pump():
    rate = at_rest().atp_rate
    return {"ATP": 1e-18 * rate, "ATP molecules": rate * AVOGADRO}


@claim("003-12")
def kick_of_the_pump():
    rest = at_rest()
    predicted = rest.current["nka"] / rest.slope_conductance
    simulated = after_block("V", 0.1) - after_block("V", 0.0)
    return {
        "I_p/g_L over the simulated step": predicted / simulated,
        "predicted": predicted,
        "simulated": simulated,
    }


@claim("003-14")
def pumps_in_a_membrane():
    """G 0.1 mS/cm^2, 3 mV, 50 turnovers a second."""
    per_turnover = jm.na_k_atpase("constant", j=1.0).at(**NOWHERE).current
    turnover = float(jm.convert(0.1, "mS/cm^2", "pS/um^2")) * 3.0 / per_turnover
    return {"pumps": turnover * AVOGADRO / 50.0}


@claim("003-17")
def ouabain():
    def left(isoform, dose):
        pump = jm.na_k_atpase("constant", j=1.0).regulated(jm.ouabain(isoform))
        return pump.at(ouabain=dose, **NOWHERE).flux

    return {
        "pumping at 0.1 mM, alpha3": left("alpha3", 0.1),
        "pumping at 1 uM, alpha2": left("alpha2", 1e-3),
    }


@claim("003-19")
def membrane_time_constant():
    rest = at_rest()
    C_m = neuron().nominal()["membrane.C_m"]
    return {
        "tau fitted": 1e3 * fitted_time_constant(),
        "C_m/g_L": 1e3 * C_m / rest.slope_conductance,
    }


@claim("003-20")
def rundown():
    return {
        "Na_i after 10 min": after_block("Na", 600.0),
        "K_i after 10 min": after_block("K", 600.0),
        "Na_i after 1 h": after_block("Na", 3600.0),
        "K_i after 1 h": after_block("K", 3600.0),
    }


@claim("003-21")
def potentials_drift_to_zero():
    at_end = at_rest("no pump")
    return {
        "V at the end": at_end.V,
        "E_Na at the end": at_end.E["Na"],
        "E_K at the end": at_end.E["K"],
        "volume at the end": at_end.volume / at_rest().volume,
        "V after 6 h": after_block("V", 21600.0),
        "status without impermeant outside": at_rest("no impermeant outside, no pump").status,
    }


@claim("003-22")
def v_does_not_collapse_at_once():
    return {
        "V after 0.1 s": after_block("V", 0.1),
        "V after 60 s": after_block("V", 60.0),
        "V(60 s) - V(0.1 s)": after_block("V", 60.0) - after_block("V", 0.1),
    }


@claim("003-23")
def share_of_the_pump_in_v():
    step = after_block("V", 0.1) - after_block("V", 0.0)
    return {"share": 100.0 * step / -at_rest().V, "kick": step}


@claim("004-15")
def the_pump_keeps_the_gradients():
    kept, lost = at_rest(), at_rest("no pump")
    return {
        "Na_i at rest": kept.c["Na"],
        "E_Na at rest": kept.E["Na"],
        "Na_i without the pump": lost.c["Na"],
    }
