"""Local sensitivity: exact derivatives and elasticities of resting states."""

import os
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np
import xarray as xr

from ..cell import Cell
from ..design import Design
from ..modes import MODES
from ..naming import UnknownName, unknown
from ..outputs import check_outputs
from ..params import check_params
from ..programs import Job
from ..running import run
from ..space import table
from ..steady import AVAILABLE, DIAGNOSTICS, usual
from ..sweep import USUAL, check_design
from .gradients import Axes, gradient_job


def local(
    cell: Cell,
    design: Design | None = None,
    *,
    params: Mapping[str, float] | None = None,
    outputs: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
    store: str | os.PathLike | None = None,
    **options: Any,
) -> xr.Dataset:
    """Derivatives and elasticities of resting states, of one cell or of every row of a design.

    The rest u solves ``f(u, p) = 0``, so that by the implicit function theorem, with J = df/du,
    ``dy/dp = y_p - y_u J^-1 f_p``, exact to rounding; the elasticity is ``d ln y/d ln p = (p/y)
    dy/dp``, the percentage by which an output changes where a parameter grows by one.

    Parameters
    ----------
    cell : Cell
        The structure.
    design : Design, optional
        Rows of parameters, as for `sweep`; without one, one cell at `params`.
    params : mapping, optional
        Parameters that differ from the nominal ones: one number each.
    outputs : sequence of str, optional
        As for `steady_state`, which also says what one cell gives unless told otherwise; for rows
        ``V``, ``volume``, ``c``, ``E``, ``flux``, as for `sweep`. Eigenvalues have no derivatives.
    parameters : sequence of str, optional
        By which parameters; unless told otherwise all of one cell, or the axes of a design and its
        derived parameters. Parameters of a linked axis are one, named by the first: they share a
        number, and move together.
    store : path, optional
        Directory of the zarr store; without one the result is kept in memory. The same call again
        goes on where an earlier one stopped.
    **options
        ``chunk``, ``tile``, ``shard``, ``precision``, ``devices``, ``progress``, ``study`` and
        ``allow_version_change``, as for `sweep`.

    Returns
    -------
    xarray.Dataset
        ==============  =============================  =====================================
        variable        dims                           is
        ==============  =============================  =====================================
        ``value``       (sample,) output               the output, in ``units``
        ``derivative``  (sample,) output, parameter    dy/dp, ``units``/``parameter_units``
        ``elasticity``  (sample,) output, parameter    (p/y) dy/dp, 1
        ``status``      (sample)                       as for `steady_state`
        ==============  =============================  =====================================

        with ``steps`` and ``residual``. Labels of ``output`` are as in ``c[Na]``. One cell has no
        dim ``sample``, and ``parameter_value`` along ``parameter``; rows have the swept parameters
        as coordinates, and a grid one dim for each axis.

    Raises
    ------
    KeyError
        For a parameter or output that does not exist, with the nearest that does.
    ValueError
        For an output without derivatives, and as for `sweep`.

    Notes
    -----
    A row without a rest is NaN, and `status` says why. An elasticity is 0 where the parameter is 0,
    and NaN where the output is: ln 0 has no percentage. An output that a cell cannot have (the
    Nernst potential of a neutral species) is NaN, and so are its derivatives. Where an output is
    zero but for rounding, as fluxes are at equilibrium, its elasticity means nothing; its
    derivative does.

    Derivatives are partial: each parameter moves alone, all others stay. That holds for derived
    parameters as well, which are among those that are moved; the slope along an axis on which
    derived parameters q depend is ``dy/dp + sum dy/dq dq/dp``.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> near = jm.sensitivity.local(jm.zoo.neuron(), outputs=["V", "volume"])
    >>> print(near.elasticity.sel(parameter=["bath.K", "nka.j", "leak_Na.g"]).values.round(3))
    [[-0.311 -0.005 -0.261]
     [ 0.021 -0.     0.013]]
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"local needs a jm.Cell, not {type(cell).__name__}")
    _check_options(options)
    one = design is None
    if design is None:
        design = _row(cell, params or {})
        params, outputs = None, usual(cell) if outputs is None else outputs
        options = {"tile": 1, "progress": False} | options
    elif not isinstance(design, Design):
        raise TypeError(
            f"local needs a design, as jm.Space(...).sobol(1000) gives, not {type(design).__name__}"
        )
    job = make_job(cell, design, params=params, outputs=outputs, parameters=parameters)
    found = run(job, design, store, **options)
    if not one:
        return found
    found = found.isel(sample=0).drop_vars("sample").load()
    values = [float(found[name]) for name in found.parameter.values]
    return found.assign_coords(parameter_value=("parameter", values))


def make_job(
    cell: Cell,
    design: Design,
    *,
    params: Mapping[str, float] | None = None,
    outputs: Sequence[str] | None = None,
    parameters: Sequence[str] | None = None,
) -> Job:
    """What is computed of the rows of a design, having checked all of it."""
    fixed = check_design(cell, design, params or {})
    names = _differentiable(cell, USUAL if outputs is None else outputs)
    return gradient_job(cell, fixed, names, _axes(cell, design, parameters))


def _check_options(options: Mapping[str, Any]) -> None:
    known = [name for name, p in signature(run).parameters.items() if p.kind is p.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise TypeError(unknown("option of local", name, known))


def _row(cell: Cell, params: Mapping[str, float]) -> Design:
    """The one row that is a cell: all of its parameters."""
    check_params(cell.parameters, params)
    for name, value in params.items():
        if np.ndim(value):
            raise ValueError(
                f"{name} of one cell must be one number; put many into a design, as "
                f"jm.table({{{name!r}: [...]}})"
            )
    return table({name: [float(value)] for name, value in cell.nominal(params).items()})


def _differentiable(cell: Cell, outputs: Sequence[str]) -> tuple[str, ...]:
    """Names of outputs, each once, without what the search says of itself."""
    names = check_outputs(outputs, AVAILABLE, cell)
    for name in names:
        if name in MODES:
            raise ValueError(f"output {name!r} has no derivative here: take it out of outputs")
    names = tuple(name for name in names if name not in DIAGNOSTICS)
    if not names:
        raise ValueError("local needs one output at least, as outputs=['V']")
    return names


def _axes(cell: Cell, design: Design, parameters: Sequence[str] | None) -> Axes:
    """What moves: axes of the design, derived parameters and single ones."""
    if parameters is None:
        return (*design.axes, *((name,) for name in design.rules.derived))
    if isinstance(parameters, str) or not parameters:
        raise ValueError(
            f"parameters must be a sequence of names, as ['nka.j', 'bath.K'], not {parameters!r}"
        )
    for name in parameters:
        if name not in cell.parameters:
            raise UnknownName(unknown("parameter", name, cell.parameters))
    linked = {name: axis for axis in design.axes for name in axis}
    return tuple(dict.fromkeys(linked.get(name, (name,)) for name in parameters))
