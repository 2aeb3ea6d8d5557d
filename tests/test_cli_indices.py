"""What the command ``sensitivity`` prints of an analysis: pairs, many outputs, none at all."""

import pytest

import jaxmembrane as jm
from jaxmembrane.cli.indices import print_indices


def test_pairs_that_are_told_from_zero(capsys):
    space = jm.Space({name: jm.Uniform(-1.0, 1.0) for name in ("a", "b", "c")})
    design = space.saltelli(512, second_order=True)
    x, _ = design.rows(0, design.n)
    model = {"y": x["a"] * x["b"] + 0.1 * x["c"], "z": x["c"]}
    print_indices(jm.sensitivity.sobol(model, design), None, None)
    pairs = capsys.readouterr().out.partition("strongest pairs:\n")[2].splitlines()
    assert [line.split()[:3] for line in pairs[1:]] == [["y", "a", "b"]]
    assert float(pairs[1].split()[3]) == pytest.approx(0.97, abs=0.05)
    print_indices(jm.sensitivity.sobol({"z": x["c"]}, design), None, None)
    assert "no S2 is larger than its interval" in capsys.readouterr().out


def test_many_outputs_and_those_without_indices(capsys):
    design = jm.Space({"a": jm.Uniform(0.0, 1.0), "b": jm.Uniform(0.0, 1.0)}).saltelli(16)
    x, _ = design.rows(0, design.n)
    model = {f"y{k}": x["a"] + k * x["b"] for k in range(15)} | {"still": 0.0 * x["a"]}
    with pytest.warns(UserWarning, match="outputs that do not vary"):
        found = jm.sensitivity.sobol(model, design)
    print_indices(found, None, None)
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "and 4 more of the outputs; --output 'still' shows that one"
    assert "y11 " in said and "y12 " not in said
    print_indices(found, None, "still")
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines()[-2:]] == [
        ["still", "a", "-", "-"],
        ["b", "-", "-"],
    ]
