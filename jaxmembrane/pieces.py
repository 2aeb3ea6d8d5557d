"""Parameters that are piecewise linear in time, by lane."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp


class Pieces(NamedTuple):
    """Parameters that change: from `start` to `stop` until each of `ends` (s).

    ``ends`` has the shape (pieces,), the values of each name (pieces, lanes). Without ramps `stop`
    is empty, and all is constant in a piece.
    """

    ends: Any
    start: Mapping[str, Any]
    stop: Mapping[str, Any]

    @property
    def begins(self) -> Any:
        """When each piece begins, s."""
        return jnp.concatenate([jnp.zeros_like(self.ends[:1]), self.ends[:-1]])

    def at(self, piece: Any, t: Any) -> dict[str, Any]:
        """Values of the parameters at each lane's time t, in its piece."""
        now = {name: self.of(x, piece) for name, x in self.start.items()}
        if not self.stop:
            return now
        share = self._share(piece, t)
        return {name: x + share * (self.of(self.stop[name], piece) - x) for name, x in now.items()}

    def along(self, times: Any) -> dict[str, Any]:
        """Values of the parameters at times that all lanes share: shape (times, lanes)."""
        piece = jnp.searchsorted(self.ends, times, side="right")
        piece = jnp.minimum(piece, self.ends.shape[0] - 1)
        now = {name: x[piece] for name, x in self.start.items()}
        if not self.stop:
            return now
        share = self._share(piece, times)[:, None]
        return {name: x + share * (self.stop[name][piece] - x) for name, x in now.items()}

    def warming(self, piece: Any, t: Any) -> Any:
        """Relative rate of change of T, 1/s."""
        T, dT = jax.jvp(lambda t: self.at(piece, t)["T"], (t,), (jnp.ones_like(t),))
        return dT / T

    def _share(self, piece: Any, t: Any) -> Any:
        return (t - self.begins[piece]) / (self.ends - self.begins)[piece]

    @staticmethod
    def of(x: Any, piece: Any) -> Any:
        """Each lane's value in its piece."""
        if x.shape[0] == 1:
            return x[0]
        return jnp.take_along_axis(x, jnp.atleast_2d(piece), axis=0).reshape(piece.shape)
