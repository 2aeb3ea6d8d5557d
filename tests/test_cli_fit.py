"""The command ``fit``, and ``show`` of what it made: the example of the README, and mistakes."""

import contextlib
import io
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import jaxmembrane as jm
from jaxmembrane import cli

README = (Path(__file__).parents[1] / "README.md").read_text()
SECTION = README.partition("\n## Fitting recorded cells\n")[2].partition("\n## ")[0]
BLOCKS = dict(re.findall(r"```(csv|toml|)\n(.*?)```", SECTION, re.DOTALL))
LINES = BLOCKS[""].splitlines()
FIT, SHOW = (line.split()[1:] for line in LINES if not line.startswith("#"))
SHOWN = [line.removeprefix("# ") for line in LINES if line.startswith("#")]
FILES = {"cells.csv": BLOCKS["csv"], "cells.toml": BLOCKS["toml"]}


def write(folder, **changes):
    for name, text in FILES.items():
        (folder / name).write_text(text)
    for name, (old, new) in changes.items():
        file = folder / f"cells.{name}"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the files of the README and the finished fit, and what was said."""
    folder = tmp_path_factory.mktemp("fit")
    write(folder)
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(said):
        with contextlib.redirect_stderr(errors):
            assert cli.run(FIT) == 0, errors.getvalue()
    return folder, said.getvalue(), errors.getvalue()


@pytest.fixture
def here(finished, tmp_path, monkeypatch):
    """A copy of that folder, as the working directory."""
    shutil.copytree(finished[0], tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def call(capsys):
    """Run one command in this process: its status, what it says, and its errors."""

    def caller(*arguments):
        code = cli.run([*map(str, arguments)])
        return code, *capsys.readouterr()

    return caller


def test_a_fit_says_what_it_did(finished):
    _, said, errors = finished
    lines = said.splitlines()
    assert lines[:2] == ["recordings of 2 cells", "  V: 2 values in mV, with errors"]
    assert "fit.zarr: 2 cells" in lines
    assert "             2  converged (100.0%)" in lines
    assert any(line.startswith("computed 2 of them in ") for line in lines)
    assert lines[-1] == "next: jaxmembrane show fit.zarr"
    assert "2 of 2 rows" in errors


def test_the_store_is_what_the_same_calls_give(finished):
    folder, _, _ = finished
    ds = jm.open_store(folder / "fit.zarr")
    assert ds.cell.values.tolist() == ["a", "b"]
    assert ds.parameter.values.tolist() == ["leak_K.g", "nka.j"]
    assert ds.target.values.tolist() == ["V", "input_resistance", "c.Na"]
    np.testing.assert_allclose(ds.recorded[0, :, 0], [-69.1, 1.39e-3, 16.3], rtol=1e-12)
    np.testing.assert_allclose(ds.sd[0, :, 0], [1.0, 0.0695e-3, 0.815], rtol=1e-12)
    rest = jm.steady_state(jm.zoo.neuron(), dict(ds.estimate.to_pandas().items()))
    np.testing.assert_allclose(ds.predicted.sel(target="V")[:, 0], rest.V, rtol=1e-6)
    assert (ds.sizes["start"], ds.attrs["study"]) == (16, FILES["cells.toml"])


def test_show_is_as_the_readme_prints(here, call):
    code, said, errors = call(*SHOW)
    assert (code, errors) == (0, "")
    assert said.splitlines() == SHOWN


def test_show_of_all_cells(here, call):
    code, said, errors = call("show", "fit.zarr")
    assert (code, errors) == (0, "")
    lines = said.splitlines()
    assert lines[0] == "fit.zarr: jaxmembrane fit, 2 cells"
    assert "nka.j      LogUniform lower 10 upper 1000  amol/um^2/s" in map(str.rstrip, lines)
    assert "targets: V, input_resistance, c.Na; errors given" in lines
    assert said.rstrip().endswith(jm.explain(jm.open_store("fit.zarr")))


def test_the_same_command_resumes(here, call):
    code, said, errors = call(*FIT)
    assert (code, errors) == (0, "")
    assert "computed 0 of them" in said
    assert call(*FIT, "--quiet") == (0, "", "")
    before = jm.open_store("fit.zarr").load()
    (here / "fit.zarr" / "estimate" / "c" / "0" / "0").write_bytes(b"torn")
    assert call("verify", "fit.zarr", "--repair")[0] == 0
    code, said, _ = call("show", "fit.zarr")
    assert (code, "2 cells: 2 pending" in said) == (0, True)
    assert "fit.zarr goes on: 0 of its 2 cells are done" in call(*FIT, "--dry-run")[1]
    assert "computed 2 of them" in call(*FIT)[1]
    after = jm.open_store("fit.zarr").load()
    np.testing.assert_array_equal(after.estimate, before.estimate)


def test_rows_that_cannot_be_read_are_named_and_left_out(here, call):
    write(here, csv=("b,-72.9", "c,-7O,1100,14\nb,-72.9"))
    code, said, errors = call(*FIT)
    assert (code, "computed 0 of them" in said) == (0, True)
    assert errors.startswith("warning: left out: cells.csv:3: V_rest: '-7O'")
    assert len(errors.splitlines()) == 1
    assert call(*FIT, "--quiet") == (0, "", "")
    write(here, csv=("b,-72.9", "x,y,1,1\n" * 30 + "b,-72.9"))
    errors = call(*FIT)[2].splitlines()
    assert (len(errors), errors[-1]) == (21, "warning: and 10 more")


def test_a_dry_run_writes_nothing(here, call):
    code, said, errors = call(*FIT[:-1], "new.zarr", "--dry-run", "--starts", "3")
    assert (code, errors) == (0, "")
    assert "2 free parameters of 2 cells, from 3 starts each: Levenberg-Marquardt" in said
    assert said.endswith("all is well, nothing was written\n")
    assert not (here / "new.zarr").exists()
    code, said, _ = call(*FIT, "--dry-run")
    assert (code, "fit.zarr goes on: 2 of its 2 cells are done" in said) == (0, True)


@pytest.mark.parametrize("way", ["option", "file"])
def test_adam(here, call, way):
    write(here, toml=("[data]", '[fit]\nmethod = "adam"\n[data]') if way == "file" else ("", ""))
    options = ["--method", "adam"] if way == "option" else []
    code, said, _ = call(*FIT[:-1], "new.zarr", "--dry-run", *options)
    assert (code, "optax.adam(0.05)" in said) == (0, True)


def test_courses_at_the_times_of_the_data(here, call):
    (here / "cells.csv").write_text("cell_id,time (min),Na\na,0,14\na,1,15\nb,0,12\nb,1,14\n")
    study = FILES["cells.toml"].replace("V_rest =", "# V_rest =").replace("R_in =", "# R_in =")
    study += '[[protocol.interventions]]\nname = "pump_block"\n'
    (here / "cells.toml").write_text(study.replace("nka.j =", "leak_Na.g ="))
    code, said, errors = call(*FIT[:-1], "new.zarr", "--dry-run")
    assert (code, errors) == (0, "")
    assert "at 2 times, to 60 s" in said


F = " ".join(FIT)
MISTAKES = [
    ("fit cells.toml --store s", {}, "Missing option '--data'"),
    ("fit none.toml --data cells.csv --store s", {}, "none.toml: it cannot be read"),
    ("fit cells.toml --data none.csv --store s", {}, "none.csv: it cannot be read (No such file"),
    ("fit cells.toml --data cells.toml --store s", {}, "files that end in .csv, .tsv or .parquet"),
    ("fit cells.toml --data cells.csv --store cells.csv", {}, "is a file, not a store"),
    (f"{F} --starts 0", {}, "--starts"),
    (f"{F} --method bfgs", {}, "--method"),
    (f"{F} --starts 4", {}, "fit.zarr holds another run: starts is"),
    (f"{F} --starts 4 --dry-run", {}, "fit.zarr holds another run: starts is"),
    (F, {"csv": ("13.9", "13.8")}, "fit.zarr holds another run: recorded"),
    (F, {"toml": ("[10, 1000]", "[10, 900]")}, "fit.zarr holds another run: free is"),
    (F, {"toml": ("nka.j", "nka.jj")}, "cells.toml:6: unknown parameter 'nka.jj'; did you mean"),
    (F, {"toml": ("MOhm", "mOhms")}, "cells.toml:10: column 'R_in': unknown unit 'mOhms'"),
    (F, {"csv": ("R_in", "Rin")}, "cells.csv:1: unknown column 'R_in'; did you mean Rin?"),
    (F, {"csv": ("Na\n", "bath.K (mM)\n")}, "cells.csv:1: unknown column 'Na'"),
    (F, {"toml": (", sd = 1.0", "")}, "input_resistance has an error and V has none"),
    ("show fit.zarr --cell bb", {}, "unknown cell 'bb'; did you mean b?"),
]


@pytest.mark.parametrize(("command", "changes", "words"), MISTAKES)
def test_mistakes_in_a_command(here, call, command, changes, words):
    write(here, **changes)
    before = sorted(here.rglob("*"))
    code, _, errors = call(*command.split())
    assert code == 2
    assert words in errors
    assert len(errors.splitlines()) == 1
    assert sorted(here.rglob("*")) == before


def test_data_without_a_usable_row(here, call):
    (here / "cells.csv").write_text("cell_id,V_rest,R_in,Na\na,?,1,14\n")
    code, _, errors = call(*FIT)
    assert code == 2
    first, second = errors.splitlines()
    assert first == "error: cells.csv: no row has a usable value of V or input_resistance or c.Na"
    assert second.startswith("cells.csv:2: V_rest: '?'")


def test_what_ends_a_fit_is_said_in_a_line(here, call, monkeypatch):
    def fail(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["jaxmembrane.fitting"], "fit", fail)
    code, _, errors = call(*FIT)
    assert (code, errors) == (130, "stopped; the same command resumes\n")


def test_the_study_of_the_help_is_one(call, tmp_path):
    said = call("fit", "--help")[1]
    (tmp_path / "study.toml").write_text(said[said.index("[cell]") :])
    rows = "cell_id,V_rest,Na_in,K_out,family,time (s)\na,-70,14,3.5,Vip,0\na,-60,15,3.5,Vip,60\n"
    (tmp_path / "cells.csv").write_text(rows)
    command = "fit", tmp_path / "study.toml", "--data", tmp_path / "cells.csv", "--store", "no"
    code, said, errors = call(*command, "--dry-run")
    assert (code, errors) == (0, "")
    assert "2 free parameters of 1 cells, from 16 starts each" in said


def test_a_cell_of_a_sweep_is_refused(call, tmp_path):
    jm.sweep(jm.zoo.neuron(), jm.Space({"bath.K": jm.Uniform(2.0, 5.0)}).sobol(2), tmp_path / "s")
    code, _, errors = call("show", tmp_path / "s", "--cell", "a")
    assert (code, "--cell is for the store of a fit" in errors) == (2, True)
