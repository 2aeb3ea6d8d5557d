"""Five seconds of open GABA-A receptors, in mature and immature neurons."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from neurons import immature, neuron, spread

import jaxmembrane as jm

OPENS, LASTS, G = 1.0, 5.0, 10.0
CLOSES = OPENS + LASTS
END = 3600.0
TIMES = np.unique(
    [
        *np.linspace(0.0, OPENS, 6),
        *(OPENS + np.geomspace(1e-3, LASTS, 60)),
        OPENS + 0.02,
        *(CLOSES + np.geomspace(1e-3, END - CLOSES, 120)),
    ]
)
CELLS = {"mature": {}, "immature": immature(), "immature, WNK-SPAK 1": {"wnk": 1.0}}
COLOURS = ("#0072B2", "#E69F00", "#D55E00")
EXPECTED = {"mature": (-72.6, -82.7), "immature, WNK-SPAK 1": (-63.5, -32.3)}
"""V of an independent model before and 20 ms after receptors open, mV."""
EXPECTED_LOAD = {"mature": 0.18}
"""Cl that comes in within five seconds, mM."""


class Responses(NamedTuple):
    """Courses of the three cells, and what a population does."""

    course: jm.Course
    population: xr.Dataset


def pulse() -> jm.Protocol:
    """Receptors open for a while."""
    return jm.interventions.gaba_pulse(neuron(), conductance=G, at=OPENS, lasting=LASTS)


def three_cells() -> jm.Course:
    """The cells in time: mature, the zoo's immature one, and with WNK-SPAK at full activity."""
    given = neuron().nominal()
    names = sorted({name for cell in CELLS.values() for name in cell})
    batch = {n: np.array([cell.get(n, given[n]) for cell in CELLS.values()]) for n in names}
    return jm.simulate(
        neuron(),
        batch,
        pulse(),
        TIMES,
        outputs=["V", "c", "E"],
        summaries={"recovery": jm.TimeConstant("c", since=CLOSES)},
    )


def follow(rows: int) -> Responses:
    """The three cells in time, and summaries of a population from mature to immature."""
    summaries = {
        "before": jm.At("V", OPENS),
        "E_before": jm.At("E", OPENS),
        "opened": jm.At("V", OPENS + 0.02),
        "c_before": jm.At("c", OPENS),
        "c_after": jm.At("c", CLOSES),
    }
    design = spread(wnk=jm.Uniform(0.0, 1.0)).sobol(rows, seed=3)
    ds = jm.sweep(
        neuron(), design, protocol=pulse(), times=[CLOSES], summaries=summaries, progress=True
    )
    return Responses(three_cells(), ds.isel(sample=np.flatnonzero(ds.status.values == 0)))


def report(found: Responses) -> list[str]:
    """V before and after, the chloride that moves, and how long it takes to go back."""
    course, ds = found
    lines = [
        "## GABA",
        "",
        f"Receptors of {G:g} pS/um^2 open for {LASTS:g} s. Cl moves until they close, and goes "
        "back with the time constant of the last column. Expected is what an independent model of "
        "a cell with a fixed area gives.",
        "",
        "| cell | E_Cl before (mV) | V before | expected | V after 20 ms | expected | "
        "Cl before (mM) | change in 5 s | expected | back with tau (s) |",
        "|" + "---|" * 10,
    ]
    opened, closed = (int(np.argmin(np.abs(TIMES - t))) for t in (OPENS + 0.02, CLOSES))
    for i, name in enumerate(CELLS):
        Cl = np.asarray(course.c["Cl"][i])
        told = [f"{x:.1f}" for x in EXPECTED.get(name, ())] or ["", ""]
        load = f"{EXPECTED_LOAD[name]:+.2f}" if name in EXPECTED_LOAD else ""
        lines.append(
            f"| {name} | {float(course.E['Cl'][i, 0]):.2f} | {float(course.V[i, 0]):.2f} "
            f"| {told[0]} | {float(course.V[i, opened]):.2f} | {told[1]} | {Cl[0]:.2f} "
            f"| {Cl[closed] - Cl[0]:+.2f} | {load} | {float(course.recovery['Cl'][i]):.0f} |"
        )
    force = (ds.E_before.sel(species="Cl") - ds.before).values
    response = (ds.opened - ds.before).values
    agree = np.mean(np.sign(force) == np.sign(response))
    return [
        *lines,
        "",
        f"Of {force.size:,} neurons with spread strengths and any activity of WNK-SPAK "
        f"{np.mean(response < 0):.0%} hyperpolarise and {np.mean(response > 0):.0%} depolarise; "
        f"the sign is that of E_Cl - V at rest in {agree:.1%}. After 20 ms V has gone "
        f"{np.median(response / force):.0%} of the way to E_Cl (median).",
    ]


def draw(found: Responses, path: Path) -> None:
    """V during the pulse, the chloride that moves and goes back, and the population."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 6.6), layout="constrained")
    axes = figure.subplots(2, 2)
    course, ds = found
    for i, (name, colour) in enumerate(zip(CELLS, COLOURS, strict=True)):
        V, Cl = np.asarray(course.V[i]), np.asarray(course.c["Cl"][i])
        axes[0, 0].plot(TIMES, V, color=colour, label=name)
        axes[0, 0].plot(TIMES, course.E["Cl"][i], ":", color=colour)
        axes[0, 1].plot(TIMES / 60.0, Cl - Cl[0], color=colour, label=name)
    axes[0, 0].axvspan(OPENS, CLOSES, color="0.93", zorder=0)
    axes[0, 0].set(xlim=(0.0, 8.0), xlabel="seconds", ylabel="V, and E$_{Cl}$ dotted (mV)")
    axes[0, 1].set(xlim=(0.0, 30.0), xlabel="minutes", ylabel="change of Cl inside (mM)")
    axes[0, 1].axhline(0.0, color="black", lw=0.8)
    axes[0, 1].legend(frameon=False)
    axes[0, 0].annotate(
        "receptors open",
        (OPENS + 0.5 * LASTS, 0.5),
        xycoords=("data", "axes fraction"),
        ha="center",
    )
    force = ds.E_before.sel(species="Cl") - ds.before
    moved = ds.c_after.sel(species="Cl") - ds.c_before.sel(species="Cl")
    for ax, y, label in (
        (axes[1, 0], ds.opened - ds.before, "change of V after 20 ms (mV)"),
        (axes[1, 1], moved, "change of Cl after 5 s (mM)"),
    ):
        dots = ax.scatter(force, y, c=ds.wnk, s=5, lw=0, cmap="viridis", rasterized=True)
        ax.axhline(0.0, color="black", lw=0.8)
        ax.axvline(0.0, color="black", lw=0.8)
        ax.set(xlabel="E$_{Cl}$ - V at rest (mV)", ylabel=label)
    figure.colorbar(dots, ax=axes[1, :], label="activity of WNK-SPAK", pad=0.01)
    figure.savefig(path, dpi=150)
