"""Batched execution: one compiled program of fixed width, dealt to the local devices.

Rows run in tiles of one width, the last one padded, so that a row's bits do not depend on the
number of rows, chunks, devices or processes. The engine knows neither cells nor stores: it takes a
program of lanes, a list of tiles, and hands back results as they come.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np

from . import executables

TILE = {"cpu": 8192, "gpu": 131072}
"""Rows of a tile by platform: whole blocks that fit a core's cache; enough to fill a GPU."""

_LEAST_TILE = 1024
_LANES = 64
_OPTIONS: dict[str, Any] = {"cpu": {"xla_cpu_prefer_vector_width": 512}}

Lanes = Mapping[str, np.ndarray]
Program = Callable[[Any, Any], Any]
Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""What each row has of every name."""

_COMPILED: dict[Any, dict[Any, tuple[Any, float]]] = {}
"""Stages by what they are, then by device: compiled, and seconds that it took."""


def configure(
    *, cpu_devices: int | None = None, cache: bool | str | os.PathLike = True, x64: bool = True
) -> None:
    """Set JAX up for this package: 64 bits, a compilation cache, one CPU device for each core.

    Importing the package changes nothing in JAX; whole jobs (`sweep`, the command line) switch
    64 bits and the cache on for themselves.

    Parameters
    ----------
    cpu_devices : int, optional
        How many devices the CPU is split into; two on two cores run sweeps twice as fast. Must be
        set before JAX is first used.
    cache : bool or path
        Whether compiled programs are kept between runs, and where; by default in the user's cache
        directory. A directory that JAX is already set to is left alone. They are loaded as code, so
        take no directory that others can write.
    x64 : bool
        Whether JAX computes in 64 bits.

    Raises
    ------
    RuntimeError
        If `cpu_devices` comes too late.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.configure()
    """
    if cpu_devices is not None:
        if isinstance(cpu_devices, bool) or not isinstance(cpu_devices, int) or cpu_devices < 1:
            raise ValueError(f"cpu_devices must be a whole number above zero, not {cpu_devices!r}")
        try:
            jax.config.update("jax_num_cpu_devices", cpu_devices)
        except RuntimeError:
            if len(jax.local_devices(backend="cpu")) != cpu_devices:
                raise RuntimeError(
                    "cpu_devices must be set before JAX is first used: call jm.configure first"
                ) from None
    if x64:
        jax.config.update("jax_enable_x64", True)
    use_cache(cache)


def use_cache(cache: bool | str | os.PathLike = True) -> None:
    """Keep compiled programs between runs, unless told not to, or JAX has a directory already."""
    if cache is False:
        jax.config.update("jax_enable_compilation_cache", False)
        return
    if cache is True and getattr(jax.config, "jax_compilation_cache_dir", None):
        return
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = home / "jaxmembrane" if cache is True else Path(cache)
    jax.config.update("jax_compilation_cache_dir", str(directory))
    # By default JAX keeps only what took a second to compile.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@contextmanager
def bits(precision: str) -> Iterator[None]:
    """Compute in the bits of a precision, leaving the user's setting as it was."""
    with jax.enable_x64(precision == "float64"):
        yield


def shapes_of(lanes: Lanes) -> Shapes:
    """What each row has of every name."""
    return tuple((name, x.shape[1:]) for name, x in lanes.items())


def _shape(x: Any) -> Any:
    return jax.ShapeDtypeStruct(x.shape, x.dtype)


def _joined(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts)


def whole_lanes(rows: int) -> int:
    """A tile's width: rows rounded up, so that no row is computed outside a vector register."""
    return -(-rows // _LANES) * _LANES


@dataclass(frozen=True)
class Tile:
    """Up to one tile's width of rows: its key for the caller, and arrays along them."""

    key: Any
    lanes: Lanes


@dataclass
class Engine:
    """A program for tiles, compiled once in a process for each device that joins.

    Parameters
    ----------
    program : callable, or tuple of them
        ``program(lanes, fixed)``: a pytree of arrays along the lanes. Hashable: equal programs
        share one compilation. Of several stages each is also given what the one before it made;
        they are compiled at the same time. One that has ``needed(made)`` changes what was made
        where that says so, and is not compiled before.
    fixed : pytree
        What all rows share.
    tile : int
        Width of a tile.
    precision : str
        ``"float64"`` or ``"float32"``.
    devices : sequence of jax.Device, optional
        The local devices to use.
    """

    program: Program
    fixed: Any
    tile: int
    precision: str = "float64"
    devices: Sequence[Any] = ()
    notes: list[str] = field(default_factory=list)
    tile_s: float = 0.0

    def __post_init__(self):
        self.devices = tuple(self.devices or jax.local_devices())
        self._stages = self.program if isinstance(self.program, tuple) else (self.program,)
        self._always = [i for i, stage in enumerate(self._stages) if not hasattr(stage, "needed")]
        self._lock = threading.Lock()
        self._shared: dict[Any, Any] = {}

    def run(self, tiles: Iterator[Tile], left: Callable[[], int]) -> Iterator[tuple[Any, Any]]:
        """Run tiles, and yield (key, result) as they end; `left` says how many rows are to come.

        One device begins. Another joins where what is left takes longer than its compilation.
        """
        with ThreadPoolExecutor(len(self.devices), thread_name_prefix="device") as pool:
            idle = [self.devices[0]]
            joining = list(self.devices[1:])
            under_way: dict[Future, tuple[Any, Any]] = {}
            ended: list[tuple[Any, Future]] = []
            more = True
            while more or under_way or ended:
                while more and idle:
                    tile = next(tiles, None)
                    more = tile is not None
                    if tile is not None:
                        device = idle.pop()
                        under_way[pool.submit(self._run_one, device, tile)] = device, tile.key
                        shapes = shapes_of(tile.lanes)
                        if joining and self._worth_joining(joining[0], left(), shapes):
                            idle.append(joining.pop(0))
                # Devices get their next tile before the caller is handed results to write.
                for key, future in ended:
                    yield key, future.result()
                done, _ = wait(under_way, return_when=FIRST_COMPLETED) if under_way else ((), ())
                ended = []
                for future in done:
                    device, key = under_way.pop(future)
                    ended.append((key, future))
                    idle.append(device)

    def warm(self, device: Any, lanes: Lanes) -> None:
        """Compile for a device and run its first tile once, as a timing wants it."""
        self._run_one(device, Tile(None, {name: x[: self.tile] for name, x in lanes.items()}))

    def _run_one(self, device: Any, tile: Tile) -> Any:
        width = self.tile
        while True:
            try:
                return self._in_parts(device, tile, width)
            except jax.errors.JaxRuntimeError as error:
                if "RESOURCE_EXHAUSTED" not in str(error):
                    raise
                if width <= _LEAST_TILE:
                    raise MemoryError(
                        f"{device} has no memory left for a tile of {width} rows: ask for fewer "
                        "outputs, or free the device"
                    ) from None
                width = max(whole_lanes(width // 2), _LEAST_TILE)
                self.tile = width
                self._note(f"out of memory on {device}: tiles of {width} rows from here on")

    def _note(self, text: str) -> None:
        with self._lock:
            if text not in self.notes:
                self.notes.append(text)

    def _in_parts(self, device: Any, tile: Tile, width: int) -> Any:
        rows = len(next(iter(tile.lanes.values())))
        parts = [
            self._call(device, {k: v[at : at + width] for k, v in tile.lanes.items()}, width)
            for at in range(0, rows, width)
        ]
        return parts[0] if len(parts) == 1 else jax.tree.map(_joined, *parts)

    def _call(self, device: Any, lanes: Lanes, width: int) -> Any:
        rows = len(next(iter(lanes.values())))
        dtype = np.dtype(self.precision)
        # Rows that are no cells: a copy of a hard one would be solved as often as it is there.
        padded = {name: np.full((width, *x.shape[1:]), np.nan, dtype) for name, x in lanes.items()}
        for name, x in lanes.items():
            padded[name][:rows] = x
        shapes = shapes_of(padded)
        with bits(self.precision):
            made: Any = (jax.device_put(padded, device), self._shared_on(device))
            stages = self._compiled(device, shapes, width, self._always, made)
            begun, compiling = time.perf_counter(), 0.0
            for i, stage in enumerate(self._stages):
                if i not in stages and stage.needed(made[2]):
                    since = time.perf_counter()
                    stages |= self._compiled(device, shapes, width, [i], made)
                    compiling += time.perf_counter() - since
                if i in stages:
                    made = (*made[:2], stages[i](*made))
            result = jax.tree.map(np.asarray, made[2])
        self.tile_s = time.perf_counter() - begun - compiling
        return jax.tree.map(lambda x: x[:rows], result)

    def _shared_on(self, device: Any) -> Any:
        if device not in self._shared:
            values = jax.tree.map(lambda x: np.asarray(x, self.precision), self.fixed)
            self._shared[device] = jax.device_put(values, device)
        return self._shared[device]

    def _compiled(
        self, device: Any, shapes: Shapes, width: int, which: Sequence[int], given: Any
    ) -> dict[int, Any]:
        """Stages by number, for what the first of them is given.

        While one is traced others are compiled.
        """
        keys = {i: self._key(shapes, width, i + 1) for i in which}
        held = {i: _COMPILED.setdefault(key, {}) for i, key in keys.items()}
        if all(device in there for there in held.values()):
            return {i: held[i][device][0] for i in which}
        given = jax.tree.map(_shape, given)
        where, options = jax.sharding.SingleDeviceSharding(device), _OPTIONS.get(device.platform)

        def build(lowered: Any, place: Path | None) -> tuple[Any, float]:
            with bits(self.precision):
                return executables.build(lowered, options, place)

        with ThreadPoolExecutor(len(which), thread_name_prefix="compile") as pool:
            building = {}
            for i in which:
                place = None if device in held[i] else self._place(keys[i], device)
                found = executables.load(place, device)
                if found is not None:
                    held[i][device] = found
                if device in held[i]:
                    known = held[i][device][0]
                else:
                    stage = self._stages[i]
                    known = jax.jit(stage, in_shardings=where, out_shardings=where).lower(*given)
                    building[i] = pool.submit(build, known, place)
                given = (*given[:2], jax.tree.map(_shape, known.out_info))
            for i, future in building.items():
                held[i][device] = future.result()
        return {i: held[i][device][0] for i in which}

    def _place(self, key: tuple[Any, ...], device: Any) -> Path | None:
        """Where executables for a device are kept between runs; those of a CPU are."""
        if device.platform != "cpu":
            return None
        about = _OPTIONS.get(device.platform), device.platform, device.device_kind, device.id
        return executables.place_of(*key, *about)

    def _key(self, shapes: Shapes, width: int, stages: int) -> tuple[Any, ...]:
        values = [np.shape(x) for x in jax.tree.leaves(self.fixed)]
        shared = str(jax.tree.structure(self.fixed)), tuple(values)
        return self._stages[:stages], shapes, shared, width, self.precision

    def _worth_joining(self, device: Any, rows: int, shapes: Shapes) -> bool:
        """Whether rows that are left take longer than the compilation for another device."""
        keys = [self._key(shapes, self.tile, i + 1) for i in self._always]
        made = [_COMPILED.get(key, {}) for key in keys]
        if all(device in held for held in made):
            return rows > 0
        seconds = sum(max((s for _, s in held.values()), default=0.0) for held in made)
        if rows / self.tile * self.tile_s > seconds:
            return True
        places = [self._place(key, device) for key in keys]
        return rows > 0 and all(place is not None and place.exists() for place in places)
