"""The switch of WNK and SPAK, which slow KCC2 and speed NKCC1: chloride at rest and in time."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from neurons import SPREAD, neuron, spread

import jaxmembrane as jm

ON = 7200.0  # s with the switch at full activity
TIMES = np.unique([0.0, *np.geomspace(1.0, ON, 45), *(ON + np.geomspace(1.0, ON, 45))])
EXPECTED = {0.0: (5.16, -83.85), 0.35: (15.00, -55.35), 1.0: (40.44, -28.84)}
"""Cl (mM) and E_Cl (mV) of an independent model by activity, at a fixed membrane area."""
HCO3 = {"HCO3_i": 15.0, "HCO3_o": 25.0}
"""Of both sides, mM, where E_GABA is read off with it."""
QUANTILES = (0.05, 0.25, 0.75, 0.95)


class Switched(NamedTuple):
    """Rests of the population and of the published neuron by activity, and courses of both."""

    rests: xr.Dataset
    alone: xr.Dataset
    courses: xr.Dataset
    course: xr.Dataset


def _only(design) -> dict[str, list[float]]:
    return {name: [neuron().nominal()[name]] for name in design.names}


def sweep(rows: int) -> Switched:
    """Rests over the switch, and courses while it is on for two hours."""
    kept = {"outputs": ["V", "c", "E"], "progress": True}
    design = spread(wnk=jm.Uniform(0.0, 1.0)).sobol(rows, seed=1)
    activity = np.linspace(0.0, 1.0, 201)
    same = {name: np.repeat(x, activity.size) for name, x in _only(design).items()}
    rests = jm.sweep(neuron(), design, **kept)
    alone = jm.sweep(neuron(), jm.table(same | {"wnk": activity}), **kept)
    design = spread().sobol(rows, seed=2)
    switch = jm.interventions.wnk_spak(neuron(), 1.0, lasting=ON)
    kept |= {"protocol": switch, "times": TIMES.tolist()}
    courses = jm.sweep(neuron(), design, **kept)
    course = jm.sweep(neuron(), jm.table(_only(design)), **kept).isel(sample=0)
    return Switched(rests, alone, _ok(courses), course)


def _ok(ds: xr.Dataset) -> xr.Dataset:
    return ds.isel(sample=np.flatnonzero(ds.status.values == 0))


def E_GABA(ds: xr.Dataset) -> np.ndarray:
    """What a receptor that passes HCO3 as well would show at this chloride, mV."""
    receptor = jm.gaba_a().at(
        Cl_i=ds.c.sel(species="Cl").values,
        Cl_o=float(ds["bath.Cl"]),
        T=float(ds["T"]),
        **HCO3,
    )
    return np.asarray(receptor.reversal)


def flips_at(alone: xr.Dataset) -> float:
    """Activity at which E_Cl meets V: receptors then stop to inhibit by hyperpolarisation."""
    above = (alone.E.sel(species="Cl") - alone.V).values
    return float(np.interp(0.0, above, alone.wnk.values))


def report(found: Switched) -> list[str]:
    """Chloride and E_Cl over the switch, beside an independent model."""
    rests, alone = _ok(found.rests), found.alone
    lines = [
        "## The switch of WNK and SPAK",
        "",
        f"{found.rests.sizes['sample']:,} neurons whose strengths are spread log-normally (sigma "
        f"{SPREAD:g}); {rests.sizes['sample']:,} have a rest. The table is of the published one.",
        "",
        "| activity | Cl inside (mM) | expected | E_Cl (mV) | expected | E_GABA with HCO3 (mV) "
        "| V (mV) |",
        "|" + "---|" * 7,
    ]
    for activity, (Cl, E_Cl) in EXPECTED.items():
        at = alone.isel(sample=int(np.argmin(np.abs(alone.wnk.values - activity))))
        lines.append(
            f"| {activity:g} | {float(at.c.sel(species='Cl')):.2f} | {Cl:.2f} | "
            f"{float(at.E.sel(species='Cl')):.2f} | {E_Cl:.2f} | "
            f"{float(E_GABA(at)):.1f} | {float(at.V):.2f} |"
        )
    above = (rests.E.sel(species="Cl") > rests.V).values
    low, high = (rests.wnk.values < 0.1), (rests.wnk.values > 0.5)
    Cl = found.course.c.sel(species="Cl").values
    spans = found.courses.c.sel(species="Cl").sel(time=ON).quantile([0.05, 0.95]).values
    loaded = TIMES <= ON
    half = np.interp(0.5 * (Cl[0] + Cl[loaded][-1]), Cl[loaded], TIMES[loaded])
    return [
        *lines,
        "",
        "Expected is what an independent model of a cell with a fixed area gives. E_GABA with HCO3 "
        "is what a receptor with a fifth of its permeability for HCO3 "
        f"({HCO3['HCO3_i']:g} mM inside, {HCO3['HCO3_o']:g} outside) would show at this chloride.",
        "",
        f"In the published neuron E_Cl meets V at an activity of {flips_at(alone):.3f}. Of the "
        f"population {above[low].mean():.0%} have E_Cl above V below an activity of 0.1, "
        f"{above[high].mean():.0%} above one of 0.5.",
        "",
        f"Switched on at once, half of the chloride has come after {half / 60.0:.1f} min; after "
        f"{ON / 3600.0:g} h it is {Cl[loaded][-1]:.1f} mM (5 to 95 % of the population: "
        f"{spans[0]:.1f} to {spans[1]:.1f}), and {Cl[-1]:.2f} mM {ON / 3600.0:g} h after it was "
        f"switched off, from {Cl[0]:.2f} before.",
    ]


def _bands(ax, x, values, colour: str) -> None:
    """Quantiles of rows along x."""
    low, below, above, high = np.quantile(values, QUANTILES, axis=0)
    ax.fill_between(x, low, high, color=colour, alpha=0.16, lw=0, label="5 to 95 %")
    ax.fill_between(x, below, above, color=colour, alpha=0.34, lw=0, label="25 to 75 %")


def _binned(ds: xr.Dataset, read) -> tuple[np.ndarray, np.ndarray]:
    """Equally many rows for each bin of activity, in order: its median activity, and values."""
    order = np.argsort(ds.wnk.values)
    bins = max(2, min(30, order.size // 40))
    order = order[: order.size // bins * bins].reshape(bins, -1)
    return np.median(ds.wnk.values[order], axis=1), read(ds).values[order].T


def draw(found: Switched, path: Path) -> None:
    """Chloride, E_Cl and V over the switch, and in time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 6.8), layout="constrained")
    axes = figure.subplots(2, 2)
    rests, minutes = _ok(found.rests), TIMES / 60.0
    for row, parts in enumerate(
        (
            [("published neuron", lambda d: d.c.sel(species="Cl"), "#009E73")],
            [
                ("E$_{Cl}$", lambda d: d.E.sel(species="Cl"), "#009E73"),
                ("V", lambda d: d.V, "#0072B2"),
            ],
        )
    ):
        for label, read, colour in parts:
            x, values = _binned(rests, read)
            _bands(axes[row, 0], x, values, colour)
            axes[row, 0].plot(found.alone.wnk, read(found.alone), color=colour, label=label)
            _bands(axes[row, 1], minutes, read(found.courses).values, colour)
            axes[row, 1].plot(minutes, read(found.course), color=colour, label=label)
    for row in (0, 1):
        expected = [values[row] for values in EXPECTED.values()]
        ring = {"ms": 7, "mfc": "none", "mec": "black", "clip_on": False, "zorder": 5}
        axes[row, 0].plot(list(EXPECTED), expected, "o", **ring, label="independent model")
        axes[row, 0].set(xlabel="activity of WNK-SPAK", xlim=(0.0, 1.0))
        axes[row, 1].axvspan(0.0, ON / 60.0, color="0.93", zorder=0)
        axes[row, 1].set(xlabel="minutes", xlim=(0.0, minutes[-1]))
        axes[row, 1].set_xticks(range(0, 241, 60))
        axes[0, row].set_ylabel("Cl inside (mM)")
        axes[1, row].set_ylabel("potential (mV)")
    axes[0, 1].annotate(
        "WNK-SPAK on", (0.25, 0.12), xycoords="axes fraction", ha="center", va="top"
    )
    axes[0, 0].legend(frameon=False, loc="upper left")
    axes[1, 0].plot(found.alone.wnk, E_GABA(found.alone), "--", color="#D55E00")
    for label, x, y, colour in (
        ("E$_{Cl}$", 0.72, 0.92, "#009E73"),
        ("V", 0.9, 0.16, "#0072B2"),
        ("E$_{GABA}$ with HCO$_3^-$", 0.04, 0.62, "#D55E00"),
    ):
        axes[1, 0].annotate(label, (x, y), xycoords="axes fraction", color=colour)
    figure.savefig(path, dpi=150)
