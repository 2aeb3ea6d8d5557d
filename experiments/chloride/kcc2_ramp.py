"""KCC2 raised as in Fig. 3A of Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575."""

from pathlib import Path

import numpy as np
from neurons import neuron

import jaxmembrane as jm

FACTOR, BEGINS, LASTS = 18.4, 120.0, 360.0
TIMES = np.linspace(0.0, 900.0, 181)
ENDS = {
    "Cl inside (mM)": ("3.532", "3.5321"),
    "E_Cl (mV)": ("-93.996", "-93.998"),
    "V (mV)": ("-74.540", "-74.5402"),
    "volume (pL)": ("1.94141", "1.94140"),
}
"""Where it ends (t > 700 s), as printed: by the published program, with its explicit Euler steps
and a KCC2 that lags behind by one of them; and by its equations themselves."""


def protocol() -> jm.Protocol:
    """KCC2 rises from its own strength."""
    return jm.Protocol([jm.Step(BEGINS, {"kcc2.g": jm.Initial(FACTOR)}, over=LASTS)])


def follow() -> jm.Course:
    """The published neuron while its KCC2 is raised."""
    return jm.simulate(neuron(), None, protocol(), TIMES, outputs=["V", "volume", "c", "E"])


def shown(course: jm.Course) -> dict[str, np.ndarray]:
    """The courses of what was published."""
    values = (course.c["Cl"], course.E["Cl"], course.V, 1e-3 * course.volume)
    return {name: np.asarray(x) for name, x in zip(ENDS, values, strict=True)}


def report(course: jm.Course) -> list[str]:
    """Where it ends, beside the published program and its equations."""
    lines = [
        "## KCC2 raised",
        "",
        f"KCC2 rises {FACTOR:g}-fold from {BEGINS:g} to {BEGINS + LASTS:g} s (Duesterwald et al. "
        "2018, Fig. 3A).",
        "",
        "| | before | at the end | its equations | published program |",
        "|---|---|---|---|---|",
    ]
    for name, x in shown(course).items():
        program, equations = ENDS[name]
        digits = len(equations.partition(".")[2])
        told = (f"{x[0]:.{digits}f}", f"{x[-1]:.{digits}f}", equations, program)
        lines.append(f"| {name} | " + " | ".join(told) + " |")
    Cl, E_Cl, V = (shown(course)[name] for name in list(ENDS)[:3])
    drop = 1.0 - Cl[-1] / Cl[0]
    return [
        *lines,
        "",
        f"KCC2 times {FACTOR:g} takes {drop:.0%} of the chloride and {V[0] - V[-1]:.2f} mV off V; "
        f"E_Cl ends {V[-1] - E_Cl[-1]:.1f} mV below V, "
        f"{E_Cl[-1] - float(course.E['K'][-1]):.2f} mV above E_K, where KCC2 stands still.",
    ]


def draw(course: jm.Course, path: Path) -> None:
    """Potentials, chloride and volume while KCC2 rises."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 3.5), layout="constrained")
    potentials, chloride, volume = figure.subplots(1, 3)
    x, curves = TIMES / 60.0, shown(course)
    for label, y, colour, above in (
        ("V", curves["V (mV)"], "black", 6),
        ("E$_{Cl}$", curves["E_Cl (mV)"], "#009E73", 6),
        ("E$_K$", np.asarray(course.E["K"]), "#D55E00", -14),
    ):
        potentials.plot(x, y, color=colour)
        at, offset = (0.85 * x[-1], y[-1]), (0, above)
        potentials.annotate(label, at, offset, textcoords="offset points", color=colour)
    potentials.margins(y=0.09)
    chloride.plot(x, curves["Cl inside (mM)"], color="#009E73")
    volume.plot(x, curves["volume (pL)"], color="#0072B2")
    for ax, names in (
        (potentials, ("V (mV)", "E_Cl (mV)")),
        (chloride, ("Cl inside (mM)",)),
        (volume, ("volume (pL)",)),
    ):
        for name in names:
            ring = {"ms": 7, "mfc": "none", "mec": "black", "clip_on": False, "zorder": 5}
            ax.plot(x[-1], float(ENDS[name][0]), "o", **ring, label="published end")
        ax.axvspan(BEGINS / 60.0, (BEGINS + LASTS) / 60.0, color="0.93", zorder=0)
        ax.set(xlabel="minutes", xlim=(0.0, x[-1]))
        ax.set_xticks(range(0, 16, 3))
    potentials.set_ylabel("potential (mV)")
    chloride.set_ylabel("Cl inside (mM)")
    volume.set_ylabel("volume (pL)")
    middle = (BEGINS + 0.5 * LASTS) / 60.0
    chloride.annotate(
        f"KCC2 rises\n{FACTOR:g}-fold",
        (middle, 0.85),
        xycoords=("data", "axes fraction"),
        ha="center",
    )
    volume.legend(loc="upper right", frameon=False)
    figure.savefig(path, dpi=150)
