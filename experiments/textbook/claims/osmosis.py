"""Water and charge: Donnan equilibrium, swelling, walls, and how little charge makes V."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

from functools import cache

import jax.numpy as jnp
from cells import AREA, at_rest, root

import jaxmembrane as jm
from jaxmembrane import analytic
from jaxmembrane.constants import F

from .register import claim
from .states import BODY


@cache
def bag():
    """A rigid bag with 100 mM of charge -1 in 150 mM KCl, at rest."""
    cell = jm.Cell(
        [jm.leak(jm.K), jm.leak(jm.Cl)],
        {
            "bath.K": 150.0,
            "bath.Cl": 150.0,
            "bath.X": 0.0,
            "cytosol.volume": 1000.0,
            "cytosol.X": 1e5,
            "cytosol.z_X": -1.0,
            "membrane.C_m": 1e-9,
        },
        compartment=jm.Compartment(volume="rigid"),
    )
    return jm.steady_state(cell, outputs=["V", "c", "E", "flux"])


def pressure(osmolarity, unit, T=BODY):
    """Osmotic pressure of an osmolarity difference (mM)."""
    return float(analytic.osmotic_pressure(osmolarity, T)) * float(jm.convert(1.0, "Pa", unit))


@claim("002-07")
def donnan():
    found = analytic.donnan(150.0, 100.0, -1.0)
    return {
        "K_i": found.cation,
        "Cl_i": found.anion,
        "V": found.V,
        "K_i Cl_i - K_o Cl_o": found.cation * found.anion - 150.0**2,
        "charge inside": found.cation - found.anion - 100.0,
    }


@claim("002-08")
def donnan_swelling():
    excess = analytic.donnan(150.0, 100.0, -1.0).excess
    return {
        "excess": excess,
        "pressure": pressure(excess, "bar"),
        "status of a cell without a wall": at_rest("no impermeant outside, no pump").status,
    }


@claim("002-09")
def plant_wall():
    """The wall's pressure in a root cell, against the osmolarity that it holds back."""
    rest, bath = root(), jm.zoo.root_cell().nominal()
    ions = 2.0 * (bath["bath.K"] + bath["bath.H"])  # Cl makes it neutral
    difference = rest.osmolarity[0] - ions - bath["bath.X"]
    return {
        "turgor / RT dC": rest.turgor[0] / analytic.osmotic_pressure(difference, bath["T"]),
        "turgor": 1e-6 * rest.turgor[0],
    }


GAINED = {jm.Na: 30.0, jm.Cl: 30.0, jm.K: -20.0}


@claim("002-12")
def gained_osmolytes():
    """What it would do to V on a sphere of 10 um: F r dc / 3 C."""
    charge = sum(s.z * c for s, c in GAINED.items())
    return {
        "sum": sum(GAINED.values()),
        "charge": charge,
        "V on a sphere of 10 um": 1e-3 * F * charge * (10.0 / 3.0) / 0.01,
    }


@claim("002-13")
def one_atmosphere():
    return {
        "pressure at 37 C": pressure(40.0, "atm"),
        "pressure at 20 C": pressure(40.0, "atm", 293.15),
        "T of 1 atm": BODY / pressure(40.0, "atm"),
        "pressure for 30 Na, -20 K, 10 Cl": pressure(20.0, "atm"),
        "pressure for 50 Na, -20 K, 30 Cl": pressure(60.0, "atm"),
    }


@claim("003-01")
def primitive_bag():
    rest = bag()
    return {
        "K_i Cl_i / K_o Cl_o": rest.c["K"] * rest.c["Cl"] / 150.0**2,
        "V": rest.V,
        "K_i": rest.c["K"],
        "Cl_i": rest.c["Cl"],
        "largest flux": jnp.abs(rest.flux.values).max(),
    }


@claim("003-03")
def passive_cells_burst():
    return {"status": at_rest("no impermeant outside, no pump").status}


@claim("004-02")
def charge_that_makes_v():
    """Net charge inside a neuron of 1 uF/cm^2 whose volume is 2.5 um times its area."""
    rest = at_rest("thin capacitance")
    nominal = jm.zoo.neuron().nominal()
    fixed = nominal["cytosol.z_X"] * nominal["cytosol.X"] / rest.volume
    charge = rest.c["Na"] + rest.c["K"] - rest.c["Cl"] + fixed
    return {"charge for 70 mV": 1e3 * charge * 70.0 / rest.V, "V/A": rest.volume / AREA}


@claim("002-23")
def transparent_cornea():
    """What the endothelium's pump draws out of the stroma, against the swelling pressure."""
    cell = jm.zoo.corneal_stroma()
    rest = jm.steady_state(cell, outputs=["c", "osmolarity"])
    aqueous = {s: cell.nominal()[f"aqueous.{s}"] for s in ("Na", "Cl", "X")}
    sodium, chloride = (pressure(aqueous[s] - rest.c[s], "mmHg") for s in ("Na", "Cl"))
    net = pressure(sum(aqueous.values()) - rest.osmolarity, "mmHg")
    return {
        "net": net,
        "Na": sodium,
        "Cl": chloride,
        "fixed charges": net - sodium - chloride,
    }
