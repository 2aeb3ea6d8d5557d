"""Ouabain: two hours without a pump, for 10,000 variants of the published neuron.

    python experiments/pump_block/run.py [--out DIR] [--rows N]

All Na/K pumps of a cell stop at t = 0, as under a saturating dose, and it is followed for two
hours. The pump's current is gone at once, so that V jumps with the time constant of the membrane;
its gradients run down in the better part of an hour; meanwhile the cell takes up chloride, and
swells. Leaks, KCC2 and pump lie between half and twice their published strengths, potassium in the
bath (for sodium) between 2.5 and 6 mM. The courses go into a store, with which a run that was cut
short goes on.

rundown.png: V, concentrations and volume in time, with the published cell on top. survival.png:
what decides how long a cell stays below -40 mV, how fast it runs down, and how far it swells.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import xarray as xr

import jaxmembrane as jm

HERE = Path(__file__).resolve().parent
ROWS, LEAST = 10_000, 64
THRESHOLD = -40.0  # mV
STRENGTHS = ("leak_Na.g", "leak_K.g", "leak_Cl.g", "kcc2.g", "nka.j")
TIMES = np.unique(
    [0.0, *np.geomspace(1e-3, 0.1, 31), *np.geomspace(0.1, 60.0, 41), *range(120, 7201, 120)]
)
HOURS = TIMES[-1] / 3600.0
JUMP = 1.0  # s, by when V has followed the loss of the pump's current
SUMMARIES = {
    "survival": jm.TimeTo("V", THRESHOLD),
    "rundown": jm.TimeConstant("V", since=JUMP),
    "peak": jm.Maximum("volume"),
}
ENDPOINTS = {
    "survival": f"time to {THRESHOLD:g} mV (min)",
    "rundown": "time constant of the rundown (min)",
    "swelling": "peak volume / volume at rest",
}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def population() -> tuple[jm.Cell, jm.Space]:
    """The published neuron, and how its variants differ from it."""
    cell = jm.zoo.neuron()
    given = cell.nominal()
    axes = {name: jm.LogUniform(0.5 * given[name], 2.0 * given[name]) for name in STRENGTHS}
    cations = given["bath.Na"] + given["bath.K"]
    space = jm.Space(
        {**axes, "bath.K": jm.Uniform(2.5, 6.0)}, derive={"bath.Na": f"{cations} - bath.K"}
    )
    return cell, space


def blocked(cell: jm.Cell, design, store=None, progress=False) -> xr.Dataset:
    """Courses of a design's rows under ouabain."""
    return jm.sweep(
        cell,
        design,
        store,
        protocol=jm.interventions.pump_block(cell),
        times=TIMES.tolist(),
        outputs=["V", "volume", "c"],
        summaries=SUMMARIES,
        progress=progress,
    )


def published(cell: jm.Cell, design) -> xr.Dataset:
    """The course of the published cell itself, by the program that ran the others."""
    given = cell.nominal()
    return blocked(cell, jm.table({name: [given[name]] for name in design.names})).isel(sample=0)


def speed(cell: jm.Cell, space: jm.Space, rows: int) -> float:
    """Cells per second once everything is compiled, without a store."""
    blocked(cell, space.sobol(1))
    begun = time.perf_counter()
    blocked(cell, space.sobol(rows, seed=1))
    return rows / (time.perf_counter() - begun)


def endpoints(ds: xr.Dataset) -> xr.Dataset:
    """What became of the rows that were followed to the end, and the jump of V at the start.

    `survival` is that of cells which the jump leaves below the threshold: NaN where it does not,
    where they rest above it, and where they stay below it for all the time.
    """
    followed = ds.isel(sample=np.flatnonzero(ds.status.values == 0))
    rest = followed.isel(time=0)
    above, at_once = rest.V >= THRESHOLD, followed.survival < JUMP
    return followed[list((*STRENGTHS, "bath.K"))].assign(
        survival=followed.survival.where(~above & ~at_once) / 60.0,
        rundown=followed.rundown / 60.0,
        swelling=followed.peak / rest.volume,
        jump=followed.V.sel(time=0.1) - rest.V,
        rests_above=above,
        at_once=at_once & ~above,
    )


def rank_correlations(found: xr.Dataset, endpoint: str) -> dict[str, float]:
    """Spearman's correlation of an endpoint with each parameter, the strongest first."""
    from scipy.stats import rankdata

    y = found[endpoint].values
    met = np.isfinite(y)
    names = (*STRENGTHS, "bath.K")
    ranks = rankdata([found[name].values[met] for name in names] + [y[met]], axis=1)
    r = dict(zip(names, np.corrcoef(ranks)[-1, :-1].tolist(), strict=True))
    return dict(sorted(r.items(), key=lambda item: -abs(item[1])))


def draw_rundown(ds: xr.Dataset, one: xr.Dataset, path: Path) -> None:
    """Quantiles of the population in time, with the published cell on top."""
    from matplotlib.figure import Figure

    rows = ds.isel(sample=np.flatnonzero(ds.status.values == 0))
    figure = Figure(figsize=(10.5, 6.0), layout="constrained")
    axes = figure.subplots(2, 3)
    shown = [
        ("V (mV)", lambda d: d.V),
        ("V (mV)", lambda d: d.V),
        ("volume (pL)", lambda d: 1e-3 * d.volume),
        *(
            (f"{ion} inside (mM)", lambda d, ion=ion: d.c.sel(species=ion))
            for ion in ("Na", "K", "Cl")
        ),
    ]
    for ax, (label, read) in zip(axes.flat, shown, strict=True):
        first = ax is axes.flat[0]
        x = np.where(TIMES > 0, TIMES, np.nan) if first else TIMES / 60.0
        low, below, middle, above, high = np.quantile(read(rows).values, QUANTILES, axis=0)
        ax.fill_between(x, low, high, color="#0072B2", alpha=0.18, lw=0, label="5 to 95 %")
        ax.fill_between(x, below, above, color="#0072B2", alpha=0.38, lw=0, label="25 to 75 %")
        ax.plot(x, middle, color="#0072B2", label="median")
        ax.plot(x, read(one).values, "k--", label="published neuron")
        ax.set(xlabel="minutes under ouabain", ylabel=label, xlim=(0.0, TIMES[-1] / 60.0))
    marks = {1e-3: "1 ms", 1e-1: "0.1 s", 1e1: "10 s", 600.0: "10 min", 7200.0: "2 h"}
    axes.flat[0].set(xscale="log", xlim=(1e-3, TIMES[-1]), xlabel="time under ouabain")
    axes.flat[0].set_xticks(list(marks), list(marks.values()))
    axes.flat[0].minorticks_off()
    for ax in axes.flat[1:]:
        ax.set_xticks(range(0, 121, 30))
    axes.flat[0].set_ylim(axes.flat[1].get_ylim())
    axes.flat[1].legend(loc="lower right", fontsize="small", frameon=False)
    figure.savefig(path, dpi=150)


def draw_survival(found: xr.Dataset, one: xr.Dataset, path: Path) -> None:
    """Each endpoint against the parameter that decides it most, and all rank correlations."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 6.6), layout="constrained")
    axes = figure.subplots(2, 3, height_ratios=(3, 2))
    units = {name: found[name].attrs["units"] for name in (*STRENGTHS, "bath.K")}
    for (top, below), (endpoint, label) in zip(axes.T, ENDPOINTS.items(), strict=True):
        r = rank_correlations(found, endpoint)
        strongest, second = list(r)[:2]
        dots = top.scatter(
            found[strongest],
            found[endpoint],
            c=found[second],
            s=3,
            lw=0,
            cmap="viridis",
            rasterized=True,
        )
        bar = figure.colorbar(dots, ax=top, location="top", aspect=30, pad=0.02)
        bar.set_label(f"{second} ({_sign(units[second])})")
        top.plot(one[strongest], one[endpoint], "o", ms=8, mfc="none", mec="white", mew=4)
        top.plot(one[strongest], one[endpoint], "o", ms=8, mfc="none", mec="#D55E00", mew=2)
        top.set(xlabel=f"{strongest} ({_sign(units[strongest])})", ylabel=label)
        top.set_ylim(bottom=0.0 if endpoint != "swelling" else None)
        names = list(r)[::-1]
        below.barh(names, [r[name] for name in names], color="#0072B2", height=0.6)
        below.axvline(0.0, color="black", lw=0.8)
        below.set(xlim=(-1.0, 1.0), xlabel="rank correlation")
        below.tick_params(axis="y", length=0)
    figure.savefig(path, dpi=150)


def _sign(unit: str) -> str:
    return unit.replace("um^2", "µm$^2$")


def report(
    ds: xr.Dataset, found: xr.Dataset, one: xr.Dataset, seconds: float, rate: float, where: Path
) -> str:
    """What came out, as Markdown."""
    counts = zip(*np.unique(ds.status.values, return_counts=True), strict=True)
    words = dict(
        zip(
            np.atleast_1d(ds.status.attrs["flag_values"]).tolist(),
            ds.status.attrs["flag_meanings"].replace("_", " ").split(),
            strict=False,
        )
    )
    above, at_once = int(found.rests_above.sum()), int(found.at_once.sum())
    never = int(np.isnan(found.survival).sum()) - above - at_once
    lines = [
        "# Two hours without a pump",
        "",
        f"{ds.sizes['sample']:,} variants of the published neuron under ouabain, {HOURS:g} h each: "
        f"{seconds:.1f} s with compilation and store (less where the store had rows already); "
        f"{rate:,.0f} cells per second once compiled, in memory. "
        f"Steps: median {np.median(ds.steps.values):.0f}, at most {ds.steps.values.max()}. "
        f"Store `{where}`.",
        "",
        "| status | rows |",
        "|---|---|",
        *(f"| {words.get(int(value), value)} | {count:,} |" for value, count in counts),
        "",
        "What follows is told of those that have a rest to begin with and were followed to the "
        "end.",
        "",
        "| | published | 5 % | 25 % | median | 75 % | 95 % |",
        "|---|---|---|---|---|---|---|",
        *_rows(found, one, {"jump": "jump of V in 0.1 s (mV)", **ENDPOINTS}),
        "",
        f"Of {found.sizes['sample']:,} cells {above:,} rest above {THRESHOLD:g} mV already, and "
        f"{at_once:,} cross it in the first second by the loss of the pump's current alone; both "
        f"are left out of the times to it. {never:,} are still below it after {HOURS:g} h.",
        "",
        "Rank correlations (Spearman), the strongest first:",
        "",
    ]
    for endpoint, label in ENDPOINTS.items():
        r = rank_correlations(found, endpoint)
        lines.append(f"- {label}: " + ", ".join(f"{name} {x:+.2f}" for name, x in r.items()))
    return "\n".join(lines) + "\n"


def _rows(found, one, labels):
    for endpoint, label in labels.items():
        values = np.nanquantile(found[endpoint].values, QUANTILES)
        told = [float(one[endpoint]), *values]
        yield f"| {label} | " + " | ".join(f"{x:.3g}" for x in told) + " |"


def run(out: Path, rows: int) -> None:
    """Sweep, tell, draw."""
    if rows < LEAST:
        raise ValueError(f"--rows must be at least {LEAST} for quantiles to mean much, not {rows}")
    jm.configure()
    cell, space = population()
    design = space.sobol(rows, seed=1)
    out.mkdir(parents=True, exist_ok=True)
    where = out / f"blocked_{rows}.zarr"
    print(f"{rows:,} variants of the published neuron, {HOURS:g} h under ouabain, into {where}")
    begun = time.perf_counter()
    ds = blocked(cell, design, where, progress=True).load()
    seconds = time.perf_counter() - begun
    nominal = published(cell, design)
    found, one = endpoints(ds), endpoints(nominal.expand_dims("sample")).isel(sample=0)
    text = report(ds, found, one, seconds, speed(cell, space, rows), where)
    (out / "results.md").write_text(text)
    print(text)
    draw_rundown(ds, nominal, out / "rundown.png")
    draw_survival(found, one, out / "survival.png")
    for name in ("results.md", "rundown.png", "survival.png"):
        print(f"written: {out / name}")


def main() -> None:
    """Read the arguments; a user's mistake is one line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the results")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the sweep (10,000)")
    arguments = parser.parse_args()
    try:
        run(arguments.out, arguments.rows)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
