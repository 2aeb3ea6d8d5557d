"""What all pictures share: panels, colours, labels, bars, matrices, and what is told in words."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito 2008, Color Universal Design: told apart by eyes of every kind.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
CYCLE = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", RED, "#F0E442", "#000000")
GREY, INK = "#999999", "#333333"
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"

_OUTER = 0.01
_FAR = 2.0
_DECADES = 50.0
_MOST_NUMBERS = 900


def panels(
    ax: Any, rows: int = 1, columns: int = 1, size: tuple[float, float] = (5.2, 3.8), **more: Any
) -> np.ndarray:
    """Give an array of (rows, columns) axes: the given ones, or those of a new figure.

    `size` is that of the new figure in inches.

    >>> panels(None, 2, 3).shape
    (2, 3)
    """
    if ax is None:
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError("jm.plot needs matplotlib: pip install 'jaxmembrane[plot]'") from None
        figure = Figure(figsize=size, layout="constrained")
        made = figure.subplots(rows, columns, squeeze=False, **more)
    else:
        made = np.asarray(ax, dtype=object)
        if made.size != rows * columns:
            raise ValueError(
                f"ax must be {rows} x {columns} axes, as figure.subplots({rows}, {columns}) gives, "
                f"not {made.size}"
            )
        made = made.reshape(rows, columns)
    for one in made.flat:
        one.spines[["top", "right"]].set_visible(False)
    return made


def unit(text: str) -> str:
    """Write a unit as it is printed; nothing for what has none.

    >>> unit("amol/um^2/s"), unit("1")
    ('amol/µm²/s', '')
    """
    if text == "1":
        return ""
    raised = re.sub(r"\^(\d)", lambda found: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(found[1])], text)
    return re.sub(r"\bum", "µm", raised)


def label(name: str, attrs: Mapping[str, Any], short: bool = False) -> str:
    """Meaning, name and unit of what is drawn; without the meaning where there is little room.

    >>> print(label("V", {"units": "mV", "long_name": "membrane potential"}))
    membrane potential
    V (mV)
    """
    measured = unit(attrs.get("units", "1"))
    if short:
        return f"{name}\n({measured})" if measured else name
    named = f"{name} ({measured})" if measured else name
    meaning = attrs.get("long_name", "")
    return f"{meaning}\n{named}" if meaning and meaning != name else named


def spread(ax: "Axes", which: str, kind: str) -> None:
    """Make the axis "x" or "y" linear or logarithmic, with plain numbers where it is short.

    To be called when all is drawn: ticks follow from the limits, and from the room there is.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

    pixels = ax.bbox.width if which == "x" else ax.bbox.height
    most = int(np.clip(1.8 * pixels / ax.figure.dpi, 3, 7))
    ax.set(**{f"{which}scale": kind})
    axis = getattr(ax, f"{which}axis")
    low, high = getattr(ax, f"get_{which}lim")()
    decades = np.log10(high / low) if kind == "log" else 0.0
    short = 2.0 * decades <= most
    if decades < 1.0:
        axis.set_major_locator(MaxNLocator(most))
        axis.set_minor_locator(NullLocator())
    elif short:
        axis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    else:
        axis.set_major_locator(LogLocator(numticks=most))
    if kind == "log":
        axis.set_minor_formatter(NullFormatter())
        if short:
            axis.set_major_formatter("{x:g}")


def legend(ax: "Axes", *given: Any) -> None:
    """Say right of the axes what is drawn: there it hides nothing."""
    where = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    ax.legend(*given, frameon=False, fontsize=8, **where)


def tell(ax: "Axes", *said: str, across: int = 1, pad: float | None = None) -> None:
    """Write above the axes what a reader must know: rows without a value, levels of intervals.

    There is room for it `across` so many panels, `pad` points above the axes.
    """
    text = "; ".join(part for part in said if part)
    if text:
        inches = across * ax.bbox.width / ax.figure.dpi
        wrapped = textwrap.fill(text, max(24, int(16 * inches)))
        ax.set_title(wrapped, fontsize=8, color=INK, loc="left", pad=pad)


def shades(values: np.ndarray) -> tuple[dict[str, Any], str]:
    """Give the colours of values, and at which ends of the scale values lie beyond it.

    Single values far out do not flatten all others; what spans decades is told by its logarithm.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return {"cmap": SEQUENTIAL}, "neither"
    least, most = known.min(), known.max()
    low, high = np.quantile(known, (_OUTER, 1.0 - _OUTER))
    reach = _FAR * (high - low)
    low = least if not reach or low - least <= reach else low
    high = most if not reach or most - high <= reach else high
    if low == high:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    norm = "log" if least > 0.0 and high / low > _DECADES else "linear"
    beyond = {(True, True): "both", (True, False): "min", (False, True): "max"}
    extend = beyond.get((bool(least < low), bool(most > high)), "neither")
    return {"cmap": SEQUENTIAL, "norm": norm, "vmin": low, "vmax": high}, extend


def bars(
    ax: "Axes",
    names: list[str],
    series: Mapping[str, tuple[np.ndarray, Any]],
) -> None:
    """Draw horizontal bars beside each other for each name; `series` are values and half-widths.

    The first series is sorted by the last: the longest stands on top.
    """
    *_, (last, _) = series.values()
    order = np.argsort(np.where(np.isfinite(last), last, -np.inf), kind="stable")
    place, height = np.arange(len(names)), 0.8 / len(series)
    for i, (meaning, (values, half)) in enumerate(series.items()):
        ax.barh(
            place + 0.4 - (i + 0.5) * height,
            values[order],
            height,
            xerr=None if half is None else half[order],
            color=CYCLE[i],
            label=meaning,
            error_kw={"ecolor": INK, "elinewidth": 1.0, "capsize": 2.0},
        )
    ax.set_yticks(place, [names[i] for i in order])
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.tick_params("y", length=0)
    ax.axvline(0.0, color=INK, linewidth=0.8)


def matrix(
    ax: "Axes",
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    limit: float,
    meaning: str,
) -> None:
    """Draw a matrix in colours from -limit to limit, with its numbers where there is room."""
    beyond = bool((np.abs(values[np.isfinite(values)]) > limit * (1.0 + 1e-9)).any())
    image = ax.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    bar = ax.figure.colorbar(image, ax=ax, label=meaning, extend="both" if beyond else "neither")
    bar.outline.set_visible(False)
    ax.set_xticks(range(len(columns)), columns, rotation=90 if len(columns) > 3 else 0)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if values.size > _MOST_NUMBERS:
        return
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = "white" if abs(value) > 0.6 * limit else INK
            # Adding zero takes the sign from what is rounded to nothing.
            said = f"{round(value, 2) + 0.0:.2f}" if abs(value) < 10.0 else f"{value:.3g}"
            ax.text(j, i, said, color=ink, fontsize=7, ha="center", va="center")
