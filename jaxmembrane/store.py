"""The zarr store of a sweep, made, written and read; ``schema`` says what it holds on disk.

One chunk is one unit of work and has one writer; its ``status`` is written last and is the only
record of what is done, so a sweep that was killed at any moment goes on where it stopped.
"""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from xarray.backends import BackendArray
from xarray.core import indexing

from .schema import (
    PENDING,
    SAMPLE,
    SEGMENTS,
    STATUS,
    check_fingerprint,
    damage,
    disk_errors,
    read_errors,
)
from .schema import FingerprintMismatch as FingerprintMismatch
from .schema import Schema as Schema
from .schema import StoreError as StoreError
from .schema import Variable as Variable
from .segment import Segment, place, remember, sweep_leftovers
from .verify import Summary as Summary
from .verify import summary as summary
from .verify import whole_segments


@dataclass(frozen=True)
class Chunk:
    """One unit of work: rows ``start`` to ``stop - 1``, which are ``block`` of a segment."""

    index: int
    start: int
    stop: int
    segment: int
    block: slice


@dataclass(frozen=True, eq=False)
class Store:
    """An open store: its segments, and where they are (None = in memory).

    Threads and processes may write different chunks of one store at once.

    >>> schema = Schema((Variable("V", attrs={"units": "mV"}),), status_flags={"converged": 0})
    >>> store = Store.create_or_open(None, schema, n=3, chunk=2, fingerprint={}, provenance={})
    >>> first = store.pending()[0]
    >>> store.write(first, {"V": [-72.5, -65.0], "status": np.zeros(2, "int8")})
    >>> store.dataset().V.values, store.dataset().status.values
    (array([-72.5, -65. ,   nan]), array([ 0,  0, -1], dtype=int8))
    """

    path: Path | None
    segments: tuple[Segment, ...]

    @classmethod
    def open(cls, path: str | os.PathLike) -> Store:
        """Open what is there; anything but a whole store of ours is a ``StoreError``."""
        path = Path(path).absolute()
        return cls(path, whole_segments(path))

    @classmethod
    def create_or_open(
        cls,
        path: str | os.PathLike | None,
        schema: Schema,
        *,
        n: int,
        chunk: int,
        fingerprint: Mapping[str, Any],
        provenance: Mapping[str, Any],
        allow_version_change: bool = False,
    ) -> Store:
        """Make the store, go on with the one that is there, or add rows to it up to `n`.

        Rows that exist keep their chunks; `chunk` is the number of rows of a new one. `path` None
        is a store in memory. `fingerprint` is plain JSON: nested sections of what decides the
        numbers, ``extendable`` (may rows be added?) and ``versions``, which may differ where
        `allow_version_change` says so. Anything else that differs is a ``FingerprintMismatch``; an
        `n` that does not fit is a ``ValueError``; what the disk refuses is a ``StoreError``, and
        nothing that was there is lost.
        """
        if n < 1 or chunk < 1:
            raise ValueError(f"a store needs n and chunk of at least 1, but n={n}, chunk={chunk}")
        if schema.grid and math.prod(points for _, points in schema.grid) != n:
            axes = " x ".join(f"{points} {axis}" for axis, points in schema.grid)
            raise ValueError(f"a grid of {axes} does not have {n} rows")
        fingerprint = json.loads(json.dumps(fingerprint))
        added = {"provenance": json.dumps(provenance)}
        attrs = {**schema.attrs, **added, "fingerprint": json.dumps(fingerprint)}
        if schema.grid:
            attrs["grid"] = json.dumps(schema.grid)
        if path is None:
            return cls(None, (remember(schema, range(n), chunk, attrs),))
        path = Path(path).absolute()
        with disk_errors("make", path):
            if not path.exists() or (path.is_dir() and not any(path.iterdir())):
                place(path, schema, range(n), chunk, attrs)
        store = cls.open(path)
        check_fingerprint(path, store.fingerprint, fingerprint, allow_version_change)
        extendable = bool(fingerprint.get("extendable"))
        if n < store.n or (n > store.n and not extendable):
            raise ValueError(
                f"{path} holds {store.n} rows{'' if extendable else ' of a design of fixed size'} "
                f"and this call asks for {n}: ask for {store.n}{' or more' if extendable else ''}, "
                "or sweep into another path"
            )
        while rows := store.missing(n):
            with disk_errors("extend", path):
                place(path / SEGMENTS / f"{rows.start:012d}", schema, rows, chunk, added)
            store = cls.open(path)
        sweep_leftovers(path)
        return store

    @property
    def n(self) -> int:
        """Number of rows."""
        return max(segment.stop for segment in self.segments)

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What decides the numbers of this run, as given when the store was made."""
        return json.loads(self.segments[0].attrs["fingerprint"])

    def missing(self, n: int) -> range:
        """First stretch of the rows below `n` that no segment holds."""
        stop = 0
        for segment in self.segments:
            if segment.start > stop:
                return range(stop, segment.start)
            stop = segment.stop
        return range(stop, n)

    @cached_property
    def chunks(self) -> tuple[Chunk, ...]:
        """All units of work, in row order."""
        found = []
        for number, segment in enumerate(self.segments):
            for block in segment.blocks:
                rows = segment.start + block.start, segment.start + block.stop
                found.append(Chunk(len(found), *rows, number, block))
        return tuple(found)

    def pending(self) -> list[Chunk]:
        """List the chunks still to be computed, read afresh from the store."""
        with read_errors("read", self.path):
            status = np.concatenate([segment.arrays[STATUS][:] for segment in self.segments])
        return [c for c in self.chunks if (status[c.start : c.stop] == PENDING).any()]

    def write(self, chunk: Chunk, data: Mapping[str, ArrayLike]) -> None:
        """Write all variables of one chunk, ``status`` last.

        `data` maps every variable of the schema and ``status`` to an array of shape
        (rows of the chunk, ...). A wrong name, shape, type or status is a ``ValueError`` before
        anything is written; a full disk is a ``StoreError``.
        """
        arrays = self.segments[chunk.segment].arrays
        if wrong := sorted(data.keys() ^ arrays.keys()):
            near = difflib.get_close_matches(wrong[0], arrays, n=1) if wrong[0] in data else []
            raise ValueError(
                f"{wrong[0]} is {'not in the store' if wrong[0] in data else 'missing'}"
                f"{f', did you mean {near[0]}' if near else ''}: a chunk has {', '.join(arrays)}"
            )
        values = {}
        for name, array in arrays.items():
            value, shape = np.asarray(data[name]), (chunk.stop - chunk.start, *array.shape[1:])
            if value.shape != shape or not np.can_cast(value.dtype, array.dtype, "same_kind"):
                raise ValueError(
                    f"{name} of rows {chunk.start} to {chunk.stop - 1} is {value.dtype} of shape "
                    f"{value.shape}, but the store holds {array.dtype} of shape {shape}"
                )
            values[name] = value
        flags = set(self.segments[chunk.segment].flags.values()) - {PENDING}
        if strange := set(values[STATUS].tolist()) - flags:
            raise ValueError(f"status {min(strange)} is none of a finished row: {sorted(flags)}")
        with disk_errors(f"write rows {chunk.start} to {chunk.stop - 1} of", self.path):
            for name, value in values.items():
                arrays[name][chunk.block] = value

    def note(self, text: str) -> None:
        """Keep a line about how rows were computed; datasets carry it as attribute ``notes``."""
        if self.path is not None:
            with disk_errors("write into", self.path), open(self._notes, "a") as file:
                file.write(f"{text}\n")

    @property
    def _notes(self) -> Path:
        # Among the segments, where readers of zarr do not look for arrays.
        return Path(self.path or "") / SEGMENTS / "notes.log"

    def dataset(self) -> xr.Dataset:
        """All rows as a lazy dataset, one dimension for each axis where the design is a grid.

        Nothing but coordinates is read before it is used; ``.load()`` keeps what was read.
        """
        if gap := self.missing(self.n):
            rows = f"rows {gap.start} to {gap.stop - 1} are missing"
            raise StoreError(f"cannot read {damage(self.path, rows)}")
        with read_errors("read", self.path):
            flat = self.segments[0].as_dataset()
            grid = dict(json.loads(flat.attrs.pop("grid", "[]")))
            about = flat[SAMPLE].attrs
            whole = flat[sorted(map(str, flat.coords))].drop_dims(SAMPLE)
            if not grid:  # where the axes say which row it is
                whole = whole.assign_coords({SAMPLE: (SAMPLE, np.arange(self.n), about)})
            axes = tuple(grid) or (SAMPLE,)
            points = tuple(grid.values()) or (self.n,)
            variables, coordinates = {}, {}
            for name, array in self.segments[0].arrays.items():
                parts = [(s.start, s.arrays[name]) for s in self.segments]
                rows = _Rows(self.path, parts, (*points, *array.shape[1:]), len(axes))
                old, lazy = flat.variables[name], indexing.LazilyIndexedArray(rows)
                new = xr.Variable((*axes, *old.dims[1:]), lazy, old.attrs, old.encoding)
                if name in flat.data_vars:
                    variables[name] = new
                else:
                    coordinates[name] = _on_its_axis(name, new) if grid else new
            whole = whole.assign(variables).assign_coords(coordinates)
            if self.path is not None and self._notes.exists():
                whole.attrs["notes"] = self._notes.read_text()
            if "rows" in whole.attrs:  # that are no samples, but have names
                rows = json.loads(whole.attrs.pop("rows"))
                named = {name: (rows["dim"], x) for name, x in rows["coordinates"].items()}
                whole = whole.rename({SAMPLE: rows["dim"]}).assign_coords(named)
            return whole


class _Rows(BackendArray):
    """One variable over all segments, its first `axes` dimensions those of the design."""

    def __init__(self, path: Path | None, parts: list, shape: tuple[int, ...], axes: int) -> None:
        self.path, self.parts, self.shape, self.axes = path, parts, shape, axes
        self.dtype = parts[0][1].dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        outer = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, outer, self._read)

    def _read(self, key: tuple) -> np.ndarray:
        """Read the stretch of rows around `key` (integers, slices, 1-d arrays), then pick."""
        design = self.shape[: self.axes]
        picked = [np.arange(size)[k] for size, k in zip(design, key, strict=False)]
        rows = np.ravel_multi_index(np.ix_(*map(np.atleast_1d, picked)), design)
        low, high = (rows.min(), rows.max() + 1) if rows.size else (0, 0)
        with read_errors("read", self.path):
            stretch = [
                part[max(low - start, 0) : max(high - start, 0)] for start, part in self.parts
            ]
        found = np.concatenate(stretch)[rows - low]
        rest = [slice(None) if pick.ndim else 0 for pick in picked]
        for axis, k in reversed([*enumerate((*rest, *key[self.axes :]))]):
            found = found[(slice(None),) * axis + (k,)]
        return found


def _on_its_axis(name: str, values: xr.Variable) -> xr.Variable:
    """Reduce a coordinate of a grid to one axis, where it varies along that only.

    Rows that are pending are NaN, and say nothing about the axis.
    """
    for axis in sorted(values.dims, key=lambda axis: axis != name):
        others = tuple(i for i, dim in enumerate(values.dims) if dim != axis)
        line = np.fmax.reduce(values.values, axis=others, keepdims=True)
        if ((values.values == line) | np.isnan(values.values)).all():
            return xr.Variable((axis,), line.ravel(), values.attrs, values.encoding)
    return values


def open_store(path: str | os.PathLike) -> xr.Dataset:
    """Open the store of a sweep as a lazy dataset with names, units and coordinates.

    Rows that are not computed yet have status -1 and NaN. A store that is damaged, foreign or
    newer than this version is a ``StoreError``.

    >>> ds = open_store("kv.zarr")  # doctest: +SKIP
    >>> ds.where(ds.status == 0).V.mean().item()  # doctest: +SKIP
    -71.4
    """
    return Store.open(path).dataset()
