"""Time courses of one cell or of a batch: `simulate` and what it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .cell import Cell
from .course import GROWTH, MAX_STEPS, RTOL, Limits
from .labelled import Outputs
from .lanes import batch, check_precision, compiled, lanes_at, lanes_of, rests_of
from .outputs import OUTPUTS, check_outputs
from .params import check_params, is_number
from .protocol import Protocol
from .rest import STATUS
from .steady import Rest, labelled, start_of
from .structure import structure
from .trajectory import (
    Plan,
    Summaries,
    check_protocol,
    check_summaries,
    clock,
    evaluate,
    kept,
    pieces,
)

USUAL = ("V", "volume", "c", "E", "flux")


@partial(jax.tree_util.register_dataclass, data_fields=["time", "values"], meta_fields=["cell"])
@dataclass(frozen=True)
class Course(Outputs):
    """A time course, or a batch of them: outputs are its fields, ``course.V``, ``course.c["Na"]``.

    Leading axes are those of the parameters, then comes time. Values are NaN after a course has
    ended early; `status` says why: 0 finished, 2 to 5 no rest to start from, 3 too many steps, 4
    nonfinite, 6 the volume grew beyond its bound, at ``stopped`` (s).
    """

    cell: Cell
    time: Any
    values: dict[str, Any]

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
    summaries: Summaries | None = None,
    rtol: float = RTOL,
    max_steps: int = MAX_STEPS,
    growth: float = GROWTH,
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
        Which outputs to save at the times; V, volume, c, E and flux unless told otherwise, none
        where there are summaries.
    summaries : mapping, optional
        Name to what is kept of a course without saving it, as ``{"peak": jm.Maximum("V")}``: `At`,
        `Maximum`, `Minimum`, `TimeTo`, `TimeConstant`, `Area`.
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
    Rodas5P, an L-stable Rosenbrock method of order 5 with dense output of order 4: Steinebach
    2023, doi:10.1007/s10543-023-00967-x. Forward derivatives (`jax.jvp`, `jax.jacfwd`) go
    through it with its steps held; reverse ones do not.

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
    protocol = check_protocol(cell, protocol)
    moments = check_times(times)
    plan = check_plan(cell, moments, outputs, summaries)
    dtype = check_precision("float64")
    begin = course_start(cell, start)
    check_params(cell.parameters, params or {})
    changed = {
        f"{name} at {step.at:g} s": x for step in protocol.steps for name, x in step.changes.items()
    }
    given, shape = batch(cell.nominal(params), begin | changed, dtype)
    lanes = lanes_at(cell, given, begin, shape)
    spread = pieces(protocol, given, moments[-1], dtype)
    spread = spread._replace(start=_flat(spread.start, shape), stop=_flat(spread.stop, shape))
    limits = check_limits(rtol, max_steps, growth)
    plain, when = structure(cell), clock(moments, plan, dtype)
    rest = rests_of(plain, lanes)
    run = compiled(evaluate, 2, (lanes, spread))
    found = run(plain, plan, lanes, rest, spread, when, limits)
    return Course(cell, moments, _shape(cell, plan, found, shape))


def course_start(cell: Cell, start: Any) -> dict[str, Any]:
    """A start by names, refused where it names what follows from charge."""
    given = start_of(cell, start)
    if isinstance(start, Rest):
        return given
    for a, ion in cell.dependent.items():
        bare = {ion.name} if ion and len(cell.compartments) == 1 else set()
        for name in given:
            if ion and name in {f"{a}.{ion.name}", *bare}:
                raise ValueError(
                    f"start {name} follows from charge in a course: leave it out, or set {a}.X "
                    f"and {a}.z_X to fit"
                )
    return given


def check_plan(
    cell: Cell,
    times: np.ndarray,
    outputs: Sequence[str] | None,
    summaries: Summaries | None,
) -> Plan:
    """What is kept of courses: the usual outputs, unless some or summaries are asked for."""
    usual = () if summaries else USUAL
    names = check_outputs(usual if outputs is None else outputs, OUTPUTS, cell)
    return Plan(names, check_summaries(cell, summaries, times[-1]))


def check_limits(rtol: float = RTOL, max_steps: int = MAX_STEPS, growth: float = GROWTH) -> Limits:
    """Limits, refusing what no course can meet."""
    bounds = {"rtol": (rtol, 1e-13, 0.1), "max_steps": (max_steps, 1, 2**31 - 1)}
    for what, (value, least, most) in (bounds | {"growth": (growth, 1e-3, 600)}).items():
        number = is_number(value)
        whole = what != "max_steps" or (number and float(value).is_integer())
        if not number or not whole or not least <= float(value) <= most:
            kind = "whole number" if what == "max_steps" else "number"
            raise ValueError(f"{what} must be a {kind} from {least:g} to {most:g}, not {value!r}")
    return Limits(np.float64(rtol), np.int32(max_steps), np.float64(growth))


def check_times(times: Any) -> np.ndarray:
    """Times of a course, refused unless they increase from zero or later."""
    try:
        moments = np.asarray([] if times is None else times, float)
    except (TypeError, ValueError):
        moments = np.zeros(0)
    increasing = moments.ndim == 1 and moments.size and np.all(np.diff(moments) > 0)
    if not increasing or not np.all(np.isfinite(moments)) or moments[0] < 0:
        raise ValueError(
            "times must be increasing numbers of seconds, zero or more, as in [0.0, 0.1, 60.0], "
            f"not {times!r}"
        )
    return moments


def _flat(values: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    return {name: jnp.stack([lanes_of(x, shape) for x in rows]) for name, rows in values.items()}


def _shape(cell: Cell, plan: Plan, flat: Mapping[str, list[Any]], shape: tuple[int, ...]) -> dict:
    """Values in their batch shape, then time, labelled along their own dims."""
    n, shaped = int(np.prod(shape)), {}
    for name, (out, timed) in kept(plan).items():
        values = [part.T[:n] if timed else part[:n] for part in flat[name]]
        values = [x.reshape(*shape, *x.shape[1:]) for x in values]
        shaped[name] = labelled(cell, out.dims, values)
    return shaped
