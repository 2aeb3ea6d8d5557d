"""Families, temperatures and assumptions compared, in words."""

from collections.abc import Iterator, Mapping

import inference
import numpy as np
import pandas as pd
from inference import QUANTITIES
from population import TEMPERATURES


def families(cells: pd.DataFrame) -> Iterator[str]:
    """Every quantity by family and temperature, and which families differ."""
    yield "## Families"
    yield ""
    yield (
        "Medians over animals of each animal's median, +- the standard error from drawing animals "
        f"again (none below {inference.LEAST_ANIMALS} animals, and rough with so few); in "
        "brackets 5 to 95 % of the cells."
    )
    yield ""
    groups = {name: inference.of_groups(cells, name) for name in QUANTITIES}
    yield f"| family | T | cells | animals | {' | '.join(QUANTITIES.values())} |"
    yield "|---" * (4 + len(QUANTITIES)) + "|"
    for key in groups["ratio"].index:
        row, (family, temperature) = groups["ratio"].loc[key], key
        shown = [_value(groups[name].loc[key]) for name in QUANTITIES]
        yield (
            f"| {family} | {temperature} | {row.cells:.0f} | {row.animals:.0f} | "
            f"{' | '.join(shown)} |"
        )
    yield ""
    for name, label in QUANTITIES.items():
        room = inference.at(groups[name], "room")
        differ, pairs = inference.differing(room)
        family, animal = inference.shares(cells, name)
        yield (
            f"- {label} at room temperature: {differ} of {pairs} pairs of families differ (5 %, "
            f"Bonferroni); in rising order {', '.join(map(str, room.index))}. Families account for "
            f"{family:.0%} of the variance of its logarithm between cells, animals for "
            f"{max(animal, 0.0):.0%} of what is left."
        )
    yield ""


def _value(row: pd.Series) -> str:
    error = "" if np.isnan(row.error) else f" +- {row['median'] * row.error:.2g}"
    return f"{row['median']:.3g}{error} ({row.low:.2g} to {row.high:.2g})"


def temperature(cells: pd.DataFrame, slow: pd.DataFrame) -> Iterator[str]:
    """Warm cells beside those at room temperature, also where these have a `slow` pump."""
    yield "## Temperature"
    yield ""
    yield (
        "Warm over room, of medians over animals, with the 95 % interval, for families with "
        f"{inference.LEAST_ANIMALS} animals or more at both. The pump's law has no temperature "
        "coefficient: in the last rows the cells at room temperature have a third of the pump."
    )
    yield ""
    yield "| quantity | family | warm / room | 95 % | Q10 |"
    yield "|---|---|---|---|---|"
    steps = (TEMPERATURES["33-34"] - TEMPERATURES["room"]) / 10.0
    for room, note in ((cells, ""), (slow, ", pump / 3 at room temperature")):
        for name, label in QUANTITIES.items():
            if note and name != "ratio":
                continue
            warm = inference.of_groups(cells, name)
            found = inference.warming(warm, inference.of_groups(room, name))
            for family, (ratio, low, high) in found.items():
                yield (
                    f"| {label}{note} | {family} | {ratio:.2f} | {low:.2f} to {high:.2f} | "
                    f"{ratio ** (1.0 / steps):.2f} |"
                )
    part = inference.typed(cells)
    deep = (part.layer.astype(str) == "5").groupby([part.family, part.temperature]).mean()
    told = [
        f"; {deep[family]['33-34']:.0%} of the warm {family} cells and "
        f"{deep[family]['room']:.0%} of the others are of layer 5"
        for family in inference.warming(*[inference.of_groups(cells, "ratio")] * 2)
        if (cells.layer != "").any()
    ]
    yield ""
    yield (
        f"The two sets are of different animals{''.join(told)}. A ratio is therefore that of the "
        "sets, not the effect of warming one cell."
    )
    yield ""


def variants(cells: pd.DataFrame, others: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """The families' P_Na/P_K with each assumption, and how much of the comparison stays."""
    frames = {"as above": cells, **others}
    rooms = {n: inference.at(inference.of_groups(f, "ratio"), "room") for n, f in frames.items()}
    first = rooms["as above"]
    yield "## With other assumptions"
    yield ""
    yield (
        "Each column is the whole fit again: with a shift of V (a junction potential), or another "
        "middle of a prior. Medians of P_Na/P_K over animals, at room temperature; below, medians "
        "over cells of estimates over those above, Spearman's correlation of the families' order "
        "with that above, and the pairs of families that differ."
    )
    yield ""
    yield f"| P_Na/P_K | {' | '.join(frames)} |"
    yield "|---" * (1 + len(frames)) + "|"
    for family in first.index:
        shown = [f"{room['median'][family]:.3f}" for room in rooms.values()]
        yield f"| {family} | {' | '.join(shown)} |"
    for quantity, label in (("ratio", "P_Na/P_K"), ("potassium", "P_K")):
        factors = [f"{np.median(f[quantity] / cells[quantity]):.2f}" for f in frames.values()]
        yield f"| all cells: {label} over that above | {' | '.join(factors)} |"
    orders = [
        np.corrcoef(first["median"].rank(), room.loc[first.index, "median"].rank())[0, 1]
        for room in rooms.values()
    ]
    pairs = [" of ".join(map(str, inference.differing(room))) for room in rooms.values()]
    yield f"| order of families | {' | '.join(f'{x:.2f}' for x in orders)} |"
    yield f"| pairs that differ | {' | '.join(pairs)} |"
    factors = [np.median(f.ratio / cells.ratio) for f in others.values()]
    yield ""
    yield (
        f"P_Na/P_K of all cells moves between {min(factors):.2f} and {max(factors):.2f} times "
        f"that above, the order of families keeps a correlation of {min(orders):.2f}: these data "
        + (
            "compare families far better than they give P_Na/P_K itself."
            if min(orders) > 0.9
            else "give neither P_Na/P_K nor the order of families without these assumptions."
        )
    )
    yield ""
