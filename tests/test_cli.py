import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from zarr.storage import LocalStore

import jaxmembrane as jm
from jaxmembrane import cli
from jaxmembrane.schema import MANIFESTS
from jaxmembrane.verify import decode_manifest, encode_manifest

STUDY = """\
[cell]
zoo = "neuron"
[space]
nka.j = {loguniform = [60, 300]}
bath.K = {uniform = ["2 mM", "12 mM"]}
where = ["bath.K < 11.9"]
[design]
kind = "sobol"
rows = 200
seed = 1
[outputs]
names = ["V", "volume", "c"]
"""


def content(folder):
    """Every file and directory below a folder, with the bytes of the files."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def call(capsys):
    """Run one command in this process: its status, what it says, and its errors."""

    def caller(*arguments):
        code = cli.run([*map(str, arguments)])
        return code, *capsys.readouterr()

    return caller


def sweep_of(study, store, *options):
    return "sweep", study, "--store", store, "--cpu-devices", "2", *options


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a study and its finished store, and what the command said."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "study.toml").write_text(STUDY)
    command = [sys.executable, "-m", "jaxmembrane"]
    command += sweep_of("study.toml", "kv.zarr", "--chunk", "256")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def here(finished, tmp_path, monkeypatch):
    """A copy of that folder, as the working directory."""
    shutil.copytree(finished[0], tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_a_sweep_says_what_it_did(finished):
    _, done = finished
    lines = done.stdout.splitlines()
    assert lines[0] == "kv.zarr: 200 rows"
    assert any("stable" in line and "%" in line for line in lines)
    assert "             3  invalid (1.5%)" in lines
    assert any(line.startswith("computed 200 of them in ") and "rows/s" in line for line in lines)
    assert lines[-1] == "next: jaxmembrane show kv.zarr"
    assert "200 of 200 rows" in done.stderr
    assert "Warning" not in done.stderr


def test_the_store_is_what_the_same_calls_give(finished):
    folder, _ = finished
    ds = jm.open_store(folder / "kv.zarr")
    axes = {"nka.j": jm.LogUniform(60.0, 300.0), "bath.K": jm.Uniform(2.0, 12.0)}
    values, _ = jm.Space(axes).sobol(200, seed=1).rows(0, 200)
    for name in axes:
        np.testing.assert_array_equal(ds[name], values[name])
    assert ds.attrs["study"] == STUDY
    assert ds["bath.Na"] == 145.0
    assert set(np.unique(ds.status)) == {0, 5}


def test_the_same_command_resumes(here, call):
    before = content(here)
    code, said, errors = call(*sweep_of("study.toml", "kv.zarr", "--chunk", "256"))
    assert (code, errors) == (0, "")
    assert "computed 0 of them" in said
    assert content(here) == before
    assert call(*sweep_of("study.toml", "kv.zarr", "--quiet")) == (0, "", "")


def test_show(here, call):
    code, said, errors = call("show", "kv.zarr")
    assert (code, errors) == (0, "")
    assert "Duesterwald" in said
    assert "nka: 3 Na_i + 2 K_o + ATP" in said
    assert "space: sobol, seed 1" in said
    assert "where bath.K < 11.9" in said
    table = {line.split("  ")[0]: line.split() for line in said.splitlines() if "  " in line}
    assert table["bath.K"][1:] == ["Uniform", "lower", "2", "upper", "12", "mM"]
    ds = jm.open_store("kv.zarr")
    low, middle, high = np.nanpercentile(ds.c.sel(species="Cl"), (5, 50, 95))
    assert table["c Cl"][2:] == [f"{low:.5g}", f"{middle:.5g}", f"{high:.5g}", "mM"]
    assert table["V"][-1] == "mV"


def test_a_damaged_store_is_found_mended_and_grows(here, call):
    whole = jm.open_store("kv.zarr").load()
    code, said, _ = call("verify", "kv.zarr")
    assert (code, ", 0 damaged, 0 of 1 chunks pending" in said) == (0, True)
    file = here / "kv.zarr" / "V" / "c" / "0"
    raw = bytearray(file.read_bytes())
    raw[40] ^= 1
    file.write_bytes(raw)
    code, said, _ = call("verify", "kv.zarr")
    assert (code, "V/c/0 is not what its checksum says" in said) == (1, True)
    code, _, errors = call("show", "kv.zarr")
    assert (code, "verify" in errors) == (2, True)
    code, said, _ = call("verify", "kv.zarr", "--repair")
    assert (code, "1 damaged, 1 repaired" in said) == (0, True)
    # The missing rows, and more of them: two chunks, one compilation.
    code, said, _ = call(*sweep_of("study.toml", "kv.zarr", "--rows", "300"))
    assert (code, "computed 300 of them" in said) == (0, True)
    assert "kv.zarr: 300 rows" in said
    longer = jm.open_store("kv.zarr").load()
    for name in ("V", "volume", "c", "status", "nka.j", "bath.K"):
        np.testing.assert_array_equal(longer[name][:200], whole[name])
    assert not (longer.status == -1).any()


def test_a_dry_run_writes_nothing(here, call):
    before = content(here)
    code, said, errors = call(*sweep_of("study.toml", "new.zarr", "--dry-run", "--rows", "50000"))
    assert (code, errors) == (0, "")
    assert "sobol design of 50000 rows" in said
    assert "4 of 4 chunks of up to 16,384 rows" in said
    assert "7 tiles of 8,192 rows" in said
    assert "store of up to 3.85 MB" in said  # 77 bytes a row
    code, said, _ = call(
        *sweep_of("study.toml", "n.zarr", "--dry-run", "--rows", "50000", "--shard", "4/4")
    )
    assert "1 of 4 chunks" in said
    assert "1 tiles" in said
    code, said, _ = call(*sweep_of("study.toml", "kv.zarr", "--dry-run", "--rows", "300"))
    assert (code, "200 of its 200 rows are done" in said) == (0, True)
    assert content(here) == before


def test_zoo(call):
    code, said, errors = call("zoo")
    assert (code, errors) == (0, "")
    assert all(name in said for name in jm.zoo.CELLS)
    assert "doi:10.7554/eLife.39575" in said
    code, said, _ = call("zoo", "neuron")
    assert code == 0
    assert "103.6426966" in said
    assert "V      -72.5881 mV" in said


def test_help_and_version(call):
    for arguments in (["--help"], ["sweep", "--help"], ["show", "--help"]):
        code, said, errors = call(*arguments)
        assert (code, errors) == (0, "")
        assert "Usage: jaxmembrane" in said
    assert call("--version")[1].startswith("jaxmembrane 0.1.0, JAX ")


def test_the_study_of_the_help_is_one(call, tmp_path):
    said = call("sweep", "--help")[1]
    study = tmp_path / "study.toml"
    study.write_text(said[said.index("[cell]") :])
    assert call(*sweep_of(study, tmp_path / "s.zarr", "--dry-run"))[0] == 0


COURSES = """
[protocol]
times = {to = "10 min", points = 3}
[[protocol.interventions]]
name = "pump_block"
"""


@pytest.mark.slow
def test_a_study_with_a_protocol_sweeps_courses(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(STUDY + COURSES)
    status, out, _ = call(*sweep_of("study.toml", "out.zarr", "--rows", "64"))
    # One row is outside [space]: where refuses it.
    assert status == 0 and "63  finished (98.4%)" in out
    ds = jm.open_store("out.zarr")
    assert_array_equal(ds.time, [0.0, 300.0, 600.0])
    assert ds.time.units == "s" and dict(ds.V.sizes) == {"sample": 64, "time": 3}
    done = ds.where(ds.status == 0, drop=True)
    assert (done.c.sel(species="Na").diff("time") > 0).all()
    _, out, _ = call("show", "out.zarr")
    assert "rows that reached the end" in out and "c 600 s Na" in out
    Path("study.toml").write_text(STUDY + COURSES.replace("10 min", "20 min"))
    status, _, err = call(*sweep_of("study.toml", "out.zarr", "--rows", "64"))
    assert status == 2 and "times" in err


def edited(old, new):
    assert STUDY.count(old) == 1
    return STUDY.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nka.j", "nka.jj", "unknown parameter 'nka.jj'; did you mean"),
        ("12 mM", "12 mV", "cannot convert 'mV' to 'mM'"),
        ("12 mM", "12 mMol", "unknown unit 'mMol'"),
        ("60, 300", "300, 60", "lower must be below upper"),
        ('"2 mM', '"-2 mM', "zero or more, not -2 mM"),
        ("[space]", "parameters = {bath.Na = -1}\n[space]", "not -1 mM"),
        ("[space]", "parameters = {bath.K = 3}\n[space]", "both fixed in [cell.parameters] and"),
        ('"neuron"', '"nueron"', "did you mean neuron"),
        ("[outputs]", "[output]", "did you mean outputs?"),
        ("[space]", "[spac]", "the section [space] is missing"),
        ("seed", "sed", "did you mean seed"),
        ('"volume"', '"vol"', "did you mean volume?"),
        ('"sobol"', '"sobel"', "did you mean sobol"),
        ("rows = 200", "rows = 200 rows", "this is not TOML"),
        ("seed = 1", "rows = 1", "this is not TOML"),
        ("200", "200.5", "rows must be a whole number"),
        ("200", '"many"', "rows must be a whole number"),
        ("< 11.9", "< import", "where[0]"),
        (STUDY, "", "the section [cell] is missing or empty"),
    ],
)
def test_mistakes_in_a_study(call, tmp_path, old, new, words):
    study = tmp_path / "study.toml"
    study.write_text(edited(old, new))
    code, said, errors = call(*sweep_of(study, tmp_path / "kv.zarr"))
    assert (code, said) == (2, "")
    assert words in errors
    assert all(line.startswith(f"{study}:") for line in errors.splitlines())
    assert os.listdir(tmp_path) == ["study.toml"]


def newer(folder):
    """Make the store one that a later version of the package has written."""
    for copy in MANIFESTS:
        file = folder / "kv.zarr" / copy / "zarr.json"
        files = decode_manifest(file.read_bytes())
        root = json.loads(files["zarr.json"])
        root["attributes"]["jaxmembrane_store"] = 99
        file.write_bytes(encode_manifest(files | {"zarr.json": json.dumps(root).encode()}))


def other(old, new):
    def prepare(folder):
        (folder / "study.toml").write_text(edited(old, new))

    return prepare


def put(name, data=b"a letter"):
    def prepare(folder):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)

    return prepare


def without_metadata(folder):
    (folder / "kv.zarr" / "V" / "zarr.json").unlink()


S = "sweep study.toml --store"
GRID = other('"sobol"\nrows = 200\nseed = 1', '"grid"\npoints = 3')
GROUP = b'{"zarr_format": 3, "node_type": "group", "attributes": {}}'
CALLS = [
    ("swep", None, "Did you mean 'sweep'?"),
    ("show --al", None, "No such option"),
    ("sweep --store s", None, "Missing argument 'study'"),
    ("sweep study.toml", None, "--store"),
    ("show a b", None, "unexpected extra argument"),
    ("sweep none.toml --store s", None, "none.toml: it cannot be read (No such file"),
    ("sweep . --store s", None, "directory"),
    ("sweep b --store s", put("b", b"\xff\x00\x93"), "not TOML"),
    (f"{S} s --rows many", None, "--rows"),
    (f"{S} s --rows 0", None, "--rows"),
    (f"{S} s --chunk 0", None, "--chunk"),
    (f"{S} s --device tpu", None, "--device"),
    (f"{S} s --device gpu", None, "JAX runs on cpu here"),
    (f"{S} s --precision float16", None, "--precision"),
    (f"{S} s --shard 3/2", None, "k from 1 to n"),
    (f"{S} s --shard one", None, "k from 1 to n"),
    (f"{S} s --shard 0/2 --dry-run", None, "k from 1 to n"),
    (f"{S} s --cpu-devices 7", None, "before JAX is first used"),
    (f"{S} s --rows {10**30}", other('"sobol"', '"random"'), "asks for 1.0e+30 rows"),
    (f"{S} s --rows 9", GRID, "--rows does not fit a grid design"),
    (f"{S} f", put("f"), "is a file, not a store"),
    (f"{S} f/s.zarr", put("f"), "cannot make"),
    (f"{S} d", put("d/letter.txt"), "is not a store of jaxmembrane"),
    (f"{S} d", put("d/zarr.json", GROUP), "is not a store of jaxmembrane"),
    (f"{S} kv.zarr", newer, "newer jaxmembrane (store version 99"),
    (f"{S} kv.zarr", without_metadata, "kv.zarr --repair"),
    (f"{S} kv.zarr", other("60, 300", "60, 301"), "holds another run"),
    (f"{S} kv.zarr", other("seed = 1", "seed = 2"), "design seed is 1 in the store and 2"),
    (f"{S} kv.zarr", other('"neuron"', '"textbook_neuron"'), "fixed parameter"),
    (f"{S} kv.zarr", other(', "c"]', "]"), "outputs is"),
    (f"{S} kv.zarr --precision float32", None, 'precision is "float64" in the store'),
    (f"{S} kv.zarr --rows 100", None, "holds 200 rows"),
    (f"{S} kv.zarr --dry-run", other("seed = 1", "seed = 2"), "holds another run"),
    (f"{S} kv.zarr --dry-run --rows 100", None, "holds 200 rows"),
    ("show none.zarr", None, "does not exist"),
    ("show study.toml", None, "is a file, not a store"),
    ("show d", put("d/letter.txt"), "is not a store of jaxmembrane"),
    ("verify none.zarr", None, "does not exist"),
    ("verify d --repair", put("d/letter.txt"), "is not a store"),
    ("zoo nueron", None, "did you mean neuron"),
]


@pytest.mark.parametrize(("command", "prepare", "words"), CALLS)
def test_mistakes_in_a_command(here, call, command, prepare, words):
    if prepare:
        prepare(here)
    before = content(here)
    code, said, errors = call(*command.split())
    assert (code, said) == (2, "")
    assert words in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == 1
    assert content(here) == before


def full_disk(part):
    """A disk with no room for files whose name holds `part`."""
    kept = LocalStore.set

    async def refuse(self, key, value):
        if part in key:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        await kept(self, key, value)

    return refuse


@pytest.mark.parametrize("part", ["bath.K/", "status/c/"])
def test_a_disk_too_full_to_begin(call, here, monkeypatch, part):
    before = content(here)
    monkeypatch.setattr(LocalStore, "set", full_disk(part))
    for arguments in (["new.zarr"], ["kv.zarr", "--rows", "300"]):
        code, _, errors = call(*sweep_of("study.toml", *arguments))
        assert (code, len(errors.splitlines())) == (2, 1)
        assert "No space left on device" in errors
        assert "nothing is lost" in errors
        assert {k: v for k, v in content(here).items() if v} == {
            k: v for k, v in before.items() if v
        }


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped; the same command resumes\n"),
        (MemoryError("no room"), 2, "error: not enough memory"),
        (
            PermissionError(13, "Permission denied", "/there"),
            2,
            "error: /there: Permission denied\n",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device\n"),
    ],
)
def test_what_ends_a_sweep_is_said_in_a_line(call, here, monkeypatch, error, code, words):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(sys.modules["jaxmembrane.sweep"], "sweep", fail)
    found, _, errors = call(*sweep_of("study.toml", "new.zarr"))
    assert (found, len(errors.splitlines())) == (code, 1)
    assert words in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sweep", "none.toml", "--store", "s.zarr"], "none.toml: it cannot be read"),
        (["show", "none.zarr"], "none.zarr: it does not exist"),
    ],
)
def test_mistakes_from_outside(tmp_path, arguments, words):
    command = [sys.executable, "-m", "jaxmembrane", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert os.listdir(tmp_path) == []
