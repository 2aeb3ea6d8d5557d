"""``jaxmembrane plot``: the picture a store was made for, the one asked for, and one sentence."""

import pytest

import jaxmembrane as jm
from jaxmembrane import cli, plot, sensitivity
from jaxmembrane.sensitivity import sobol

pytest.importorskip("matplotlib")

pytestmark = pytest.mark.oracle

CELL = jm.zoo.neuron()
SPACE = jm.Space({"nka.j": jm.LogUniform(30.0, 300.0), "bath.K": jm.Uniform(2.0, 12.0)})
OUTPUTS = ["V", "c"]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    designs = {
        "sobol": SPACE.sobol(32),
        "grid": SPACE.grid(4),
        "saltelli": SPACE.saltelli(8, second_order=True),
        "morris": SPACE.morris(8),
    }
    for name, design in designs.items():
        jm.sweep(CELL, design, folder / name, outputs=OUTPUTS)
    return folder


@pytest.fixture
def call(capsys, monkeypatch):
    """Run one command: its status, what it drew of what, and its errors."""
    drawn = []
    for name in vars(plot):
        draw = getattr(plot, name)
        if callable(draw):

            def noting(*arguments, name=name, draw=draw):
                drawn.append((name, *arguments[1:]))
                return draw(*arguments)

            monkeypatch.setattr(plot, name, noting)

    def caller(*arguments):
        drawn.clear()
        return cli.run(["plot", *map(str, arguments)]), drawn[:], capsys.readouterr().err

    return caller


@pytest.mark.parametrize(
    ("store", "picture"),
    [
        ("sobol", ("pairs", "V")),
        ("grid", ("plane", "V", None, None)),
        ("saltelli", ("sobol", "V")),
        ("morris", ("morris", "V")),
    ],
)
def test_a_store_is_drawn_as_what_it_was_made_for(stores, call, tmp_path, store, picture):
    file = tmp_path / "picture.png"
    assert call(stores / store, "-o", file) == (0, [picture], "")
    assert file.read_bytes().startswith(b"\x89PNG")


def test_another_picture_output_and_file_may_be_asked_for(stores, call, tmp_path):
    file = tmp_path / "picture.svg"
    options = "--kind", "plane", "--x", "bath.K", "--y", "nka.j", "--output", "c[Na]"
    status, drawn, _ = call(stores / "sobol", "-o", file, *options)
    assert (status, drawn) == (0, [("plane", "c[Na]", "bath.K", "nka.j")])
    assert "concentration" in file.read_text()
    options = "--kind", "interactions", "--output", "c[K]"
    status, drawn, _ = call(stores / "saltelli", "-o", file, *options)
    assert (status, drawn) == (0, [("interactions", "c[K]")])


@pytest.mark.parametrize(
    "study", ["[sensitivity]\nconfidence = 0.5\nresamples = 20", "my note", "sensitivity = 3"]
)
def test_rows_are_analysed_as_their_study_says(call, tmp_path, monkeypatch, study):
    analysed = []
    monkeypatch.setattr(
        sensitivity, "sobol", lambda ds, **how: (analysed.append(how), sobol(ds, **how))[1]
    )
    jm.sweep(CELL, SPACE.saltelli(8), tmp_path / "a", outputs=["V"], study=study)
    assert call(tmp_path / "a", "-o", tmp_path / "a.png")[0] == 0
    assert analysed == [{"confidence": 0.5, "resamples": 20} if "[" in study else {}]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--output", "W"], "unknown output 'W'; there are V, c[Cl], c[K], c[Na]"),
        (["--kind", "bands"], "bands needs the dataset of courses"),
        (["--kind", "fit"], "fit needs the dataset of a fit"),
        (["--kind", "morris"], "morris needs the rows of a design that Space.morris() makes"),
        (["--x", "nka.j"], "--x has no meaning for --kind pairs"),
        (["--cell", "a"], "--cell has no meaning for --kind pairs"),
    ],
)
def test_mistakes_end_in_one_sentence(stores, call, tmp_path, options, said):
    status, _, error = call(stores / "sobol", "-o", tmp_path / "picture.png", *options)
    assert status == 2 and said in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(stores, call, tmp_path):
    status, _, error = call(stores / "sobol", "-o", tmp_path / "nowhere" / "picture.png")
    assert status == 2 and "nowhere/picture.png: No such file or directory" in error
    status, _, error = call(stores / "sobol", "-o", tmp_path / "picture.xyz")
    assert status == 2 and "Format 'xyz' is not supported" in error


@pytest.mark.slow
def test_derivatives_courses_and_fits_are_drawn_as_such(call, tmp_path):
    file = tmp_path / "picture.png"
    jm.sensitivity.local(CELL, SPACE.sobol(16), outputs=["V"], store=tmp_path / "local")
    assert call(tmp_path / "local", "-o", file)[:2] == (0, [("elasticities",)])
    assert call(tmp_path / "local", "-o", file, "--kind", "dgsm")[:2] == (0, [("dgsm", "V")])
    given = {"times": [0.0, 60.0], "outputs": ["V"]}
    jm.sweep(CELL, SPACE.sobol(16), tmp_path / "courses", **given)
    assert call(tmp_path / "courses", "-o", file)[:2] == (0, [("bands", "V")])
    recorded = [jm.Target("V", [-72.0, -70.0], 0.5), jm.Target("c.Na", [14.0, 13.0], 0.3)]
    jm.fit(CELL, recorded, SPACE, store=tmp_path / "fit", cells=["a", "b"])
    assert call(tmp_path / "fit", "-o", file)[:2] == (0, [("fit", None)])
    assert call(tmp_path / "fit", "-o", file, "--cell", "b")[:2] == (0, [("fit", "b")])
    status, _, error = call(tmp_path / "fit", "-o", file, "--cell", "z")
    assert status == 2 and "unknown cell 'z'; there are a, b" in error
