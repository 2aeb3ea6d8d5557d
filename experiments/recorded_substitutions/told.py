"""What fits say: misfits, bits, what the data leave of each parameter, and bands of V."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from preparations import Preparation
from scipy.stats import chi2, norm

import jaxmembrane as jm

STARTS = 8
KEPT = (220, 230, 240, 250)
QUANTILES = (0.025, 0.5, 0.975)


def fitted(p: Preparation) -> xr.Dataset:
    """All fits of a preparation, in one call: a datum that a fit lacks is missing in its cell."""
    return jm.fit(
        p.cell,
        p.targets,
        p.free,
        conditions=p.conditions,
        cells=p.fits,
        starts=STARTS,
        progress=False,
    ).load()


def information(fit: xr.Dataset) -> np.ndarray:
    """Information of the data, in units of what was allowed."""
    d = fit.direction.values
    return np.einsum("rp,r,rq->pq", d, np.maximum(fit.information_eigenvalue.values, 0.0), d)


def covariance(fit: xr.Dataset) -> np.ndarray:
    """Covariance of estimates in those units; what data leave open keeps the width allowed."""
    F = information(fit)
    return np.linalg.inv(F + np.eye(len(F)))


def bits(fit: xr.Dataset) -> float:
    """How many bits the data tell of the parameters, to the Gaussian's approximation."""
    return float(0.5 * np.sum(np.log2(1.0 + np.maximum(fit.information_eigenvalue.values, 0.0))))


def determined(fit: xr.Dataset) -> list[str]:
    """Parameters that the data hold to half of what was allowed."""
    return [str(n) for n, d in zip(fit.parameter.values, fit.determined.values, strict=True) if d]


@dataclass(frozen=True)
class Misfit:
    """How far a fit is from its data, and where most."""

    chi_square: float
    freedom: float
    p: float
    met: bool
    point: str
    residual: float  # recorded less predicted, in errors
    gap: float  # the same in mV


def misfit(p: Preparation, fit: xr.Dataset) -> Misfit:
    """The misfit; a datum for each parameter leaves one degree of freedom to be missed by."""
    freedom = float(fit.degrees_of_freedom)
    chi_square = float(fit.chi_square)
    gap = (fit.recorded - fit.predicted).sel(target="V").values
    errors = gap / fit.sd.sel(target="V").values
    worst = int(np.nanargmax(np.abs(errors)))
    return Misfit(
        chi_square,
        freedom,
        float(chi2.sf(chi_square, max(freedom, 1.0))),
        int(fit.status) == 0,
        p.points[worst],
        float(errors[worst]),
        float(gap[worst]),
    )


@dataclass(frozen=True)
class Band:
    """Median and 95 % of what the data leave: V at the recorded points, changes, along K outside.

    ``parameters`` are the same quantiles of the parameters, ``shares`` the widths of their 95 %
    by those that were allowed before any data.
    """

    points: np.ndarray
    changes: np.ndarray
    along: np.ndarray
    parameters: np.ndarray
    shares: np.ndarray


def bands(p: Preparation, fits: xr.Dataset, rows: int, K_o: np.ndarray) -> dict[str, Band]:
    """Predictions of parameters that the data of each fit leave, also where that is a bent region.

    They are drawn from the Gaussian of the estimates' covariance, within the bounds, and then walk
    by differences between each other (ter Braak 2006, doi:10.1007/s11222-006-8769-1), towards
    places that meet the data as well as `exp(-loss)` says. A fit that misses its data gets the band
    of its own estimates, thus not one that reaches the data.
    """
    walk = Walk(p, fits)
    rng = np.random.default_rng(1)
    half = rows // (2 * len(KEPT))
    halves = [walk.draw(rng, half) for _ in range(2)]
    levels = [walk.log_posterior(z) for z in halves]
    kept = []
    for step in range(1, KEPT[-1] + 1):
        for mine, other in ((0, 1), (1, 0)):
            z, level = halves[mine], levels[mine]
            # Long steps now and then, from one end of a bent region to the other.
            length = 1.0 if step % 10 == 0 else 2.38 / np.sqrt(2.0 * z.shape[2])
            a, b = rng.integers(half, size=(2, half))
            moved = z + length * (halves[other][:, a] - halves[other][:, b])
            moved += 1e-4 * rng.standard_normal(z.shape)
            reached = walk.log_posterior(moved)
            taken = np.log(rng.random(level.shape)) < reached - level
            halves[mine] = np.where(taken[..., None], moved, z)
            levels[mine] = np.where(taken, reached, level)
        if step in KEPT:
            kept += halves
    n = len(p.points)
    blocks = [{"bath.K": np.tile(k, (len(fits.cell), 1))} for k in K_o.reshape(-1, n)]
    V = np.concatenate(
        [np.concatenate([walk.shown(z, b)["V"] for b in ({}, *blocks)], axis=2) for z in kept],
        axis=1,
    )
    natural = walk.middle + np.concatenate(kept, axis=1) * walk.spread
    allowed = np.where(walk.bounded, 0.95 * walk.width, 2.0 * norm.ppf(0.975) * walk.width)
    found = {}
    for name, seen, x in zip(fits.cell.values, V, natural, strict=True):
        at = np.quantile(x, QUANTILES, axis=0)
        found[str(name)] = Band(
            np.quantile(seen[:, :n], QUANTILES, axis=0),
            np.quantile(seen[:, :n] - seen[:, :1], QUANTILES, axis=0),
            np.quantile(seen[:, n:], QUANTILES, axis=0),
            np.where(walk.log, np.exp(at), at).T,
            (at[-1] - at[0]) / allowed,
        )
    return found


class Walk:
    """The posterior of each fit, at coordinates in units of what was allowed, from its estimate.

    Coordinates are of (fits, draws, parameters); all fits walk at once, each for itself.
    """

    def __init__(self, p: Preparation, fits: xr.Dataset):
        axes = json.loads(fits.attrs["free"])
        self.cell, self.fits = p.cell, fits
        self.names = [a["names"][0] for a in axes]
        self.low, self.width = np.array([a["numbers"] for a in axes]).T
        self.bounded, self.log = (np.array([a[key] for a in axes]) for key in ("bounded", "log"))
        self.spread = np.where(self.bounded, self.width / np.sqrt(12.0), self.width)
        self.middle = self.natural(fits.estimate.values)[:, None]
        self.conditions = {name: fits[name].values for name in p.conditions}

    def natural(self, values: np.ndarray) -> np.ndarray:
        """Parameters, or their logarithms."""
        return np.where(self.log, np.log(np.where(self.log, values, 1.0)), values)

    def inside(self, z: np.ndarray, fits: Any = slice(None)) -> np.ndarray:
        """Whether coordinates lie within the bounds."""
        x = self.middle[fits] + z * self.spread
        within = (x >= self.low) & (x <= self.low + self.width)
        return np.all(within | ~self.bounded, axis=-1)

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draws from the estimates' covariance about all starts that ended well, within bounds."""
        drawn = []
        for i in range(self.fits.sizes["cell"]):
            fit = self.fits.isel(cell=i)
            ends = fit.trial.values[fit.trial_loss.values < fit.loss.item() + 2.0]
            ends = (self.natural(ends) - self.middle[i]) / self.spread
            around = covariance(fit)
            found = np.empty((0, len(self.low)))
            while len(found) < n:
                z = rng.multivariate_normal(np.zeros(len(self.low)), around, size=8 * n)
                z += ends[rng.integers(len(ends), size=len(z))]
                found = np.concatenate([found, z[self.inside(z, i)]])
            drawn.append(found[:n])
        return np.array(drawn)

    def shown(self, z: np.ndarray, others: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What is predicted under recorded conditions, or others: (fits, draws, conditions)."""
        shape = (*z.shape[:2], self.fits.sizes["condition"])
        x = self.middle + z * self.spread
        values = np.where(self.log, np.exp(np.where(self.log, x, 0.0)), x)
        params = {name: values[..., i, None] for i, name in enumerate(self.names)}
        conditions = {**self.conditions, **others}
        params |= {name: x[:, None] for name, x in conditions.items()}
        flat = {name: np.broadcast_to(x, shape).reshape(-1) for name, x in params.items()}
        targets = tuple(str(t) for t in self.fits.target.values)
        rest = jm.steady_state(self.cell, flat, outputs=targets)
        stable = np.asarray(rest.status) == 0
        return {t: np.where(stable, getattr(rest, t), np.nan).reshape(shape) for t in targets}

    def log_posterior(self, z: np.ndarray) -> np.ndarray:
        """Minus the loss of each fit; minus infinity outside its bounds or without a rest."""
        inside = self.inside(z)
        shown = self.shown(np.where(inside[..., None], z, 0.0), {})
        x = self.middle + z * self.spread
        level = -0.5 * np.sum(np.where(self.bounded, 0.0, (x - self.low) / self.width) ** 2, axis=2)
        for target, predicted in shown.items():
            fit = self.fits.sel(target=target)
            residual = (predicted - fit.recorded.values[:, None]) / fit.sd.values[:, None]
            there = np.isfinite(fit.recorded.values)[:, None]
            level = level - 0.5 * np.sum(np.where(there, residual, 0.0) ** 2, axis=2)
        return np.where(inside & np.isfinite(level), level, -np.inf)
