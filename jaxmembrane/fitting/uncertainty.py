"""What the data say of the parameters of a fit, and what they do not.

The information ``F = J^T J`` of the data is told in units of the priors: with ``p = spread * q``,
an eigenvalue of q's information is how many times narrower (squared) than the prior the data hold
that direction. What they do not hold has an eigenvalue near zero, and every parameter with a part
in such a direction has no error worth telling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm, t

from .coordinate import Coordinates

DETERMINED = 0.5
"""A parameter is determined where its standard error is below this share of its prior's."""

_RANK, _EDGE = 1e-10, 1e-4
_NOTHING = 1e3
"""An error of so many priors says that the data say nothing."""

UNMET = 1e-6
"""A fit whose chi-square is less likely than that does not meet the data."""


@dataclass(frozen=True)
class Errors:
    """How errors are told: the coordinates, the level of intervals, and if sd was given."""

    coordinates: Coordinates
    shared: Sequence[bool]
    level: float
    known: bool

    def of(self, found: Mapping[str, np.ndarray], recorded: np.ndarray) -> dict[str, np.ndarray]:
        """Errors of cells: ``information`` and all that follows from it, first axis cells.

        `found` has ``natural``, ``information``, ``loss``; `recorded` how many values each cell
        has.
        """
        axes, spread = self.coordinates.axes, self.coordinates.spread
        F = pooled(found["information"], self.shared)
        F = np.where(np.isfinite(F), F, 0.0) * spread[:, None] * spread
        eigenvalue, vector = np.linalg.eigh(F)
        prior = np.diag([0.0 if axis.bounded else 1.0 for axis in axes])
        # A Gaussian prior counts as a value; a shared axis is fitted by all cells together.
        part = np.where(self.shared, 1.0 / len(F), 1.0)
        held = np.linalg.eigvalsh(F + prior) if prior.any() else eigenvalue
        rank = np.minimum(np.sum(held > _RANK * held[:, -1:], axis=1), part.sum())
        freedom = recorded + np.diagonal(prior) @ part - rank
        scale = np.ones(len(F))
        if not self.known:
            with np.errstate(divide="ignore", invalid="ignore"):
                scale = np.where(freedom > 0, 2.0 * found["loss"] / freedom, np.nan)
        weight = np.where(scale > 0, 1.0 / np.where(scale > 0, scale, 1.0), 0.0)[:, None, None]
        covariance = inverse(F * weight + prior)
        size = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        error = np.where(size > _NOTHING, np.inf, size)
        wide = norm.ppf(0.5 + 0.5 * self.level)
        if not self.known:
            wide = t.ppf(0.5 + 0.5 * self.level, np.maximum(freedom, 1.0))[:, None]
        low, high = (self._value(found["natural"] + s * wide * error * spread) for s in (-1, 1))
        value = self._value(found["natural"])
        log = np.array([axis.log for axis in axes])
        # What is met exactly by as many parameters is missed only where axes are at their bounds.
        chance = chi2.sf(2.0 * found["loss"], np.maximum(freedom, 1.0))
        return {
            "standard_error": error * spread * np.where(log, value, 1.0),
            "low": low,
            "high": high,
            "determined": (size < DETERMINED).astype(np.int8),
            "correlation": np.clip(covariance / (size[:, :, None] * size[:, None]), -1.0, 1.0),
            "information_eigenvalue": eigenvalue[:, ::-1] * weight[:, 0],
            "direction": np.moveaxis(vector, 1, 2)[:, ::-1],
            "degrees_of_freedom": freedom.astype(float),
            "p_value": np.where(self.known & (freedom > 0), chance, np.nan),
            "error_scale": np.sqrt(scale),
            "unmet": self.known & (chance < UNMET),
            "at_bound": self._at_bound(found["natural"]),
        }

    def _at_bound(self, natural: np.ndarray) -> np.ndarray:
        """-1 at the lower bound of an axis, 1 at its upper one."""
        share = (natural - self.coordinates.numbers[:, 0]) / self.coordinates.numbers[:, 1]
        bounded = np.array([axis.bounded for axis in self.coordinates.axes])
        sides = (share > 1.0 - _EDGE).astype(np.int8) - (share < _EDGE).astype(np.int8)
        return np.where(bounded, sides, 0).astype(np.int8)

    def _value(self, natural: np.ndarray) -> np.ndarray:
        """Parameters at natural coordinates, within the bounds of bounded axes."""
        found = np.empty_like(natural)
        for i, (axis, (low, width)) in enumerate(
            zip(self.coordinates.axes, self.coordinates.numbers, strict=True)
        ):
            at = np.clip(natural[:, i], low, low + width) if axis.bounded else natural[:, i]
            with np.errstate(over="ignore"):
                found[:, i] = np.exp(at) if axis.log else at
        return found


def inverse(precision: np.ndarray) -> np.ndarray:
    """Inverse of symmetric matrices; a direction without precision gets a huge variance."""
    largest = np.abs(np.diagonal(precision, axis1=1, axis2=2)).max(axis=1)
    least = (1e-13 * largest + 1e-30)[:, None, None] * np.eye(precision.shape[1])
    return np.linalg.inv(precision + least)


def pooled(information: np.ndarray, shared: Sequence[bool]) -> np.ndarray:
    """Information of each cell, that of shared axes with what all other cells say of them.

    The inverse of such a matrix holds the errors of the whole fit: the Schur complement of the
    shared axes is the sum of those of all cells.
    """
    if not any(shared):
        return information
    s, o = np.flatnonzero(shared), np.flatnonzero(~np.asarray(shared))
    F = np.where(np.isfinite(information), information, 0.0)
    own = np.linalg.pinv(F[:, o[:, None], o], hermitian=True)
    across = F[:, o[:, None], s]
    schur = F[:, s[:, None], s] - np.einsum("nij,nik,nkl->njl", across, own, across)
    whole = F.copy()
    whole[:, s[:, None], s] += schur.sum(axis=0) - schur
    return whole
