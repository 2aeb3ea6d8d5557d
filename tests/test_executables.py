"""Compiled programs that are kept between runs: found where the same code would run, else not."""

import threading
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache.compilation_cache import reset_cache

import jaxmembrane as jm
from jaxmembrane import engine, executables, steady
from jaxmembrane.engine import Engine, Tile
from jaxmembrane.params import Param
from jaxmembrane.programs import resting_job

CELL = jm.zoo.neuron()
LANES = {"x": np.linspace(0.1, 2.0, 100)}


@dataclass(frozen=True)
class Waves:
    """A program that calls itself the package's own, to be compiled in no time."""

    times: int

    def __call__(self, lanes, shared):
        turn = partial(jax.lax.fori_loop, 0, self.times, lambda _, x: jnp.sin(x) + shared["add"])
        return {"y": [turn(lanes["x"])]}


@dataclass(frozen=True)
class Sum:
    """A second stage."""

    times: int = 1

    def __call__(self, lanes, shared, made):
        return {"y": [made["y"][0] + self.times * lanes["x"]]}


def one_way(s, p):
    """A law that is not the package's."""
    return p.k * (s.reactants - s.products)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache, that of JAX too, and no program in memory."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    monkeypatch.setattr(engine, "_COMPILED", {})
    jax.clear_caches()
    reset_cache()
    yield tmp_path / "jaxmembrane"
    jax.config.update("jax_compilation_cache_dir", before)
    reset_cache()


@pytest.fixture
def ours(monkeypatch):
    """What these tests define counts as the package's own."""
    monkeypatch.setattr(executables, "_ours", lambda x: True)
    monkeypatch.setattr(executables, "_KNOWN", {*executables._KNOWN, __name__})


def waves(program=Waves(3), **more):
    running = Engine(program, {"add": 0.5}, tile=64, **more)
    tiles = (Tile(at, {"x": LANES["x"][at : at + 64]}) for at in (0, 64))
    made = dict(running.run(tiles, lambda: 0))
    return np.concatenate([made[at]["y"][0] for at in sorted(made)])


def refuse(*_, **__):
    raise AssertionError("this was compiled again")


def place(cell=CELL, *about):
    job = resting_job(cell, {}, ("V", "status"))
    return executables.place_of(job.program, *about)


def with_law(rate):
    law = {"k": Param(1e-6, "amol/um^2/s/mM^3", "rate")}
    return jm.Cell(
        [
            *(jm.leak(s) for s in (jm.Na, jm.K, jm.Cl)),
            jm.na_k_atpase(),
            jm.Transporter("own", "Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i", rate, params=law),
        ]
    )


def test_a_sweep_finds_its_program_without_tracing_it_and_gives_the_same_bits(home, monkeypatch):
    design = jm.Space({"bath.K": jm.Uniform(2.0, 12.0)}).sobol(64)
    first = jm.sweep(CELL, design, outputs=["V"], tile=64)
    # The search for rests, and their outputs; no row needed the later tiers.
    assert len(list(home.iterdir())) == 2
    monkeypatch.setattr(engine, "_COMPILED", {})
    monkeypatch.setattr(jax.stages.Lowered, "compile", refuse)
    second = jm.sweep(CELL, design, outputs=["V"], tile=64)
    np.testing.assert_array_equal(second.V, first.V)


@pytest.mark.parametrize("program", [Waves(3), (Waves(3), Sum())], ids=["one", "stages"])
def test_programs_are_kept_for_each_device(home, ours, monkeypatch, program):
    devices = jax.local_devices()
    first = [waves(program, devices=[device]) for device in devices]
    stages = len(program) if isinstance(program, tuple) else 1
    assert len(list(home.iterdir())) == len(devices) * stages
    monkeypatch.setattr(engine, "_COMPILED", {})
    monkeypatch.setattr(jax.stages.Lowered, "compile", refuse)
    for device, expected in zip(devices, first, strict=True):
        np.testing.assert_array_equal(waves(program, devices=[device]), expected)


def test_damaged_files_are_passed_over(home, ours):
    first = waves()
    (file,) = home.iterdir()
    whole = file.read_bytes()
    for content in (b"", whole[:1000], whole[:-1], whole[:5000] + b"x" + whole[5001:]):
        file.write_bytes(content)
        assert executables.load(file, jax.local_devices()[0]) is None
    engine._COMPILED.clear()
    np.testing.assert_array_equal(waves(), first)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["on disk", "in memory"])
def test_what_jax_finds_in_its_own_cache_is_not_kept(home, where):
    # Such an executable cannot be written a second time: it would lack functions.
    design = jm.Space({"bath.K": jm.Uniform(2.0, 12.0)}).sobol(64)
    first = jm.sweep(CELL, design, outputs=["V"], tile=64)
    for file in home.iterdir():
        file.unlink()
    # While a program lives JAX has it in memory.
    alive = list(engine._COMPILED)
    engine._COMPILED.clear()
    if where == "on disk":
        alive.clear()
        jax.clear_caches()
    second = jm.sweep(CELL, design, outputs=["V"], tile=64)
    assert not list(home.iterdir())
    np.testing.assert_array_equal(second.V, first.V)


FOUND, BUILT = "/jax/compilation_cache/cache_hits", "/jax/core/compile/backend_compile_duration"


@pytest.mark.parametrize("how", ["built", "found on disk", "found in memory"])
def test_jax_says_whether_it_compiled(tmp_path, monkeypatch, how):
    class Lowered:
        def compile(self, compiler_options):
            if how == "found on disk":
                jax.monitoring.record_event(FOUND)
            if how != "found in memory":
                jax.monitoring.record_event_duration_secs(BUILT, 1.0)
            return compiler_options

    kept: list = []
    monkeypatch.setattr(executables, "_keep", lambda *what: kept.append(what))
    assert executables.build(Lowered(), "options", tmp_path)[0] == "options"
    assert bool(kept) == (how == "built")


def test_what_jax_finds_is_not_missed_while_another_compilation_ends(tmp_path, monkeypatch):
    begun, end, ended = (threading.Event() for _ in range(3))

    class Other:
        def compile(self, compiler_options):
            begun.set()
            end.wait(10)

    class Found:
        def compile(self, compiler_options):
            jax.monitoring.record_event(FOUND)
            jax.monitoring.record_event_duration_secs(BUILT, 1.0)

    def meanwhile(event, **_):
        end.set()
        ended.wait(10)

    def other():
        executables.build(Other(), None, None)
        ended.set()

    kept: list = []
    monkeypatch.setattr(executables, "_keep", lambda *what: kept.append(what))
    thread = threading.Thread(target=other)
    thread.start()
    begun.wait(10)
    jax.monitoring.register_event_listener(meanwhile)
    try:
        executables.build(Found(), None, tmp_path)
    finally:
        jax.monitoring.unregister_event_listener(meanwhile)
        thread.join()
    assert not kept


def test_a_stage_that_is_known_serves_another_program(home, ours, monkeypatch):
    waves((Waves(3), Sum()))
    built, build = [], jax.stages.Lowered.compile

    def noting(*x, **how):
        built.append(x)
        return build(*x, **how)

    monkeypatch.setattr(jax.stages.Lowered, "compile", noting)
    np.testing.assert_array_equal(waves((Waves(3), Sum(2))), waves() + 2 * LANES["x"])
    # The first stage was kept, and so was the program that it is by itself.
    assert len(built) == 1


def test_a_cache_that_cannot_be_written_costs_nothing(home, ours):
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file where the directory would be")
    assert np.isfinite(waves()).all()


def test_without_a_cache_nothing_is_kept(home):
    assert place() is not None
    jax.config.update("jax_enable_compilation_cache", False)
    try:
        assert place() is None
    finally:
        jax.config.update("jax_enable_compilation_cache", True)


def test_what_decides_a_program_decides_its_place(home):
    assert place() == place() == place(jm.zoo.neuron())
    other = jm.Cell([*(jm.leak(s) for s in (jm.Na, jm.K, jm.Cl)), jm.na_k_atpase()])
    places = {place(), place(other), place(CELL, 64), place(CELL, 128), place(CELL, "float32")}
    assert len(places) == 5


def test_numbers_do_not_decide_it(home):
    richer = jm.Cell([jm.leak(jm.K, P=2.0), jm.leak(jm.Na), jm.leak(jm.Cl), jm.na_k_atpase()])
    poorer = jm.Cell([jm.leak(jm.K, P=1.0), jm.leak(jm.Na), jm.leak(jm.Cl), jm.na_k_atpase()])
    assert place(richer) == place(poorer)


@pytest.mark.parametrize("setting", ["jax_debug_nans", "jax_default_matmul_precision"])
def test_settings_of_jax_decide_it(home, setting):
    before, plain = getattr(jax.config, setting), place()
    jax.config.update(setting, {"jax_debug_nans": True}.get(setting, "highest"))
    try:
        assert place() != plain
    finally:
        jax.config.update(setting, before)


@pytest.mark.parametrize(
    "rate",
    [one_way, lambda s, p: one_way(s, p), partial(one_way)],
    ids=["law", "lambda", "partial"],
)
def test_laws_of_the_users_are_traced_each_time(home, rate):
    # Nothing that is kept could tell that such a law has changed.
    assert place(with_law(rate)) is None


def test_while_the_package_is_patched_nothing_is_kept(home, monkeypatch):
    assert place() is not None
    monkeypatch.setattr(steady, "outputs_at", one_way)
    assert place() is None


def test_ours_by_name_alone_is_not_ours():
    def impostor():
        return 0.0

    impostor.__module__, impostor.__qualname__ = "jaxmembrane.units", "convert"
    assert executables.place_of(impostor) is None
