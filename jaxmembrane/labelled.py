"""Results that are addressed by name: outputs as fields, and the last axes of an array."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import jax

from .naming import UnknownName, unknown


@partial(jax.tree_util.register_dataclass, data_fields=["values"], meta_fields=["dims"])
@dataclass(frozen=True)
class Labelled:
    """Values with named last axes: ``c["Na"]``, ``c["cytosol", "Na"]``, or ``c["cytosol"]``.

    ``values`` is the whole array; ``dims`` pairs each named axis with its labels.
    """

    values: Any
    dims: tuple[tuple[str, tuple[str, ...]], ...]

    def __getitem__(self, key: str | tuple[str, ...]) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        index: list[Any] = [Ellipsis]
        if len(keys) > len(self.dims):
            named = ", ".join(dim for dim, _ in self.dims)
            raise KeyError(f"{keys!r} has {len(keys)} names for the dims {named}")
        for label, (dim, known) in zip(keys, self.dims, strict=False):
            if label not in known:
                raise UnknownName(unknown(dim, label, known))
            index.append(known.index(label))
        rest = self.dims[len(keys) :]
        part = self.values[tuple(index) + (slice(None),) * len(rest)]
        return Labelled(part, rest) if rest else part

    def keys(self) -> Iterator[tuple[str, ...]]:
        """Every combination of labels."""
        return product(*(labels for _, labels in self.dims))

    def items(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Every combination of labels with its value."""
        return ((key, self[key]) for key in self.keys())

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        import numpy as np

        return np.asarray(self.values, dtype=dtype)


class Outputs:
    """A result whose outputs, ``values`` by name, are its fields."""

    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        # While it is copied or unpickled it has no values yet.
        values = self.__dict__.get("values", {})
        if name.startswith("__") or name not in values:
            what = type(self).__name__.lower()
            raise AttributeError(f"this {what} has no output {name!r}; it has {', '.join(values)}")
        return values[name]
