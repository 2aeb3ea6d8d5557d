"""The three preparations: what was recorded of each, the cell that it is fitted with, its fits.

All numbers that were recorded come from published.csv; all that were not are in `ASSUMED`.

Every cell rests with what `held` says inside: held by a neutral supply (`buffered`), so that V
alone is found, where all currents cancel. That is the equation of Goldman, Hodgkin and Katz with a
pump, for any law. Only relative strengths count for V: the permeability to K is the unit.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

import numpy as np

import jaxmembrane as jm
from jaxmembrane.analytic import thermal_voltage
from jaxmembrane.constants import R

PUBLISHED = Path(__file__).resolve().parent / "published.csv"

ASSUMED = {
    "Ehrlich": (
        "Na inside 20 mM, K inside 100 to 180 mM, Cl inside 10 to 100 mM: usual ranges, from "
        "memory; the paper's abstract gives none",
        "inside concentrations stay as they are while solutions change: the paper changed them "
        "rapidly",
        "the mean V of the control is exact, since every substitution is recorded as a change from "
        "it; fits with the control moved by its standard error say what that does",
        "concentrations on both sides, not activities: only their ratios enter V, so that one "
        "common activity coefficient cancels",
    ),
    "Purkinje": (
        "150 mM Na in Tyrode's solution, from memory, times the activity coefficient that the "
        "recorded E_K imply; only P_Na times it enters V",
        "all in activities: K outside is what the recorded E_K and K inside give",
        "the pump balances the leak of Na at every K_o (steady state); no part for Cl",
    ),
    "barley": (
        "25 C, pH 6 outside and 7.2 inside, ATP hydrolysis worth -45 kJ/mol: usual values, not in "
        "the table",
        "K inside 40 to 200 mM, one value for all K_o, though plants were grown at each",
        "all inward current that is not carried by K counts as return of protons; NH4 and NO3 have "
        "no path of their own",
        "the error of a mean is the SD of cells by the root of the least number of cells",
        "concentrations outside, not activities: the coefficient of so dilute a solution is near "
        "one",
    ),
}
HELD = 0.1  # mV: errors of changes count from a control that has next to none
TYRODE_NA = 150.0  # mM
MEGOHM = 1e-6  # mV/fA
MISSING = np.nan


@dataclass(frozen=True, eq=False)
class Preparation:
    """One preparation: its data, cell and fits.

    ``fits`` are the names of the fits, of which ``ladders`` are those that add one datum after the
    other, ``whole`` those of all data, by series; ``symbols`` are what parameters are in print.
    """

    key: str
    title: str
    cell: jm.Cell
    free: jm.Space
    conditions: Mapping[str, np.ndarray]
    targets: Sequence[jm.Target]
    points: tuple[str, ...]
    fits: tuple[str, ...]
    ladders: tuple[tuple[str, ...], ...]
    whole: Mapping[str, str]
    symbols: Mapping[str, str]
    given: Mapping[str, float]

    @property
    def V(self) -> np.ndarray:
        """Recorded potentials, (fits, points)."""
        return np.asarray(self.targets[0].values)


def published(series: str, quantity: str = "V") -> list[dict[str, str]]:
    """Rows of published.csv."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [r for r in rows if r["series"] == series and r["quantity"] == quantity]


def numbers(rows: Sequence[Mapping[str, str]], column: str) -> np.ndarray:
    """One column of them."""
    return np.array([float(row[column]) for row in rows])


def held(*species: str) -> jm.Compartment:
    """An inside of given water and contents."""
    return jm.Compartment(volume="rigid", buffered=species)


def only(values: np.ndarray, points: Sequence[int]) -> np.ndarray:
    """Values at some points; nothing elsewhere."""
    kept = np.full(len(values), MISSING)
    kept[list(points)] = values[list(points)]
    return kept


def altered(s, p):
    """What a solution does to the permeability to K: a factor where it is present."""
    return p.f_Ba**p.Ba * p.f_Na**p.low_Na * p.f_Cl**p.low_Cl


def ehrlich() -> Preparation:
    """Ehrlich ascites tumour cell: K, Na and Cl of the bath, and Ba."""
    control, changes = published("ehrlich")[0], published("ehrlich", "V change")[:4]
    rest = float(control["value"])
    V = np.array([rest, *(rest + numbers(changes, "value"))])
    sd = np.array([HELD, *numbers(changes, "error")])
    R_control, factor = published("ehrlich", "R")[0], published("ehrlich", "R factor")[0]
    R_0 = MEGOHM * float(R_control["value"])
    resistance = np.array([R_0, *3 * [MISSING], R_0 * float(factor["value"])])
    R_sd = [MEGOHM * float(R_control["error"]), 1.0, 1.0, 1.0, R_0 * float(factor["error"])]
    K, Na, Cl, Ba = range(1, 5)
    every, level = range(5), float(control["error"])
    fits = {  # label: points of V, resistance too, P_K free to answer, shift of the control
        "control": ((), False, 0.0, 0.0),
        "K": ((K,), False, 0.0, 0.0),
        "Na": ((Na,), False, 0.0, 0.0),
        "Cl": ((Cl,), False, 0.0, 0.0),
        "Ba": ((Ba,), False, 0.0, 0.0),
        "K, Ba": ((K, Ba), False, 0.0, 0.0),
        "K, Ba, R": ((K, Ba), True, 0.0, 0.0),
        "K, Ba, R, Na": ((K, Ba, Na), True, 0.0, 0.0),
        "all": (every, True, 0.0, 0.0),
        "all, P_K answers": (every, True, 1.0, 0.0),
        f"the same, control {level:+g} mV": (every, True, 1.0, level),
        f"the same, control {-level:+g} mV": (every, True, 1.0, -level),
    }
    solutions = [control, *changes]
    answers = np.array([f[2] for f in fits.values()])[:, None]
    at = np.eye(5)
    potassium = jm.leak(jm.K, P=1.0).regulated(
        jm.Regulation(
            altered,
            {
                **{f"f_{x}": jm.Param(1.0, "1", f"P_K in {x}", "positive") for x in _ANSWERS},
                **{x: jm.Param(0.0, "1", f"whether {x}") for x in ("Ba", "low_Na", "low_Cl")},
            },
        )
    )
    return Preparation(
        key="Ehrlich",
        title="Ehrlich ascites tumour cell",
        cell=jm.Cell(
            [
                potassium,
                jm.leak(jm.Na, P=0.02),
                jm.leak(jm.Cl, P=0.1),
                jm.na_k_atpase("constant", j=2.0),
            ],
            {"T": 310.15, "cytosol.Na": 20.0},
            compartment=held("Na", "K", "Cl"),
        ),
        free=jm.Space(
            {
                "leak_Na.P": jm.LogUniform(1e-3, 1.0),
                "leak_Cl.P": jm.LogUniform(1e-3, 1.0),
                "nka.j": jm.LogUniform(0.5, 5.0),
                "membrane.area": jm.LogUniform(1.0, 1e4),
                "cytosol.K": jm.LogUniform(100.0, 180.0),
                "cytosol.Cl": jm.LogUniform(10.0, 100.0),
                "leak_K.f_Ba": jm.LogUniform(1e-3, 1.0),
                "leak_K.f_Na": jm.LogUniform(0.2, 5.0),
                "leak_K.f_Cl": jm.LogUniform(0.2, 5.0),
            }
        ),
        conditions={
            "bath.K": numbers(solutions, "K_o_mM"),
            "bath.Na": numbers(solutions, "Na_o_mM"),
            "bath.Cl": numbers(solutions, "Cl_o_mM"),
            "leak_K.Ba": at[Ba],
            "leak_K.low_Na": answers * at[Na],
            "leak_K.low_Cl": answers * at[Cl],
        },
        targets=[
            jm.Target("V", [only(V + f[3], (0, *f[0])) for f in fits.values()], sd),
            jm.Target(
                "input_resistance",
                [resistance if f[1] else np.full(5, MISSING) for f in fits.values()],
                R_sd,
            ),
        ],
        points=("control", "20 K", "21 Na", "67 Cl", "0.7 Ba"),
        fits=tuple(fits),
        ladders=(
            *(("control", x) for x in ("K", "Na", "Cl", "Ba")),
            ("K", "K, Ba", "K, Ba, R", "K, Ba, R, Na", "all", "all, P_K answers"),
        ),
        whole={"one fixed ratio": "all", "P_K answers low Na, low Cl": "all, P_K answers"},
        symbols={
            "leak_Na.P": "P$_{Na}$/P$_K$",
            "leak_Cl.P": "P$_{Cl}$/P$_K$",
            "nka.j": "pump/P$_K$",
            "membrane.area": "area × P$_K$",
            "cytosol.K": "K inside",
            "cytosol.Cl": "Cl inside",
            "leak_K.f_Ba": "P$_K$ in Ba",
            "leak_K.f_Na": "P$_K$ in low Na",
            "leak_K.f_Cl": "P$_K$ in low Cl",
        },
        given={"level error": level},
    )


_ANSWERS = ("Ba", "Na", "Cl")


def purkinje() -> Preparation:
    """Canine Purkinje fibre in three K_o, at rest and in diastole."""
    series = {name: published(name) for name in ("rest", "diastole")}
    E_K, inside = published("E_K", "E_K"), published("activity", "a_K_in")[0]
    a_K, T = float(inside["value"]), 310.15
    K_o = numbers(E_K, "K_o_mM")
    outside = a_K * np.exp(numbers(E_K, "value") / float(thermal_voltage(T)))
    gamma = float(np.mean(outside / K_o))
    names = [f"{x:g}" for x in K_o]
    sets = [(0,), (1,), (2,), (1, 2), (0, 1, 2)]
    labels = [f"{s}: {', '.join(names[i] for i in w)}" for s in series for w in sets]
    wide = [only(numbers(rows, "value"), w) for rows in series.values() for w in sets]
    errors = [numbers(rows, "error") for rows in series.values() for _ in sets]
    n = len(sets)
    return Preparation(
        key="Purkinje",
        title="canine Purkinje fibre",
        cell=jm.Cell(
            [jm.leak(jm.K, P=1.0), jm.leak(jm.Na, P=0.02), jm.na_k_atpase("linear", b=0.3)],
            {"T": T, "bath.Na": gamma * TYRODE_NA},
            compartment=held("K"),
        ),
        free=jm.Space(
            {
                "leak_Na.P": jm.LogUniform(1e-4, 1.0),
                "cytosol.K": jm.LogNormal(a_K, float(inside["error"]) / a_K),
            }
        ),
        conditions={"bath.K": outside},
        targets=[jm.Target("V", wide, errors)],
        points=tuple(f"{x} K" for x in names),
        fits=tuple(labels),
        ladders=tuple((x[1], x[3], x[4]) for x in (labels[:n], labels[n:])),
        whole={"at rest": labels[n - 1], "in diastole": labels[-1]},
        symbols={"leak_Na.P": "P$_{Na}$/P$_K$", "cytosol.K": "K inside"},
        given={"activity coefficient": gamma, "T": T},
    )


def barley() -> Preparation:
    """Barley root in five K_o, grown on NH4 or on NO3."""
    series = {name: published(name) for name in ("NH4", "NO3")}
    K_o = numbers(series["NH4"], "K_o_mM")
    cells = min(int(rows[0]["n"].split()[0]) for rows in series.values())
    sets = {
        "0.1": (0,),
        "0.1 and 1.5": (0, 1),
        "0.1 to 5": (0, 1, 2),
        "20 and 40": (3, 4),
        "0.1 to 20": (0, 1, 2, 3),
        "0.1 to 40": tuple(range(5)),
    }
    labels = {s: [f"{s}: {w}" for w in sets] for s in series}
    T = 298.15
    return Preparation(
        key="barley",
        title="barley root cell",
        cell=jm.Cell(
            [jm.h_atpase(), jm.leak(jm.K, P=0.01), jm.leak(jm.H, P=1.0)],
            {
                "T": T,
                "ATP": 1.0,
                "ADP": 0.5,
                "Pi": 5.0,
                "K_ATP": 0.5 * 5.0 / 1.0 * exp(45000.0 / (R * T)),
                "bath.H": 10.0 ** (3.0 - 6.0),
                "cytosol.H": 10.0 ** (3.0 - 7.2),
            },
            compartment=held("K", "H"),
        ),
        free=jm.Space(
            {
                "h_atpase.density": jm.LogUniform(1e-4, 1.0),
                "leak_H.P": jm.LogUniform(0.01, 1e3),
                "cytosol.K": jm.LogUniform(40.0, 200.0),
            }
        ),
        conditions={"bath.K": K_o},
        targets=[
            jm.Target(
                "V",
                [only(numbers(r, "value"), w) for r in series.values() for w in sets.values()],
                [numbers(r, "error") / cells**0.5 for r in series.values() for _ in sets],
            )
        ],
        points=tuple(f"{x:g} K" for x in K_o),
        fits=tuple(label for part in labels.values() for label in part),
        ladders=tuple((x[0], x[1], x[2], x[4], x[5]) for x in labels.values()),
        whole={f"on {s}": x[-1] for s, x in labels.items()},
        symbols={
            "h_atpase.density": "pump/P$_K$",
            "leak_H.P": "P$_H$/P$_K$",
            "cytosol.K": "K inside",
        },
        given={"T": T, "cells": cells},
    )
