"""Pictures of the fit, in colours that can be told apart without red and green."""

from collections.abc import Sequence
from pathlib import Path

import inference
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from population import Population

import jaxmembrane as jm

SHOWN = {
    "capacitance": ("capacitance (pF)", [10, 30, 100, 300]),
    "conductance": ("resting conductance (pS/µm$^2$)", [0.3, 1, 3]),
    "potassium": ("P$_K$ (µm/s)", [0.001, 0.01]),
    "ratio": ("P$_{Na}$/P$_K$", [0.01, 0.1, 1]),
}
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#777777"
SETS = {"room": (BLUE, "room temperature"), "33-34": (ORANGE, "33-34 °C")}
NAMES = {
    "membrane.area": "area",
    "leak.P": "P$_K$",
    "leak.r_Na": "P$_{Na}$/P$_K$",
    "leak.r_Cl": "P$_{Cl}$/P$_K$",
    "nka.j_max": "pump",
    "membrane.C_m": "C$_m$",
    "cytosol.K": "K inside",
    "cytosol.Na": "Na inside",
    "cytosol.Cl": "Cl inside",
}


def recorded(fitted: xr.Dataset, shifted: xr.Dataset, population: Population, path: Path) -> None:
    """What was recorded, the fit on top, and what follows from it with V as it is or shifted."""
    cells, other = (inference.per_cell(f, population) for f in (fitted, shifted))
    figure = Figure(figsize=(11.5, 4.2), layout="constrained")
    axes = figure.subplots(1, 3)
    told = {
        "input_resistance": ("MOhm", "input resistance (MΩ)", [30, 100, 300, 1000]),
        "tau_m": ("ms", "time constant (ms)", [3, 10, 30]),
    }
    for ax, (target, (unit, label, ticks)) in zip(axes, told.items(), strict=False):
        both = fitted[["recorded", "predicted"]].sel(target=["V", target]).isel(condition=0)
        ours = {"input_resistance": "mV/fA", "tau_m": "s"}[target]
        (x, y), (p, q) = both.recorded.values.T, both.predicted.values.T
        for name, (color, words) in SETS.items():
            own = cells.temperature.to_numpy() == name
            shown = jm.convert(y[own], ours, unit)
            ax.plot(x[own], shown, "o", ms=4, mec=color, mfc="none", mew=0.6, label=words)
        ax.plot(p, jm.convert(q, ours, unit), ".", ms=1.5, color="black", label="fit")
        ax.set(xlabel="V at rest (mV)", ylabel=label)
        _log(ax.yaxis, ticks)
    ax = axes[2]
    ax.plot(other.V - _offset(cells, other), other.ratio, ".", ms=2, color=GREY)
    ax.plot([], [], "o", ms=3, color=GREY, label=f"V {_offset(cells, other):+.0f} mV")
    for name, (color, words) in SETS.items():
        own = cells[cells.temperature == name]
        ax.plot(own.V, own.ratio, "o", ms=4, mec=color, mfc="none", mew=0.6, label=words)
    ax.set(xlabel="V at rest as recorded (mV)", ylabel="P$_{Na}$/P$_K$ of the fit")
    _log(ax.yaxis, [0.001, 0.01, 0.1, 1])
    ax.legend(loc="lower right", fontsize="small", frameon=False)
    low, high = axes[0].get_ylim()
    axes[0].set_ylim(low, high * 2.0)
    axes[0].legend(loc="upper left", fontsize="small", frameon=False, ncols=3, columnspacing=1.0)
    figure.savefig(path, dpi=150)


def _offset(cells, other) -> float:
    return float((other.V - cells.V).median())


def determined(fitted: xr.Dataset, path: Path) -> None:
    """What is left of each prior, and how well the best directions are held."""
    left = inference.narrowing(fitted)
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    ax, right = figure.subplots(1, 2, width_ratios=(3, 2))
    low, middle, high = left.quantile([0.05, 0.5, 0.95]).to_numpy()
    rows = np.arange(len(NAMES))[::-1]
    names = list(left)
    color = [BLUE if m < 0.5 else GREY for m in middle]
    ax.barh(rows, middle, color=color, height=0.55)
    ax.hlines(rows, low, high, color="black", lw=1.2)
    ax.axvline(0.5, color="black", ls=":", lw=1.0)
    ax.set_yticks(rows, [NAMES[name] for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0.0, 1.15), xlabel="error left, in errors of the prior (line: 5 to 95 % of cells)")
    for row, name in zip(rows, names, strict=True):
        share = float(fitted.determined.sel(parameter=name).mean())
        ax.text(1.13, row, f"{share:.0%}", va="center", ha="right", fontsize="small")
    ax.text(1.13, len(names) - 0.4, "determined in", ha="right", va="center", fontsize="small")
    ax.set_ylim(-0.6, len(names))
    eigen = np.maximum(fitted.information_eigenvalue.values, 1e-12)
    error = np.minimum(1.0 / np.sqrt(eigen), 30.0)
    numbers = np.arange(1, error.shape[1] + 1)
    low, middle, high = np.quantile(error, [0.05, 0.5, 0.95], axis=0)
    right.vlines(numbers, low, high, color="black", lw=1.2)
    held = middle < 0.5
    right.plot(numbers[held], middle[held], "o", color=BLUE)
    right.plot(numbers[~held], middle[~held], "^", color=GREY)
    right.axhline(0.5, color="black", ls=":", lw=1.0)
    right.set(yscale="log", ylim=(0.007, 45.0), xlabel="direction, best known first")
    right.set(ylabel="error from the data alone, in errors of the prior")
    right.set_yticks([0.01, 0.1, 1.0, 10.0, 30.0], ["0.01", "0.1", "1", "10", "30 or more"])
    right.set_xticks(numbers)
    right.minorticks_off()
    figure.savefig(path, dpi=150)


def families(fitted: xr.Dataset, population: Population, path: Path) -> None:
    """Every quantity by family and temperature: cells, and medians over animals."""
    cells = inference.per_cell(fitted, population)
    typed = inference.typed(cells)
    groups = {name: inference.of_groups(cells, name) for name in SHOWN}
    order = [str(family) for family in typed.family.value_counts(ascending=True).index]
    figure = Figure(figsize=(12.0, 6.2), layout="constrained")
    axes = figure.subplots(1, len(SHOWN), sharey=True)
    for ax, (name, (label, ticks)) in zip(axes, SHOWN.items(), strict=True):
        rng = np.random.default_rng(0)
        for family, temperature in groups[name].index:
            row, (color, _) = groups[name].loc[(family, temperature)], SETS[temperature]
            y = order.index(family) + (0.22 if temperature == "room" else -0.22)
            own = typed[(typed.family == family) & (typed.temperature == temperature)][name]
            spread = y + 0.15 * (2.0 * rng.random(len(own)) - 1.0)
            ax.plot(own, spread, ".", ms=4, color=color, alpha=0.3, mew=0, rasterized=True)
            known = np.isfinite(row.error)
            if known:
                ax.hlines(y, *_interval(row), color="black", lw=3.0)
            ax.plot(row["median"], y, "o", ms=6, mec="black", mfc=color if known else "white")
        ax.set_xlabel(label)
        _log(ax.xaxis, ticks)
        for y in range(len(order) - 1):
            ax.axhline(y + 0.5, color=GREY, lw=0.4)
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(order)), order)
    axes[0].set_ylim(-0.5, len(order) - 0.5)
    marks = [
        Line2D([], [], ls="", marker="o", mec="black", mfc=color, label=words)
        for color, words in SETS.values()
    ]
    few = f"fewer than {inference.LEAST_ANIMALS} animals"
    marks.append(Line2D([], [], ls="", marker="o", mec="black", mfc="white", label=few))
    bar = "median over animals, 95 %"
    marks.append(Line2D([], [], color="black", lw=3.0, label=bar))
    figure.legend(handles=marks, loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=150)


def _interval(row) -> np.ndarray:
    return row["median"] * np.exp(1.96 * row.error * np.array([-1.0, 1.0]))


def _log(axis, ticks: Sequence[float]) -> None:
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_minor_formatter(NullFormatter())
