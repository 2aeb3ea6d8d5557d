"""What came out, as Markdown: every sentence about a result is decided by the numbers."""

import csv
import re
from collections.abc import Iterator
from itertools import pairwise
from math import log, log10

import numpy as np
from pictures import Outcome, numbers_outside, singles
from preparations import ASSUMED, PUBLISHED, Preparation, numbers, published
from told import bits, determined, misfit

import jaxmembrane as jm
from jaxmembrane.analytic import mullins_noda, thermal_voltage

RESOLVED = 0.5
"""A parameter is resolved where its 95 % are less than this share of what was allowed."""


def report(outcomes: list[Outcome], rows: int) -> str:
    """All of it."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    confirmed = sum(row["confirmed"] == "y" for row in read)
    lines = [
        "# Recorded ion substitutions",
        "",
        f"published.csv holds {len(read)} published numbers; {confirmed} of them were read in the "
        f"abstract or table that it names, {len(read) - confirmed} are from memory. Errors are "
        "those of means. A parameter is "
        f"*resolved* where the 95 % that the data leave are less than {RESOLVED:g} of what was "
        f"allowed, by a sample of {rows:,}; *determined* is what `jm.fit` says of it from the "
        "curvature at its best fit. *Bits* are the information of the data in the same curvature, "
        "which can fall where a new datum moves the best fit. A fit with as many parameters as "
        "data still misses them where none of those allowed gives "
        "them; its p is then told for one degree of freedom.",
        "",
    ]
    own = {"Ehrlich": of_ehrlich, "Purkinje": of_purkinje, "barley": of_barley}
    for outcome in outcomes:
        p = outcome.preparation
        lines += [f"## {p.title[0].upper()}{p.title[1:]}", "", "Assumed:", ""]
        lines += [*(f"- {x}" for x in ASSUMED[p.key]), ""]
        lines += [*fits_table(outcome), ""]
        lines += [*left_table(outcome), ""]
        lines += ["What each datum adds:", "", *additions(outcome), ""]
        lines += ["Where one fixed ratio fails:", "", *own[p.key](outcome), ""]
        for name in p.whole.values():
            lines += [f"`jm.explain` of the fit *{name}*:", "", "```"]
            lines += [jm.explain(outcome.fits, name), "```", ""]
    return "\n".join(lines)


def fits_table(o: Outcome) -> Iterator[str]:
    """Every fit: how well it meets its data, where least, and what they tell."""
    yield "| fit of | chi-square | degrees of freedom | p | status | largest residual | bits |"
    yield "|---|---|---|---|---|---|---|"
    for name in o.preparation.fits:
        fit = o.fits.sel(cell=name)
        m = misfit(o.preparation, fit)
        words = "converged" if m.met else f"{int(fit.status)}, not improved"
        words = words if int(fit.status) in (0, 7) else f"{int(fit.status)}"
        worst = f"{m.point}: {m.gap:+.1f} mV, {m.residual:+.1f} errors"
        if abs(m.residual) < 0.01:
            worst = "none"
        yield (
            f"| {name} | {m.chi_square:.3g} | {m.freedom:g} | {m.p:.2g} | {words} | {worst} | "
            f"{bits(fit):.1f} |"
        )


def left_table(o: Outcome) -> Iterator[str]:
    """What the fits of all data leave of each parameter, and what they do not resolve."""
    p, names = o.preparation, list(o.preparation.whole.values())
    units = o.fits.parameter.attrs["parameter_units"].split(" | ")
    yield "| parameter | " + " | ".join(f"{n}: median (95 %)" for n in names) + " |"
    yield "|---|" + "---|" * len(names)
    for i, parameter in enumerate(o.fits.parameter.values):
        cells = []
        for name in names:
            b = o.bands[name]
            low, middle, high = b.parameters[i]
            text = f"{middle:.3g} ({low:.3g} to {high:.3g})"
            cells.append(
                text if b.shares[i] < RESOLVED else f"not resolved ({low:.3g} to {high:.3g})"
            )
        symbol = re.sub("[${}]", "", p.symbols[str(parameter)])
        yield f"| {symbol}, `{parameter}` ({units[i]}) | " + " | ".join(cells) + " |"


def resolved(o: Outcome, name: str) -> list[str]:
    """Parameters whose 95 % are narrow."""
    shares = o.bands[name].shares
    return [str(x) for x, s in zip(o.fits.parameter.values, shares, strict=True) if s < RESOLVED]


def additions(o: Outcome) -> Iterator[str]:
    """What each step of the ladders resolves that the one before it did not."""
    for ladder in o.preparation.ladders:
        for before, after in pairwise(ladder):
            had, has = resolved(o, before), resolved(o, after)
            new, lost = [x for x in has if x not in had], [x for x in had if x not in has]
            m = misfit(o.preparation, o.fits.sel(cell=after))
            text = f"newly resolved: {ticked(new)}" if new else "resolves nothing new"
            if not m.met:
                text = f"**not met together** (p {m.p:.1g}, most at {m.point})"
                text += f"; narrowed without worth: {ticked(new)}" if new else ""
            if lost:
                text += f"; no longer: {ticked(lost)}"
            curved = determined(o.fits.sel(cell=after))
            text += f"; determined: {ticked(curved) if curved else 'none'}"
            gained = bits(o.fits.sel(cell=after)) - bits(o.fits.sel(cell=before))
            yield f"- *{before}*, then *{after}* ({gained:+.1f} bits): {text}"


def ticked(names: list[str]) -> str:
    """Names in code."""
    return ", ".join(f"`{x}`" for x in names)


def verdict(o: Outcome, label: str, name: str) -> str:
    """Whether a fit of all data meets them, and what it leans on."""
    fit = o.fits.sel(cell=name)
    m = misfit(o.preparation, fit)
    told = f"chi-square {m.chi_square:.3g}, p {m.p:.1g}"
    leaning = [
        str(x) for x, at in zip(fit.parameter.values, fit.at_bound.values, strict=True) if at
    ]
    bound = f"; at a bound of what was allowed: {ticked(leaning)}" if leaning else ""
    worst = f"the largest residual is at {m.point}, {m.gap:+.1f} mV or {m.residual:+.1f} errors"
    if not m.met:
        return f"- **{label}: not met** (status 7, {told}); {worst}{bound}"
    doubt = ", though with p below 0.05" if m.p < 0.05 else ""
    return f"- {label}: met{doubt} ({told}); {worst}{bound}"


def of_ehrlich(o: Outcome) -> Iterator[str]:
    """Predictions of the low solutions, what no ratio gives, and what P_K would have to do."""
    p = o.preparation
    for label, name in p.whole.items():
        yield verdict(o, label, name)
    fit = o.fits.sel(cell=p.whole["one fixed ratio"], target="V")
    recorded = fit.recorded.values - fit.recorded.values[0]
    low, _, high = o.bands["K, Ba, R"].changes
    for point, alone in ((2, "Na"), (3, "Cl")):
        sd, inside = fit.sd.values[point], low[point] <= recorded[point] <= high[point]
        m = misfit(p, o.fits.sel(cell=alone))
        yield (
            f"- {p.points[point]} (mM): recorded {recorded[point]:+.1f} +- {sd:g} mV; K, Ba and "
            f"resistance alone predict {low[point]:+.1f} to {high[point]:+.1f} mV (95 %), "
            + ("which holds it" if inside else "which does not hold it")
            + f". Fitted with the control alone it is missed by {abs(m.residual):.1f} errors (p "
            f"{m.p:.2g}): "
            + (
                "no ratio allowed gives it"
                if not m.met
                else "no ratio allowed gives its mean, some come within its error"
                if abs(m.residual) > 0.5
                else "some ratio gives it"
            )
        )
    answers = o.bands[p.whole["P_K answers low Na, low Cl"]]
    at = list(o.fits.parameter.values)
    for parameter, solution in (("f_Na", "low Na"), ("f_Cl", "low Cl"), ("f_Ba", "Ba")):
        low, middle, high = answers.parameters[at.index(f"leak_K.{parameter}")]
        other = "1 is outside, so that it changes" if not low <= 1 <= high else "1 is inside"
        yield (
            f"- if P_K answers the solutions, it is {middle:.2g} times (95 %: {low:.2g} to "
            f"{high:.2g}) the control's in {solution}: {other}"
        )
    yield from of_control(o)
    row = published("ehrlich", "V change")[0]
    K = float(row["K_o_mM"]), float(published("ehrlich")[0]["K_o_mM"])
    quotient = float(row["value"]) / (float(thermal_voltage(310.15)) * log(K[0] / K[1]))
    t_K = published("ehrlich", "t_K")[0]
    yield (
        f"- the published transference number of K, {t_K['value']}, is the change in K by that of "
        f"E_K, {quotient:.3f}: no independent datum, and not fitted"
    )


def of_control(o: Outcome) -> Iterator[str]:
    """What the error of the control's mean would change."""
    name = o.preparation.whole["P_K answers low Na, low Cl"]
    held = resolved(o, name)
    base = o.fits.estimate.sel(cell=name, parameter=held).values
    others = [n for n in o.preparation.fits if n.startswith("the same")]
    moved = np.abs(np.log(o.fits.estimate.sel(cell=others, parameter=held).values / base))
    worst = np.unravel_index(np.argmax(moved), moved.shape)
    yield (
        f"- moving the control by its standard error of {o.preparation.given['level error']:g} mV "
        "moves the best fit's resolved parameters by at most a factor of "
        f"{np.exp(moved[worst]):.2f} (`{held[int(worst[1])]}`)"
    )


def of_purkinje(o: Outcome) -> Iterator[str]:
    """The ratio that each K outside alone asks for."""
    p = o.preparation
    for label, name in p.whole.items():
        yield verdict(o, label, name)
    inside = published("activity", "a_K_in")[0]
    for label, name in p.whole.items():
        K_i = float(o.fits.estimate.sel(cell=name, parameter="cytosol.K"))
        away = (K_i - float(inside["value"])) / float(inside["error"])
        yield (
            f"- {label} the fit moves K inside from the measured {inside['value']} to {K_i:.0f} "
            f"mM, {away:+.1f} of its errors, a misfit beside that of chi-square"
        )
    for series, names in singles(o).items():
        found = np.array([o.bands[n].parameters[0] for n in names])
        apart = [
            f"{p.points[i]} and {p.points[j]}"
            for i in range(len(found))
            for j in range(i)
            if found[i, 0] > found[j, 2] or found[i, 2] < found[j, 0]
        ]
        told = ", ".join(
            f"{m:.3f} ({a:.3f} to {b:.3f}) at {x}"
            for (a, m, b), x in zip(found, p.points, strict=True)
        )
        yield (
            f"- {series}: P_Na/P_K alone {told}; largest by smallest "
            f"{found[:, 1].max() / found[:, 1].min():.1f}; "
            + (f"95 % do not overlap between {'; '.join(apart)}" if apart else "all 95 % overlap")
        )
    fit = o.fits.sel(cell=p.whole["at rest"])
    P_Na, K_i = fit.estimate.values
    params = {"leak_Na.P": P_Na, "cytosol.K": K_i, "bath.K": fit["bath.K"].values}
    rest = jm.steady_state(p.cell, params, outputs=("V", "c"))
    Na_o = p.cell.nominal()["bath.Na"]
    T = p.given["T"]
    closed = mullins_noda(1.0, P_Na, K_i, rest.c["Na"], fit["bath.K"].values, Na_o, T=T)
    yield (
        f"- activity coefficient outside, from the recorded E_K: "
        f"{p.given['activity coefficient']:.3f}; the fitted V agree with the equation of Mullins "
        f"and Noda to {float(np.max(np.abs(rest.V - closed))):.0e} mV"
    )


def slopes(p: Preparation) -> dict:
    """Slopes in V for a tenfold K outside, between neighbours, with errors; and their limit."""
    outside = numbers_outside(p)
    found = {}
    for series in ("NH4", "NO3"):
        rows = published(series)
        V, sd = numbers(rows, "value"), numbers(rows, "error") / p.given["cells"] ** 0.5
        tenfold = np.diff(np.log10(outside))
        found[series] = np.diff(V) / tenfold, np.hypot(sd[1:], sd[:-1]) / tenfold
    steps = [f"{a:g}, {b:g}" for a, b in pairwise(outside)]
    limit = float(thermal_voltage(p.given["T"])) / log10(np.e)
    return {"series": found, "steps": steps, "limit": limit}


def of_barley(o: Outcome) -> Iterator[str]:
    """Series that are met, and slopes that no fixed permeability has."""
    for label, name in o.preparation.whole.items():
        yield verdict(o, label, name)
    told = slopes(o.preparation)
    for series, (value, error) in told["series"].items():
        beyond = (value - told["limit"]) / error
        worst = int(np.argmax(beyond))
        yield (
            f"- on {series} the steepest step, from {told['steps'][worst].replace(', ', ' to ')} "
            f"mM, is {value[worst]:.0f} +- {error[worst]:.0f} mV for a tenfold K, a K electrode's "
            f"{told['limit']:.0f}: "
            + (
                f"steeper by {beyond[worst]:.1f} errors, thus more than one fixed ratio can give"
                if beyond[worst] > 1.96
                else "not clearly steeper"
            )
        )
