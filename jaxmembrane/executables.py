"""Compiled programs that are kept between runs, and found without being traced again.

JAX keeps what XLA has compiled, but must trace and lower a program to know what to look for, which
takes longer than to load it. A program that consists of this package's own code is known by its
structure and by the package's source; one with a law of the user's has to be traced, and so has any
while functions of the package are replaced by those of others.
"""

import hashlib
import json
import os
import pickle
import platform
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache, partial, reduce
from importlib.metadata import version
from inspect import isfunction
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import serialize_executable

_DIGEST = hashlib.sha256().digest_size
_HOME = Path(__file__).parent
# What JAX finds in its own cache cannot be written again: jaxlib 0.10 leaves out half of it. And it
# says nothing of what it still has in memory, which may have come from there.
_FOUND = "/jax/compilation_cache/cache_hits"
_BUILT = "/jax/core/compile/backend_compile_duration"
# Settings that change what is compiled; whatever else does stands in the program.
_SETTINGS = ("jax_default_matmul_precision", "jax_debug_nans", "jax_debug_infs", "jax_disable_jit")


# Whose functions and classes the package's modules hold.
_KNOWN = {__package__, *sys.stdlib_module_names, "jax", "jaxlib", "numpy", "scipy", "optax"}
_KNOWN |= {"pandas", "pydantic", "rich", "typer", "xarray", "zarr"}


class _Told(threading.local):
    """What JAX has told of a thread's compilation."""

    def __init__(self):
        self.events: set[str] = set()


_TOLD = _Told()


class _Foreign(Exception):
    """Something that is not this package's own, so that nothing is known of its code."""


def place_of(*program: Any) -> Path | None:
    """Where the executable of a program is kept; None where it is not.

    It is told by all that decides it: stages, shapes, precision, options, the device.
    """
    home = getattr(jax.config, "jax_compilation_cache_dir", None)
    if not home or not getattr(jax.config, "jax_enable_compilation_cache", False) or _patched():
        return None
    try:
        known = _written(program)
    except _Foreign:
        return None
    settings = [repr(getattr(jax.config, name)) for name in _SETTINGS]
    everything = json.dumps([known, settings, os.environ.get("XLA_FLAGS", ""), _machine()])
    return Path(home) / "jaxmembrane" / hashlib.sha256(everything.encode()).hexdigest()


def load(place: Path | None, device: Any) -> tuple[Any, float] | None:
    """The executable at a place, for a device, and the seconds that its compilation took."""
    if place is None or not place.exists():
        return None
    # Whatever is wrong with a file of a cache, its program can be compiled.
    with suppress(Exception):
        content = place.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
            seconds, part = pickle.loads(content[_DIGEST:])
            return serialize_executable.deserialize_and_load(
                *part, execution_devices=[device]
            ), seconds
    return None


def build(lowered: Any, options: Any, place: Path | None) -> tuple[Any, float]:
    """Compile, and keep the executable at a place; gives it and the seconds that it took."""
    _listen()
    _TOLD.events, begun = set(), time.perf_counter()
    executable = lowered.compile(compiler_options=options)
    seconds = time.perf_counter() - begun
    if place is not None and _BUILT in _TOLD.events and _FOUND not in _TOLD.events:
        _keep(place, executable, seconds)
    return executable, seconds


@cache
def _listen() -> None:
    # For good: while one is taken off its list, JAX passes over another.
    jax.monitoring.register_event_listener(_note)
    jax.monitoring.register_event_duration_secs_listener(_note)


def _note(event: str, *_: Any, **__: Any) -> None:
    _TOLD.events.add(event)


def _keep(place: Path, executable: Any, seconds: float) -> None:
    # A cache that cannot be written costs time and nothing else.
    with suppress(OSError, ValueError, NotImplementedError):
        content = pickle.dumps((seconds, serialize_executable.serialize(executable)))
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f"{place.name}.{uuid.uuid4().hex}.partial")
        beside.write_bytes(hashlib.sha256(content).digest() + content)
        beside.rename(place)


def _written(x: Any) -> Any:
    """A program's structure in plain words, equal where the same code would run."""
    kind = f"{type(x).__module__}.{type(x).__qualname__}"
    if x is None or isinstance(x, (bool, int, float, str)):
        return [kind, repr(x)]
    if isinstance(x, Mapping):
        return [kind, [[_written(key), _written(value)] for key, value in x.items()]]
    if isinstance(x, (tuple, list)):
        return [kind, [_written(part) for part in x]]
    if isinstance(x, (frozenset, set)):
        return [kind, sorted(map(_written, x))]
    if isinstance(x, np.ndarray):
        return [kind, x.dtype.str, x.shape, hashlib.sha256(x.tobytes()).hexdigest()]
    if isinstance(x, partial):
        return [kind, _written(x.func), _written(x.args), _written(x.keywords)]
    if isinstance(x, type) and _ours(x):
        return [kind, x.__module__, x.__qualname__]
    if isfunction(x) and _ours(x):
        return [kind, x.__module__, x.__qualname__]
    if is_dataclass(x) and _ours(type(x)):
        return [kind, [[f.name, _written(getattr(x, f.name))] for f in fields(x)]]
    raise _Foreign(kind)


def _ours(x: Any) -> bool:
    """Whether a class or a function is found in this package by its name."""
    owner = sys.modules.get(x.__module__)
    if owner is None or x.__module__.partition(".")[0] != __package__:
        return False
    try:
        return reduce(getattr, x.__qualname__.split("."), owner) is x
    except AttributeError:
        return False


def _patched() -> bool:
    """Whether a module of the package holds a function or a class of somebody else's."""
    ours = [m for name, m in sys.modules.items() if name.partition(".")[0] == __package__]
    held = (x for m in ours for x in list(vars(m).values()) if isinstance(x, type) or isfunction(x))
    return any(str(x.__module__).partition(".")[0] not in _KNOWN for x in held)


@cache
def _machine() -> list[str]:
    """The package's source, versions, and the kind of processor."""
    source = hashlib.sha256()
    for file in sorted(_HOME.rglob("*.py")):
        source.update(f"{file.relative_to(_HOME)}\n".encode() + file.read_bytes())
    processor = [platform.machine(), platform.processor()]
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor += sorted({x for x in lines if x.startswith(("model name", "flags", "Features"))})
    names = ("jax", "jaxlib", "numpy")
    return [source.hexdigest(), *map(version, names), platform.python_version(), *processor]
