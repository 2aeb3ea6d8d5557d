"""Mistakes in the command ``sensitivity``: one sentence, status 2, and nothing written."""

import contextlib
from pathlib import Path

import pytest
from test_cli_sensitivity import MORRIS, PROTOCOL, ROWS, SMALL, STUDY, run


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with the finished store of a small study, as the working directory."""
    folder = tmp_path_factory.mktemp("errors")
    with contextlib.chdir(folder):
        Path("study.toml").write_text(SMALL)
        assert run("sweep", "study.toml", "--store", "small.zarr")[0] == 0
        Path("f.txt").write_text("a letter")
        Path("t.csv").write_text("bath.K\n3\n4\n")
        yield folder


def other(old, new, text=STUDY):
    assert text.count(old) == 1
    return text.replace(old, new)


S = "sensitivity study.toml --store"
GRID = other(
    '"saltelli"  # second_order = true tells pairs as well\nblocks = 256', '"grid"\npoints=2'
)
CALLS = [
    (f"{S} s", GRID, "study.toml: a grid design has no sensitivities; take saltelli"),
    (f"{S} s", '[cell]\nzoo = "neuron"\n[design]\ntable = "t.csv"\n', "a table design has no"),
    (f"{S} s --rows 9", STUDY, "study.toml:9: --rows does not fit a saltelli design; give --blo"),
    (f"{S} s --blocks 9", ROWS, "study.toml:9: --blocks does not fit a sobol design; give --rows"),
    (f"{S} s --blocks 0", STUDY, "--blocks"),
    (f"{S} s", other('"saltelli"', '"saltely"'), "study.toml:10: unknown kind of design"),
    (f"{S} s", ROWS + PROTOCOL, "derivatives are of rests, but [protocol] makes courses"),
    (f"{S} s", other("[design]", 'where = ["T < 1"]\n[design]', ROWS), "take derive= and where="),
    (f"{S} s", other('{uniform = ["2.5 mM", "5 mM"]}', "{choice = [3, 5]}", ROWS), "over a Choice"),
    (
        f"{S} s",
        other('"volume"]', '"rate_slowest"]', ROWS),
        "'rate_slowest' has no derivative here",
    ),
    (
        f"{S} s --dry-run",
        other('"volume"]', '"rate_slowest"]', ROWS),
        "'rate_slowest' has no derivative",
    ),
    (f"{S} s --shard 3/2", STUDY, "k from 1 to n"),
    (f"{S} f.txt", STUDY, "is a file, not a store"),
    (f"{S} small.zarr", MORRIS, "small.zarr holds another run: design kind is"),
    (f"{S} small.zarr", ROWS, "small.zarr holds another run"),
    (f"{S} small.zarr --blocks 9", SMALL, "holds 320 rows"),
    (f"{S} small.zarr --blocks 9 --dry-run", SMALL, "holds 320 rows and this call asks for 45"),
    (f"{S} small.zarr --output v", SMALL, "unknown output 'v'; did you mean V"),
    (f"{S} s", STUDY + "[sensitivity]\nconfidence = 2\n", "study.toml:16: confidence must be"),
    ("sensitivity study.toml", STUDY, "--store"),
]


@pytest.mark.parametrize(("command", "text", "words"), CALLS)
def test_mistakes_in_a_command(here, command, text, words):
    Path("study.toml").write_text(text)
    before = sorted(here.rglob("*"))
    code, said, errors = run(*command.split())
    assert code == 2
    assert words in errors
    assert len(errors.splitlines()) == 1
    assert "ST" not in said
    assert sorted(here.rglob("*")) == before
