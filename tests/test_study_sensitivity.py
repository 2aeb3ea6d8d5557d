"""Study files of sensitivities: designs in blocks, the section [sensitivity], what is refused."""

import pytest

import jaxmembrane as jm

GOOD = """\
[cell]
zoo = "neuron"
[space]
nka.j = {loguniform = [30, 300]}
"leak_Na.g, leak_Cl.g" = {uniform = ["0.01 mS/cm2", 0.3]}
leak_K.g = {uniform = [0.2, 2]}
bath.K = {choice = [3.5, 5]}
[design]
kind = "saltelli"
blocks = 16
seed = 3
second_order = true
groups = {leaks = ["leak_Na.g", "leak_Cl.g", "leak_K.g"]}
[sensitivity]
confidence = 0.9
resamples = 50
seed = 7
"""
SPACE = jm.Space(
    {
        "nka.j": jm.LogUniform(30.0, 300.0),
        ("leak_Na.g", "leak_Cl.g"): jm.Uniform(0.1, 0.3),
        "leak_K.g": jm.Uniform(0.2, 2.0),
        "bath.K": jm.Choice([3.5, 5.0]),
    }
)
GROUPS = {"leaks": ["leak_Na.g", "leak_Cl.g", "leak_K.g"]}
MORRIS = GOOD.replace("saltelli", "morris").replace("second_order = true", "levels = 6")
SOBOL = GOOD.replace("saltelli", "sobol").replace("blocks", "rows")
SOBOL = "".join(
    line for line in SOBOL.splitlines(True) if not line.startswith(("second_order", "groups"))
)
SOBOL += 'parameters = ["leak_Cl.g", "nka.j"]\n'


def changed(old, new, text=GOOD):
    assert text.count(old) == 1
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (GOOD, SPACE.saltelli(16, seed=3, second_order=True, groups=GROUPS)),
        (MORRIS, SPACE.morris(16, seed=3, levels=6, groups=GROUPS)),
        (changed("second_order = true\n", ""), SPACE.saltelli(16, seed=3, groups=GROUPS)),
        (changed("levels = 6\n", "", MORRIS), SPACE.morris(16, seed=3, groups=GROUPS)),
        (
            changed('groups = {leaks = ["leak_Na.g", "leak_Cl.g", "leak_K.g"]}\n', ""),
            SPACE.saltelli(16, seed=3, second_order=True),
        ),
        (
            changed("groups = {leaks =", '[design.groups]\n"leaks" =').replace('"]}', '"]'),
            SPACE.saltelli(16, seed=3, second_order=True, groups=GROUPS),
        ),
        (SOBOL, SPACE.sobol(16, seed=3)),
    ],
)
def test_designs_are_what_the_same_calls_give(read, text, wanted):
    found = read(text).design
    assert (found.n, found.describe()) == (wanted.n, wanted.describe())


def test_the_analysis_is_told(read):
    bootstrap = {"confidence": 0.9, "resamples": 50, "seed": 7}
    assert read(GOOD).sensitivity == bootstrap
    # By the first parameter of the axis, in the order of the space.
    assert read(SOBOL).sensitivity == {**bootstrap, "parameters": ["nka.j", "leak_Na.g"]}
    assert read(GOOD[: GOOD.index("[sensitivity]")]).sensitivity == {}


def test_blocks_of_the_caller_replace_those_of_the_study(read, problems):
    assert read(GOOD, blocks=5).design.n == 5 * 8
    assert read(SOBOL, rows=5).design.n == 5
    for text, asked, words in [
        (GOOD, {"rows": 5}, "--rows does not fit a saltelli design; give --blocks"),
        (MORRIS, {"rows": 5}, "--rows does not fit a morris design; give --blocks"),
        (SOBOL, {"blocks": 5}, "--blocks does not fit a sobol design; give --rows"),
    ]:
        assert problems(text, **asked) == [(8, words)]
    grid = SOBOL.replace('"sobol"\nrows = 16\nseed = 3', '"grid"\npoints = 2')
    words = "--blocks does not fit a grid design, whose rows are given"
    assert problems(grid, blocks=5) == [(8, words)]


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "words"),
    [
        (GOOD, "saltelli", "saltel", 9, "unknown kind of design 'saltel'; did you mean saltelli"),
        (GOOD, "blocks = 16", "block = 16", 10, "unknown key in [design]: 'block'; did you mean"),
        (GOOD, "blocks = 16\n", "", 8, "blocks must be a whole number, 1 or more, but got None"),
        (GOOD, "blocks = 16", "blocks = 0", 10, "blocks must be a whole number, 1 or more"),
        (GOOD, "blocks = 16", "rows = 16", 10, "rows does not fit a saltelli design, which has"),
        (GOOD, "16", "10_000_000_000", 10, "blocks, not 4 and 10000000000"),
        (GOOD, "seed = 3", "seed = -3", 11, "seed must be a whole number, 0 or more"),
        (GOOD, "= true", '= "yes"', 12, "second_order must be true or false, not 'yes'"),
        (GOOD, "second_order = true", "levels = 4", 12, "levels does not fit a saltelli design"),
        (MORRIS, "levels = 6", "levels = 5", 12, "levels must be an even number, but got 5"),
        (MORRIS, "levels = 6", "levels = 6.5", 12, "levels must be a whole number, 2 or more"),
        (MORRIS, "levels = 6", "second_order = true", 12, "does not fit a morris design"),
        (MORRIS, "[3.5, 5]", "[3, 4, 5, 6]", 12, "do not share 6 levels evenly; take levels=4"),
        (SOBOL, "seed = 3", "groups = {}", 11, "groups does not fit a sobol design, which has"),
        (GOOD, '"leak_Na.g", ', "", 13, "'leak_Cl.g' without 'leak_Na.g', but they are one"),
        (GOOD, '"leak_K.g"]', '"leak_X.g"]', 13, "unknown parameter in group 'leaks': 'leak_X.g'"),
        (GOOD, '"leak_K.g"]', '"bath.Na"]', 13, "unknown parameter in group 'leaks': 'bath.Na'"),
        (GOOD, '"leak_K.g"]}', '"leak_K.g"], k = ["leak_K.g"]}', 13, "'leak_K.g' stands twice in"),
        (
            GOOD,
            '"leak_K.g"]}',
            '"leak_K.g"], k = []}',
            13,
            "group 'k' must be a list of parameters",
        ),
        (GOOD, '"leak_K.g"]}', '"leak_K.g"], k = [3]}', 13, "k must be a list of texts, not [3]"),
        (GOOD, '"leak_K.g"]}', '"leak_K.g"], k = "T"}', 13, "k must be a list of texts, not 'T'"),
        (GOOD, "leaks =", "bath.K =", 13, "must be a list of texts"),
        (GOOD, "leaks =", '"bath.K" =', 13, "'bath.K' is a group and also an axis"),
        (GOOD, "[sensitivity]", "[sensitivty]", 14, "did you mean sensitivity"),
        (GOOD, "confidence", "confidnce", 15, "unknown key in [sensitivity]: 'confidnce'; did"),
        (GOOD, "0.9", "90", 15, "confidence must be between 0 and 1, as 0.95, but got 90"),
        (GOOD, "50", "1", 16, "resamples must be a whole number, 2 or more, but got 1"),
        (GOOD, "seed = 7", "seed = 0.5", 17, "seed must be a whole number, 0 or more"),
        (GOOD, "seed = 7", 'parameters = ["nka.j"]', 17, "does not fit a saltelli design"),
        (SOBOL, '"nka.j"]', '"nka.jj"]', 16, "unknown parameter 'nka.jj'; did you mean"),
        (SOBOL, '"nka.j"]', '"bath.Na"]', 16, "bath.Na is no axis of [space], along which"),
        (SOBOL, '["leak_Cl.g", "nka.j"]', '"nka.j"', 16, "parameters must be a list of texts"),
        (SOBOL, '["leak_Cl.g", "nka.j"]', "[]", 16, "parameters must be some of [space], as"),
    ],
)
def test_mistakes(problems, text, old, new, line, words):
    found = problems(changed(old, new, text))
    assert any(at == line and words in said for at, said in found), found


def test_all_problems_are_told_at_once(problems):
    text = GOOD.replace("[30, 300]", "[300, 30]").replace("16", "0").replace("true", "1")
    text = text.replace("leaks = [", "leaks = 3, k = [").replace("50", "0").replace("0.9", "1.5")
    found = problems(text)
    assert [line for line, _ in found] == [4, 10, 12, 13, 15, 16]
    # Of a space that is whole, each group is held to it.
    found = problems(changed("leaks = [", 'a = ["T"], b = ["nka.i"], leaks = ['))
    assert [said.partition(":")[0] for _, said in found] == [
        "unknown parameter in group 'a'",
        "unknown parameter in group 'b'",
    ]
