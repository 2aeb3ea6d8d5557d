"""Look into a store: what is in it, is every byte what was written, and how to mend it.

The manifest of a segment holds all of its files but those of rows, and so mends them. Rows are
found out by their checksums, marked pending, and computed again by the sweep that made them.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .schema import (
    MANIFESTS,
    PENDING,
    SAMPLE,
    SEGMENTS,
    STATUS,
    VERSION,
    StoreError,
    damage,
    read_errors,
)
from .segment import Segment, attach, encode_manifest


@dataclass(frozen=True)
class Summary:
    """What is in a store: rows by outcome, names of its variables, attributes, provenance."""

    path: Path
    n: int
    chunk: int
    counts: Mapping[str, int]
    outputs: tuple[str, ...]
    swept: tuple[str, ...]
    attrs: Mapping[str, Any]
    provenance: Mapping[str, Any]
    fingerprint: Mapping[str, Any]


def summary(path: str | os.PathLike) -> Summary:
    """Look into a store; of the rows only ``status`` is read.

    >>> summary("kv.zarr").counts  # doctest: +SKIP
    {'pending': 0, 'converged': 99211, 'no_steady_state': 789}
    """
    path = Path(path).absolute()
    segments = whole_segments(path)
    first = segments[0]
    with read_errors("read", path):
        status = np.concatenate([segment.arrays[STATUS][:] for segment in segments])
    roles = {name: array.attrs["role"] for name, array in first.arrays.items()}
    attrs = dict(first.attrs)
    return Summary(
        path=path,
        n=segments[-1].stop,
        chunk=first.arrays[STATUS].chunks[0],
        counts={meaning: int((status == v).sum()) for meaning, v in first.flags.items()},
        outputs=tuple(k for k, role in roles.items() if role == "output" and k != STATUS),
        swept=tuple(k for k, role in roles.items() if role == "swept"),
        provenance=json.loads(attrs.pop("provenance")),
        fingerprint=json.loads(attrs.pop("fingerprint")),
        attrs=attrs,
    )


@dataclass(frozen=True)
class Report:
    """What `verify` found; ``print`` it.

    ============  ===============================================================
    ``checked``   files read
    ``damaged``   (file, what is wrong with it)
    ``repaired``  how many of these are mended, or pending and so computed again
    ``pending``   chunks that the same sweep has still to compute, of ``chunks``
    ============  ===============================================================
    """

    path: Path
    checked: int
    damaged: tuple[tuple[str, str], ...]
    repaired: int
    pending: int
    chunks: int

    def __str__(self) -> str:
        count = f"{self.checked} files checked, {len(self.damaged)} damaged"
        count += f", {self.repaired} repaired" if self.damaged else ""
        lines = [f"{self.path}: {count}, {self.pending} of {self.chunks} chunks pending"]
        lines += [f"  {file} is {reason}" for file, reason in self.damaged]
        if len(self.damaged) > self.repaired:
            lines.append(f"`jaxmembrane verify {self.path} --repair` mends it")
        elif self.pending:
            lines.append("the same sweep again computes what is pending")
        return "\n".join(lines)


def verify(path: str | os.PathLike, repair: bool = False) -> Report:
    """Read every file of a store and find each that is missing, torn or flipped in any bit.

    Metadata, labels and fixed parameters are compared with the manifest, rows with their
    checksums. A file that is not yet written is no damage, nor is one that the store does not
    know. `repair` restores the former, removes damaged files of rows and marks their chunks
    pending, so that the sweep that made the store computes them again; do not repair while a
    sweep writes. With both manifests gone there is nothing to repair from: a ``StoreError``. The
    last segment, deleted as a whole, is a store that was never extended.

    >>> print(verify("kv.zarr"))  # doctest: +SKIP
    kv.zarr: 433 files checked, 1 damaged, 0 repaired, 0 of 13 chunks pending
      V/c/3 is not what its checksum says
    `jaxmembrane verify kv.zarr --repair` mends it
    """
    path = Path(path).absolute()
    checked, pending, chunks, stop, damaged = 0, 0, 0, 0, {}
    with read_errors("verify", path):
        for start, directory in segment_directories(path):
            if start > stop:
                damaged[f"{SEGMENTS}/{stop:012d}"] = "missing, and made again by the same sweep"
            segment, wrong = load(directory, start)
            if repair:
                for file in wrong:
                    _restore(directory, file, segment.files[file])
            rows, bad, todo = _check_rows(segment, directory, repair)
            for file, reason in {**wrong, **bad}.items():
                damaged[(directory / file).relative_to(path).as_posix()] = reason
            stop = segment.stop
            checked += len(segment.files) + rows
            pending += todo
            chunks += len(segment.blocks)
    repaired = len(damaged) if repair else 0
    return Report(path, checked, tuple(damaged.items()), repaired, pending, chunks)


def _check_rows(segment: Segment, directory: Path, repair: bool) -> tuple[int, dict[str, str], int]:
    """Files of rows read, those that are damaged, chunks that are pending (after repair)."""
    arrays, status = segment.arrays, segment.arrays[STATUS]
    damaged, checked, pending = {}, 1, 0
    numbers = np.arange(segment.start, segment.stop)
    found = _values(segment.sample, slice(None))
    if found is None or not np.array_equal(found, numbers):
        damaged[f"{SAMPLE}/c"] = "not the row numbers"
        if repair:
            segment.sample[:] = numbers
    for number, block in enumerate(segment.blocks):
        outcome = _values(status, block)
        done = outcome is not None and not (outcome == PENDING).any()
        bad = {}
        for name, array in arrays.items():
            file = f"{name}/c/{number}" + "/0" * (array.ndim - 1)
            if not (directory / file).exists():
                if done or name == STATUS:
                    bad[file] = "missing"
            elif _values(array, block) is None:
                bad[file] = "not what its checksum says"
        if bad and repair:
            for file in bad:
                (directory / file).unlink(missing_ok=True)
            status[block] = PENDING
        damaged |= bad
        checked += len(arrays)
        pending += not done or bool(bad and repair)
    return checked, damaged, pending


def _values(array: Any, block: slice) -> np.ndarray | None:
    try:
        return array[block]
    except Exception:  # a damaged file raises one of a dozen types
        return None


def _restore(directory: Path, file: str, content: bytes) -> None:
    """Put a file back in one step; what a kill leaves lies where no reader looks for arrays."""
    target, beside = directory / file, directory / MANIFESTS[0] / f"{uuid.uuid4().hex}.partial"
    for folder in (target.parent, beside.parent):
        folder.mkdir(parents=True, exist_ok=True)
    beside.write_bytes(content)
    os.replace(beside, target)


def segment_directories(path: Path) -> list[tuple[int, Path]]:
    """First row and directory of each segment; the rows of a new store lie in the store itself."""
    if not path.is_dir():
        what = "is a file, not a store" if path.exists() else "does not exist"
        raise StoreError(f"cannot open {path}: it {what}, so choose another path")
    later = [d for d in sorted(path.glob(f"{SEGMENTS}/*")) if d.name.isdigit()]
    return [(0, path), *((int(d.name), d) for d in later)]


def whole_segments(path: Path) -> tuple[Segment, ...]:
    """Open all segments of a store; anything that is not a whole store is a ``StoreError``."""
    segments = []
    with read_errors("open", path):
        for start, directory in segment_directories(path):
            segment, damaged = load(directory, start)
            for file, reason in damaged.items():
                where = (directory / file).relative_to(path)
                raise StoreError(f"cannot open {damage(path, f'{where} is {reason}')}")
            segments.append(segment)
    return tuple(segments)


def decode_manifest(raw: bytes | None) -> dict[str, bytes] | None:
    """Files of a manifest, or None when it is missing or any bit of it is wrong."""
    try:
        text = json.loads(raw or b"")["attributes"]["files"]
        files = {key: content.encode("latin-1") for key, content in text.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return files if encode_manifest(files) == raw else None


def read_bytes(file: Path) -> bytes | None:
    """Content of a file, None where there is none."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def load(directory: Path, start: int) -> tuple[Segment, dict[str, str]]:
    """Open a segment, and tell what is wrong with its files but those of rows.

    What is foreign, newer, or without a whole manifest is a ``StoreError``.
    """
    copies = [read_bytes(directory / name / "zarr.json") for name in MANIFESTS]
    files = next(filter(None, map(decode_manifest, copies)), None)
    attrs = _attributes(files["zarr.json"] if files else read_bytes(directory / "zarr.json"))
    version = attrs.get("jaxmembrane_store", 0)
    if version > VERSION:
        raise StoreError(
            f"{directory} was written by a newer jaxmembrane (store version {version}, this one "
            f"reads up to {VERSION}): upgrade jaxmembrane"
        )
    if files is None and not any(copies) and not version:
        raise StoreError(f"{directory} is not a store of jaxmembrane: choose another path")
    if files is None:
        raise StoreError(
            f"both manifests of {directory} are damaged, so nothing can mend it: save what still "
            "reads with xarray.open_zarr, and sweep into another path"
        )
    manifest = encode_manifest(files)
    files |= {f"{name}/zarr.json": manifest for name in MANIFESTS}
    damaged = {}
    for key, content in files.items():
        if (found := read_bytes(directory / key)) != content:
            damaged[key] = "missing" if found is None else "not what the manifest says"
    return attach(directory, start, files), damaged


def _attributes(metadata: bytes | None) -> dict[str, Any]:
    try:
        return dict(json.loads(metadata or b"{}").get("attributes", {}))
    except (ValueError, AttributeError, TypeError):
        return {}
