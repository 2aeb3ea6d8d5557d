"""Concentrations (mM) and conditions that the texts take for granted."""

import jax.numpy as jnp

from jaxmembrane import analytic, constants

BODY, ROOM = 310.15, 298.15  # K

SODIUM = {"Na_i": 12.0, "Na_o": 145.0}
POTASSIUM = {"K_i": 140.0, "K_o": 4.0}
CALCIUM = {"Ca_i": 1e-4, "Ca_o": 1.2}
BICARBONATE = {"HCO3_i": 15.0, "HCO3_o": 25.0}


def protons(pH):
    """Concentration of H, mM."""
    return 10.0 ** (3.0 - pH)


def hydrolysis(dG, T=BODY):
    """ATP, ADP and Pi of 1 mM, and the equilibrium constant with which ATP is worth dG (J/mol)."""
    return {"ATP": 1.0, "ADP": 1.0, "Pi": 1.0, "K_ATP": float(jnp.exp(-dG / (constants.R * T)))}


def inside_for(E, z, outside, T=BODY):
    """Concentration inside whose Nernst potential is E (mV)."""
    return outside * analytic.voltage_ratio(z, E, T)
