"""Means over blocks and over resamples of them, by products of matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import norm

from ..design import whole_number

# Blocks whose weights are held at a time: few enough for a processor's cache.
_PIECE = 2048


def check_bootstrap(confidence: Any, resamples: Any, seed: Any) -> tuple[float, int, int]:
    """Give confidence, number of resamples and seed, having checked them."""
    if not isinstance(confidence, (int, float)) or not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be between 0 and 1, as 0.95, but got {confidence!r}")
    return float(confidence), whole_number(resamples, "resamples", 2), whole_number(seed, "seed", 0)


def resampled(
    quantities: Callable[[int, int], np.ndarray], n: int, resamples: int, seed: int
) -> np.ndarray:
    """Mean quantities of `n` blocks, then those of each resample, with replacement, of as many.

    ``quantities(start, stop)`` gives them, (quantities, stop - start); the result is of
    (1 + resamples, quantities). Resamples depend on `n`, their number and the seed alone.
    """
    rng = np.random.default_rng(seed)
    starts = np.arange(0, n, _PIECE)
    sizes = np.minimum(_PIECE, n - starts)
    # How many draws of each resample fall into a piece, then where within the piece.
    drawn = rng.multinomial(n, sizes / n, size=resamples)
    total: Any = 0.0
    for start, size, draws in zip(starts.tolist(), sizes.tolist(), drawn.T, strict=True):
        row = np.repeat(np.arange(resamples) * size, draws)
        counts = np.bincount(row + rng.integers(size, size=len(row)), minlength=resamples * size)
        weights = np.ones((1 + resamples, size))
        weights[1:] = counts.reshape(resamples, size)
        total = total + weights @ quantities(start, start + size).T
    return total / n


def half_width(values: np.ndarray, confidence: float) -> np.ndarray:
    """Half-width of the normal interval at `confidence`, from values of (resamples, ...)."""
    return norm.ppf(0.5 + 0.5 * confidence) * values.std(axis=0, ddof=1)
