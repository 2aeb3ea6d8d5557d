"""The recorded cells and their model; without a table, simulated cells whose truth is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import jaxmembrane as jm

COLUMNS = {
    "cell_id": "cell",
    "V_rest_mV": "V (mV)",
    "R_in_MOhm": "input_resistance (MOhm)",
    "tau_ms": "tau_m (ms)",
}
LABELS = ("temperature_C", "family", "mouse_id", "layer", "exclusion", "R_seal_MOhm")
VOLTAGE_ERROR, SHARE = 1.0, 0.1  # mV; of R_in and tau
ERRORS = {"V": VOLTAGE_ERROR, "input_resistance": f"{SHARE:.0%}", "tau_m": f"{SHARE:.0%}"}
TEMPERATURES = {"room": 298.15, "33-34": 306.65}  # K

PIPETTE = {"K": (118.0, 0.05), "Na": (11.0, 0.3), "Cl": (5.0, 0.4)}  # mM, sd of the logarithm
BATH = {"bath.K": 2.5, "bath.Na": 150.0, "bath.Cl": 130.0}
CAPACITANCE = (0.009, 0.1)  # pF/um^2
PUMP, CHLORIDE = 0.7, 1.0  # sd of ln j_max and ln P_Cl/P_K

# Cells of each family in the recorded table, by set; "" has none.
SHAPE = {
    "room": {"Pvalb": 289, "Sst": 272, "IT": 254, "Vip": 153, "CT": 105, "Lamp5": 91, "ET": 49}
    | {"Sncg": 13, "NP": 5, "": 97},
    "33-34": {"Sst": 110, "IT": 42, "ET": 12, "Pvalb": 10, "NP": 2, "": 8},
}
ANIMALS = {"room": 266, "33-34": 8}
MIDDLES = {"leak.P": 0.006, "leak.r_Na": 0.1}  # of simulated cells
FAMILY, ANIMAL, CELL = 0.3, 0.2, 0.4  # sd of their logarithms between families, animals, cells
PATCHED, TRIES = (-100.0, -35.0), 20  # mV
WARMER = 1.5  # permeability of simulated cells at 33-34 C over that at room temperature


def model() -> jm.Cell:
    """A patched cell: its contents held by the pipette, one leak of K, Na and Cl, and the pump.

    The pipette of a current clamp passes no net current: what the membrane passes of the ions that
    it holds has to cancel. That is what "buffered" says; with "clamped" it would not move V.
    """
    ions = {jm.K: 1.0, jm.Na: 0.05, jm.Cl: 0.25}
    return jm.Cell(
        [jm.channel("leak", ions), jm.na_k_atpase()],
        BATH,
        compartment=jm.Compartment(volume="rigid", buffered=[jm.K, jm.Na, jm.Cl]),
        source="permeabilities and pump in the middle: the published neuron of jm.zoo.neuron()",
    )


def E_K() -> float:
    """Nernst potential of potassium at room temperature, mV."""
    return float(jm.analytic.nernst(1, BATH["bath.K"], PIPETTE["K"][0], TEMPERATURES["room"]))


def space(pump: float = 1.0, chloride: float = 1.0) -> jm.Space:
    """What is fitted, and its priors; `pump` and `chloride` are factors on two of their middles."""
    given = model().nominal()
    return jm.Space(
        {
            "membrane.area": jm.LogNormal(7000.0, 1.0),
            "leak.P": jm.LogUniform(1e-4, 1.0),
            "leak.r_Na": jm.LogUniform(1e-3, 10.0),
            "leak.r_Cl": jm.LogNormal(chloride * given["leak.r_Cl"], CHLORIDE),
            "nka.j_max": jm.LogNormal(pump * given["nka.j_max"], PUMP),
            "membrane.C_m": jm.LogNormal(*CAPACITANCE),
            **{f"cytosol.{ion}": jm.LogNormal(*PIPETTE[ion]) for ion in PIPETTE},
        }
    )


@dataclass(frozen=True)
class Population:
    """Cells to fit: recordings, and the truth where they were simulated."""

    recordings: jm.Recordings
    truth: Mapping[str, np.ndarray] | None

    def label(self, name: str) -> np.ndarray:
        """A label of each cell; empty text where the table has none."""
        found = self.recordings.labels.get(name)
        return np.full(len(self.recordings.cells), "") if found is None else found

    @property
    def temperature(self) -> np.ndarray:
        """T of each cell, of shape (cells, 1), K."""
        return np.array([[TEMPERATURES[told]] for told in self.label("temperature_C")])

    def shifted(self, offset: float) -> jm.Recordings:
        """The recordings with `offset` (mV) added to V."""
        r = self.recordings
        moved = [replace(t, values=t.values + offset) if t.of == "V" else t for t in r.targets]
        return replace(r, targets=tuple(moved))

    def only(self, rows: int | None) -> "Population":
        """At most so many of its cells, evenly spaced."""
        n = len(self.recordings.cells)
        keep = np.unique(np.linspace(0, n - 1, min(rows or n, n)).round().astype(int))
        r = self.recordings
        part = replace(
            r,
            targets=tuple(replace(t, values=t.values[keep], sd=t.sd[keep]) for t in r.targets),
            cells=tuple(np.array(r.cells)[keep].tolist()),
            labels={name: x[keep] for name, x in r.labels.items()},
        )
        truth = self.truth and {name: x[keep] for name, x in self.truth.items()}
        return Population(part, truth)


def read(path: Path, rows: int | None) -> Population:
    """The recorded cells of a table."""
    found = jm.read_recordings(path, model(), columns=COLUMNS, sd=ERRORS, labels=LABELS)
    told = found.labels.get("temperature_C", np.array([""]))
    other = sorted(set(map(str, told)) - set(TEMPERATURES))
    if other:
        raise ValueError(
            f"{path}: temperature_C is {other[0]!r} in a row: it must be "
            f"{' or '.join(TEMPERATURES)} in every row"
        )
    return Population(found, None).only(rows)


def simulate(rows: int | None, seed: int = 1) -> Population:
    """A table of the recorded one's shape, with errors of measurement, from cells that are known.

    Permeability and P_Na/P_K differ by family, animal and cell; all else is drawn from its prior.
    Each cell is drawn until V is within `PATCHED`: the priors also allow what nobody has patched.
    """
    rng = np.random.default_rng(seed)
    told = [(t, f) for t, counts in SHAPE.items() for f, n in counts.items() for _ in range(n)]
    temperature, family = np.array(told)[rng.permutation(len(told))].T
    mouse = np.array([f"mouse_{t}_{rng.integers(ANIMALS[t])}" for t in temperature])
    tries = np.repeat(np.arange(len(told)), TRIES)
    known = {names[0]: axis.ppf(rng.random(tries.size)) for names, axis in space().axes.items()}
    for name, middle in MIDDLES.items():
        size = np.log(middle) + CELL * rng.standard_normal(tries.size)
        for groups, sd in ((family, FAMILY), (mouse, ANIMAL)):
            _, number = np.unique(groups, return_inverse=True)
            size += sd * rng.standard_normal(number.max() + 1)[number][tries]
        known[name] = np.exp(size)
    known["leak.P"] *= np.where(temperature == "33-34", WARMER, 1.0)[tries]
    T = np.array([TEMPERATURES[t] for t in temperature])[tries]
    shown = ["V", "input_resistance", "tau_m"]
    rest = jm.sweep(model(), jm.table({**known, "T": T}), outputs=shown, progress=False)
    noise = rng.standard_normal((3, tries.size))
    V = rest.V.values + VOLTAGE_ERROR * noise[0]
    factor = 1.0 + SHARE * noise[1:]
    fit = (rest.status.values == 0) & (PATCHED[0] < V) & (V < PATCHED[1])
    found, first = np.unique(tries[fit], return_index=True)
    keep = np.flatnonzero(fit)[first]
    table = pd.DataFrame(
        {
            "cell_id": [f"simulated_{i}" for i in found],
            "V_rest_mV": V[keep],
            "R_in_MOhm": _in("MOhm", rest.input_resistance, factor[0], keep),
            "tau_ms": _in("ms", rest.tau_m, factor[1], keep),
            "temperature_C": temperature[found],
            "family": family[found],
            "mouse_id": mouse[found],
            "layer": "",
            "exclusion": "",
            "R_seal_MOhm": "",
        }
    )
    recordings = jm.read_recordings(table, model(), columns=COLUMNS, sd=ERRORS, labels=LABELS)
    return Population(recordings, {name: x[keep] for name, x in known.items()}).only(rows)


def _in(unit: str, shown: xr.DataArray, factor: np.ndarray, keep: np.ndarray) -> np.ndarray:
    return jm.convert((shown.values * factor)[keep], shown.attrs["units"], unit)
