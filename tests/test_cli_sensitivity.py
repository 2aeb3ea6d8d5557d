"""The command ``sensitivity``, ``show`` of what it made, and the README's example."""

import contextlib
import io
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import jaxmembrane as jm
from jaxmembrane import cli, engine
from jaxmembrane.store import Store

README = (Path(__file__).parents[1] / "README.md").read_text()
SECTION = README.partition("\n## What matters\n")[2].partition("\n## ")[0]
BLOCKS = dict(re.findall(r"```(toml|)\n(.*?)```", SECTION, re.DOTALL))
STUDY, LINES = BLOCKS["toml"], BLOCKS[""].splitlines()
COMMAND = LINES[0].split()[1:]
SHOWN = [line.removeprefix("# ") for line in LINES[1:]]
SMALL = STUDY.replace("blocks = 256", "blocks = 64")
MORRIS = SMALL.replace('"saltelli"', '"morris"')
ROWS = SMALL.replace('"saltelli"', '"sobol"').replace("blocks = 64", "rows = 200")
TILE = 128
PROTOCOL = '\n[protocol]\ntimes = [0, 60]\n[[protocol.interventions]]\nname = "pump_block"\n'


@pytest.fixture(scope="module", autouse=True)
def tiles():
    """Tiles so narrow that a small study has several chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(engine.TILE, "cpu", TILE)
        yield


def run(*arguments):
    """Run one command in this process: its status, what it says, and its errors."""
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        code = cli.run([*map(str, arguments)])
    return code, said.getvalue(), errors.getvalue()


def analysis(said):
    """The tables that a command printed."""
    return said.partition("\n\n")[2].rpartition("\n\nnext: ")[0]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with studies and their finished stores, and what was said."""
    folder = tmp_path_factory.mktemp("sensitivity")
    told = {}
    texts = {"matters": STUDY, "small": SMALL, "morris": MORRIS, "rows": ROWS}
    with contextlib.chdir(folder):
        for name, text in texts.items():
            Path(f"{name}.toml").write_text(text)
            told[name] = run("sensitivity", f"{name}.toml", "--store", f"{name}.zarr")
            assert told[name][0] == 0, told[name][2]
    return folder, told


@pytest.fixture
def here(finished, tmp_path, monkeypatch):
    """A copy of that folder, as the working directory."""
    shutil.copytree(finished[0], tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_the_readme_is_what_is_printed(finished):
    folder, told = finished
    assert COMMAND == ["sensitivity", "matters.toml", "--store", "matters.zarr"]
    _, said, errors = told["matters"]
    assert [line.rstrip() for line in analysis(said).splitlines()] == SHOWN
    assert said.startswith("matters.zarr: 1,280 rows\n")
    assert said.endswith("next: jaxmembrane plot matters.zarr -o picture.png\n")
    assert "Warning" not in errors
    assert (folder / "matters.zarr").is_dir()


def test_the_store_and_the_numbers_are_what_the_same_calls_give(finished):
    folder, told = finished
    axes = {
        "leak_Na.g": jm.LogUniform(0.1, 0.4),
        "nka.j": jm.LogUniform(50.0, 200.0),
        "bath.K": jm.Uniform(2.5, 5.0),
    }
    design = jm.Space(axes).saltelli(64)
    ds = jm.open_store(folder / "small.zarr")
    values, _ = design.rows(0, design.n)
    for name in axes:
        np.testing.assert_array_equal(ds[name], values[name])
    assert (ds.attrs["study"], [*ds.data_vars][:2]) == (SMALL, ["V", "volume"])
    found = jm.sensitivity.sobol(ds).sel(output="V", parameter="nka.j")
    for name in ("S1", "ST"):
        number = f" {float(found[name]):.3f} +- {float(found[f'{name}_conf']):.3f}"
        line = next(x for x in told["small"][1].splitlines() if "nka.j" in x)
        assert number in " ".join(line.split())


def test_the_first_of_an_output_matters_most(finished):
    for name, column in (("matters", 5), ("morris", 2), ("rows", 3)):
        lines = analysis(finished[1][name][1]).partition("\n\n")[0].splitlines()[2:5]
        lines[0] = lines[0].removeprefix("V").strip()
        numbers = [float(line.split()[column - 1]) for line in lines]
        assert numbers == sorted(numbers, reverse=True)
        assert lines[0].split()[0] == "leak_Na.g"


def test_elementary_effects(finished):
    folder, told = finished
    said = analysis(told["morris"][1])
    assert said.startswith("elementary effects from 64 of 64 blocks, +- at 95%\n")
    found = jm.sensitivity.morris(jm.open_store(folder / "morris.zarr"))
    at = found.sel(output="volume", parameter="nka.j")
    line = said.splitlines()[-1].split()
    wanted = [at.mu_star, at.mu_star_conf, at.mu, at.sigma]
    assert [x for x in line if x != "+-"] == ["nka.j", *(f"{float(x):.4g}" for x in wanted), "um^3"]


def test_bounds_and_directions(finished):
    folder, told = finished
    said = analysis(told["rows"][1])
    assert said.startswith("derivative-based sensitivity from 200 of 200 rows, +- at 95%\n")
    ds = jm.open_store(folder / "rows.zarr")
    found = jm.sensitivity.dgsm(ds)
    at = {"output": "V", "parameter": "leak_Na.g"}
    middle, bound = float(ds.elasticity.sel(at).median()), float(found.bound.sel(at))
    assert said.splitlines()[2].split()[:4] == ["V", "leak_Na.g", f"{middle:.3f}", f"{bound:.3f}"]
    share = found.eigenvalue.sel(output="V")
    line = next(line for line in said.splitlines() if "%  " in line)
    assert line.split()[:2] == ["V", f"{float(share[0] / share.sum()):.1%}"]
    part = float(found.eigenvector.sel(output="V").isel(rank=0, parameter=0))
    assert f"  {part:+.2f} ln leak_Na.g, " in line


def test_the_same_command_resumes(here, finished):
    for name in ("small", "morris", "rows"):
        command = "sensitivity", f"{name}.toml", "--store", f"{name}.zarr"
        code, said, errors = run(*command)
        assert (code, errors) == (0, "")
        assert "computed 0 of them" in said
        assert analysis(said) == analysis(finished[1][name][1])
        assert run(*command, "--quiet") == (0, "", "")


@pytest.mark.parametrize("name", ["small", "rows"])
def test_a_command_that_was_stopped_goes_on(here, finished, monkeypatch, name):
    write, written = Store.write, []

    def stopping(self, chunk, values):
        if written:
            raise KeyboardInterrupt
        written.append(chunk.index)
        write(self, chunk, values)

    command = "sensitivity", f"{name}.toml", "--store", "new.zarr", "--chunk", TILE
    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", stopping)
        code, said, errors = run(*command)
    assert (code, said) == (130, "")
    assert errors.endswith("stopped; the same command resumes\n")
    n = finished[1][name][1].split()[1]
    code, said, _ = run(*command, "--dry-run")
    assert (code, said.splitlines()[0]) == (
        0,
        f"new.zarr goes on: {TILE} of its {n} rows are done",
    )
    code, said, _ = run(*command)
    assert f"computed {int(n) - TILE} of them" in said
    assert analysis(said) == analysis(finished[1][name][1])
    whole, resumed = (jm.open_store(s).load() for s in (f"{name}.zarr", "new.zarr"))
    xr.testing.assert_identical(whole.drop_attrs(), resumed.drop_attrs())


def test_shards_are_analysed_when_all_are_there(here, finished):
    command = "sensitivity", "small.toml", "--store", "new.zarr", "--chunk", TILE
    code, said, errors = run(*command, "--shard", "1/2")
    assert (code, "warning" in errors) == (0, False)
    last = f"{TILE} rows are pending: the analysis follows the last of the shards"
    assert said.splitlines()[-1] == last
    assert "ST" not in said
    code, said, _ = run(*command, "--shard", "2/2")
    assert analysis(said) == analysis(finished[1]["small"][1])


def test_more_blocks_extend_a_store(here):
    before = jm.open_store("small.zarr").load()
    code, said, _ = run("sensitivity", "small.toml", "--store", "small.zarr", "--blocks", "80")
    assert (code, "computed 80 of them" in said) == (0, True)
    assert "Sobol indices from 80 of 80 blocks" in said
    after = jm.open_store("small.zarr").load()
    np.testing.assert_array_equal(after.V[:320], before.V)
    code, said, _ = run("sweep", "small.toml", "--store", "small.zarr", "--blocks", "81")
    assert (code, "computed 5 of them" in said) == (0, True)


def test_a_sweep_of_such_a_study_is_reused(here, finished):
    code, said, _ = run("sweep", "morris.toml", "--store", "new.zarr")
    assert (code, said.splitlines()[-1]) == (0, "next: jaxmembrane show new.zarr")
    code, said, _ = run("sensitivity", "morris.toml", "--store", "new.zarr")
    assert "computed 0 of them" in said
    assert analysis(said) == analysis(finished[1]["morris"][1])


def test_the_section_says_how(here, finished):
    more = "\n[sensitivity]\nconfidence = 0.5\nresamples = 30\nseed = 4\n"
    Path("small.toml").write_text(SMALL + more)
    code, said, _ = run("sensitivity", "small.toml", "--store", "small.zarr", "--output", "volume")
    assert code == 0
    found = jm.sensitivity.sobol(
        jm.open_store("small.zarr"), confidence=0.5, resamples=30, seed=4
    ).sel(output="volume", parameter="bath.K")
    assert "Sobol indices from 64 of 64 blocks, +- at 50%" in said
    number = f"{float(found.ST):.3f} +- {float(found.ST_conf):.3f}"
    assert number in " ".join(said.split())
    assert "leak_Na.g" in said and "V  " not in analysis(said)
    Path("rows.toml").write_text(ROWS + '\n[sensitivity]\nparameters = ["bath.K"]\n')
    code, said, _ = run("sensitivity", "rows.toml", "--store", "new.zarr", "--dry-run")
    assert (code, "sobol design of 200 rows" in said) == (0, True)
    code, _, errors = run("sensitivity", "rows.toml", "--store", "rows.zarr", "--dry-run")
    assert (code, "derivatives by is" in errors) == (2, True)


def test_what_is_left_out_is_said(here):
    Path("small.toml").write_text(SMALL.replace("[design]", 'where = ["bath.K < 4.98"]\n[design]'))
    code, said, errors = run("sensitivity", "small.toml", "--store", "new.zarr")
    assert code == 0
    found = jm.open_store("new.zarr").status.values.reshape(64, 5)
    whole = int((found < 2).all(axis=1).sum())
    assert whole < 64
    assert f"Sobol indices from {whole} of 64 blocks" in said
    (warning,) = (line for line in errors.splitlines() if line.startswith("warning: "))
    assert f"{64 - whole} of V, {64 - whole} of volume" in warning
    assert run("sensitivity", "small.toml", "--store", "new.zarr", "--quiet") == (0, "", "")
    _, said, _ = run("show", "new.zarr")
    assert f"64 blocks of 5 rows: {whole} are whole" in said


def test_show_says_blocks_and_groups(here):
    _, said, _ = run("show", "morris.zarr")
    assert "space: morris, seed 0\n64 blocks of 4 rows, 4 levels: 64 are whole\n" in said
    text = STUDY.replace("blocks = 256", 'blocks = 2\ngroups = {salts = ["nka.j", "bath.K"]}')
    Path("g.toml").write_text(text.replace("groups", "second_order = true\ngroups"))
    assert run("sweep", "g.toml", "--store", "g.zarr")[0] == 0
    _, said, _ = run("show", "g.zarr")
    assert "2 blocks of 6 rows, of second order: 2 are whole\nsalts moves as one: nka.j" in said


def test_show_says_the_units_of_derivatives(here):
    code, said, _ = run("show", "rows.zarr")
    assert (code, "see units" in said) == (0, False)
    ends = {line.split("  ")[0]: re.split("  +", line.strip())[-1] for line in said.splitlines()}
    assert ends["value volume"] == "um^3"
    assert ends["derivative V nka.j"] == "mV per amol/um^2/s"
    assert ends["derivative volume bath.K"] == "um^3 per mM"
    assert ends["elasticity V leak_Na.g"] == ends["steps"] == "1"


def test_a_dry_run_writes_nothing(here):
    before = sorted(here.rglob("*"))
    for name, words in [
        ("small", "<saltelli design of 320 rows (64 blocks of 5), seed 0"),
        ("morris", "<morris design of 256 rows (64 blocks of 4), seed 0"),
        ("rows", "<sobol design of 200 rows, seed 0"),
    ]:
        command = "sensitivity", f"{name}.toml", "--dry-run"
        code, said, errors = run(*command, "--store", "new.zarr")
        assert (code, errors) == (0, "")
        assert said.startswith(words)
        code, said, _ = run(*command, "--store", f"{name}.zarr")
        assert (code, f"{name}.zarr goes on: " in said) == (0, True)
    assert sorted(here.rglob("*")) == before
    # Two outputs with three derivatives, three elasticities and their value; three parameters.
    assert f"store of up to {200 * (2 * 7 + 3 + 1.5 + 1 + 0.125) * 8 / 1e6:.2g}" in said


def test_the_study_of_the_help_is_one(tmp_path):
    code, said, _ = run("sensitivity", "--help")
    assert (code, "Usage: jaxmembrane sensitivity" in said) == (0, True)
    (tmp_path / "study.toml").write_text(said[said.index("[cell]") :])
    command = "sensitivity", tmp_path / "study.toml", "--store", tmp_path / "s.zarr", "--dry-run"
    code, said, errors = run(*command)
    assert (code, errors) == (0, "")
    assert "1024 blocks of 6" in said


@pytest.mark.slow
def test_courses_are_analysed_at_each_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(MORRIS.replace("blocks = 64", "blocks = 4") + PROTOCOL)
    code, said, errors = run("sensitivity", "study.toml", "--store", "s.zarr")
    assert code == 0, errors
    assert "V[0 s] " in said and "volume[60 s]  " in said
