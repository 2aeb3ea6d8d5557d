"""The resting state of one cell or of a batch: `steady_state` and what it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .balance import Equations
from .begin import check_start
from .cell import Cell
from .labelled import Labelled, Outputs
from .lanes import batch, check_precision, compiled, lanes_at, rests_of
from .modes import MODES, modes
from .outputs import ENERGY_BUDGET, OUTPUTS, Output, Reading, check_outputs, labels, shown_dims
from .params import check_params
from .rest import STATUS, Found, Lanes, has_rest, safe_point
from .structure import structure

DIAGNOSTICS = {
    "status": Output("1", "outcome of the search for a rest", (), lambda r: []),
    "steps": Output("1", "iterations used", (), lambda r: []),
    "residual": Output("1", "largest balance over its largest derivative", (), lambda r: []),
}
"""What the search says about itself."""

AVAILABLE = {**OUTPUTS, **MODES, **DIAGNOSTICS}
"""Every output of a resting state, by name."""


def usual(cell: Cell) -> tuple[str, ...]:
    """Outputs of `steady_state` unless told otherwise: all but eigenvalues and energy budget."""
    there = (name for name, o in OUTPUTS.items() if not o.needs(cell))
    return (*(name for name in there if name not in ENERGY_BUDGET), *DIAGNOSTICS)


@partial(jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["cell"])
@dataclass(frozen=True)
class Rest(Outputs):
    """A resting state, or a batch of them. Outputs are its fields: ``rest.V``, ``rest.c["Na"]``.

    Leading axes are those of the parameters. Where there is no rest every result is NaN and
    `status` says why: 0 stable, 1 unstable, 2 no steady state (the volume runs away), 3 not
    converged, 4 nonfinite, 5 invalid parameters.
    """

    cell: Cell
    values: dict[str, Any]

    @property
    def ok(self) -> Any:
        """Whether there is a stable rest."""
        return self.values["status"] == STATUS["stable"]

    def as_start(self, cell: Cell) -> dict[str, Any]:
        """Values to begin another search with, by the names of a start."""
        if cell.contents != self.cell.contents:
            raise ValueError("the rest to start from must be of a cell with the same contents")
        one, found = len(cell.compartments) == 1, {}
        for a in cell.compartments if "c" in self.values else ():
            for s in cell.free[a.name]:
                found[f"{a.name}.{s.name}"] = self.c[s.name if one else (a.name, s.name)]
        for a in cell.compartments if "volume" in self.values else ():
            if a.volume == "osmotic":
                found[f"{a.name}.volume"] = self.volume if one else self.volume[a.name]
        for m in cell.membranes if "V" in self.values else ():
            found[f"{m.name}.V"] = self.V if len(cell.membranes) == 1 else self.V[m.name]
        return found

    def __str__(self) -> str:
        status = np.asarray(self.values["status"])
        words = {value: meaning.replace("_", " ") for meaning, value in STATUS.items()}
        if status.ndim:
            shape = " x ".join(map(str, status.shape))
            counts = [f"{(status == v).sum()} {w}" for v, w in words.items() if (status == v).any()]
            return f"{shape} resting states: " + ", ".join(counts)
        lines = [f"resting state: {words[int(status)]}, {int(self.values['steps'])} iterations"]
        for name in ("V", "volume", "c", "E"):
            if name in self.values:
                text = _shown(self.values[name])
                lines.append(f"  {name:7s}{text} {AVAILABLE[name].units}")
        return "\n".join(lines)


def _shown(value: Any) -> str:
    if not isinstance(value, Labelled):
        return f"{float(value):.6g}"
    return ", ".join(f"{' '.join(key)} {float(x):.6g}" for key, x in value.items())


def steady_state(
    cell: Cell,
    params: Mapping[str, Any] | None = None,
    *,
    start: Rest | Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    precision: str = "float64",
) -> Rest:
    """Resting state of a cell, or of a batch: V, concentrations and volume where nothing changes.

    Solves ``dn_s/dt = 0`` for every free species and ``dw/dt = 0``, with V from charge. Works under
    `jax.jit`, `jax.vmap`, `jax.grad` and twice; derivatives come from the implicit function theorem
    and are zero for a lane without a rest.

    Parameters
    ----------
    cell : Cell
        The structure.
    params : mapping, optional
        Parameter name to number or array, in package units; the rest are nominal. Arrays are
        broadcast against each other: leading axes are batch axes.
    start : Rest or mapping, optional
        Where to begin: an earlier rest, or names to values as in ``{"V": -60.0, "volume": 2000.0,
        "Na": 20.0}``; ``{"inner.V": 10.0, "matrix.K": 90.0}`` where there are several membranes
        and compartments. Arrays are batch axes as well. It decides which rest is found where there
        are several: a stable one that Newton's method reaches from there, else the one that the
        cell's own course reaches.
    outputs : sequence of str, optional
        Which outputs to compute; also ``rate_slowest`` (1/s), ``eigenvalue_real``,
        ``eigenvalue_imag`` (1/s) and ``time_constant`` (s), which are not among the usual ones.
    precision : {"float64", "float32"}
        float32 is for consumer GPUs: V to 0.01 mV, concentrations and volume to 1e-4.

    Returns
    -------
    Rest
        ==================  =============  =============================  ==========================
        field               unit           dims after the batch axes      is
        ==================  =============  =============================  ==========================
        ``V``               mV             (membrane)                     potential
        ``volume``          um^3           (compartment)                  water volume
        ``c``               mM             (compartment,) species         concentration
        ``E``               mV             (membrane,) species            Nernst potential
        ``flux``, ``dG``    amol/um^2/s,   reaction                       turnover, free energy
                            J/mol
        ``current``,        fA/um^2, mV    transporter                    outward current, reversal
        ``reversal``
        ``osmolarity``      mM             (compartment)                  osmolarity inside
        ``status``          int8                                          see `Rest`
        ``steps``           int32                                         iterations
        ``residual``        1                                             proof of convergence
        ==================  =============  =============================  ==========================

        and ``area``, ``atp_rate``, ``slope_conductance``, ``input_resistance``, ``tau_m``. A dim in
        brackets is there in cells with several.

    Raises
    ------
    KeyError
        For a parameter or output that does not exist, with the nearest that does.
    ValueError
        For a number outside its domain, or shapes that do not broadcast. A value inside an array
        that lies outside its domain gives its row the status ``invalid`` instead.
    RuntimeError
        If JAX is set to 32 bits and `precision` is not "float32".

    Notes
    -----
    Clipped Newton iterations from a closed form's guess; lanes that fail go to pseudo-transient
    continuation (Kelley & Keyes 1998, doi:10.1137/S0036142996304796), then to a march in time, and
    only that second witness may say ``no_steady_state``.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> print(jm.steady_state(jm.zoo.neuron()))
    resting state: stable, 11 iterations
      V      -72.5881 mV
      volume 1963.52 um^3
      c      Na 14.0016, K 122.873, Cl 5.16483 mM
      E      Na 62.4713, K -95.098, Cl -83.8431 mV
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"steady_state needs a jm.Cell, not {type(cell).__name__}")
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"params must be a mapping from parameter names to values, not {params!r}")
    names = check_outputs(usual(cell) if outputs is None else outputs, AVAILABLE, cell)
    names = tuple(dict.fromkeys((*names, *DIAGNOSTICS)))
    dtype = check_precision(precision)
    begin = start_of(cell, start)
    check_params(cell.parameters, params or {})
    given, shape = batch(cell.nominal(params), begin, dtype)
    lanes = lanes_at(cell, given, begin, shape)
    plain = structure(cell)
    found = rests_of(plain, lanes)
    told = compiled(outputs_at, 2, (lanes, found))(plain, names, lanes, found)
    return Rest(cell, shape_outputs(cell, told, shape))


def start_of(cell: Cell, start: Any) -> dict[str, Any]:
    """A start by names, from an earlier rest, a mapping or nothing; see `begin.check_start`."""
    if start is None:
        return {}
    return check_start(cell, start.as_start(cell) if isinstance(start, Rest) else start)


def outputs_at(
    cell: Cell, names: tuple[str, ...], lanes: Lanes, found: Found
) -> dict[str, list[Any]]:
    """Outputs of the rests of lanes: for each name the values of its dims, in row-major order."""
    ok = has_rest(found.status)
    u, safe = safe_point(cell, lanes, found)
    eq = Equations(cell, safe)
    reading = Reading(eq, eq.state(u))
    made: dict[str, list[Any]] = {
        "status": [found.status],
        "steps": [found.steps],
        "residual": [jax.lax.stop_gradient(jnp.where(ok, found.residual, jnp.nan))],
    }
    wanted = [name for name in names if name in MODES]
    if wanted:
        made |= modes(eq, u, wanted)
    made |= {name: list(OUTPUTS[name].values(reading)) for name in names if name in OUTPUTS}
    return {
        name: made[name]
        if name in DIAGNOSTICS
        else [jnp.where(ok, value, jnp.nan) for value in made[name]]
        for name in names
    }


def shape_outputs(cell: Cell, flat: Mapping[str, list[Any]], shape: tuple[int, ...]) -> dict:
    """Outputs in their batch shape, labelled along their own dims."""
    n, shaped = int(np.prod(shape)), {}
    for name, parts in flat.items():
        values = [part[:n].reshape(shape) for part in parts]
        shaped[name] = labelled(cell, AVAILABLE[name].dims, values)
    return shaped


def labelled(cell: Cell, dims: Sequence[str], values: Sequence[Any]) -> Any:
    """Values of an output, in row-major order of its dims, as one array with these dims last."""
    shown, size = shown_dims(cell, dims), labels(cell)
    if not shown:
        return values[0]
    stacked = jnp.stack(values, axis=-1)
    stacked = stacked.reshape(*values[0].shape, *(len(size[d]) for d in shown))
    return Labelled(stacked, tuple((d, size[d]) for d in shown))
