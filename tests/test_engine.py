import io
import re
import threading
import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console
from rich.progress import Progress as Bar

import jaxmembrane as jm
from jaxmembrane import engine as engine_module
from jaxmembrane import progress
from jaxmembrane.engine import Engine, Tile

FULL = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes.")


@dataclass(frozen=True)
class Twice:
    """A program that is compiled in no time; `name` tells one compilation from another."""

    name: str

    def __call__(self, lanes, shared):
        place = jnp.arange(lanes["x"].shape[0])
        return {"y": [lanes["x"] * shared["k"], place], "z": jnp.isnan(lanes["x"])}


@pytest.fixture
def program(request):
    return Twice(request.node.name)


def tiles_of(rows, width):
    x = np.arange(rows, dtype=float)
    return [Tile(at, {"x": x[at : at + width]}) for at in range(0, rows, width)]


def results(engine, tiles, left=lambda: 0):
    """Results in the order of the tiles."""
    found = dict(engine.run(iter(tiles), left))
    assert sorted(found) == [tile.key for tile in tiles]
    return [found[tile.key] for tile in tiles]


def test_every_tile_runs_at_one_width_and_only_its_own_rows_come_back(program):
    engine = Engine(program, {"k": 2.0}, 64)
    found = results(engine, tiles_of(150, 64))
    assert [len(part["z"]) for part in found] == [64, 64, 22]
    np.testing.assert_array_equal(np.concatenate([f["y"][0] for f in found]), 2.0 * np.arange(150))
    assert found[2]["y"][1].tolist() == list(range(22))
    widths = [key[3] for key in engine_module._COMPILED if key[0] == (program,)]
    assert widths == [64]


def test_nothing_to_do_compiles_nothing(program):
    assert results(Engine(program, {"k": 2.0}, 64), []) == []
    assert not [key for key in engine_module._COMPILED if key[0] == (program,)]


def test_padding_is_not_a_copy_of_a_hard_row(monkeypatch):
    """A padded lane must cost nothing, and only an invalid one is sure to."""
    seen, compiled = [], Engine._compiled

    def noting(self, *where):
        (stage,) = compiled(self, *where).values()

        def run(lanes, fixed):
            seen.append(np.asarray(lanes["x"]))
            return stage(lanes, fixed)

        return {0: run}

    monkeypatch.setattr(Engine, "_compiled", noting)
    results(Engine(Twice("padding"), {"k": 2.0}, 64), tiles_of(3, 64))
    assert np.isnan(seen[0][3:]).all()


@pytest.mark.parametrize(("precision", "x64"), [("float64", False), ("float32", True)])
def test_bits_are_those_of_the_precision_and_the_users_setting_stays(program, precision, x64):
    jax.config.update("jax_enable_x64", x64)
    try:
        (found,) = results(Engine(program, {"k": 0.1}, 8, precision), tiles_of(8, 8))
        assert jax.config.jax_enable_x64 == x64
    finally:
        jax.config.update("jax_enable_x64", True)
    assert found["y"][0].dtype == precision
    wanted = np.arange(8, dtype=precision) * np.asarray(0.1, precision)
    assert found["y"][0].tobytes() == wanted.tobytes()


# ---------------------------------------------------------------- stages


@dataclass(frozen=True)
class Negated:
    """A stage that turns the sign of what is below zero, where anything is."""

    name: str

    def needed(self, made):
        return bool(np.any(np.asarray(made["y"][0]) < 0))

    def __call__(self, lanes, fixed, made):
        return made | {"y": [abs(made["y"][0]), made["y"][1]]}


@dataclass(frozen=True)
class Halved:
    """A last stage, that is given back what came in."""

    name: str

    def __call__(self, lanes, fixed, made):
        return made | {"y": [made["y"][0] / fixed["k"]]}


def test_a_stage_runs_and_is_compiled_where_it_is_needed_only(program):
    stages = program, Negated(program.name), Halved(program.name)
    device = jax.local_devices()[:1]

    def compiled():
        return {len(key[0]) for key in engine_module._COMPILED if key[0][0] == program}

    def run(x):
        engine = Engine(stages, {"k": 2.0}, 64, devices=device)
        (found,) = results(engine, [Tile(0, {"x": x})])
        return found["y"][0]

    x = np.arange(10.0)
    np.testing.assert_array_equal(run(x), x)
    assert compiled() == {1, 3}
    np.testing.assert_array_equal(run(-x), x)
    assert compiled() == {1, 2, 3}
    np.testing.assert_array_equal(run(x), x)


def test_stages_that_jobs_have_in_common_are_compiled_once(program, monkeypatch):
    run_one = Engine(program, {"k": 2.0}, 64)
    results(run_one, tiles_of(3, 64))
    compiled = []
    build = engine_module.executables.build
    monkeypatch.setattr(
        engine_module.executables, "build", lambda *x: (compiled.append(x), build(*x))[1]
    )
    results(Engine((program, Halved(program.name)), {"k": 2.0}, 64), tiles_of(3, 64))
    assert len(compiled) == 1


# ---------------------------------------------------------------- devices


class Watched(Engine):
    """An engine whose tiles take 20 ms of a device, and that notes which had it."""

    def __post_init__(self):
        super().__post_init__()
        self.seen = []

    def _call(self, device, lanes, width):
        self.seen.append(device)
        time.sleep(0.02)
        return super()._call(device, lanes, width)


@pytest.mark.parametrize(("left", "joins"), [(0, 1), (10**9, 2)])
def test_another_device_joins_where_it_is_worth_its_compilation(program, left, joins):
    engine = Watched(program, {"k": 2.0}, 64)
    found = results(engine, tiles_of(768, 64), lambda: left)
    np.testing.assert_array_equal(np.concatenate([f["y"][0] for f in found]), 2.0 * np.arange(768))
    assert len(set(engine.seen)) == joins and len(engine.seen) == 12


def test_the_next_tile_runs_while_a_result_is_written(program):
    engine = Engine(program, {"k": 2.0}, 64, devices=jax.local_devices()[:1])
    begun, run_one = threading.Semaphore(0), engine._run_one
    engine._run_one = lambda device, tile: (begun.release(), run_one(device, tile))[1]
    for count, _ in enumerate(engine.run(iter(tiles_of(64 * 3, 64)), lambda: 0)):
        assert begun.acquire(timeout=2)
        if count == 0:
            assert begun.acquire(timeout=2), "the device waits for the writer"
            begun.release()


def test_a_failing_program_ends_the_run_with_its_error(program):
    with pytest.raises(ValueError, match="two"):
        results(Engine(program, {"k": "two"}, 64), tiles_of(640, 64))


# ---------------------------------------------------------------- out of memory


class Cramped(Engine):
    """An engine whose devices hold tiles of up to `room` rows."""

    room = 1024

    def _compiled(self, device, shapes, width, *others):
        if width > self.room:
            raise FULL
        return super()._compiled(device, shapes, width, *others)


def test_out_of_memory_takes_smaller_tiles_and_says_so_once(program):
    engine = Cramped(program, {"k": 2.0}, 4096, devices=jax.local_devices()[:1])
    found = results(engine, tiles_of(3 * 4096 + 5, 4096))
    np.testing.assert_array_equal(
        np.concatenate([f["y"][0] for f in found]), 2.0 * np.arange(12293)
    )
    assert [len(f["z"]) for f in found] == [4096] * 3 + [5]
    assert engine.tile == 1024
    assert [note.split(": ")[1] for note in engine.notes] == [
        "tiles of 2048 rows from here on",
        "tiles of 1024 rows from here on",
    ]


def test_no_memory_at_all_is_an_error_that_says_what_to_do(monkeypatch, program):
    monkeypatch.setattr(Cramped, "room", 0)
    with pytest.raises((MemoryError, RuntimeError), match=r"(?i)memory.*tile"):
        results(Cramped(program, {"k": 2.0}, 2048), tiles_of(10, 2048))


def test_other_errors_of_the_device_are_not_taken_for_a_lack_of_memory(monkeypatch, program):
    def fail(*_):
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")

    monkeypatch.setattr(Engine, "_compiled", fail)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        results(Engine(program, {"k": 2.0}, 2048), tiles_of(10, 2048))


def test_a_sweep_says_and_keeps_that_its_tiles_became_smaller(monkeypatch, tmp_path, capsys):
    """The tile decides the last bits, so a store must tell when it was not what was asked for."""

    def call(self, device, lanes, width):
        if width > 1024:
            raise FULL
        x = lanes["bath.K"]
        whole = np.zeros(len(x), np.int8), np.zeros(len(x), np.int32), x, x
        return dict(zip(("status", "steps", "residual", "V"), ([y] for y in whole), strict=True))

    monkeypatch.setattr(Engine, "_call", call)
    space, path = jm.Space({"bath.K": jm.Uniform(2.0, 8.0)}), tmp_path / "a.zarr"
    cell = jm.Cell([jm.leak(s) for s in (jm.Na, jm.K, jm.Cl)])
    ds = jm.sweep(cell, space.sobol(5000), path, outputs=["V"], tile=2048)
    np.testing.assert_array_equal(ds.V, ds["bath.K"])
    assert capsys.readouterr().err.count("tiles of 1024 rows") == 1
    assert "1024" in str(jm.open_store(path).attrs)


# ---------------------------------------------------------------- configuration


def test_configure_sets_jax_up_and_a_cache_of_the_users_stays():
    before = jax.config.jax_compilation_cache_dir
    jm.configure(cpu_devices=2)
    assert jax.config.jax_compilation_cache_dir == before
    with pytest.raises(RuntimeError, match=r"call jm\.configure first"):
        jm.configure(cpu_devices=3)
    for wrong in (0, 1.5, True):
        with pytest.raises(ValueError, match="cpu_devices must be"):
            jm.configure(cpu_devices=wrong)


# ---------------------------------------------------------------- progress


def test_silence(capsys):
    for wanted, rows in ((False, 10), (None, 10), (True, 0)):
        with progress.reporter(wanted, 10, rows) as report:
            report.advance(rows, 1)
    assert capsys.readouterr() == ("", "")


def test_lines_in_a_log(capsys, monkeypatch):
    with progress.reporter(True, 5000, 3000) as report:
        report.advance(1000, 2)
        monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
        report.advance(1000, 1)
        for _ in range(2):
            report.say("out of memory")
        report.advance(1000, 0)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == "" and len(lines) == 4
    assert lines[0] == "2,000 of 5,000 rows are done already"
    assert lines[1].startswith("2,000 of 3,000 rows, ") and ", 3 failed, " in lines[1]
    assert lines[2] == "out of memory" and lines[3].endswith(" 0 s left")


def test_a_bar_on_a_terminal(monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", screen)
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    monkeypatch.setattr(progress, "Bar", lambda *a, **k: Bar(*a, **k, auto_refresh=False))
    with progress.reporter(None, 3000, 3000) as report:
        report.advance(1500, 7)
        report.say("tiles of [1024] rows from here on")
        report.advance(1500, 0)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "3,000 of 3,000 rows" in text and "7 failed" in text and "rows/s" in text
    assert text.count("tiles of [1024] rows") == 1
