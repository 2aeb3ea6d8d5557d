"""Sweeps that are killed, raced and shuffled; children sweep as a user's processes would."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from test_sweep import TILE, assert_same, stamps, swept

import jaxmembrane as jm

pytestmark = pytest.mark.slow

ROWS = 4 * TILE + 100
KILLS = 20
STORES = 40

START = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import jaxmembrane as jm
jm.configure(cpu_devices=2, x64=os.environ.get("X64") != "0")
from test_sweep import TILE, swept
swept(n=1)
print("ready", flush=True)
sys.stdin.readline()
"""

# The same two commands, over and over: a sweep, and one with more rows.
SWEEPS = """
for number in range(int(sys.argv[2])):
    path = f"{sys.argv[1]}/{number}.zarr"
    if not os.path.exists(path + ".first"):
        swept(path, n=2 * TILE + 50, chunk=TILE)
        open(path + ".first", "w").close()
    swept(path, n=int(sys.argv[3]), chunk=TILE)
"""

SHARD = """
swept(sys.argv[1], n=int(sys.argv[2]), chunk=TILE, shard=sys.argv[3])
import jax
print(jax.config.jax_enable_x64)
"""


def child(script, *arguments, before=""):
    command = [sys.executable, "-W", "error", "-c", before + START + script, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def let_run(*processes):
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def finish(*processes):
    said = []
    for process in processes:
        said.append(process.communicate(timeout=120)[0])
        assert process.returncode == 0
    return said


@pytest.fixture(scope="module")
def whole():
    return swept(n=ROWS).load()


def assert_whole(path, whole):
    found = jm.open_store(path).load()
    assert_same(found.assign_attrs(design=""), whole.assign_attrs(design=""))
    report = jm.verify(path)
    assert (report.damaged, report.pending) == ((), 0)


def test_kill_minus_nine_at_twenty_random_moments(tmp_path, whole):
    """Nothing finished is touched again, and all ends as if nothing had happened."""
    moments, before, landed = random.Random(5), {}, 0
    for _ in range(KILLS):
        process = child(SWEEPS, tmp_path, STORES, ROWS)
        let_run(process)
        time.sleep(moments.uniform(0.0, 1.0))
        landed += process.poll() is None
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        after = {}
        for path in tmp_path.glob("[0-9]*.zarr"):
            after |= stamps(path)
        assert before.items() <= after.items()
        before = after
    assert len(before) > 100 and landed == KILLS, (
        "the sweeps ended before the last kill: take more stores"
    )
    process = child(SWEEPS, tmp_path, STORES, ROWS)
    let_run(process)
    finish(process)
    paths = sorted(tmp_path.glob("*.zarr"))
    assert len(paths) == STORES
    after = {}
    for path in paths:
        assert_whole(path, whole)
        after |= stamps(path)
    assert before.items() <= after.items()
    assert not list(tmp_path.glob(".*.partial"))


def test_two_processes_that_make_and_extend_the_same_stores(tmp_path, whole):
    racers = [child(SWEEPS, tmp_path, 8, ROWS) for _ in range(2)]
    let_run(*racers)
    finish(*racers)
    for number in range(8):
        assert_whole(tmp_path / f"{number}.zarr", whole)
    assert not list(tmp_path.glob(".*.partial"))


def test_shards_in_two_processes_with_either_setting_of_jax(tmp_path, monkeypatch, whole):
    path, shards = tmp_path / "a.zarr", []
    for k in (1, 2):
        monkeypatch.setenv("X64", str(k - 1))
        shards.append(child(SHARD, path, ROWS, f"{k}/2"))
    let_run(*shards)
    assert finish(*shards) == ["False\n", "True\n"]
    assert_whole(path, whole)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_one_core_gives_the_bits_of_many(tmp_path, whole):
    core = min(os.sched_getaffinity(0))
    pinned = f"import os; os.sched_setaffinity(0, [{core}])"
    process = child(SHARD, tmp_path / "a.zarr", ROWS, "1/1", before=pinned)
    let_run(process)
    finish(process)
    assert_whole(tmp_path / "a.zarr", whole)


# ---------------------------------------------------------------- many hard rows


@pytest.mark.parametrize("tile", [1024, 100])
def test_neither_the_neighbours_of_a_row_nor_its_place_matter(tmp_path, tile):
    """A third of these rows need the later tiers, which gather them from all over a tile."""
    leaks = [jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl)]
    cell = jm.Cell([*leaks, jm.na_k_atpase(), jm.kcc2(), jm.nkcc1("palk")])
    names = ["leak_Na.P", "leak_K.P", "nka.j_max", "bath.K"]
    nominal = cell.nominal()
    axes = {n: jm.LogUniform(nominal[n] * 1e-2, nominal[n] * 1e2) for n in names}
    rows, _ = jm.Space(axes).random(3000, seed=3).rows(0, 3000)
    order = np.random.default_rng(0).permutation(3000)[:2500]
    shuffled = {name: x[order].copy() for name, x in rows.items()}
    poisoned = np.arange(0, 2500, 97)
    shuffled["bath.K"][poisoned] = -1.0

    def solved(table):
        return jm.sweep(cell, jm.table(table), outputs=["V", "volume"], tile=tile).load()

    one, other = solved(rows), solved(shuffled)
    assert ((one.steps > 24) & (one.status == 0)).sum() > 300
    assert (one.status == 2).sum() > 200 and (one.status != 3).all()
    np.testing.assert_array_equal(other.status.values[poisoned], 5)
    kept = np.setdiff1d(np.arange(2500), poisoned)
    for name in ("V", "volume", "status", "steps", "residual"):
        same = one[name].values[order][kept] == other[name].values[kept]
        both = np.isnan(one[name].values[order][kept]) & np.isnan(other[name].values[kept])
        assert (same | both).all(), f"{name} of {(~(same | both)).sum()} rows"


def test_a_hard_last_row_costs_no_more_than_a_hard_first_one():
    """The rows that pad a tile must not be solved along."""
    hard, easy = 3.0, 0.1
    seconds = {}
    for name, pumps in {"first": [hard, easy], "last": [easy, hard]}.items():
        table = jm.table({"nka.j": pumps, "bath.K": [4.0] * 2, "bath.Cl": [119.5] * 2})
        for _ in range(2):
            begun = time.perf_counter()
            found = swept(design=table, tile=8 * TILE, devices=jax.local_devices()[:1])
            assert sorted(found.status.values.tolist()) == [0, 2]
            seconds[name] = time.perf_counter() - begun
    assert seconds["last"] < 3 * seconds["first"]


def test_a_cell_with_two_membranes_rests_where_it_does_alone(tmp_path):
    cytosol, matrix = jm.Compartment(), jm.Compartment("matrix", volume="rigid")
    face = [jm.leak(s, law="ohmic", g=0.5) for s in (jm.Na, jm.K, jm.Cl)]
    inner = jm.Membrane("inner", [jm.leak(jm.K, name="inner_K")], inside=matrix, outside=cytosol)
    cell = jm.Cell([jm.Membrane("membrane", [*face, jm.na_k_atpase(law="linear")]), inner])
    space = jm.Space({"bath.K": jm.Uniform(2.0, 8.0)})
    ds = jm.sweep(cell, space.sobol(200), tmp_path / "a.zarr", outputs=["V", "c"], tile=TILE).load()
    assert (ds.status == 0).all()
    assert ds.V.dims == ("sample", "membrane") and ds.c.dims == ("sample", "compartment", "species")
    rest = jm.steady_state(cell, {"bath.K": ds["bath.K"].values[:20]})
    np.testing.assert_allclose(ds.V.sel(membrane="inner")[:20], rest.V["inner"], rtol=1e-8)
    found = ds.c.sel(compartment="matrix", species="K")[:20]
    np.testing.assert_allclose(found, rest.c["matrix", "K"], rtol=1e-8)
