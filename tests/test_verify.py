import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_store import content, opened, rows_of, swept
from zarr.storage import LocalStore

import jaxmembrane
from jaxmembrane.store import Store, StoreError, open_store
from jaxmembrane.verify import decode_manifest, verify

# A child process that imports the store without the rest of the package, and so in half a second.
CHILD = """
import sys, time, types
package = types.ModuleType("jaxmembrane")
package.__path__ = [sys.argv[1]]
sys.modules["jaxmembrane"] = package
sys.path.insert(0, sys.argv[2])
from zarr.storage import LocalStore
from test_store import swept
print("ready", flush=True)
"""
RACE = """
for line in sys.stdin:
    path, n = line.split()
    swept(path, int(n), chunk=4)
    print("done", flush=True)
"""
SLOW = """
put = LocalStore.set
async def slow(self, key, value):
    time.sleep(0.004)
    await put(self, key, value)
LocalStore.set = slow
try:
    swept(sys.argv[3], 12)
except ValueError:
    pass  # it has more rows already
swept(sys.argv[3], 30)
"""


def child(script, *arguments):
    """Start a process that has imported everything and begins with `script`."""
    folders = [jaxmembrane.__path__[0], str(Path(__file__).parent)]
    command = [sys.executable, "-W", "error", "-c", CHILD + script, *folders, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished store of two segments, and its content."""
    path = tmp_path_factory.mktemp("finished") / "a.zarr"
    swept(path, 6, chunk=4)
    swept(path, 9, chunk=4)
    return path, content(path)


def harm(path, files, rng):
    """Damage a store in one place; the name of the file or directory."""
    name = rng.choice(files)
    file = path / name
    kind = rng.choice(["flip", "flip", "flip", "truncate", "empty", "delete", "directory"])
    raw = bytearray(file.read_bytes())
    if kind == "flip":
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        file.write_bytes(raw)
    elif kind == "truncate":
        file.write_bytes(raw[: rng.randrange(1, len(raw))])
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "delete" or (file.parent / "status").exists():
        file.unlink()
    else:
        shutil.rmtree(file.parent)  # of an array, its chunks, a manifest
    return f"{kind} {name}"


@pytest.mark.parametrize("seed", range(8))
def test_every_damage_is_found_and_repaired(tmp_path, finished, seed):
    """200 damages, one at a time: the sweep that follows the repair brings every byte back."""
    (whole, before), rng = finished, random.Random(seed)
    path = tmp_path / "a.zarr"
    shutil.copytree(whole, path)
    for _ in range(25):
        what = harm(path, sorted(before), rng)
        report = verify(path)
        assert report.damaged and report.repaired == 0, what
        assert "--repair` mends it" in str(report)
        report = verify(path, repair=True)
        assert report.repaired == len(report.damaged) > 0, what
        swept(path, 9, chunk=4)
        assert content(path) == before, what
    clean = f"{path}: {len(before)} files checked, 0 damaged, 0 of 3 chunks pending"
    assert str(verify(path)) == clean


def test_a_damaged_store_says_so_when_opened_or_read(tmp_path, finished):
    whole, before = finished
    for name in before.keys() - {"segments/000000000006/sample/c/0"}:  # which nobody reads
        path = tmp_path / "a.zarr"
        shutil.copytree(whole, path)
        (path / name).write_bytes(before[name][:-1] + bytes([before[name][-1] ^ 16]))
        with pytest.raises(StoreError) as error:
            open_store(path).load()
        assert f"; `jaxmembrane verify {path} --repair` and then the same" in str(error.value)
        shutil.rmtree(path)


def test_no_bit_of_a_manifest_can_change_unnoticed(finished):
    raw, rng = finished[1]["manifest/zarr.json"], random.Random(0)
    assert decode_manifest(raw)["zarr.json"] == finished[1]["zarr.json"]
    for place in rng.sample(range(len(raw)), 1000):
        flipped = bytearray(raw)
        flipped[place] ^= 1 << rng.randrange(8)
        assert decode_manifest(bytes(flipped)) is None
    assert decode_manifest(raw[:-1]) is decode_manifest(raw + b" ") is decode_manifest(b"") is None


def test_what_is_pending_or_unknown_is_no_damage(tmp_path):
    store = opened(path := tmp_path / "a.zarr")
    store.write(store.chunks[1], rows_of(store.chunks[1]))
    assert (verify(path).damaged, verify(path).pending) == ((), 2)
    store.segments[0].arrays["V"][:4] = 1.0  # as if killed before its status
    (path / "V/c/1.0123.partial").write_bytes(b"half")
    assert (verify(path).damaged, verify(path).pending) == ((), 2)
    (path / "V/c/0").write_bytes(b"torn")
    assert verify(path, repair=True).damaged == (("V/c/0", "not what its checksum says"),)
    assert np.isnan(open_store(path).V[:4]).all() and verify(path).pending == 2


def test_leftovers_are_swept_when_they_cannot_be_in_use(tmp_path):
    swept(path := tmp_path / "a.zarr")
    swept(path, 13)
    before = content(path)
    build, mine = tmp_path / f".a.zarr.{'0a' * 16}.partial", tmp_path / ".a.zarr.backup.partial"
    extension = path / f"segments/.000000000010.{'0a' * 16}.partial"
    stale, fresh = path / "V/c/0.0a.partial", path / "V/c/1.0a.partial"
    for directory in (build, mine, extension):
        directory.mkdir()
    for file in (stale, fresh, build / "zarr.json", extension / "zarr.json"):
        file.write_bytes(b"{")
    os.utime(stale, (0, 0))
    opened(path, 13)
    left = [leftover.exists() for leftover in (build, extension, stale, fresh, mine)]
    assert left == [False, False, False, True, True]
    fresh.unlink()
    assert content(path) == before


# ---------------------------------------------------------------- kills and races


class Killed(BaseException):
    """Ends a call where a signal would."""


@pytest.fixture
def killer(monkeypatch):
    """Make call number `after` to the disk, and all that clean up after it, the last ones."""
    left = [10**9]

    def mortal(call):
        def counted(*arguments, **options):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return call(*arguments, **options)

        return counted

    for owner, name in [(LocalStore, "set"), (os, "replace"), (os, "rename"), (Path, "unlink")]:
        monkeypatch.setattr(owner, name, mortal(getattr(owner, name)))
    monkeypatch.setattr(Path, "write_bytes", mortal(Path.write_bytes))
    monkeypatch.setattr(shutil, "rmtree", mortal(shutil.rmtree))
    return left


def sweep_and_extend(path):
    if not (path / "segments/000000000006").exists():
        swept(path, 6, chunk=4)
    swept(path, 9, chunk=4)


def is_right(path):
    """Whether what counts as done is right, and nothing is damaged."""
    ds = open_store(path).load()
    done = ds.status.values >= 0
    right = np.where(ds.sample == 5, np.nan, -70.0 - ds.sample)
    np.testing.assert_array_equal(ds.V[done], right[done])
    np.testing.assert_array_equal(ds.c[done, 1], (ds.sample + np.float32(0.5))[done])
    return verify(path).damaged == ()


def whole_files(path):
    return {name: raw for name, raw in content(path).items() if not name.endswith(".partial")}


def test_killed_at_every_step_of_a_sweep(tmp_path, finished, killer):
    for step in range(0, 1000, 5):
        path, killer[0] = tmp_path / f"{step}.zarr", step
        try:
            sweep_and_extend(path)
            break
        except Killed:
            killer[0] = 10**9
        assert not path.exists() or is_right(path)
        sweep_and_extend(path)
        assert whole_files(path) == finished[1]
        assert list(tmp_path.glob(".*")) == []
    assert step > 60 and content(path) == finished[1]


def test_killed_at_every_step_of_a_repair(tmp_path, finished, killer):
    path, step = tmp_path / "a.zarr", 0
    while killer[0] >= 0:
        killer[0] = 10**9
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(finished[0], path)
        shutil.rmtree(path / "V")
        for name in ("manifest/zarr.json", "status/c/0", "c/c/1/0", "sample/c/0", "species/c/0"):
            (path / name).write_bytes(b"")
        killer[0] = step
        try:
            verify(path, repair=True)
            break
        except Killed:
            killer[0], step = 10**9, step + 1
        verify(path, repair=True)
        sweep_and_extend(path)
        assert whole_files(path) == finished[1]
    assert step > 12


def test_two_processes_that_make_and_extend_one_store(tmp_path, finished):
    """Both end with one good store, whoever is first, and leave nothing beside it."""
    with child(RACE) as one, child(RACE) as two:
        for path, n in [(tmp_path / str(race), n) for race in range(8) for n in (6, 9)]:
            for racer in (one, two):
                racer.stdin.write(f"{path} {n}\n")
                racer.stdin.flush()
            assert one.stdout.readline() == two.stdout.readline() == "done\n"
            if n == 9:
                assert content(path) == finished[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == list("01234567")
    assert one.returncode == two.returncode == 0


@pytest.mark.slow
def test_kill_minus_nine(tmp_path):
    """Twenty kills while stores are made, written and extended: nothing lost or falsely done."""
    once, rng, kills, number = tmp_path / "once.zarr", random.Random(1), 0, 0
    swept(once, 12)
    swept(once, 30)
    while kills < 20:
        path = tmp_path / f"{number}.zarr"
        with child(SLOW, path) as process:
            time.sleep(rng.uniform(0.0, 0.4))
            process.send_signal(signal.SIGKILL)
        kills += process.returncode == -signal.SIGKILL
        assert not path.exists() or is_right(path)
        if kills % 5 == 0 or process.returncode == 0:
            if not path.exists() or Store.open(path).n == 12:
                swept(path, 12)
            swept(path, 30)
            assert whole_files(path) == content(once)
            number += 1
