"""What a store holds on disk: arrays, chunks, manifests.

A store is a zarr v3 directory with rows along the dimension ``sample``::

    kv.zarr/                 zarr.json: attributes, fingerprint, provenance
      V/ c/ nka.j/ status/   arrays along sample, one file for each chunk
      sample/ species/ T/    row numbers, labels, fixed parameters
      manifest/              what every file but those of rows must hold ...
      manifest_copy/         ... twice, so that one copy can mend the other
      segments/000000100000/ rows added later: the same again, from row 100000 on

Every chunk file ends in its crc32c. ``status`` is -1 (pending) until its chunk is done.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import LocalStore, MemoryStore, StorePath

VERSION = 1
SAMPLE, STATUS, PENDING = "sample", "status", -1
SEGMENTS, MANIFESTS = "segments", ("manifest", "manifest_copy")
STALE = 3600.0  # s; no file takes as long to write, so an older partial one has lost its writer


class StoreError(OSError):
    """A store cannot be made, opened, read or written; the message says why and what to do."""


class FingerprintMismatch(ValueError):
    """The store at this path belongs to another run; the message names what differs."""


@contextmanager
def disk_errors(task: str, path: Path | None) -> Iterator[None]:
    """Turn what the system refuses (no space, no permission, a file in the way) into a sentence."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        reason = f"{error.strerror or error}; put that right and repeat the call, nothing is lost"
        raise StoreError(f"cannot {task} {path}: {reason}") from error


@contextmanager
def read_errors(task: str, path: Path | None) -> Iterator[None]:
    """Turn what zarr, its codecs and JSON raise on a damaged file into a sentence as well."""
    with disk_errors(task, path):
        try:
            yield
        except OSError:
            raise
        except Exception as error:  # one of a dozen types
            reason = str(error).partition(". ")[0]
            raise StoreError(f"cannot {task} {damage(path, reason)}") from error


def damage(path: Path | None, reason: str) -> str:
    """Say what is damaged, and what to do about it."""
    mend = f"`jaxmembrane verify {path} --repair` and then the same sweep put it right"
    return f"{path}: it is damaged ({reason}); {mend}"


@dataclass(frozen=True)
class Variable:
    """One array along ``sample``; ``dims`` follow ``sample`` and have labels in the schema.

    ``attrs`` carry ``units`` and ``long_name``; a swept parameter is a ``coordinate``.
    """

    name: str
    dims: tuple[str, ...] = ()
    dtype: str = "float64"
    attrs: Mapping[str, Any] = field(default_factory=dict)
    coordinate: bool = False


@dataclass(frozen=True)
class Schema:
    """What a store holds.

    ================  ==========================================================
    ``variables``     outputs and swept parameters; ``status`` is added
    ``labels``        dimension -> its labels, strings or numbers
    ``fixed``         parameter -> (value, attributes), a 0-d coordinate each
    ``attrs``         global attributes, the same for every run of one study
    ``status_flags``  meaning -> value of ``status``; ``pending`` (-1) is added
    ``grid``          (axis, points) of a grid, last axis fastest; else None
    ``label_attrs``   dimension -> attributes of its labels
    ================  ==========================================================

    A name that zarr, CF or the store cannot carry is a ``ValueError``, and so is a dimension
    without labels.
    """

    variables: tuple[Variable, ...]
    labels: Mapping[str, tuple[str, ...] | tuple[float, ...]] = field(default_factory=dict)
    fixed: Mapping[str, tuple[float, Mapping[str, Any]]] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)
    status_flags: Mapping[str, int] = field(default_factory=dict)
    grid: tuple[tuple[str, int], ...] | None = None
    label_attrs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        taken = [SAMPLE, STATUS, SEGMENTS, *MANIFESTS]
        for name in (*self.labels, *self.fixed, *(v.name for v in self.variables)):
            if not name or set(name) & set("/\\ \t\n") or name.startswith((".", "__")):
                raise ValueError(f"{name!r} cannot name an array: no '/', blank or leading dot")
            if name in taken:
                raise ValueError(f"{name!r} is taken in this store, so choose another name")
            taken.append(name)
        for variable in self.variables:
            for dim in variable.dims:
                if not self.labels.get(dim):
                    raise ValueError(f"{variable.name} has a dimension {dim!r} without labels")


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows that were made together, from ``start`` on.

    ``sample`` holds their numbers, ``arrays`` what a sweep writes, ``status`` last; ``files`` is
    what every file but those of rows must hold.
    """

    start: int
    root: LocalStore | MemoryStore
    attrs: Mapping[str, Any]
    sample: zarr.Array
    arrays: Mapping[str, zarr.Array]
    files: Mapping[str, bytes]

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


def build(
    directory: Path | None, schema: Schema, rows: range, chunk: int, attrs: Mapping[str, Any]
) -> Segment:
    """Make every array of a segment with no row done; in memory where there is no directory."""
    root = MemoryStore() if directory is None else LocalStore(directory)
    attrs = {**attrs, "jaxmembrane_store": VERSION}
    group = zarr.create_group(root, attributes=attrs)
    pending = {"pending": PENDING, **schema.status_flags}
    flags = {"flag_values": list(pending.values()), "flag_meanings": " ".join(pending)}
    swept = [v.name for v in schema.variables if v.coordinate]
    located = {"role": "output", "coordinates": " ".join([*swept, *schema.fixed])}

    def create(name: str, dims: tuple, shape: tuple, chunk: int, dtype, fill, attrs) -> zarr.Array:
        return group.create_array(
            name,
            shape=shape,
            chunks=(min(chunk, shape[0]), *shape[1:]) if shape else (),
            dtype=dtype,
            fill_value=fill,
            dimension_names=dims,
            attributes=dict(attrs),
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            config={"write_empty_chunks": True},
        )

    for dim, labels in schema.labels.items():
        number = not isinstance(labels[0], str)
        kind, fill = ("float64", np.nan) if number else (str, "")
        about = schema.label_attrs.get(dim, {})
        array = create(dim, (dim,), (len(labels),), len(labels), kind, fill, about)
        array[:] = np.array(labels, dtype=float if number else object)
    for name, (value, about) in schema.fixed.items():
        create(name, (), (), 0, "float64", np.nan, {"role": "fixed", **about})[...] = value
    about = {"long_name": "row of the design"}
    sample = create(SAMPLE, (SAMPLE,), (len(rows),), 2**20, "int64", -1, about)
    sample[:] = np.arange(rows.start, rows.stop)
    arrays = {}
    status = Variable(STATUS, (), "int8", {"long_name": "outcome of the row", **flags})
    for v in (*schema.variables, status):
        shape = (len(rows), *(len(schema.labels[dim]) for dim in v.dims))
        about = {**({"role": "swept"} if v.coordinate else located), **v.attrs}
        fill = PENDING if v is status else np.nan if np.dtype(v.dtype).kind in "fc" else 0
        arrays[v.name] = create(v.name, (SAMPLE, *v.dims), shape, chunk, v.dtype, fill, about)
    arrays[STATUS][:] = PENDING  # written out: then a missing status file is always damage
    if directory is not None:
        if rows.start == 0:
            group.create_group(SEGMENTS)
        of_rows = [SAMPLE, *arrays]
        within = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
        files = sorted(path.as_posix() for path in within if path.parts[0] not in of_rows)
        files += [f"{name}/zarr.json" for name in of_rows]
        manifest = encode_manifest({key: (directory / key).read_bytes() for key in files})
        for name in MANIFESTS:
            (directory / name).mkdir()
            (directory / name / "zarr.json").write_bytes(manifest)
    return Segment(rows.start, root, attrs, sample, arrays, {})


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


def check_fingerprint(
    path: Path, stored: Mapping[str, Any], given: Mapping[str, Any], allow_version_change: bool
) -> None:
    """Refuse a store whose run is not that of this call, at most three differences at a time."""
    # What follows from a difference stands behind it.
    last = ("extendable", "versions")
    found = sorted(_differences(stored, given), key=lambda line: line.startswith(last))
    if not found or (allow_version_change and found[0].startswith("versions")):
        return
    remedy = "use its values, or sweep into another path"
    if found[0].startswith("versions"):
        remedy = (
            "new rows would have other bits, so go back to its versions, or allow the change with "
            "--allow-version-change (allow_version_change=True)"
        )
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise FingerprintMismatch(f"{path} holds another run: {'; '.join(found[:3])}{more}: {remedy}")


def _differences(stored: Any, given: Any, name: str = "") -> list[str]:
    if isinstance(stored, Mapping) and isinstance(given, Mapping):
        return [
            line
            for key in {**stored, **given}
            for line in _differences(stored.get(key), given.get(key), f"{name} {key}".strip())
        ]
    if stored == given or json.dumps(stored) == json.dumps(given):  # NaN is not NaN, but its text
        return []
    said = ["nothing" if value is None else json.dumps(value) for value in (stored, given)]
    said = [text if len(text) < 80 else f"{text[:76]} ..." for text in said]
    return [f"{name} is {said[0]} in the store and {said[1]} in this call"]
