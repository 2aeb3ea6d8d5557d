import pytest

import jaxmembrane as jm
from jaxmembrane.study import StudyError, key_lines, read_study

GOOD = """\
# the published neuron
[cell]
zoo = "neuron"
[cell.parameters]
bath.Na = 140.0
"membrane.C_m" = "1 uF/cm2"

[space]
nka.j = {loguniform = [30, 300]}
"leak_Na.g, leak_Cl.g" = {uniform = ["0.01 mS/cm2", 0.3]}
"bath.K" = {choice = [
    3.5,
    "5000 uM",
]}
where = ["nka.j < 4000 * leak_Na.g"]
[space.derive]
bath.Cl = "bath.Na + bath.K - 29.5"

[design]
kind = "sobol"
rows = 256
seed = 3

[outputs]
names = ["V", "volume"]
chunk = 100
"""


def changed(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_study_is_what_the_same_calls_give(read):
    study = read(GOOD)
    space = jm.Space(
        {
            "nka.j": jm.LogUniform(30.0, 300.0),
            ("leak_Na.g", "leak_Cl.g"): jm.Uniform(0.1, 0.3),
            "bath.K": jm.Choice([3.5, 5.0]),
        },
        derive={"bath.Cl": "bath.Na + bath.K - 29.5"},
        where=["nka.j < 4000 * leak_Na.g"],
    )
    assert study.cell == jm.zoo.neuron()
    assert study.design.describe() == space.sobol(256, seed=3).describe()
    assert study.design.n == 256
    assert study.params == {"bath.Na": 140.0, "membrane.C_m": 0.01}
    assert (study.outputs, study.precision, study.chunk) == (("V", "volume"), "float64", 100)
    assert study.text == GOOD


@pytest.mark.parametrize("text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD])
def test_files_of_other_editors_read_the_same(read, text):
    assert read(text).design.describe() == read(GOOD).design.describe()


@pytest.mark.parametrize(
    "spelling",
    [
        '[space]\n"bath.K" = {uniform = ["2 mM", "12 mM"]}',
        "[space]\nbath.K = {uniform = [2, 12]}",
        "[space.bath]\nK = {uniform = [2, 12]}",
        '[space]\n\'bath\'."K".uniform = ["2000 uM", 0.012e3]',
    ],
)
def test_spellings_of_an_axis(read, spelling):
    study = read(f'[cell]\nzoo = "neuron"\n{spelling}\n[design]\nkind = "random"\nrows = 4\n')
    wanted = jm.Space({"bath.K": jm.Uniform(2.0, 12.0)}).random(4, seed=0)
    assert study.design.describe() == wanted.describe()


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("{uniform = [2, 12]}", jm.Uniform(2.0, 12.0)),
        ("{loguniform = [2, 12]}", jm.LogUniform(2.0, 12.0)),
        ('{normal = [5, "100 uM"]}', jm.Normal(5.0, 0.1)),
        ('{lognormal = ["5 mM", 0.3]}', jm.LogNormal(5.0, 0.3)),
        ("{choice = [2, 5]}", jm.Choice([2.0, 5.0])),
        ("{grid = [2, 5]}", jm.Grid([2.0, 5.0])),
    ],
)
def test_distributions(read, spec, wanted):
    axis = read(changed('{choice = [\n    3.5,\n    "5000 uM",\n]}', spec)).design.describe()
    assert axis["axes"][2] == {"names": ["bath.K"], **wanted.describe()}


@pytest.mark.parametrize(
    ("points", "shape"),
    [("3", (3, 3)), ("{bath.K = 4, T = 2}", (4, 2)), ('{"bath.K" = 2, T = 5}', (2, 5))],
)
def test_grids(read, points, shape):
    text = (
        '[cell]\nzoo = "neuron"\n[space]\nbath.K = {uniform = [2, 12]}\nT = {uniform = [290, 310]}'
    )
    study = read(f'{text}\n[design]\nkind = "grid"\npoints = {points}\n')
    assert study.design.shape == shape


def test_tables(read, tmp_path):
    (tmp_path / "rows.csv").write_text("bath.K,T\n3.5,310\n5,300\n")
    study = read('[cell]\nzoo = "neuron"\n[design]\ntable = "rows.csv"\n')
    values, _ = study.design.rows(0, 2)
    assert {name: x.tolist() for name, x in values.items()} == {"bath.K": [3.5, 5], "T": [310, 300]}


def test_a_function_beside_the_study_builds_the_cell(read, tmp_path):
    (tmp_path / "their_cell.py").write_text(
        "import jaxmembrane as jm\n"
        "def make():\n"
        "    return jm.Cell([jm.leak(jm.K), jm.leak(jm.Na), jm.na_k_atpase()])\n"
        "def nothing(): pass\n"
        "def broken(): 1 / 0\n"
    )
    text = '[cell]\nbuild = "their_cell:make"\n[space]\nleak_K.P = {uniform = [1, 2]}\n'
    text += '[design]\nkind = "latin"\nrows = 3\n'
    assert read(text).cell.species == ("K", "Na")
    for name, words in [
        ("nothing", "must return a jm.Cell, not NoneType"),
        ("broken", "ZeroDivisionError: division by zero"),
        ("mkae", "no attribute 'mkae'"),
    ]:
        with pytest.raises(StudyError, match=words):
            read(text.replace("make", name))


def test_rows_of_the_caller_replace_those_of_the_study(read, problems):
    assert read(GOOD, rows=77).design.n == 77
    grid = changed('kind = "sobol"\nrows = 256\nseed = 3', 'kind = "grid"\npoints = 2')
    assert problems(grid, rows=77) == [
        (19, "--rows does not fit a grid design, whose rows are given")
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("[cell]", "[cel]", 2, "unknown section 'cel'; did you mean cell"),
        ("[outputs]", "[output]", 24, "unknown section 'output'; did you mean outputs?"),
        ('zoo = "neuron"', 'zoo = "nueron"', 3, "did you mean neuron"),
        ('zoo = "neuron"', "zoo = 5", 3, "unknown cell in the zoo '5'"),
        ('zoo = "neuron"', 'zo = "neuron"', 3, "unknown key in [cell]: 'zo'"),
        ('zoo = "neuron"', 'zoo = "neuron"\nbuild = "a:b"', 2, "one of zoo"),
        ('zoo = "neuron"', 'build = "nowhere_at_all:f"', 3, "No module named 'nowhere_at_all'"),
        ('zoo = "neuron"', 'build = "math"', 3, "as module:function"),
        (
            "bath.Na = 140.0",
            "bath.Naa = 140.0",
            5,
            "unknown parameter 'bath.Naa'; did you mean bath",
        ),
        ("bath.Na = 140.0", "bath.Na = -4", 5, "zero or more, not -4 mM"),
        ("bath.Na = 140.0", "bath.Na = inf", 5, "not a finite number"),
        ("bath.Na = 140.0", "bath.Na = true", 5, "True is not a quantity"),
        ("bath.Na = 140.0", 'bath.Na = "140 mV"', 5, "cannot convert 'mV' to 'mM'"),
        ("bath.Na = 140.0", 'bath.Na = "140 milliM"', 5, "unknown unit 'milliM'"),
        ("bath.Na = 140.0", 'bath.Na = "much"', 5, "does not begin with a number"),
        ("bath.Na = 140.0", "bath.Na = 1\n'bath.Na' = 2", 6, "bath.Na is set twice"),
        (
            "bath.Na = 140.0",
            "bath.K = 4",
            11,
            "bath.K is both fixed in [cell.parameters] and swept",
        ),
        ("bath.Na = 140.0", "bath.Cl = 4", 8, "bath.Cl is both in the design and fixed"),
        ('"1 uF/cm2"', '"1 uF/cm3"', 6, "membrane.C_m: '1 uF/cm3': cannot convert"),
        (
            "[30, 300]",
            "[300, 30]",
            9,
            "nka.j: LogUniform(lower=300.0, upper=30.0): lower must be below",
        ),
        ("[30, 300]", "[0, 300]", 9, "both bounds must be above zero"),
        ("[30, 300]", "[30, 300, 3]", 9, "loguniform takes [lower, upper], not [30, 300, 3]"),
        ("[30, 300]", '"30 to 300"', 9, "loguniform takes [lower, upper]"),
        ("[30, 300]", '[30, "300 mM"]', 9, "cannot convert 'mM' to 'amol/um^2/s'"),
        ("loguniform", "loguniorm", 9, "unknown distribution 'loguniorm'; did you mean"),
        (
            '"bath.K" = {choice',
            '"bath.K" = {choise',
            11,
            "unknown distribution 'choise'; did you mean",
        ),
        (
            "{loguniform = [30, 300]}",
            "[30, 300]",
            9,
            "nka.j: write for example {uniform = [2, 12]}",
        ),
        ("3.5,", "-3.5,", 11, "bath.K must be a finite number, zero or more, not -3.5 mM"),
        (
            "leak_Na.g, leak_Cl.g",
            "leak_Na.g, leak_X.g",
            10,
            "unknown parameter 'leak_X.g'; did you",
        ),
        ("leak_Na.g, leak_Cl.g", "leak_Na.g, bath.X", 10, "one unit, not pS/um^2 and mM"),
        ("leak_Na.g, leak_Cl.g", "leak_Na.g, nka.j", 10, "must have one unit"),
        ("nka.j <", "nka.k <", 15, "unknown parameter 'nka.k'; did you mean"),
        ("nka.j < 4000", "nka.j <= < 4000", 15, "where[0]"),
        ("nka.j < 4000 *", "nka.j + 4000 *", 15, "is not a condition"),
        ("bath.K - 29.5", "bath.KK - 29.5", 17, "unknown parameter 'bath.KK'; did you mean"),
        ("bath.K - 29.5", "bath.Cl", 8, "form a circle"),
        ('bath.Cl = "', 'bath.Cx = "', 17, "unknown parameter 'bath.Cx'; did you mean"),
        ("bath.K - 29.5", "bath.K - open(1)", 17, "unknown function 'open'"),
        ('"sobol"', '"sobl"', 20, "unknown kind of design 'sobl'; did you mean sobol"),
        ('kind = "sobol"\n', "", 19, "unknown kind of design"),
        ("rows = 256", "rows = 2.5e2", 21, "rows must be a whole number, 1 or more, but got 250.0"),
        ("rows = 256", "rows = 0", 21, "rows must be a whole number"),
        ("rows = 256\n", "", 19, "rows must be a whole number"),
        ("rows = 256", "rows = 10_000_000_000", 21, "a Sobol design has up to"),
        ("seed = 3", "seed = -3", 22, "seed must be a whole number, 0 or more"),
        ("seed = 3", "points = 3", 22, "points does not fit a sobol design, which has"),
        ("seed = 3", "sed = 3", 22, "unknown key in [design]: 'sed'; did you mean"),
        ('"sobol"\nrows = 256\nseed = 3', '"grid"', 19, "axis 'nka.j' has no points"),
        ('"volume"', '"volum"', 25, "unknown output 'volum'; did you mean"),
        ("chunk = 100", "chunk = 0", 26, "chunk must be a whole number, 1 or more"),
        ("chunk = 100", 'precision = "float16"', 26, 'must be "float64" or "float32"'),
        ("[space]\n", "[[space]]\n", 8, "space must be a table of keys"),
        ("[cell.parameters]\n", "[cell]\n", 4, "this is not TOML"),
        ("rows = 256", "rows = ", 21, "this is not TOML"),
        ("rows = 256", "rows = 256\nrows = 3", 22, "this is not TOML"),
        ("rows = 256", f"rows = {'9' * 5000}", None, "this is not TOML"),
        ("rows = 256", f"rows = {'[' * 5000}", None, "this is not TOML"),
    ],
)
def test_mistakes(problems, tmp_path, read, old, new, line, words):
    text = changed(old, new)
    if line is None:
        with pytest.raises(StudyError, match=words):
            read(text)
        return
    found = problems(text)
    assert any(at == line and words in said for at, said in found), found


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("bath.K,T\n3,300\n-5,310\n", "bath.K must be a finite number, zero or more, not -5 mM"),
        ("bath.K,T\n3,300\n,310\n", "zero or more, not nan mM"),
        ("bath.K,T\n3,warm\n", "could not convert string to float: 'warm'"),
        ("bath.K,T\n3,300,1\n5,310,1\n", "Expected 2 fields in line 2, saw 3"),
        ("bath.K,T\n3,300\n5,310,1\n", "Expected 2 fields in line 3, saw 3"),
        ("T,T\n3,4\n", "column 'T' stands twice"),
        ("bath.Kx,T\n3,300\n", "unknown parameter 'bath.Kx'"),
        ("bath.K,T\n", "at least one row"),
        ("", "No columns"),
        (None, "No such file"),
    ],
)
def test_mistakes_in_a_table(problems, tmp_path, rows, words):
    if rows is not None:
        (tmp_path / "rows.csv").write_text(rows)
    text = '[cell]\nzoo = "neuron"\n[design]\ntable = "rows.csv"\n'
    (found,) = problems(text)
    assert words in found[1]
    assert found[0] in (3, 4)


def test_a_table_and_a_space_exclude_each_other(problems):
    found = problems(changed('kind = "sobol"\nrows = 256\nseed = 3', 'table = "rows.csv"'))
    assert (8, "[space] does not fit a design with table, which sets all rows") in found


def test_all_problems_are_told_at_once(problems):
    text = GOOD.replace('"neuron"', '"nueron"').replace("[30, 300]", "[300, 30]")
    text = text.replace("rows = 256", "rows = 0").replace('"volume"', '"volum"')
    assert [line for line, _ in problems(text)] == [3, 9, 21, 25]


@pytest.mark.parametrize("content", [b"\x93\x00\xff", b"\x00\x01", b""])
def test_files_that_are_no_text(read, content):
    with pytest.raises(StudyError, match=r"not TOML|is missing or empty"):
        read(content)


def test_a_study_that_cannot_be_read(tmp_path):
    for name, words in [("nowhere.toml", "No such file"), ("", "Is a directory")]:
        with pytest.raises(StudyError, match=words):
            read_study(tmp_path / name)


def test_lines_of_keys():
    text = (
        '# x = 1\n[a.b]\n\nx = """\ny = 3\n[c]\n""" # z\n"q.r".s = [\n 1, # ]\n 2]\n'
        "'t' = {u = 1, v = {w = 2}}\n[[d]]\ne = 1"
    )
    found = key_lines(text)
    wanted = {("a",): 2, ("a", "b"): 2, ("a", "b", "x"): 4, ("a", "b", "q.r", "s"): 8}
    wanted |= {("a", "b", "t", "v", "w"): 11, ("d",): 12}
    assert wanted.items() <= found.items()
    assert ("c",) not in found
