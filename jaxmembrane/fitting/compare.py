"""Which of several models the same data prefer, by the criteria of Akaike and Schwarz."""

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

_CLEAR = 10.0
"""A difference of criteria above which a model is told to be clearly worse."""


def compare(fits: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Compare fits of different cells, or laws, to the same data.

    With the chi-square of n values and k fitted parameters::

        AIC = chi2 + 2 k,   BIC = chi2 + k ln n

    and n ln(chi2/n) in the place of chi2 where the errors were estimated. Only differences count.

    Parameters
    ----------
    fits : mapping of str to xarray.Dataset
        What `fit` gave, by the name of each model.

    Returns
    -------
    xarray.Dataset
        ``aic``, ``bic``, ``chi_square`` (``model``, ``cell``), ``parameters`` (``model``), and
        ``best`` (``cell``), the model of the least BIC; ``attrs["words"]`` says it in a sentence
        for each model.

    Raises
    ------
    ValueError
        For fewer than two fits, or fits of other data.

    Notes
    -----
    Akaike 1974, doi:10.1109/TAC.1974.1100705; Schwarz 1978, doi:10.1214/aos/1176344136.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> data = [jm.Target("V", [-72.0], 0.5), jm.Target("c.Na", [14.0], 0.3)]
    >>> one = jm.Space({"nka.j": jm.LogUniform(10, 1000)})
    >>> two = jm.Space({"leak_Cl.g": jm.LogUniform(0.02, 20.0), "nka.j": jm.LogUniform(10, 1000)})
    >>> cell = jm.zoo.neuron()
    >>> fits = {"pump": jm.fit(cell, data, one), "pump and Cl": jm.fit(cell, data, two)}
    >>> jm.compare(fits).parameters.values
    array([1., 2.])
    """
    if len(fits) < 2:
        raise ValueError("compare needs two fits or more, as compare({'cubic': a, 'hill': b})")
    names = list(fits)
    first = fits[names[0]]
    for name in names[1:]:
        _check_same(names[0], first, name, fits[name])
    there = np.isfinite(first.recorded.values).reshape(first.sizes["cell"], -1)
    n = there.sum(axis=1)
    known = first.attrs["errors"] == "given"
    size = np.array([_parameters(fits[name]) for name in names])
    chi = np.stack([fits[name].chi_square.values for name in names])
    with np.errstate(divide="ignore", invalid="ignore"):
        misfit = chi if known else n * np.log(chi / n)
        aic = misfit + 2.0 * size[:, None]
        bic = misfit + size[:, None] * np.log(n)
    whole = np.isfinite(bic).all(axis=0)
    best = np.where(whole, np.argmin(np.where(np.isfinite(bic), bic, np.inf), axis=0), -1)
    both = ("model", "cell")
    return xr.Dataset(
        {
            "aic": (both, aic, {"units": "1", "long_name": "criterion of Akaike"}),
            "bic": (both, bic, {"units": "1", "long_name": "criterion of Schwarz"}),
            "chi_square": (both, chi, {"units": "1"}),
            "parameters": ("model", size, {"units": "1", "long_name": "fitted parameters"}),
            "best": ("cell", best, {"long_name": "model of the least BIC; -1 where one has none"}),
        },
        {"model": names, "cell": first.cell.values},
        {"words": _words(names, aic[:, whole], bic[:, whole])},
    )


def _parameters(fitted: xr.Dataset) -> float:
    """Parameters of a cell, and its part of those that all cells share."""
    shared = len(json.loads(fitted.attrs["shared"]))
    return fitted.sizes["parameter"] - shared + shared / fitted.sizes["cell"]


def _check_same(name: str, a: xr.Dataset, other: str, b: xr.Dataset) -> None:
    same = a.recorded.shape == b.recorded.shape and list(a.target.values) == list(b.target.values)
    same = same and a.attrs["errors"] == b.attrs["errors"]
    for data in ("recorded", "sd") if a.attrs["errors"] == "given" else ("recorded",):
        same = same and np.array_equal(a[data].values, b[data].values, equal_nan=True)
    if not same:
        raise ValueError(
            f"{name!r} and {other!r} were fitted to other data: fit both to the same targets, with "
            "the same errors, in the same order"
        )


def _words(names: list[str], aic: np.ndarray, bic: np.ndarray) -> str:
    """Which model is best, and how the others compare."""
    if not bic.shape[1]:
        return "no cell was fitted by every model"
    total_aic, total_bic = aic.sum(axis=1), bic.sum(axis=1)
    best = int(np.argmin(total_bic))
    cells = bic.shape[1]
    lines = [f"{names[best]} has the least BIC over all {cells} cells"]
    for i, name in enumerate(names):
        if i == best:
            continue
        worse = bic[i] - bic[best]
        by = f"{total_bic[i] - total_bic[best]:.4g} in BIC and {total_aic[i] - total_aic[best]:.4g}"
        lines.append(
            f"{name} is worse by {by} in AIC: clearly worse (by more than {_CLEAR:g} in BIC) in "
            f"{int((worse > _CLEAR).sum())} cells, clearly better in {int((worse < -_CLEAR).sum())}"
        )
    return "; ".join(lines)
