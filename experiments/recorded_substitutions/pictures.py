"""The pictures: data with fits and bands, what resolves what, and why one ratio does not do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from preparations import Preparation, numbers, published
from told import Band

COLOURS = ("#0072B2", "#D55E00")
MARKS = ("o", "s")
INK = "#000000"


@dataclass(frozen=True, eq=False)
class Outcome:
    """A preparation, its fits, and what the data leave by the name of each fit."""

    preparation: Preparation
    fits: xr.Dataset
    bands: Mapping[str, Band]
    K_o: np.ndarray  # mM, where curves are drawn; parameters there may be activities


def draw_fits(outcomes: list[Outcome], path: Path) -> None:
    """Recorded V, best fits, and the 95 % that each fit leaves."""
    figure = Figure(figsize=(14.0, 4.8), layout="constrained")
    for ax, outcome in zip(figure.subplots(1, 3), outcomes, strict=True):
        (solutions if outcome.K_o.size == 0 else against_potassium)(ax, outcome)
        ax.set(title=outcome.preparation.title, ylabel="V (mV)")
        ax.legend(fontsize="small", frameon=False)
    figure.savefig(path, dpi=150)


def solutions(ax: Axes, outcome: Outcome) -> None:
    """V in each solution: recorded, and by the fits of all data and of K, Ba and R alone."""
    p, at = outcome.preparation, np.arange(len(outcome.preparation.points))
    shown = {"from K, Ba and resistance alone": "K, Ba, R"} | dict(p.whole)
    fit = outcome.fits.sel(cell=p.whole["one fixed ratio"])
    colours = ("#999999", *COLOURS)
    for i, (label, name) in enumerate(shown.items()):
        low, _, high = outcome.bands[name].points
        best = outcome.fits.predicted.sel(cell=name, target="V").values
        x = at + 0.16 * (i + 0.5)
        ax.vlines(x, low, high, color=colours[i], lw=6, alpha=0.35)
        ax.plot(x, best, "D^v"[i], color=colours[i], ms=5, label=label)
    recorded, sd = (fit[v].sel(target="V").values for v in ("recorded", "sd"))
    ax.errorbar(at - 0.14, recorded, sd, fmt="o", color=INK, capsize=3, label="recorded", zorder=3)
    ax.set_xticks(at, p.points)
    ax.set(xlabel="solution (mM)", ylim=(-85.0, -10.0), xlim=(-0.5, len(at) - 0.2))


def against_potassium(ax: Axes, outcome: Outcome) -> None:
    """V against K outside: two series with their fits of all data."""
    p = outcome.preparation
    data = outcome.fits["bath.K"].values[0]
    # The axis is what was measured, a concentration, also where the cell is given activities.
    scale = data / numbers_outside(p)
    for i, (label, name) in enumerate(p.whole.items()):
        fit, band = outcome.fits.sel(cell=name), outcome.bands[name]
        low, middle, high = band.along
        ax.fill_between(outcome.K_o, low, high, color=COLOURS[i], alpha=0.25, lw=0)
        ax.plot(outcome.K_o, middle, color=COLOURS[i], ls=("-", "--")[i], label=f"fit {label}")
        recorded, sd = (fit[v].sel(target="V").values for v in ("recorded", "sd"))
        apart = 1.0 + 0.03 * (2 * i - 1)
        ax.errorbar(
            apart * data / scale,
            recorded,
            sd,
            fmt=MARKS[i],
            color=COLOURS[i],
            mec=INK,
            ecolor=INK,
            capsize=3,
            zorder=3,
            label=f"recorded {label}",
        )
    if p.key == "Purkinje":
        E_K = numbers(published("E_K", "E_K"), "value")
        ax.plot(data / scale, E_K, ":", color="#666666", marker="x", label="recorded E$_K$")
    ax.set(xscale="log", xlabel="K outside (mM)")
    ticks = [x for x in (0.1, 1, 2, 4, 5, 10, 16, 20, 40) if x in numbers_outside(p) or x == 1]
    ax.set_xticks(ticks, [f"{x:g}" for x in ticks])
    ax.minorticks_off()


def numbers_outside(p: Preparation) -> np.ndarray:
    """K outside at each point, mM, as it was told."""
    return np.array([float(x.split()[0]) for x in p.points])


def draw_resolved(outcomes: list[Outcome], path: Path) -> None:
    """What each set of data leaves of each parameter, as a share of what was allowed."""
    sizes = [(len(o.bands), len(o.preparation.symbols)) for o in outcomes]
    figure = Figure(figsize=(15.0, 5.6), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=[columns + 2.2 for _, columns in sizes])
    scale = Normalize(0.0, 1.0)
    for ax, outcome in zip(axes, outcomes, strict=True):
        p = outcome.preparation
        names = list(outcome.bands)
        share = np.array([np.minimum(outcome.bands[name].shares, 1.0) for name in names])
        ax.imshow(share, norm=scale, cmap="cividis", aspect="auto")
        for (row, column), value in np.ndenumerate(share):
            fit = outcome.fits.sel(cell=names[row])
            bold = "bold" if value < 0.5 else "normal"
            mark = "*" if int(fit.status) != 0 else ""
            ax.text(
                column,
                row,
                f"{value:.2f}{mark}",
                ha="center",
                va="center",
                color="white" if value < 0.5 else INK,
                fontsize=8,
                weight=bold,
            )
        symbols = [p.symbols[str(x)] for x in outcome.fits.parameter.values]
        ax.set_xticks(range(len(symbols)), symbols, rotation=35, ha="right", fontsize="small")
        ax.set_yticks(range(len(names)), names, fontsize="small")
        ax.set_title(p.title, fontsize="medium")
    bar = figure.colorbar(ScalarMappable(scale, "cividis"), ax=axes, pad=0.01, aspect=35)
    bar.set_label("95 % interval left, as a share of what was allowed (* data not met)")
    figure.savefig(path, dpi=150)


def draw_ratios(outcomes: list[Outcome], slopes: Mapping, path: Path) -> None:
    """What single data ask for: factors of P_K, ratios at each K outside, slopes in V."""
    figure = Figure(figsize=(14.0, 4.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    ehrlich, purkinje = outcomes[0], outcomes[1]
    names = [n for n in ehrlich.preparation.symbols if n.startswith("leak_K.f_")]
    index = [list(ehrlich.fits.parameter.values).index(n) for n in names]
    found = ehrlich.bands["all, P_K answers"].parameters[index]
    at = np.arange(len(names))
    left.errorbar(
        at,
        found[:, 1],
        np.abs(found[:, [0, 2]].T - found[:, 1]),
        fmt="o",
        color=COLOURS[1],
        capsize=4,
    )
    left.axhline(1.0, color="#666666", ls=":")
    left.set_xticks(at, [ehrlich.preparation.symbols[n] for n in names])
    left.set(
        yscale="log",
        ylim=(0.01, 2.0),
        xlim=(-0.5, len(at) - 0.5),
        ylabel="times P$_K$ of the control",
        title=f"{ehrlich.preparation.title}: what P$_K$ has to do",
    )
    factors = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
    left.set_yticks(factors, [f"{x:g}" for x in factors])
    left.minorticks_off()
    for i, (series, rows) in enumerate(singles(purkinje).items()):
        x = np.arange(len(rows)) + 0.12 * (2 * i - 1)
        value = np.array([purkinje.bands[name].parameters[0] for name in rows])
        middle.errorbar(
            x,
            value[:, 1],
            np.abs(value[:, [0, 2]].T - value[:, 1]),
            fmt=MARKS[i],
            color=COLOURS[i],
            capsize=4,
            label=series,
        )
    middle.set_xticks(range(len(purkinje.preparation.points)), purkinje.preparation.points)
    middle.set(
        ylabel="P$_{Na}$/P$_K$",
        xlabel="mM outside",
        ylim=(0.0, None),
        title=f"{purkinje.preparation.title}: each K outside alone",
    )
    middle.legend(fontsize="small", frameon=False, loc="upper left")
    for i, (series, (value, error)) in enumerate(slopes["series"].items()):
        x = np.arange(len(value)) + 0.12 * (2 * i - 1)
        right.errorbar(
            x, value, 1.96 * error, fmt=MARKS[i], color=COLOURS[i], capsize=4, label=f"on {series}"
        )
    right.axhline(slopes["limit"], color=INK, ls=":", label="steepest of a K electrode")
    right.axhline(0.0, color="#999999", lw=0.8)
    right.set_xticks(range(len(slopes["steps"])), slopes["steps"])
    right.set(
        ylabel="mV for a tenfold K outside",
        xlabel="between (mM)",
        title=f"{outcomes[2].preparation.title}: slopes between neighbours",
    )
    right.legend(fontsize="small", frameon=False, loc="upper left")
    figure.savefig(path, dpi=150)


def singles(outcome: Outcome) -> dict[str, list[str]]:
    """Fits of one point alone, by series."""
    found: dict[str, list[str]] = {}
    for name in outcome.preparation.fits:
        series, _, points = name.partition(": ")
        if "," not in points:
            found.setdefault(series, []).append(name)
    return found
