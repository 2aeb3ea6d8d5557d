"""The published neuron at rest: 100,000 variants of it, and where a rest exists at all.

    python experiments/neuron_rest/run.py [--out DIR] [--rows N]

Sweeps study.toml into a store, tells what came out, and draws two pictures: V and volume against
pump, potassium conductance and bath potassium; and, on a grid of the same neuron with a constant
pump and nothing impermeant outside, the region without a rest beside its closed form.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

import jaxmembrane as jm
from jaxmembrane.study import read_study

HERE = Path(__file__).resolve().parent
GRID = 80


def existence(points):
    """A grid of the neuron with a constant pump in a bath of ions only, and its upper limit."""
    published = jm.zoo.neuron()
    nominal = published.nominal()
    transporters = [t for t in published.transporters if t.name != "nka"]
    bath = {name: x for name, x in published.overrides if name.split(".")[0] != "nka"}
    bath |= {"bath.X": 0.0, "bath.Cl": nominal["bath.Na"] + nominal["bath.K"]}
    cell = jm.Cell([*transporters, jm.na_k_atpase(law="constant")], bath, area="cylinder")
    space = jm.Space({"nka.j": jm.LogUniform(0.01, 10.0), "leak_K.g": jm.LogUniform(0.007, 7.0)})
    ds = jm.sweep(cell, space.grid(points), progress=False, outputs=["V", "volume"])
    with jm.engine.bits("float64"):
        limits = jm.analytic.pump_range(
            g_Na=nominal["leak_Na.g"],
            g_K=ds["leak_K.g"].values,
            g_Cl=nominal["leak_Cl.g"],
            g_KCC2=nominal["kcc2.g"],
            Na_o=nominal["bath.Na"],
            K_o=nominal["bath.K"],
            Cl_o=bath["bath.Cl"],
            T=nominal["T"],
        )
        return ds, np.asarray(limits.upper) / jm.constants.F


def draw_population(ds, path):
    """V and volume of all rests against pump and conductance, V against bath potassium."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 3.6), layout="constrained")
    axes = figure.subplots(1, 3)
    rest = ds.status.values == 0
    pump, g_K, bath_K = (ds[name].values[rest] for name in ("nka.j", "leak_K.g", "bath.K"))
    V, volume = ds.V.values[rest], ds.volume.values[rest]
    for ax, value, label, colours in (
        (axes[0], V, "median V (mV)", "viridis"),
        (axes[1], volume, "median volume (um$^3$)", "cividis"),
    ):
        hexes = ax.hexbin(
            pump,
            g_K,
            value,
            xscale="log",
            yscale="log",
            gridsize=32,
            cmap=colours,
            reduce_C_function=np.median,
            mincnt=1,
            linewidths=0.1,
        )
        figure.colorbar(hexes, ax=ax, label=label)
        ax.plot(103.64, 0.7, "o", color="white", markeredgecolor="black")
        ax.annotate(
            "published",
            (103.64, 0.7),
            (-6, 5),
            textcoords="offset points",
            color="white",
            ha="right",
        )
        ax.set(xlabel="nka.j (amol/um$^2$/s)", ylabel="leak_K.g (pS/um$^2$)")
        ax.set(xlim=(pump.min(), pump.max()), ylim=(g_K.min(), g_K.max()))
    edges = np.linspace(2.0, 12.0, 26)
    middle = 0.5 * (edges[1:] + edges[:-1])
    bins = np.digitize(bath_K, edges[1:-1])
    groups = [V[bins == b] for b in range(len(middle))]
    filled = [b for b, group in enumerate(groups) if len(group)]
    low, first, median, third, high = np.array(
        [np.quantile(groups[b], (0.05, 0.25, 0.5, 0.75, 0.95)) for b in filled]
    ).T
    x = middle[filled]
    ax = axes[2]
    ax.fill_between(x, low, high, color="tab:blue", alpha=0.2, label="5 to 95 %")
    ax.fill_between(x, first, third, color="tab:blue", alpha=0.4, label="25 to 75 %")
    ax.plot(x, median, color="tab:blue", label="median")
    nominal = jm.zoo.neuron().nominal()
    with jm.engine.bits("float64"):
        published = jm.steady_state(jm.zoo.neuron(), nominal | {"bath.K": x}, outputs=["V"])
    ax.plot(x, np.asarray(published.V), "k--", label="published neuron")
    ax.set(xlabel="bath.K (mM)", ylabel="V (mV)", ylim=(None, 105.0))
    ax.legend(loc="upper left", fontsize="small")
    figure.savefig(path, dpi=140)


def draw_existence(ds, upper, path):
    """V of the grid, the region without a rest hatched, the closed form's limit on top."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    ax = figure.subplots()
    pump, g_K = ds["nka.j"].values, ds["leak_K.g"].values
    mesh = ax.pcolormesh(pump, g_K, ds.V.values.T, cmap="viridis", shading="nearest")
    figure.colorbar(mesh, ax=ax, label="V (mV)")
    none = (ds.status.values == 2).T.astype(float)
    ax.contourf(pump, g_K, none, levels=[0.5, 1.5], colors="0.9", hatches=["///"])
    (line,) = ax.plot(upper, g_K, color="tab:red", label="closed form: 4AB = $\\Pi^2$")
    hatched = Patch(facecolor="0.9", hatch="///", label="no steady state: it swells")
    ax.legend(handles=[line, hatched], loc="upper left")
    ax.set(xscale="log", yscale="log", xlim=(pump[0], pump[-1]), ylim=(g_K[0], g_K[-1]))
    ax.set(xlabel="nka.j, constant pump (amol/um$^2$/s)", ylabel="leak_K.g (pS/um$^2$)")
    figure.savefig(path, dpi=140)


def report(ds, grid, upper, seconds, where):
    """What came out, as Markdown."""
    counts = dict(zip(*np.unique(ds.status.values, return_counts=True), strict=True))
    meanings = ds.status.attrs["flag_meanings"].split()
    words = dict(zip(np.atleast_1d(ds.status.attrs["flag_values"]).tolist(), meanings, strict=True))
    rest = ds.where(ds.status == 0)
    lines = [
        "# The published neuron at rest",
        "",
        f"{ds.sizes['sample']:,} variants in {seconds:.1f} s with compilation; store `{where}`.",
        "",
        "| status | rows |",
        "|---|---|",
        *(
            f"| {words[int(value)].replace('_', ' ')} | {count:,} |"
            for value, count in counts.items()
        ),
        "",
        "| output | 5 % | median | 95 % | unit |",
        "|---|---|---|---|---|",
    ]
    shown = [("V", rest.V), ("volume", rest.volume)]
    shown += [(f"c, {s}", rest.c.sel(species=s)) for s in ("Na", "K", "Cl")]
    for name, values in shown:
        low, middle, high = np.nanquantile(values.values, (0.05, 0.5, 0.95))
        lines.append(
            f"| {name} | {low:.4g} | {middle:.4g} | {high:.4g} | {values.attrs['units']} |"
        )
    predicted = grid["nka.j"].values[:, None] < upper[None, :]
    agree = (predicted == (grid.status.values == 0)).mean()
    lines += [
        "",
        f"Constant pump, bath of ions only: {np.mean(grid.status.values == 2):.1%} of a "
        f"{grid.status.shape[0]} by {grid.status.shape[1]} grid have no rest; the closed form says "
        f"the same for {agree:.2%} of the points.",
    ]
    return "\n".join(lines) + "\n"


def main():
    """Read the arguments; a user's mistake is one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the results")
    parser.add_argument("--rows", type=int, help="rows of the sweep (study.toml: 100,000)")
    arguments = parser.parse_args()
    try:
        run(arguments.out, arguments.rows)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")


def run(out, rows):
    """Sweep, tell, draw."""
    jm.configure(cpu_devices=os.cpu_count())
    chosen = read_study(HERE / "study.toml", rows)
    design = chosen.design
    out.mkdir(parents=True, exist_ok=True)
    where = out / f"neuron_{design.n}.zarr"
    print(f"sweeping {design.n:,} variants of the published neuron into {where}")
    begun = time.perf_counter()
    ds = jm.sweep(
        chosen.cell, design, where, params=chosen.params, study=chosen.text, progress=True
    )
    seconds = time.perf_counter() - begun
    print("where a rest exists, on a grid with a constant pump")
    grid, upper = existence(GRID)
    text = report(ds, grid, upper, seconds, where)
    (out / "results.md").write_text(text)
    print(text)
    draw_population(ds, out / "population.png")
    draw_existence(grid, upper, out / "existence.png")
    for name in ("results.md", "population.png", "existence.png"):
        print(f"written: {out / name}")
    print(f"look into the store: jaxmembrane show {where}")


if __name__ == "__main__":
    main()
