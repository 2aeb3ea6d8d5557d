"""Segments: rows of a store that were made together, on disk or in memory."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import LocalStore, StorePath

from .schema import (
    MANIFESTS,
    PENDING,
    SAMPLE,
    SEGMENTS,
    STATUS,
    VERSION,
    Schema,
    Variable,
)

STALE = 3600.0  # s; no file takes as long to write, so an older partial one has lost its writer


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows that were made together, from ``start`` on.

    ``root`` is where they are: a directory, or a dataset in memory. ``sample`` holds their numbers,
    ``arrays`` what a sweep writes, ``status`` last; ``files`` is what every file but those of rows
    must hold.
    """

    start: int
    root: LocalStore | xr.Dataset
    attrs: Mapping[str, Any]
    sample: zarr.Array | Kept
    arrays: Mapping[str, zarr.Array | Kept]
    files: Mapping[str, bytes]

    def as_dataset(self) -> xr.Dataset:
        """All of its arrays, as xarray sees them."""
        if isinstance(self.root, xr.Dataset):
            return self.root.copy()
        return xr.open_zarr(self.root, consolidated=False, chunks=None)

    @property
    def stop(self) -> int:
        """One more than the last row."""
        return self.start + self.arrays[STATUS].shape[0]

    @property
    def flags(self) -> dict[str, int]:
        """Value of ``status`` for each meaning."""
        about: Any = self.arrays[STATUS].attrs
        return dict(zip(about["flag_meanings"].split(), about["flag_values"], strict=True))

    @property
    def blocks(self) -> list[slice]:
        """Rows of each chunk, counted from the first of the segment."""
        rows, size = self.arrays[STATUS].shape[0], self.arrays[STATUS].chunks[0]
        return [slice(low, min(low + size, rows)) for low in range(0, rows, size)]


@dataclass(frozen=True)
class Layout:
    """One array to be made: what it holds from the beginning, or else what fills it."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    chunk: int
    dtype: Any
    fill: Any
    attrs: Mapping[str, Any]
    values: Any = None


@dataclass(frozen=True, eq=False)
class Kept:
    """An array of a segment in memory; what is used of it has the names that zarr's have."""

    values: np.ndarray
    chunks: tuple[int, ...]
    attrs: Mapping[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows first."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype:
        """Of its numbers."""
        return self.values.dtype

    def __getitem__(self, key: Any) -> np.ndarray:
        return self.values[key]

    def __setitem__(self, key: Any, values: Any) -> None:
        self.values[key] = values


def layout(schema: Schema, rows: range, chunk: int) -> Iterator[Layout]:
    """Every array of a segment with no row done; those along its rows come last."""
    pending = {"pending": PENDING, **schema.status_flags}
    flags = {"flag_values": list(pending.values()), "flag_meanings": " ".join(pending)}
    swept = [v.name for v in schema.variables if v.coordinate]

    def located(v: Variable) -> dict[str, str]:
        beside = [name for name, (dim, _) in schema.along.items() if dim in v.dims]
        return {"role": "output", "coordinates": " ".join([*swept, *beside, *schema.fixed])}

    of_dims = {dim: (dim, labels) for dim, labels in schema.labels.items()} | dict(schema.along)
    for name, (dim, labels) in of_dims.items():
        number, size = not isinstance(labels[0], str), len(labels)
        kind, fill = ("float64", np.nan) if number else (str, "")
        values = np.array(labels, dtype=float if number else object)
        about = schema.label_attrs.get(name, {})
        yield Layout(name, (dim,), (size,), size, kind, fill, about, values)
    for name, (value, about) in schema.fixed.items():
        yield Layout(name, (), (), 0, "float64", np.nan, {"role": "fixed", **about}, value)
    about, numbers = {"long_name": "row of the design"}, np.arange(rows.start, rows.stop)
    yield Layout(SAMPLE, (SAMPLE,), (len(rows),), 2**20, "int64", -1, about, numbers)
    about = {"units": "1", "long_name": "outcome of the row", **flags}
    status = Variable(STATUS, (), "int8", about)
    for v in (*schema.variables, status):
        shape = (len(rows), *(len(schema.labels[dim]) for dim in v.dims))
        about = {**({"role": "swept"} if v.coordinate else located(v)), **v.attrs}
        fill = PENDING if v is status else np.nan if np.dtype(v.dtype).kind in "fc" else 0
        # Written out: then a missing status file is always damage.
        values = PENDING if v is status else None
        yield Layout(v.name, (SAMPLE, *v.dims), shape, chunk, v.dtype, fill, about, values)


def remember(schema: Schema, rows: range, chunk: int, attrs: Mapping[str, Any]) -> Segment:
    """A segment in memory."""
    attrs = {**attrs, "jaxmembrane_store": VERSION}
    shown: dict[str, xr.Variable] = {}
    arrays: dict[str, Kept] = {}
    for made in layout(schema, rows, chunk):
        about: dict[str, Any] = json.loads(json.dumps(dict(made.attrs)))
        kind = np.dtypes.StringDType() if made.dtype is str else made.dtype
        values = np.full(made.shape, made.fill, kind)
        if made.values is not None:
            values[...] = made.values
        if made.dims[:1] == (SAMPLE,):
            arrays[made.name] = Kept(values, (min(chunk, len(rows)), *made.shape[1:]), about)
        about = {key: x for key, x in about.items() if key != "coordinates"}
        shown[made.name] = xr.Variable(made.dims, values, about)
    swept = [v.name for v in schema.variables if v.coordinate]
    beside = {*schema.labels, *schema.along, *schema.fixed, *swept, SAMPLE}
    coords = {name: x for name, x in shown.items() if name in beside}
    values = {name: x for name, x in shown.items() if name not in beside}
    whole = xr.Dataset(values, coords, json.loads(json.dumps(attrs)))
    return Segment(rows.start, whole, attrs, arrays.pop(SAMPLE), arrays, {})


def build(
    directory: Path, schema: Schema, rows: range, chunk: int, attrs: Mapping[str, Any]
) -> None:
    """Make every array of a segment on disk."""
    attrs = {**attrs, "jaxmembrane_store": VERSION}
    group, of_rows = zarr.create_group(LocalStore(directory), attributes=attrs), []
    for made in layout(schema, rows, chunk):
        array = group.create_array(
            made.name,
            shape=made.shape,
            chunks=(min(made.chunk, made.shape[0]), *made.shape[1:]) if made.shape else (),
            dtype=made.dtype,
            fill_value=made.fill,
            dimension_names=made.dims,
            attributes=dict(made.attrs),
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            config={"write_empty_chunks": True},
        )
        if made.values is not None:
            array[...] = made.values
        if made.dims[:1] == (SAMPLE,):
            of_rows.append(made.name)
    if rows.start == 0:
        group.create_group(SEGMENTS)
    within = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    files = sorted(path.as_posix() for path in within if path.parts[0] not in of_rows)
    files += [f"{name}/zarr.json" for name in of_rows]
    manifest = encode_manifest({key: (directory / key).read_bytes() for key in files})
    for name in MANIFESTS:
        (directory / name).mkdir()
        (directory / name / "zarr.json").write_bytes(manifest)


def place(target: Path, schema: Schema, rows: range, chunk: int, attrs: Mapping[str, Any]) -> None:
    """Build a segment beside `target` and rename it in; whoever comes second drops his own."""
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        build(beside, schema, rows, chunk, attrs)
        os.rename(beside, target)
    except OSError:
        if not (target / "zarr.json").exists():
            time.sleep(0.2)  # other writers of zarr's that are still at it would build it anew
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sweep_leftovers(path: Path) -> None:
    """Remove what killed processes left: builds whose place is taken, partial files gone stale."""
    mark = f".{'[0-9a-f]' * 32}.partial"
    with suppress(OSError):
        builds = path.parent.glob(f".{glob.escape(path.name)}{mark}")
        for left in [*builds, *path.glob(f"{SEGMENTS}/.*{mark}")]:
            if left.with_name(left.name[1:].rsplit(".", 2)[0]).exists():
                shutil.rmtree(left, ignore_errors=True)
        for file in path.rglob("*.partial"):
            if file.is_file() and time.time() - file.stat().st_mtime > STALE:
                file.unlink()


def encode_manifest(files: Mapping[str, bytes]) -> bytes:
    """Bytes of a manifest: a zarr group, so that every reader of the store passes it over."""
    text = {key: content.decode("latin-1") for key, content in files.items()}
    digest = hashlib.sha256(json.dumps(text).encode()).hexdigest()
    attributes = {"sha256": digest, "files": text}
    group = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    return json.dumps(group).encode()


def attach(directory: Path, start: int, files: Mapping[str, bytes]) -> Segment:
    """Open the segment that a manifest describes: metadata beside the arrays may be damaged."""
    attrs, root, arrays = json.loads(files["zarr.json"])["attributes"], LocalStore(directory), {}
    for key, content in files.items():
        name, _, leaf = key.rpartition("/")
        about: Any = json.loads(content) if leaf == "zarr.json" else {}
        if SAMPLE in (about.get("dimension_names") or ()):
            array = zarr.AsyncArray(about, StorePath(root, name), {"write_empty_chunks": True})
            arrays[name] = zarr.Array(array)
    return Segment(start, root, attrs, arrays.pop(SAMPLE), arrays, files)
