"""The budget of one cell at rest: which transporter carries what."""

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ..constants import F
from ..rest import STATUS
from ..steady import Rest
from .style import CYCLE, INK, legend, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PATTERNS = ("", "////", "....", "xxxx")

Carried = dict[str, dict[str, float]]
"""What leaves a compartment: species -> transporter -> amol/s, or fA."""


def budget(rest: Rest, *, ax: Any = None) -> np.ndarray:
    """Draw who carries what at rest: the flux of every species, and the current.

    A transporter that takes n of a species out of a compartment in each turnover carries ``n A J``
    of it, by its flux J and the area A of its membrane; the charge of all that it takes is its
    current. What leaves is above zero, what enters below.

    Parameters
    ----------
    rest : Rest
        What `jm.steady_state` gave for one cell, with ``flux`` and ``area`` among its outputs.
    ax : array of matplotlib.axes.Axes, optional
        Two for each compartment.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        A row for each compartment: flux by species, current by transporter. Diamonds are sums: zero
        but for species that are held by something else than transport, as by a buffer.

    Raises
    ------
    TypeError
        For anything but a rest.
    ValueError
        For a batch of rests, a cell without a rest, or a rest without ``flux`` and ``area``.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> axes = jm.plot.budget(jm.steady_state(jm.zoo.neuron()))
    >>> [tick.get_text() for tick in axes[0, 0].get_xticklabels()]
    ['Na', 'K', 'Cl']
    """
    _check(rest)
    cell = rest.cell
    transporters = [t.name for t in cell.transporters]
    flux, charge = _carried(rest)
    count = max(len(of) for of in charge.values())
    size = (5.4 + 0.35 * count, max(3.6 * len(flux), 1.0 + 0.2 * len(transporters)))
    axes = panels(ax, len(flux), 2, size, width_ratios=[3, max(3, 0.45 * count)])
    looks = [
        {"color": colour, "hatch": pattern, "edgecolor": "white", "linewidth": 0.0}
        for pattern, colour in product(_PATTERNS, CYCLE)
    ]
    styles = {name: looks[i % len(looks)] for i, name in enumerate(transporters)}
    for (left, right), name in zip(axes, flux, strict=True):
        sums = [sum(parts.values()) for parts in flux[name].values()]
        _stack(left, flux[name], styles)
        left.plot(range(len(sums)), sums, "D", color=INK, markersize=4.0, label="sum")
        left.set_ylabel(f"flux out of the {name} (amol/s)")
        _stack(right, {of: {of: x} for of, x in charge[name].items()} | {"sum": {}}, styles)
        right.plot(len(charge[name]), sum(charge[name].values()), "D", color=INK, markersize=4.0)
        right.set_ylabel(f"current out of the {name} (fA)")
        right.tick_params("x", rotation=90)
    drawn = [one.get_legend_handles_labels() for one in axes.flat]
    handles = {text: handle for found in drawn for handle, text in zip(*found, strict=True)}
    shown = [name for name in (*transporters, "sum") if name in handles]
    legend(axes[0, 1], [handles[name] for name in shown], shown)
    return axes


def _check(rest: Any) -> None:
    if not isinstance(rest, Rest):
        raise TypeError("budget needs the rest of one cell, as jm.steady_state(cell) gives")
    if lacking := [name for name in ("flux", "area") if name not in rest.values]:
        raise ValueError(f"budget needs {' and '.join(lacking)} among the outputs of the rest")
    status = np.asarray(rest.values["status"])
    if status.ndim:
        raise ValueError(f"budget draws one cell, and this is a batch of {status.size} rests")
    words = {value: meaning.replace("_", " ") for meaning, value in STATUS.items()}
    if not np.isfinite(np.asarray(rest.flux)).all():
        raise ValueError(
            f"this cell has no rest, and so no budget: its search ended as {words[int(status)]}"
        )


def _carried(rest: Rest) -> tuple[dict[str, Carried], dict[str, dict[str, float]]]:
    """What each transporter takes out of each compartment: amol/s by species, and fA."""
    cell = rest.cell
    flux: dict[str, Carried] = {a.name: {} for a in cell.compartments}
    charge: dict[str, dict[str, float]] = {a.name: {} for a in cell.compartments}
    for m in cell.membranes:
        area = float(rest.area if len(cell.membranes) == 1 else rest.area[m.name])
        for t, leg in ((owner, leg) for owner in m.transporters for leg in owner.legs):
            turnovers = area * float(rest.flux[leg.name])
            for s, (side, at) in product(leg.reaction.species, (("i", m.inside), ("o", m.outside))):
                out = -leg.reaction.change(s, side) * turnovers
                if at.name in flux and leg.reaction.change(s, side):
                    of = flux[at.name].setdefault(s.name, {})
                    of[t.name] = of.get(t.name, 0.0) + out
                    current = charge[at.name].get(t.name, 0.0)
                    charge[at.name][t.name] = current + s.z * F * out
    return flux, charge


def _stack(ax: "Axes", carried: Carried, styles: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw bars of several parts each, what leaves upward and what enters downward."""
    for place, parts in enumerate(carried.values()):
        ends = {True: 0.0, False: 0.0}
        for name, value in parts.items():
            ax.bar(place, value, 0.7, ends[value > 0.0], label=name, **styles[name])
            ends[value > 0.0] += value
    ax.set_xticks(range(len(carried)), list(carried))
    ax.set_xlim(-0.6, len(carried) - 0.4)
    ax.tick_params("x", length=0)
    ax.axhline(0.0, color=INK, linewidth=0.8)
