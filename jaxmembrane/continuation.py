"""Branches of resting states along one parameter: `continuation` and what it returns.

Unknowns and the parameter follow their common arc length, so that a branch goes on around folds,
where the parameter turns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from .arclength import FOLDS, Curve, follow
from .cell import Cell
from .labelled import Outputs
from .lanes import batch, check_precision, lanes_at, lanes_of, rests_of
from .modes import MODES, modes
from .naming import UnknownName, unknown
from .outputs import OUTPUTS, Reading, check_outputs
from .params import check_params
from .rest import STATUS, Found, Lanes, has_rest, judge, safe_point
from .simulate import USUAL
from .steady import Rest, shape_outputs, start_of
from .structure import structure


@partial(
    jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["cell", "parameter"]
)
@dataclass(frozen=True)
class Branch(Outputs):
    """A branch of rests, or a batch of them: outputs are its fields, ``branch.V``.

    Leading axes are those of the parameters, then come points. `at` is the parameter at each point;
    `status` says whether it is stable (0) or not (1), and is -1 beyond the last of `length` points,
    where values are NaN. ``folds.at``, ``folds.V`` and so on are where the parameter turns, in the
    branch's order, NaN beyond the last.

    `ended` says why a branch did: 0 it met a bound, -1 its points are used up, 2 to 5 no rest to
    begin with (see `Rest`), 3 no further step was found, 6 the volume grew beyond its bound, as it
    does where rests cease to exist.
    """

    cell: Cell
    parameter: str
    values: dict[str, Any]

    @property
    def ok(self) -> Any:
        """Whether the branch was followed to a bound."""
        return self.values["ended"] == STATUS["stable"]


def continuation(
    cell: Cell,
    parameter: str,
    bounds: tuple[Any, Any],
    params: Mapping[str, Any] | None = None,
    *,
    start: Rest | Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    points: int = 200,
    largest_step: float = 0.1,
    precision: str = "float64",
) -> Branch:
    """Branch of resting states along one parameter, around folds, and which points are stable.

    Solves ``f(u, q) = 0`` and ``t . (u - u_0, q - q_0) = h`` in steps h along the tangent t, each
    lane in its own. The parameter is ``p = unit sinh(q)`` and may pass through zero.

    Parameters
    ----------
    cell : Cell
        The structure.
    parameter : str
        What varies. The branch begins at its value in `params`, or at the nominal one.
    bounds : (float or array, float or array)
        Values of the parameter to go to: the branch sets out towards the first, and ends on
        whichever of the two it meets. The second may be where it begins.
    params, start, precision
        As for `steady_state`; arrays, in `bounds` as well, are batch axes. `start` decides which
        branch is followed where there are several.
    outputs : sequence of str, optional
        Which outputs to compute, also eigenvalues such as ``rate_slowest`` (1/s); V, volume, c, E
        and flux unless told otherwise.
    points : int
        Most points of a branch.
    largest_step : float
        Largest distance between two points in ln c, F V/(R T), ln volume, gates and q together.
        Where the branch bends they are closer.

    Returns
    -------
    Branch
        ``at`` (the parameter's unit) and the outputs, with dims batch, point, and their own;
        ``status`` with batch and point; ``length`` and ``ended`` with the batch's; and ``folds``,
        whose ``at`` and outputs have a dim of 8 folds in place of points.

    Raises
    ------
    KeyError
        For a parameter, output or start that does not exist, with the nearest that does.
    ValueError
        For a number outside its domain, or bounds that do not contain the value to begin with; such
        a value inside an array gives its lane ``invalid`` instead.
    RuntimeError
        If JAX is set to 32 bits and `precision` is not "float32".

    Notes
    -----
    Sources: Keller 1977, in Rabinowitz (ed.), Applications of Bifurcation Theory, pp. 359-384;
    Govaerts 2000, doi:10.1137/1.9780898719543. Folds are roots of ``f(u, q) = 0`` and ``dq/ds = 0``
    by Newton's method. Two folds within one step are not seen, nor is one at a corner of a law, nor
    a branch that crosses; a closed branch is followed round and round.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> neuron = jm.zoo.neuron_dijkstra()
    >>> pump = neuron.nominal()["nka.j_max"]
    >>> branch = jm.continuation(neuron, "nka.j_max", (0.0, 2.0 * pump))
    >>> f"fold at {branch.folds.at[0] / pump:.4f} of the pump and {branch.folds.V[0]:.2f} mV"
    'fold at 0.6470 of the pump and -58.17 mV'
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"continuation needs a jm.Cell, not {type(cell).__name__}")
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"params must be a mapping from parameter names to values, not {params!r}")
    if parameter not in tuple(cell.parameters):
        raise UnknownName(unknown("parameter", parameter, cell.parameters))
    names = check_outputs(USUAL if outputs is None else outputs, {**OUTPUTS, **MODES}, cell)
    dtype = check_precision(precision)
    begin = start_of(cell, start)
    check_params(cell.parameters, params or {})
    nominal = cell.nominal(params)
    _check_bounds(cell, parameter, bounds, nominal[parameter])
    _check_steps(points, largest_step)
    ends = dict(zip(("first bound", "second bound"), bounds, strict=True))
    given, shape = batch(nominal | ends, begin, dtype)
    window = tuple(lanes_of(given.pop(name), shape) for name in ends)
    lanes = lanes_at(cell, given, begin, shape)
    plain = structure(cell)
    rest = rests_of(plain, lanes)
    longest = jnp.asarray(largest_step, dtype)
    begun = lanes._replace(begin={})
    made = _run(plain, parameter, names, points, begun, rest, window, longest)
    return _shaped(cell, parameter, names, points, made, shape)


def _check_bounds(cell: Cell, parameter: str, bounds: Any, begin: Any) -> None:
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise ValueError(
            f"bounds must be two values of {parameter}, the one to set out to first, not {bounds!r}"
        )
    for bound in bounds:
        check_params(cell.parameters, {parameter: bound}, "bound of")
    if any(isinstance(x, Tracer) or np.ndim(x) for x in (*bounds, begin)):
        return
    first, second, begin = (float(x) for x in (*bounds, begin))
    if first == begin or not min(first, second) <= begin <= max(first, second):
        raise ValueError(
            f"bounds of {parameter} must contain its value to begin with, {begin:g}, and the first "
            f"must differ from it, not ({first:g}, {second:g})"
        )


def _check_steps(points: Any, largest_step: Any) -> None:
    if not isinstance(points, int) or points < 2:
        raise ValueError(f"points must be a whole number, 2 or more, not {points!r}")
    if not 0 < largest_step < np.inf:
        raise ValueError(f"largest_step must be a number above zero, not {largest_step!r}")


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _run(
    cell: Cell,
    parameter: str,
    names: tuple[str, ...],
    points: int,
    lanes: Lanes,
    found: Found,
    bounds: tuple[Any, Any],
    largest_step: Any,
) -> dict[str, Any]:
    begin, allows = lanes.params[parameter], cell.parameters[parameter].allows
    there = (begin >= jnp.minimum(*bounds)) & (begin <= jnp.maximum(*bounds)) & (begin != bounds[0])
    there = there & allows(bounds[0]) & allows(bounds[1])
    ended = jnp.where(has_rest(found.status), STATUS["pending"], found.status)
    ended = jnp.where(there, ended, STATUS["invalid"]).astype(jnp.int8)
    u, safe = safe_point(cell, lanes, found)
    curve = Curve(cell, safe, parameter, *bounds)
    followed = follow(curve, u, points, largest_step, ended)
    rows = jnp.concatenate([followed.points, followed.folds], axis=1)
    at_begin = jnp.stack([*u, curve.begin])

    def read(row: Any) -> dict[str, list[Any]]:
        there = jnp.isfinite(row[-1])
        *u, p = jnp.where(there, row, at_begin)
        eq = curve.at(p)
        reading = Reading(eq, eq.state(u))
        made: dict[str, list[Any]] = {"at": [p]}
        made |= {name: list(OUTPUTS[name].values(reading)) for name in names if name in OUTPUTS}
        wanted = [name for name in names if name in MODES]
        made |= modes(eq, u, wanted) if wanted else {}
        made = {name: [jnp.where(there, x, jnp.nan) for x in made[name]] for name in made}
        verdict = judge(eq, u, eq.jacobian(u))
        status = jnp.where(verdict.stable, STATUS["stable"], STATUS["unstable"])
        return made | {"status": [jnp.where(there, status, STATUS["pending"]).astype(jnp.int8)]}

    # Point by point: outputs of all at once would take many times the memory of the branch.
    made = jax.lax.map(read, jnp.moveaxis(rows, 1, 0))
    return {"made": made, "length": followed.length, "ended": followed.ended}


def _shaped(
    cell: Cell,
    parameter: str,
    names: tuple[str, ...],
    points: int,
    found: Mapping[str, Any],
    shape: tuple[int, ...],
) -> Branch:
    n = int(np.prod(shape))

    def part(of: slice, count: int) -> dict[str, Any]:
        flat = {
            name: [jnp.moveaxis(x[of], 0, 1).reshape(-1) for x in found["made"][name]]
            for name in ("at", *names, "status")
        }
        at = flat.pop("at")[0][: n * count].reshape(*shape, count)
        return {"at": at, **shape_outputs(cell, flat, (*shape, count))}

    values, at_folds = part(slice(None, points), points), part(slice(points, None), FOLDS)
    at_folds.pop("status")
    ends = {name: found[name][:n].reshape(shape) for name in ("length", "ended")}
    return Branch(cell, parameter, {**values, **ends, "folds": Branch(cell, parameter, at_folds)})
