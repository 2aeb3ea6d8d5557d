"""A fit in words: what the data determine, what they do not, and in which combinations."""

from typing import Any

import numpy as np
import xarray as xr

from ..record import meanings
from .restored import axes_of, one_cell
from .uncertainty import DETERMINED

_PART = 0.05
"""Entries of a direction that are smaller than this share of the largest are not named."""


def explain(fitted: xr.Dataset, cell: Any = None) -> str:
    """Say what a fit found, and which parameters or combinations the data do not determine.

    A combination ``sum(a_i ln p_i)`` is told as a product of powers. It is determined where the
    data hold it to less than half of what the space allows.

    Parameters
    ----------
    fitted : xarray.Dataset
        What `fit` gave.
    cell : optional
        The name of one cell; all of them together unless told.

    Returns
    -------
    str
        Lines of text.

    Raises
    ------
    KeyError
        For a cell that is not there.
    TypeError
        For a dataset that is none of a fit.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({"leak_Cl.g": jm.LogUniform(0.02, 20.0), "nka.j": jm.LogUniform(10, 1000)})
    >>> data = [jm.Target("V", [-72.0], 0.5), jm.Target("c.Na", [14.0], 0.3)]
    >>> print(jm.explain(jm.fit(jm.zoo.neuron(), data, space), 0))
    cell 0: converged, chi-square 0 with 0 degrees of freedom
      leak_Cl.g: 0.1239 pS/um^2 (95%: 0.05513 to 0.2785)
      nka.j: 103.2 amol/um^2/s (95%: 90.24 to 118.1)
    """
    if "information_eigenvalue" not in fitted:
        raise TypeError("explain needs the dataset of a fit, as jm.fit(...) gives")
    if cell is None:
        return _all(fitted)
    return _one(one_cell(fitted, cell), cell)


def _units(fitted: xr.Dataset) -> list[str]:
    """The unit of each axis as it stands after a number."""
    units = fitted.parameter.attrs["parameter_units"].split(" | ")
    return ["" if unit == "1" else f" {unit}" for unit in units]


def _all(fitted: xr.Dataset) -> str:
    status, words = fitted.status.values, meanings(fitted)
    counts = [f"{(status == v).sum():,} {w}" for v, w in words.items() if (status == v).any()]
    lines = [f"{status.size:,} cells: {', '.join(counts)}", f"method: {fitted.attrs['method']}"]
    good = fitted[["determined", "estimate", "standard_error"]].isel(cell=status == 0).load()
    if not good.sizes["cell"]:
        return "\n".join(lines)
    units = _units(fitted)
    share = good.determined.mean("cell").values
    for i, name in enumerate(fitted.parameter.values):
        held = good.isel(parameter=i, cell=good.determined.values[:, i] == 1)
        line = f"  {name}: determined in {share[i]:.0%} of the converged cells"
        if held.sizes["cell"]:
            middle, error = (float(held[v].median()) for v in ("estimate", "standard_error"))
            line += f" (median {middle:.4g}{units[i]}, its error {error:.2g})"
        lines.append(line)
    return "\n".join(lines)


def _one(fit: xr.Dataset, cell: Any) -> str:
    words, names = meanings(fit), [str(name) for name in fit.parameter.values]
    units = _units(fit)
    freedom = float(fit.degrees_of_freedom)
    # Below that it is rounding.
    chi_square = round(float(fit.chi_square), 6)
    lines = [
        f"cell {cell}: {words[int(fit.status)]}, chi-square {chi_square:.3g} with "
        f"{freedom:g} degree{'' if freedom == 1 else 's'} of freedom"
    ]
    determined = fit.determined.values == 1
    logs = [axis["log"] for axis in axes_of(fit)]
    for i, name in enumerate(names):
        value, error = float(fit.estimate[i]), float(fit.standard_error[i])
        if determined[i]:
            low, high = float(fit.low[i]), float(fit.high[i])
            about = "" if logs[i] else f" +- {error:.2g}"
            level = f"{fit.attrs['level']:.0%}"
            text = f"{value:.4g}{about}{units[i]} ({level}: {low:.4g} to {high:.4g})"
        else:
            side = {-1: ", its lower bound", 1: ", its upper bound"}.get(int(fit.at_bound[i]), "")
            text = f"not determined ({value:.4g}{units[i]}{side})"
        lines.append(f"  {name}: {text}")
    for axis in directions(fit):
        lines.append(f"  {axis}")
    if not determined.all():
        unsure = [n for n, d in zip(names, determined, strict=True) if not d]
        lines.append(f"not determined by these data: {', '.join(unsure)}")
    return "\n".join(lines)


def directions(fit: xr.Dataset) -> list[str]:
    """Combinations of parameters of one cell, each with how well the data hold it."""
    axes = axes_of(fit)
    spread = np.array([a["numbers"][1] * (12.0**-0.5 if a["bounded"] else 1.0) for a in axes])
    logs = [a["log"] for a in axes]
    names = [a["names"][0] for a in axes]
    told, open_ = [], []
    for value, row in zip(fit.information_eigenvalue.values, fit.direction.values, strict=True):
        powers = row / spread
        powers = powers / powers[np.argmax(np.abs(row))]
        size = float(np.max(np.abs(row / spread)))
        keep = (np.abs(row) > _PART * np.abs(row).max()) & (np.abs(powers) > 0.005)
        log = all(log for log, k in zip(logs, keep, strict=True) if k)
        named = [n for n, k in zip(names, keep, strict=True) if k]
        text = combination(named, powers[keep], log)
        error = 1.0 / np.sqrt(value) if value > 0 else np.inf
        if error >= DETERMINED:
            open_.append(text)
        elif len(named) > 1:  # what holds one parameter is told of it already
            relative = error / size
            shown = f"{100.0 * relative:.2g} %" if log else f"{relative:.2g}"
            told.append(f"determined to {shown}: {text}")
    if len(open_) == 1:
        told.append(f"not determined: {open_[0]}")
    elif open_:
        # Of several, any combination is as good as another.
        told.append(f"not determined: {len(open_)} other combinations")
    return told


def combination(names: list[str], powers: np.ndarray, log: bool) -> str:
    """A product of powers, or a sum."""
    if not log:
        return " ".join(f"{p:+.2g} {name}" for name, p in zip(names, powers, strict=True))
    above = [_power(n, p) for n, p in zip(names, powers, strict=True) if p > 0]
    below = [_power(n, -p) for n, p in zip(names, powers, strict=True) if p < 0]
    text = " * ".join(above)
    if below:
        text += f" / {below[0]}" if len(below) == 1 else f" / ({' * '.join(below)})"
    return text


def _power(name: str, p: float) -> str:
    return name if abs(p - 1.0) < 0.005 else f"{name}^{p:.2f}"
