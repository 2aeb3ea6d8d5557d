"""Derivatives of rows, as an analysis reads them: outputs, and natural coordinates of axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi, sqrt
from typing import Any

import numpy as np
import xarray as xr

from ..design import Design
from ..schema import PENDING, SAMPLE
from .rows import description_of

_DRAWN = ("sobol", "random", "latin")
_UNIFORM = 12.0 / pi**2
_CALL = "dgsm({'y': (values, derivatives)}, design)"


@dataclass(frozen=True)
class Natural:
    """The natural coordinate of an axis, p or ln p, and its standard deviation.

    ``constant`` is Poincare's, over the variance.
    """

    name: str
    log: bool
    sd: float
    constant: float

    @property
    def words(self) -> str:
        """The coordinate as it is written."""
        return f"ln {self.name}" if self.log else self.name


@dataclass(frozen=True, eq=False)
class Slopes:
    """Outputs of rows, with their derivatives.

    ``values`` (rows, outputs), ``derivatives`` (rows, outputs, axes), ``at`` the parameters (rows,
    axes); ``coords`` is what is said of outputs.
    """

    values: np.ndarray
    derivatives: np.ndarray
    at: np.ndarray
    axes: Sequence[Natural]
    coords: Mapping[str, Any]
    pending: int

    def scaled(self, rows: np.ndarray) -> np.ndarray:
        """Derivatives of some rows by natural coordinates of unit variance."""
        by_natural = np.where([axis.log for axis in self.axes], self.at[rows], 1.0)
        return self.derivatives[rows] * (by_natural * [axis.sd for axis in self.axes])[:, None]


def read_slopes(data: Any, design: Design | None) -> Slopes:
    """Outputs and derivatives of rows that were drawn from a space."""
    if isinstance(data, xr.Dataset) and "derivative" not in data:
        raise ValueError(
            "dgsm needs derivatives, as jm.sensitivity.local(cell, space.sobol(4096)) gives"
        )
    # A dataset is a mapping too, but one that knows its design.
    if design is None and isinstance(data, Mapping) and not isinstance(data, xr.Dataset):
        raise ValueError(f"arrays need their design, as {_CALL}")
    if design is not None and not isinstance(design, Design):
        raise TypeError(
            f"design must be what Space.sobol() or the like makes, not {type(design).__name__}"
        )
    described = description_of(data, design, "dgsm")
    if not isinstance(data, xr.Dataset):
        return _of_arrays(data, design, naturals(described))
    for dim in (SAMPLE, "output", "parameter"):
        if dim not in data.dims:
            raise ValueError(f"the data of dgsm need the dim {dim!r}: select lists, as [0]")
    names = [str(name) for name in data["parameter"].values]
    axes = naturals(described, names)
    return Slopes(
        data["value"].transpose(SAMPLE, "output").values,
        data["derivative"].transpose(SAMPLE, "output", "parameter").values,
        np.stack([data[name].values for name in names], axis=-1),
        axes,
        {name: data[name].variable.load() for name in ("output", "variable", "units")},
        int(np.sum(data["status"].values == PENDING)) if "status" in data else 0,
    )


def naturals(described: Mapping[str, Any], names: Sequence[str] | None = None) -> list[Natural]:
    """Natural coordinates of axes of a design, all unless told; refused where it has none.

    `described` is what `Design.describe` gives: of rows that are a sample of independent axes.
    """
    if described["kind"] not in _DRAWN:
        raise ValueError(
            "dgsm needs rows that are drawn from a space, as Space.sobol, random or latin do; "
            f"these are of a {described['kind']} design"
        )
    if described["derive"] or described["where"]:
        raise ValueError(
            "dgsm needs axes that are independent and all there is: take derive= and where= out of "
            "the space"
        )
    axes = {axis["names"][0]: axis for axis in described["axes"]}
    for name in names or ():
        if name not in axes:
            raise ValueError(
                f"{name} is no axis of this design: leave it out, as "
                "data.sel(parameter=['nka.j', 'bath.K'])"
            )
    return [_natural(name, axes[name]) for name in (axes if names is None else names)]


def _of_arrays(data: Mapping[str, Any], design: Any, axes: Sequence[Natural]) -> Slopes:
    """Outputs and derivatives of a model that is no cell."""
    shape = design.n, len(axes)
    if not data:
        raise ValueError(f"dgsm needs an output at least, as {_CALL}")
    for name, given in data.items():
        shapes = [np.shape(x) for x in given] if isinstance(given, (tuple, list)) else []
        if shapes != [shape[:1], shape]:
            raise ValueError(
                f"{name!r} must be a pair of values {shape[:1]} and derivatives {shape}, as {_CALL}"
            )
    columns, _ = design.rows(0, design.n)
    values, derivatives = (
        np.stack([np.asarray(given[k], float) for given in data.values()], axis=1) for k in (0, 1)
    )
    at = np.stack([columns[axis.name] for axis in axes], axis=-1)
    names = np.array(list(data), object)
    coords = {
        "output": names,
        "variable": ("output", names),
        "units": ("output", np.full(len(names), "", object)),
    }
    return Slopes(values, derivatives, at, axes, coords, 0)


def _natural(name: str, axis: Mapping[str, Any]) -> Natural:
    match axis:
        case {"distribution": "Uniform", "lower": low, "upper": high}:
            return Natural(name, False, (high - low) / sqrt(12.0), _UNIFORM)
        case {"distribution": "LogUniform", "lower": low, "upper": high}:
            return Natural(name, True, log(high / low) / sqrt(12.0), _UNIFORM)
        case {"distribution": "Normal", "sd": sd}:
            return Natural(name, False, sd, 1.0)
        case {"distribution": "LogNormal", "sigma": sigma}:
            return Natural(name, True, sigma, 1.0)
    raise ValueError(
        f"{name} has no derivative over a {axis['distribution']}: dgsm needs Uniform, LogUniform, "
        "Normal or LogNormal axes"
    )
