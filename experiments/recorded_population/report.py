"""Results in words: every number is computed from the fits."""

from collections.abc import Iterator, Mapping

import comparison
import inference
import numpy as np
import pandas as pd
import xarray as xr
from population import (
    BATH,
    CAPACITANCE,
    CHLORIDE,
    E_K,
    PIPETTE,
    PUMP,
    SHARE,
    TEMPERATURES,
    VOLTAGE_ERROR,
    Population,
)

import jaxmembrane as jm

UNMET = 7
FAR, LISTED = 2.0, 40
"""A cell that pulls a prior by more than so many of its sd is listed."""

SIMULATED = (
    "**These cells are simulated (no --data was given): the numbers below test the method, and say "
    "nothing of real neurons.**"
)


def report(
    population: Population,
    base: xr.Dataset,
    variants: Mapping[str, xr.Dataset],
    simulated: tuple[xr.Dataset, Mapping[str, np.ndarray]],
    seconds: tuple[float, float],
) -> str:
    """All that came out, as Markdown; `simulated` is a fit of known cells, and their truth."""
    cells = inference.per_cell(base, population)
    real = population.truth is None
    lines = [
        "# Recorded neurons: what rest, input resistance and time constant determine",
        "",
        *([] if real else [SIMULATED, ""]),
        *_assumed(real),
        *_data(population, cells),
        "",
        f"One fit of {len(cells):,} cells took {seconds[0]:.0f} s with compilation, each of "
        f"{len(variants)} variants {seconds[1]:.1f} s. {_statuses(base)}.",
        "",
        *_determined(base),
        *comparison.families(cells),
        *comparison.temperature(cells, inference.per_cell(variants["pump / 3"], population)),
        *comparison.variants(
            cells, {n: inference.per_cell(v, population) for n, v in variants.items()}
        ),
        *_strained(base, variants, cells),
        *_recovery(*simulated),
        *_limits(population),
    ]
    return "\n".join(lines) + "\n"


def _assumed(real: bool) -> Iterator[str]:
    bath = ", ".join(f"{name.removeprefix('bath.')} {x:g}" for name, x in BATH.items())
    held = ", ".join(f"{ion} {x:g} mM (sd {100 * s:.0f} %)" for ion, (x, s) in PIPETTE.items())
    C_m, spread = CAPACITANCE
    yield "## What is assumed"
    yield ""
    if real:
        yield (
            "The table holds no solutions. From memory, unconfirmed: bath and pipette, and that V "
            "was not corrected for the junction potential."
        )
        yield ""
    yield (
        f"- Bath, mM: {bath}. Inside, by priors: {held}; E_K is {E_K():.1f} mV at room temperature."
    )
    yield (
        f"- C_m {100 * C_m:g} uF/cm^2 (sd {100 * spread:.0f} %). Errors of measurement: V "
        f"{VOLTAGE_ERROR:g} mV, R_in and tau {SHARE:.0%}: ours, the table has none."
    )
    yield (
        "- One leak of K, Na and Cl by GHK, and a Na/K pump without a temperature coefficient; "
        f"the priors of P_Cl/P_K and of the pump are around the published neuron's, with an sd of "
        f"{CHLORIDE:g} and {PUMP:g} in ln, which is ours."
    )
    yield ""


def _data(population: Population, cells: pd.DataFrame) -> Iterator[str]:
    table = cells.groupby("temperature").agg(cells=("cell", "size"), mice=("mouse_id", "nunique"))
    told = [
        f"{row.cells:,} cells of {row.mice} animals at {_name(str(t))}"
        for t, row in table.iterrows()
    ]
    without = int((cells.family == "").sum())
    remarks = cells[cells.remark != ""]
    yield "## Cells"
    yield ""
    yield (
        f"{' and '.join(told)}. All are fitted; of what is told by family {without} without a "
        f"family and {len(remarks)} with a remark of the authors are left out."
    )
    for cell, remark in zip(remarks.cell, remarks.remark, strict=True):
        yield f"- left out of families: {cell}, {remark}"
    problems = population.recordings.problems
    yield f"\nRows that could not be read: {len(problems) or 'none'}."
    for problem in problems:
        yield f"- {problem}"


def _name(temperature: str) -> str:
    told = "room temperature" if temperature == "room" else f"{temperature} C"
    return f"{told} (taken as {TEMPERATURES[temperature] - 273.15:.1f} C)"


def _statuses(base: xr.Dataset) -> str:
    flags = np.atleast_1d(base.status.attrs["flag_values"]).tolist()
    meaning = dict(zip(flags, base.status.attrs["flag_meanings"].split(), strict=True))
    counts = zip(*np.unique(base.status.values, return_counts=True), strict=True)
    told = ", ".join(f"{n:,} {meaning[int(v)].replace('_', ' ')}" for v, n in counts)
    return f"Status: {told}"


def _determined(base: xr.Dataset) -> Iterator[str]:
    left = inference.narrowing(base)
    units = base.parameter.attrs["parameter_units"].split(" | ")
    yield "## What three numbers determine"
    yield ""
    yield (
        "Error over prior is the standard error of ln p over that of its prior (below a half: "
        "determined); the factor is exp(1.96 error), the 95 % interval of a cell either way."
    )
    yield ""
    yield "| parameter | cells that determine it | median | error over prior | factor |"
    yield "|---|---|---|---|---|"
    for i, name in enumerate(left):
        one = base.isel(parameter=i)
        factor = np.exp(1.96 * np.median(one.standard_error.values / one.estimate.values))
        unit = f" {units[i]}" if units[i] != "1" else ""
        yield (
            f"| {name} | {one.determined.values.mean():.0%} | {one.estimate.median():.3g}{unit} | "
            f"{left[name].median():.2f} | {factor:.2f} |"
        )
    count = (base.information_eigenvalue.values > 4.0).sum(axis=1)
    number = ", ".join(
        f"{n} in {share:.0%}" for n, share in pd.Series(count).value_counts(normalize=True).items()
    )
    eigen = base.information_eigenvalue.median("cell").values
    alone = np.median(inference.given(base, "leak.r_Na", "nka.j_max"))
    whole = base.sel(parameter="leak.r_Na")
    error = np.median(whole.standard_error.values / whole.estimate.values)
    yield ""
    yield (
        f"Directions that the data hold to less than half of the priors: {number} of the cells. "
        f"Median eigenvalues of the information, in units of the priors: "
        f"{', '.join(f'{x:.3g}' for x in eigen[:4])}; the rest are zero: three numbers, three "
        f"directions. Chi-square is at most {base.chi_square.max():.2g} with no degree of freedom "
        "left: these data cannot refute the model. What the fit adds to arithmetic (C = tau/R, "
        "g = C_m/tau) is P_K and P_Na/P_K, with what is not known of pump, chloride and contents "
        f"in their errors: the error of ln P_Na/P_K is {error:.2f}, and would be {alone:.2f} were "
        "the pump known. Determined means narrower than the prior, not narrow: look at the factor."
    )
    yield ""
    yield "The cell in the middle of V, in the words of `jm.explain`:"
    yield ""
    yield "```"
    yield inference.words(base)
    yield "```"
    yield ""


def _strained(
    base: xr.Dataset, variants: Mapping[str, xr.Dataset], cells: pd.DataFrame
) -> Iterator[str]:
    yield "## Cells that the model hardly meets"
    yield ""
    for name, fit in {"as recorded": base, **variants}.items():
        unmet, other = fit.status.values == UNMET, ~np.isin(fit.status.values, (0, UNMET))
        bound = (fit.at_bound.values != 0).any(axis=1)
        far = inference.strain(fit) > FAR
        below = fit.recorded.sel(target="V").values[:, 0] < E_K()
        yield (
            f"- {name}: {unmet.sum()} not met (status {UNMET}), {other.sum()} with another status, "
            f"{bound.sum()} with a parameter at a bound, {far.sum()} that pull a prior by more "
            f"than {FAR:g} of its sd, {below.sum()} with V below E_K"
        )
        listed = cells[unmet | other | bound | far]
        if len(listed) and name == "as recorded":
            told = [f"{c} ({V:.1f} mV)" for c, V in zip(listed.cell, listed.V, strict=True)]
            more = f" and {len(told) - LISTED} more" if len(told) > LISTED else ""
            yield f"  - {', '.join(told[:LISTED])}{more}"
    yield ""


def _recovery(known: xr.Dataset, truth: Mapping[str, np.ndarray]) -> Iterator[str]:
    found = inference.coverage(known, truth)
    n, level = known.sizes["cell"], float(known.attrs["level"])
    sampling = np.sqrt(level * (1.0 - level) / n)
    yield "## Are the intervals right?"
    yield ""
    yield (
        f"{n:,} simulated cells, fitted in the same way: the share whose {level:.0%} interval "
        f"holds the truth (its sampling error is {sampling:.1%}), the median of estimate over "
        "truth, and how much wider intervals of ln p would have to be, which should be 1."
    )
    yield ""
    yield "| parameter | interval holds the truth | estimate / truth | right width |"
    yield "|---|---|---|---|"
    for name, row in found.iterrows():
        yield f"| {name} | {row.held:.1%} | {row.ratio:.2f} | {row.width:.2f} |"
    short = found.query("held < @level - 3.0 * @sampling")
    yield ""
    if len(short):
        yield (
            f"The intervals of {' and '.join(map(str, short.index))} are too narrow: they follow "
            "the tangent at the best fit, and these parameters depend on ones with vague priors "
            f"along a curve. Taken {short.width.max():.2f} times as wide they would be right."
        )
    else:
        yield "No interval is too narrow by more than three sampling errors."
    yield ""


def _limits(population: Population) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield (
        "- One isopotential compartment: area and capacitance are what the electrode in the soma "
        "sees of the dendrite. Conductances are those at rest, h-current included."
    )
    yield (
        "- The error of C_m is common to all cells: it scales areas and conductances, not their "
        "comparison. Errors of families' medians are those of sampling animals; pump, chloride and "
        "junction potential are the same for all, and stand under other assumptions."
    )
    seal = np.asarray(population.label("R_seal_MOhm"))
    if seal.dtype.kind != "f":
        return
    R = next(t for t in population.recordings.targets if t.of == "input_resistance")
    R = jm.convert(R.values, "mV/fA", "MOhm").reshape(len(seal))
    there = np.isfinite(seal)
    above = int((R[there] > seal[there]).sum())
    yield (
        f"- A seal leaks, and its conductance counts as the membrane's. The "
        f"table's R_seal_MOhm is below the cell's input resistance in {above} of {there.sum()} "
        "cells that have one, which no parallel resistance can be: it is in another unit, or "
        "something else, and was not used."
    )
