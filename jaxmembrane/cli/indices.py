"""What `jaxmembrane sensitivity` prints: indices, effects, or bounds and directions."""

from collections.abc import Iterator
from math import isnan
from typing import Any

import numpy as np

from ..naming import UnknownName, unknown
from .tables import print_table

_MOST_OUTPUTS = 12
_MOST_PAIRS = 3
_MOST_DIRECTIONS = 3
_MOST_PARTS = 3
_TOTAL = 0.99
_FIXED = "z.3f"  # what is zero has no sign

Row = tuple[str, ...]


def print_indices(found: Any, rows: Any, output: str | None) -> None:
    """Print an analysis of stored rows, of one output or of the first of them."""
    known = found["output"].values.tolist()
    if output is not None and output not in known:
        raise UnknownName(unknown("output", output, known))
    shown = known[:_MOST_OUTPUTS] if output is None else [output]
    print(f"\n{_title(found.sel(output=shown))}")
    _PRINT[found.attrs["method"]](found.sel(output=shown), rows)
    if more := len(known) - len(shown) if output is None else 0:
        print(f"and {more:,} more of the outputs; --output {known[-1]!r} shows that one")


def _title(found: Any) -> str:
    """What is told, from how many blocks or rows, and how sure."""
    what = "rows" if "rows" in found.attrs else "blocks"
    n = found.attrs[what]
    used = sorted({n - int(k) for k in found["excluded"].values})
    number = " to ".join(f"{k:,}" for k in dict.fromkeys((used[0], used[-1])))
    sure = f"+- at {found.attrs['confidence']:.0%}"
    return f"{found.attrs['title']} from {number} of {n:,} {what}, {sure}"


def _print_sobol(found: Any, rows: Any) -> None:
    """Print first and total indices, and the strongest pairs."""
    lines = _by_output(
        found, "ST", lambda one: (*_sure(one, "S1", _FIXED), *_sure(one, "ST", _FIXED))
    )
    print_table(("output", "parameter", "S1", "", "ST", ""), [*lines])
    if "S2" in found:
        print("\nstrongest pairs:")
        pairs = [*_pairs(found)]
        if pairs:
            print_table(("output", "parameter", "with", "S2", ""), pairs)
        else:
            print("no S2 is larger than its interval")


def _print_morris(found: Any, rows: Any) -> None:
    """Print elementary effects."""
    lines = _by_output(
        found,
        "mu_star",
        lambda one: (
            *_sure(one, "mu_star", ".4g"),
            _number(one["mu"], ".4g"),
            _number(one["sigma"], ".4g"),
            str(one["units"].item()),
        ),
    )
    print_table(("output", "parameter", "mu*", "", "mu", "sigma", "unit"), [*lines])


def _print_dgsm(found: Any, rows: Any) -> None:
    """Print bounds of total indices beside median elasticities, and the first directions."""
    middle = rows["elasticity"].where(rows["status"].isin((0, 1))).median("sample")

    def line(one: Any) -> Row:
        here = middle.sel(output=one["output"].item(), parameter=one["parameter"].item())
        return _number(here, _FIXED), *_sure(one, "bound", _FIXED)

    heads = ("output", "parameter", "median elasticity", "ST at most", "")
    print_table(heads, [*_by_output(found, "bound", line)])
    print("\ndirections that matter, in standard deviations:")
    heads = ("output", "share", "mean squared slope", "interval", "direction")
    print_table(heads, [*_directions(found)])


_PRINT = {"sobol": _print_sobol, "morris": _print_morris, "dgsm": _print_dgsm}


def _by_output(found: Any, by: str, line: Any) -> Iterator[Row]:
    """A line for each parameter of each output, those that matter most first."""
    for name in found["output"].values:
        one = found.sel(output=name)
        ranked = np.argsort(-np.nan_to_num(one[by].values), kind="stable")
        for k, place in enumerate(ranked):
            at = one.isel(parameter=place)
            yield ("" if k else name, at["parameter"].item(), *line(at))


def _pairs(found: Any) -> Iterator[Row]:
    """The pairs of each output that are told from zero, strongest first."""
    for name in found["output"].values:
        one = found.sel(output=name)
        size = abs(one["S2"].values)
        clear = [(i, j) for i, j in np.argwhere(size > one["S2_conf"].values) if i < j]
        clear.sort(key=lambda pair: -size[pair])
        for k, (i, j) in enumerate(clear[:_MOST_PAIRS]):
            pair = one.isel(parameter=i, other=j)
            named = pair["parameter"].item(), pair["other"].item()
            yield ("" if k else name, *named, *_sure(pair, "S2", _FIXED))


def _directions(found: Any) -> Iterator[Row]:
    """The first eigenvalues of each output, with the largest parts of their vectors."""
    for name in found["output"].values:
        one = found.sel(output=name)
        share, told = one["eigenvalue"] / one["eigenvalue"].sum(), 0.0
        for k in range(min(_MOST_DIRECTIONS, one.sizes["rank"])):
            if told >= _TOTAL or isnan(share[0]):
                break
            told += float(share[k])
            at = one.isel(rank=k)
            low, high = (_number(at[f"eigenvalue_{end}"], ".3g") for end in ("low", "high"))
            value = _number(at["eigenvalue"], ".3g")
            yield "" if k else name, f"{share[k]:.1%}", value, f"{low} to {high}", _direction(at)


def _direction(at: Any) -> str:
    parts = sorted(
        zip(at["eigenvector"].values, at["natural"].values, strict=True), key=lambda x: -abs(x[0])
    )
    return ", ".join(f"{x:+.2f} {natural}" for x, natural in parts[:_MOST_PARTS])


def _sure(one: Any, name: str, how: str) -> Row:
    """A number and the half-width of its interval."""
    half = _number(one[f"{name}_conf"], how)
    return _number(one[name], how), "" if half == "-" else f"+- {half}"


def _number(x: Any, how: str) -> str:
    return "-" if isnan(x) else f"{float(x):{how}}"
