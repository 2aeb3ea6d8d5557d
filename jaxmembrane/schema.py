"""What a store holds, and what it says where something is wrong with it.

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

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = 1
SAMPLE, STATUS, PENDING = "sample", "status", -1
SEGMENTS, MANIFESTS = "segments", ("manifest", "manifest_copy")


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
    ``along``         name -> (dimension with labels, texts), a coordinate each
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
    along: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        taken = [SAMPLE, STATUS, SEGMENTS, *MANIFESTS]
        variables = (v.name for v in self.variables)
        for name in (*self.labels, *self.along, *self.fixed, *variables):
            if not name or set(name) & set("/\\ \t\n") or name.startswith((".", "__")):
                raise ValueError(f"{name!r} cannot name an array: no '/', blank or leading dot")
            if name in taken:
                raise ValueError(f"{name!r} is taken in this store, so choose another name")
            taken.append(name)
        for variable in self.variables:
            for dim in variable.dims:
                if not self.labels.get(dim):
                    raise ValueError(f"{variable.name} has a dimension {dim!r} without labels")


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
