"""Protons and electrons: plant cells, light, vents, and the oxidase of phagocytes."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

from functools import cache
from math import log10

import jax.numpy as jnp
import numpy as np
from cells import root

import jaxmembrane as jm
from jaxmembrane import analytic

from .register import claim
from .states import ROOM, hydrolysis, protons

ROOT = {"H_i": protons(7.2), "H_o": protons(5.7), "T": ROOM}


@claim("000-14")
def root_pump():
    paid = hydrolysis(-45e3, ROOM)
    return {
        f"V_rev with {n} H per ATP": jm.h_atpase(protons=n).at(**ROOT, **paid).reversal
        for n in (1, 2)
    }


@claim("000-15")
def root_without_atp():
    rest = root()
    before, after = rest.V
    symport = 1e-3 * rest.dG["h_cl"]
    worthless = jm.h_atpase().at(V=-150.0, **ROOT, **hydrolysis(0.0, ROOM))
    return {
        "change of V": after - before,
        "change of the symport's dG": symport[1] - symport[0],
        "dG_ATP at which the pump reverses": -1e-3 * worthless.dG,
    }


@claim("000-18")
def vent():
    """Without an antiporter, with one, and with ten times as much."""
    rest = jm.steady_state(
        jm.zoo.vent_protocell(), {"na_h.k": np.array([0.0, 1.0, 10.0])}, outputs=["c", "dG"]
    )
    sodium = -1e-3 * rest.dG["Na_ocean"]
    return {
        "H force across the ocean's face": -1e-3 * rest.dG["H_ocean"][0],
        "pH inside": 3.0 - jnp.log10(rest.c["H"][0]),
        "Na force without antiporter": sodium[0],
        "Na force with k 1 um/s/mM": sodium[1],
        "Na force with k 10 um/s/mM": sodium[2],
    }


@claim("000-20")
def oxidase_of_phagocytes():
    """Uncompensated for 20 ms, at 1 uF/cm^2."""
    at = jm.nadph_oxidase().at(V=-60.0, e_i=1e-9, e_o=1e-9)
    speed = -at.current / 0.01  # mV/s
    return {"excursion": 0.02 * speed, "V reached": -60.0 + 0.02 * speed, "V_rev": at.reversal}


@cache
def liposome():
    """In the dark and in the light."""
    return jm.steady_state(
        jm.zoo.proteoliposome(), {"light": np.array([0.0, 1e12])}, outputs=["V", "flux"]
    )


@claim("002-02")
def light_pump():
    pump = jm.light_pump()
    return {
        "Q out": -pump.charge,
        "V in the light": liposome().V[1],
        "V in the dark": liposome().V[0],
        "J of protons out": liposome().flux["light_pump"][1],
    }


@claim("002-03")
def proton_motive_force():
    return {
        "dp": analytic.proton_motive_force(2e4, 100.0),
        "dp with back-pressure of 250 mV": analytic.proton_motive_force(2e4, 100.0, 250.0),
        "dp of a proteoliposome": -liposome().V[1],
    }


@claim("002-04")
def proton_leak():
    V = np.array([-100.0, 0.0, 60.0])
    pH_i, pH_o = 7.5, 6.5
    at = jm.leak(jm.H, "ohmic", g=3.0).at(V=V, H_i=protons(pH_i), H_o=protons(pH_o))
    dp = V - analytic.thermal_voltage() * (pH_i - pH_o) / log10(np.e)
    return {"I - G dp": jnp.abs(at.current - 3.0 * dp).max()}
