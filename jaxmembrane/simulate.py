"""Time courses of one cell or of a batch: `simulate` and what it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .balance import Equations
from .begin import begin_at, check_start
from .cell import Cell
from .course import Limits, Pieces, follow
from .labelled import Labelled
from .outputs import OUTPUTS, Reading, check_outputs, labels, shown_dims
from .params import check_params
from .protocol import Protocol
from .rest import STATUS, Found, Lanes, has_rest, safe_point, solve_rest
from .steady import Rest, batch, check_precision, lanes_of
from .structure import structure
from .unknowns import unknown_keys

USUAL = ("V", "volume", "c", "E", "flux")


@partial(jax.tree_util.register_dataclass, data_fields=["time", "values"], meta_fields=["cell"])
@dataclass(frozen=True)
class Course:
    """A time course, or a batch of them: outputs are its fields, ``course.V``, ``course.c["Na"]``.

    Leading axes are those of the parameters, then comes time. Values are NaN after a course has
    ended early; `status` says why: 0 finished, 2 to 5 no rest to start from, 3 too many steps, 4
    nonfinite, 6 the volume grew beyond its bound, at ``stopped`` (s).
    """

    cell: Cell
    time: Any
    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name in ("values", "cell", "time") or name.startswith("__") or name not in self.values:
            raise AttributeError(
                f"this course has no output {name!r}; it has {', '.join(self.values)}"
            )
        return self.values[name]

    @property
    def ok(self) -> Any:
        """Whether the course reached the last of its times."""
        return self.values["status"] == STATUS["stable"]


def simulate(
    cell: Cell,
    params: Mapping[str, Any] | None = None,
    protocol: Protocol | None = None,
    times: Any = None,
    *,
    start: Rest | Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    rtol: float = 1e-6,
    max_steps: int = 100_000,
    growth: float = 10.0,
) -> Course:
    """Time course of a cell, or of a batch, from its rest and under a protocol.

    Integrates ``dn_s/dt``, ``dw/dt`` and ``C_m A dV/dt`` in logarithms of concentrations and
    volumes, each lane with its own steps, which land on the times of the protocol.

    Parameters
    ----------
    cell : Cell
        The structure.
    params : mapping, optional
        Parameter name to number or array, before the protocol; the rest are nominal. Leading axes
        are batch axes.
    protocol : Protocol, optional
        What changes, and when; values may be arrays that broadcast against the parameters.
    times : array of float
        Times to save at, s, increasing, zero or more.
    start : Rest or mapping, optional
        Where to begin instead of the rest, by the names of `steady_state`: values of V, of all free
        species but the dependent ion, and of the volume; what is not given is at rest. Who gives
        all of them may follow a cell that has no rest.
    outputs : sequence of str, optional
        Which outputs to save; V, volume, c, E and flux unless told otherwise.
    rtol : float
        Error that a step may make in ln c, ln volume and F V/(R T).
    max_steps : int
        Steps after which a course ends as ``not_converged``.
    growth : float
        Growth of ln volume at which a course ends as ``volume_bound``.

    Returns
    -------
    Course
        ``time`` (s) and the outputs, with dims batch, time, and their own; ``status``, ``steps``
        and ``stopped`` (s) with the batch's.

    Raises
    ------
    KeyError
        For a parameter, output or start that does not exist, with the nearest that does.
    ValueError
        For times that do not increase, or a number outside its domain.
    RuntimeError
        If JAX is set to 32 bits.

    Notes
    -----
    RODAS, an L-stable Rosenbrock method of order 4 with dense output: Hairer & Wanner, Solving
    Ordinary Differential Equations II, doi:10.1007/978-3-642-05221-7. Forward derivatives
    (`jax.jvp`, `jax.jacfwd`) go through it with its steps held; reverse ones do not.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> block = jm.Protocol([jm.Step(0.0, {"nka.j": 0.0})])
    >>> course = jm.simulate(jm.zoo.neuron(), protocol=block, times=[0.0, 0.1, 3600.0])
    >>> [f"{V:.2f}" for V in course.V]
    ['-72.59', '-64.44', '-17.99']
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"simulate needs a jm.Cell, not {type(cell).__name__}")
    protocol = Protocol() if protocol is None else protocol
    if not isinstance(protocol, Protocol):
        raise TypeError(f"protocol must be a jm.Protocol, not {protocol!r}")
    moments = _check_times(times)
    names = check_outputs(USUAL if outputs is None else outputs, OUTPUTS, cell)
    dtype = check_precision("float64")
    begin = start.as_start(cell) if isinstance(start, Rest) else start
    begin = {} if begin is None else check_start(cell, begin)
    check_params(cell.parameters, params or {})
    protocol.check(cell.parameters)
    changed = {
        f"{name} at {step.at:g} s": x for step in protocol.steps for name, x in step.changes.items()
    }
    given, shape = batch(cell.nominal(params), begin | changed, dtype)
    flat = {name: lanes_of(x, shape) for name, x in given.items()}

    def lanes(x: Any) -> Any:
        return lanes_of(jnp.asarray(x, dtype), shape)

    traces = {name: protocol.values(name, given[name]) for name in protocol.names}
    pieces = Pieces(
        jnp.asarray([t if t < np.inf else 2.0 * moments[-1] + 1.0 for t in protocol.ends], dtype),
        {name: jnp.stack([lanes(x) for x in first]) for name, (first, _) in traces.items()},
        {name: jnp.stack([lanes(x) for x in last]) for name, (_, last) in traces.items()},
    )
    nominal = {name: jnp.asarray(p.nominal, dtype) for name, p in cell.parameters.items()}
    known = begin_at(cell, begin, flat, lambda x: lanes_of(x, shape))
    limits = Limits(
        jnp.asarray(rtol, dtype), jnp.asarray(max_steps, jnp.int32), jnp.asarray(growth, dtype)
    )
    found = _run(
        structure(cell), names, Lanes(flat, known, nominal), pieces, jnp.asarray(moments), limits
    )
    return Course(cell, moments, _shape(cell, found, shape, len(moments)))


def _check_times(times: Any) -> np.ndarray:
    moments = np.asarray([] if times is None else times, float)
    increasing = moments.ndim == 1 and moments.size and np.all(np.diff(moments) > 0)
    if not increasing or not np.all(np.isfinite(moments)) or moments[0] < 0:
        raise ValueError(
            "times must be increasing numbers of seconds, zero or more, as in [0.0, 0.1, 60.0], "
            f"not {times!r}"
        )
    return moments


def _placed(cell: Cell, lanes: Lanes, rest: Found) -> Found:
    """Where lanes begin: as the user says, else at rest. Who says all of it needs no rest."""
    keys, whole = unknown_keys(cell), rest.status != STATUS["invalid"]
    u = list(rest.u)
    for j, key in enumerate(keys):
        given = lanes.begin.get(key, jnp.full_like(u[j], jnp.nan))
        whole = whole & jnp.isfinite(given)
        u[j] = jnp.where(jnp.isfinite(given), given, u[j])
    status = jnp.where(whole, STATUS["stable"], rest.status).astype(rest.status.dtype)
    return rest._replace(u=u, status=status)


@partial(jax.jit, static_argnums=(0, 1))
def _run(
    cell: Cell,
    names: tuple[str, ...],
    lanes: Lanes,
    pieces: Pieces,
    times: Any,
    limits: Limits,
) -> dict[str, list[Any]]:
    found = _placed(cell, lanes, solve_rest(cell, lanes))
    ok = has_rest(found.status)
    begin, safe = safe_point(cell, lanes, found)
    n = ok.shape[0]
    course = follow(cell, safe, pieces, begin, times, limits, ok)
    lost = ~course.finished & ~course.burst & (course.steps < limits.max_steps)
    status = jnp.where(course.finished, STATUS["stable"], STATUS["not_converged"])
    status = jnp.where(lost, STATUS["nonfinite"], status)
    status = jnp.where(course.burst, STATUS["volume_bound"], status)
    status = jnp.where(ok, status, found.status).astype(jnp.int8)
    piece = jnp.searchsorted(pieces.ends, times, side="right")
    piece = jnp.minimum(piece, pieces.ends.shape[0] - 1)
    now = pieces.along(piece, times)
    eq = Equations(cell, {**safe, **now})
    reading = Reading(eq, eq.state(course.saved))
    made: dict[str, list[Any]] = {
        "status": [status],
        "steps": [course.steps],
        "stopped": [course.t],
    }
    for name in names:
        seen = [jnp.broadcast_to(x, (times.shape[0], n)) for x in OUTPUTS[name].values(reading)]
        made[name] = [jnp.where(jnp.isfinite(course.saved[0]), x, jnp.nan) for x in seen]
    return made


def _shape(cell: Cell, flat: Mapping[str, list[Any]], shape: tuple[int, ...], moments: int) -> dict:
    n, size, shaped = int(np.prod(shape)), labels(cell), {}
    for name, parts in flat.items():
        if name not in OUTPUTS:
            shaped[name] = parts[0][:n].reshape(shape)
            continue
        values = [jnp.moveaxis(part[:, :n], 0, 1).reshape(*shape, moments) for part in parts]
        dims = shown_dims(cell, OUTPUTS[name].dims)
        if not dims:
            shaped[name] = values[0]
            continue
        lengths = [len(size[d]) for d in dims]
        stacked = jnp.stack(values, axis=-1).reshape(*shape, moments, *lengths)
        shaped[name] = Labelled(stacked, tuple((d, size[d]) for d in dims))
    return shaped
