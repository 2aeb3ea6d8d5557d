"""Current-voltage curves: what each transporter would pass, were V held elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import point
from .balance import Equations
from .cell import Cell
from .labelled import Labelled
from .lanes import batch, check_precision, lanes_at, rests_of
from .naming import unknown
from .params import check_params
from .rest import Found, Lanes, has_rest, safe_point
from .simulate import course_start
from .steady import Rest
from .structure import structure
from .trajectory import placed

GATES = ("resting", "held")


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["V", "current", "total", "status"],
    meta_fields=[],
)
@dataclass(frozen=True)
class IVCurve:
    """A current-voltage curve, or a batch of them; currents in fA/um^2, outward positive.

    ``V`` (mV), ``current`` by transporter, as ``curve.current["leak_K"]``, and their sum ``total``
    (by membrane where there are several) have the leading axes of the parameters, then one along
    V. `status` is that of the rest whose composition was taken; without one all is NaN.
    """

    V: Any
    current: Labelled
    total: Any
    status: Any


def iv_curve(
    cell: Cell,
    V: Any,
    params: Mapping[str, Any] | None = None,
    *,
    start: Rest | Mapping[str, Any] | None = None,
    gates: str = "resting",
) -> IVCurve:
    """Current-voltage curve of a cell and of each transporter, at fixed composition.

    ``I_t(V) = -F sum over legs of Q J(V)`` at the concentrations of the rest: what a clamp would
    see before they change. With gates at rest at each V it is the steady-state curve, with gates
    held the instantaneous one, whose slope at rest is ``slope_conductance``.

    Parameters
    ----------
    cell : Cell
        The structure. All its membranes are swept, each across itself.
    V : array of float
        Potentials, mV.
    params : mapping, optional
        Parameter name to number or array; the rest are nominal. Leading axes are batch axes.
    start : Rest or mapping, optional
        Composition, as for `simulate`: what is not given is at rest.
    gates : {"resting", "held"}
        Whether gates are at rest at each V, or as they are at rest.

    Returns
    -------
    IVCurve
        =============  ==========  ==============================  ==============================
        field          unit        dims after the batch axes       is
        =============  ==========  ==============================  ==============================
        ``V``          mV          voltage                         potential
        ``current``    fA/um^2     voltage, transporter            outward current
        ``total``      fA/um^2     voltage (, membrane)            their sum
        ``status``     int8                                        see `Rest`
        =============  ==========  ==============================  ==============================

    Raises
    ------
    KeyError
        For a parameter or start that does not exist, with the nearest that does.
    ValueError
        For potentials that are not a row of finite numbers, another choice of gates, or a number
        outside its domain.
    RuntimeError
        If JAX is set to 32 bits.

    Notes
    -----
    At moving composition the curve comes from clamping: give the cell an `electrode`, step
    ``electrode.V`` in `simulate`, one lane for each V, and take ``-current["electrode"]`` at the
    end of the step::

        step = jm.Protocol([jm.Step(0.0, {"electrode.g": 1e4, "electrode.V": V})])
        course = jm.simulate(cell, protocol=step, times=[0.1], outputs=["current"])
        I = -course.current["electrode"][:, -1]

    Both methods after Hodgkin, Huxley & Katz 1952, doi:10.1113/jphysiol.1952.sp004716.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> curve = jm.iv_curve(jm.zoo.neuron(), [-90.0, -72.588, 0.0])
    >>> [f"{I:.2f}" for I in curve.total], [f"{I:.2f}" for I in curve.current["leak_K"]]
    (['-19.15', '0.00', '79.85'], ['3.57', '15.76', '66.57'])
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"iv_curve needs a jm.Cell, not {type(cell).__name__}")
    if gates not in GATES:
        raise ValueError(unknown("gates of an I-V curve:", gates, GATES))
    swept = _check_potentials(V)
    dtype = check_precision("float64")
    begin = course_start(cell, start)
    check_params(cell.parameters, params or {})
    given, shape = batch(cell.nominal(params), begin, dtype)
    lanes, plain = lanes_at(cell, given, begin, shape), structure(cell)
    rest = rests_of(plain, lanes)
    held = jnp.asarray(gates == "held")
    status, currents = _currents(plain, lanes, rest, jnp.asarray(swept), held)
    n = int(np.prod(shape))

    def shaped(parts: list[Any]) -> Any:
        """Values of (voltage, lane) each, as (batch, voltage, part)."""
        whole = jnp.stack([jnp.moveaxis(part[:, :n], 0, 1) for part in parts], axis=-1)
        return whole.reshape(*shape, len(swept), len(parts))

    by_name = dict(zip((t.name for t in cell.transporters), currents, strict=True))
    sums = [sum(by_name[t.name] for t in m.transporters) for m in cell.membranes]
    total = shaped(sums)
    return IVCurve(
        swept,
        Labelled(shaped(currents), (("transporter", tuple(by_name)),)),
        total[..., 0]
        if len(sums) == 1
        else Labelled(total, (("membrane", tuple(m.name for m in cell.membranes)),)),
        status[:n].reshape(shape),
    )


def _check_potentials(V: Any) -> np.ndarray:
    swept = np.asarray(V, float)
    if swept.ndim != 1 or not swept.size or not np.all(np.isfinite(swept)):
        raise ValueError(f"V must be a row of potentials in mV, as in [-90.0, -60.0], not {V!r}")
    return swept


@partial(jax.jit, static_argnums=0)
def _currents(cell: Cell, lanes: Lanes, rest: Found, V: Any, held: Any) -> tuple[Any, list[Any]]:
    """Status of each lane, and the current of each transporter by (voltage, lane)."""
    found = placed(cell, lanes, rest)
    ok = has_rest(found.status)
    u, safe = safe_point(cell, lanes, found)
    eq = Equations(cell, safe)
    state = eq.state(u)

    def at(V: Any) -> list[Any]:
        passed = []
        for m in cell.membranes:
            medium = eq.medium(m, state).at(V * eq.F / eq.RT)
            for t in m.transporters:
                values = eq.values(t)
                gates = {
                    name: jnp.where(held, state.gates[t.name][name], x)
                    for name, x in point.resting_gates(t, medium, values).items()
                }
                J = point.turnovers(t, medium, values, gates)
                passed.append(jnp.where(ok, point.current(t, J, eq.F), jnp.nan))
        return passed

    return found.status, jax.vmap(at)(V)
