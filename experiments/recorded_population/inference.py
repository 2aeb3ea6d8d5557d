"""What a fit says of each cell, and of families and temperatures by way of their animals."""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from population import Population
from scipy.stats import norm

import jaxmembrane as jm

QUANTITIES = {
    "capacitance": "capacitance (pF)",
    "conductance": "resting conductance (pS/um^2)",
    "potassium": "P_K (um/s)",
    "ratio": "P_Na/P_K",
}
RESAMPLES, LEAST_ANIMALS = 2000, 5


def per_cell(fitted: xr.Dataset, population: Population) -> pd.DataFrame:
    """The quantities of each cell, and what it is."""
    of = {str(p): fitted.estimate.sel(parameter=p).values for p in fitted.parameter.values}
    seen = fitted.predicted.isel(condition=0)
    return pd.DataFrame(
        {
            "cell": population.recordings.cells,
            **{name: population.label(name) for name in ("family", "mouse_id", "layer")},
            "temperature": population.label("temperature_C"),
            "remark": population.label("exclusion"),
            "V": fitted.recorded.sel(target="V").values[:, 0],
            "capacitance": of["membrane.area"] * of["membrane.C_m"],
            "conductance": of["membrane.C_m"] / seen.sel(target="tau_m").values,
            "potassium": of["leak.P"],
            "ratio": of["leak.r_Na"],
        }
    )


def typed(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that have a family and no remark of the authors."""
    return cells.query("family != '' and remark == ''")


def of_groups(cells: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Medians of a quantity by family and temperature, with errors that know of animals.

    The median is that over animals of each one's median; its error, of the logarithm, is the
    standard deviation when animals are drawn again, and NaN for fewer than five of them.
    """
    rows = {}
    for key, group in typed(cells).groupby(["family", "temperature"]):
        animals = np.log(group.groupby("mouse_id")[quantity].median().to_numpy())
        rng = np.random.default_rng(0)
        again = rng.choice(animals, (RESAMPLES, animals.size))
        enough = animals.size >= LEAST_ANIMALS
        low, high = group[quantity].quantile([0.05, 0.95])
        rows[key] = {
            "cells": len(group),
            "animals": animals.size,
            "median": np.exp(np.median(animals)),
            "error": np.median(again, axis=1).std() if enough else np.nan,
            "low": low,
            "high": high,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["family", "temperature"])


def at(groups: pd.DataFrame, temperature: str) -> pd.DataFrame:
    """The families at one temperature, by rising median, of those whose error is known."""
    there = groups.query("temperature == @temperature").droplevel(1)
    return there.dropna(subset=["error"]).sort_values("median")


def differing(families: pd.DataFrame) -> tuple[int, int]:
    """How many pairs of families differ at 5 % after Bonferroni's correction, and of how many."""
    x, e = np.log(families["median"].to_numpy()), families.error.to_numpy()
    i, j = np.triu_indices(len(x), 1)
    if not i.size:
        return 0, 0
    z = np.abs(x[i] - x[j]) / np.hypot(e[i], e[j])
    return int((z > norm.ppf(1.0 - 0.025 / i.size)).sum()), i.size


def shares(cells: pd.DataFrame, quantity: str) -> tuple[float, float]:
    """Share of a logarithm's variance that lies between families, and of the rest between animals.

    At room temperature; the second is the intraclass correlation of a one-way analysis of variance.
    """
    room = typed(cells).query("temperature == 'room'")
    x = pd.Series(np.log(room[quantity].to_numpy()), index=room.index)
    rest = x - x.groupby(room.family).transform("mean")
    animals = rest.groupby(room.mouse_id)
    n = animals.size()
    between = (n * (animals.mean() - rest.mean()) ** 2).sum() / (len(n) - 1)
    within = ((rest - animals.transform("mean")) ** 2).sum() / (n.sum() - len(n))
    usual = (n.sum() - (n**2).sum() / n.sum()) / (len(n) - 1)
    animal = (between - within) / (between + (usual - 1.0) * within)
    return 1.0 - float(np.var(rest)) / float(np.var(x)), float(animal)


def warming(warm: pd.DataFrame, room: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """Of each family known at both: the ratio of medians, warm over room, and its 95 % interval."""
    a, b = at(warm, "33-34"), at(room, "room")
    found = {}
    for family in a.index.intersection(b.index):
        middle = np.log(a["median"][family] / b["median"][family])
        wide = 1.96 * np.hypot(a.error[family], b.error[family])
        low, ratio, high = np.exp([middle - wide, middle, middle + wide])
        found[family] = (ratio, low, high)
    return found


def narrowing(fitted: xr.Dataset) -> pd.DataFrame:
    """What is left of each axis's prior: its standard error over the prior's, by cell."""
    spread, values = [], fitted.estimate.values
    for axis in _axes(fitted):
        spread.append(axis["numbers"][1] * (12.0**-0.5 if axis["bounded"] else 1.0))
    left = fitted.standard_error.values / values / np.array(spread)
    return pd.DataFrame(left, columns=[axis["names"][0] for axis in _axes(fitted)])


def strain(fitted: xr.Dataset) -> np.ndarray:
    """How far each cell pulls an axis from the middle of its prior, at most, in its sd."""
    pulls = []
    for i, axis in enumerate(_axes(fitted)):
        middle, width = axis["numbers"]
        natural = np.log(fitted.estimate.values[:, i])
        pulls.append(np.zeros_like(natural) if axis["bounded"] else (natural - middle) / width)
    return np.abs(pulls).max(axis=0)


def _axes(fitted: xr.Dataset) -> list[dict]:
    return json.loads(fitted.attrs["free"])


def given(fitted: xr.Dataset, one: str, other: str) -> np.ndarray:
    """Standard error of ln `one` in each cell, were `other` known."""
    row = fitted.sel(parameter=one)
    r = fitted.correlation.sel(parameter=one, other=other).values
    return row.standard_error.values / row.estimate.values * np.sqrt(1.0 - r**2)


def coverage(fitted: xr.Dataset, truth: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """How often the intervals hold the truth, how far estimates are off, and what width is right.

    ``width`` is by how much intervals of ln p had to be wider to hold it as often as they say.
    """
    level = float(fitted.attrs["level"])
    rows = {}
    for name, x in truth.items():
        one = fitted.sel(parameter=name)
        z = np.log(one.estimate.values / x) * one.estimate.values / one.standard_error.values
        rows[name] = {
            "held": np.mean((one.low.values <= x) & (x <= one.high.values)),
            "ratio": np.exp(np.nanmedian(np.log(one.estimate.values / x))),
            "width": np.nanquantile(np.abs(z), level) / norm.ppf(0.5 + 0.5 * level),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def words(fitted: xr.Dataset) -> str:
    """What `jm.explain` says of the cell in the middle of V."""
    V = fitted.recorded.sel(target="V").values[:, 0]
    middle = np.argsort(V)[V.size // 2]
    return jm.explain(fitted, fitted.cell.values[middle])
