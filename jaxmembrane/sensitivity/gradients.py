"""What is compiled for derivatives: rests of lanes, and how their outputs move with parameters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp

from ..cell import Cell
from ..outputs import Output, labels, shown_dims
from ..programs import Job, resting_job, search_stages
from ..rest import Found, Lanes, at_rest
from ..steady import AVAILABLE, DIAGNOSTICS, outputs_at
from ..structure import structure

Axes = tuple[tuple[str, ...], ...]
"""What moves: of each axis the parameters that share its number."""


@dataclass(frozen=True)
class GradientProgram:
    """Outputs of the rests of lanes, with their derivatives along each axis."""

    cell: Cell
    outputs: tuple[str, ...]
    axes: Axes

    def __call__(
        self, lanes: Mapping[str, Any], shared: Mapping[str, Any], found: Found
    ) -> dict[str, Any]:
        """Values (lanes, outputs), derivatives and elasticities (lanes, outputs, axes)."""
        given = {**shared["fixed"], **lanes}
        at = [given[axis[0]] for axis in self.axes]

        def read(at: list[Any]) -> tuple[list[Any], dict[str, list[Any]]]:
            moved = {name: x for axis, x in zip(self.axes, at, strict=True) for name in axis}
            asked = Lanes(given | moved, {}, shared["harmless"])
            rest = at_rest(self.cell, asked, found)
            made = outputs_at(self.cell, (*self.outputs, *DIAGNOSTICS), asked, rest)
            told = {name: made.pop(name) for name in DIAGNOSTICS}
            return [y for parts in made.values() for y in parts], told

        def along(tangent: list[Any]) -> tuple[Any, Any, Any]:
            return jax.jvp(read, (at,), (tangent,), has_aux=True)

        basis = [jnp.zeros((len(at), *p.shape), p.dtype).at[i].set(1.0) for i, p in enumerate(at)]
        values, slopes, told = jax.vmap(along, out_axes=(None, 0, None))(basis)
        value = jnp.stack(values, axis=-1)
        slope = jnp.moveaxis(jnp.stack(slopes, axis=-1), 0, -1)
        y = value[..., None]
        # What does not exist does not move either: a derivative of zero would be a claim.
        slope = jnp.where(jnp.isnan(y), jnp.nan, slope)
        p = jnp.stack([jnp.broadcast_to(p, value.shape[:1]) for p in at], axis=-1)[:, None]
        elasticity = jnp.where(y == 0.0, jnp.nan, p * slope / y)
        return {"value": [value], "derivative": [slope], "elasticity": [elasticity], **told}


def gradient_job(cell: Cell, fixed: Mapping[str, float], names: tuple[str, ...], axes: Axes) -> Job:
    """The derivatives of rests of rows that share `fixed` parameters."""
    columns = list(_columns(cell, names))
    moved = tuple(axis[0] for axis in axes)
    by_both = "see units and parameter_units"
    made = {
        "value": Output("see units", "value at rest", ("output",), lambda r: []),
        "derivative": Output(by_both, "derivative dy/dp", ("output", "parameter"), lambda r: []),
        "elasticity": Output(
            "1", "elasticity d ln y/d ln p", ("output", "parameter"), lambda r: []
        ),
    }
    return replace(
        resting_job(cell, fixed, tuple(DIAGNOSTICS)),
        title="derivatives of resting states",
        program=(*search_stages(cell), GradientProgram(structure(cell), names, axes)),
        variables={name: (out, False) for name, out in (made | DIAGNOSTICS).items()},
        labels={"output": tuple(label for label, _ in columns), "parameter": moved},
        along={
            "variable": ("output", tuple(name for _, name in columns)),
            "units": ("output", tuple(AVAILABLE[name].units for _, name in columns)),
            "parameter_units": ("parameter", tuple(cell.parameters[p].unit for p in moved)),
        },
        decides={"derivatives of": list(names), "derivatives by": [list(axis) for axis in axes]},
    )


def _columns(cell: Cell, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Label and name of every entry of the outputs, in row-major order."""
    size = labels(cell)
    for name in names:
        dims = shown_dims(cell, AVAILABLE[name].dims)
        for at in product(*(size[dim] for dim in dims)):
            yield f"{name}[{', '.join(at)}]" if at else name, name
