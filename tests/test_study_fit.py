"""Study files of fits: free parameters, targets, columns of data, and what is refused."""

import pytest

import jaxmembrane as jm
from jaxmembrane import study
from jaxmembrane.recordings import RecordingsError

GOOD = """\
[cell]
zoo = "neuron"
parameters = {bath.Na = "0.14 M"}
[free]
leak_K.g = {loguniform = ["0.01 mS/cm2", "1 mS/cm2"]}
"leak_Na.g, leak_Cl.g" = {uniform = [0.02, 2]}
nka.j = {lognormal = [100, 0.5]}
[targets]
V_rest = {target = "V", unit = "V", sd = 0.001}
R_in = {target = "input_resistance", unit = "MOhm", sd = "10 %"}
Na = {target = "c.Na", unit = "mM", sd = "Na_error"}
c.Cl = {sd = "500 uM"}
[data]
columns = {cell_id = "cell", K_out = "bath.K (mM)"}
labels = ["family"]
[fit]
starts = 4
seed = 2
level = 0.9
method = "lm"
shared = ["nka.j"]
"""

TABLE = """\
cell_id,V_rest,R_in,Na,Na_error,c.Cl (mM),K_out,family
a,-0.0701,1200,14,0.5,5.1,3.5,Vip
a,-0.0602,1000,15,0.6,6.1,8,Vip
b,-0.0661,900,11,0.5,7.2,3.5,Pvalb
"""


@pytest.fixture
def read(tmp_path):
    """Read a text as the study file of a fit."""

    def reader(text):
        file = tmp_path / "study.toml"
        file.write_text(text)
        return study.read_fit(file)

    return reader


@pytest.fixture
def recorded(read, tmp_path):
    """Read a table as a study says."""

    def reader(table, text=GOOD):
        (tmp_path / "cells.csv").write_text(table)
        return read(text).recordings(tmp_path / "cells.csv")

    return reader


def changed(old, new, text=GOOD):
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_study_is_what_the_same_calls_give(read):
    found = read(GOOD)
    assert found.cell == jm.zoo.neuron()
    assert dict(found.free.axes) == {
        ("leak_K.g",): jm.LogUniform(0.1, 10.0),
        ("leak_Na.g", "leak_Cl.g"): jm.Uniform(0.02, 2.0),
        ("nka.j",): jm.LogNormal(100.0, 0.5),
    }
    assert found.params == {"bath.Na": 140.0}
    assert found.options == {
        "starts": 4,
        "seed": 2,
        "level": 0.9,
        "method": "lm",
        "shared": ["nka.j"],
    }
    assert (found.protocol, found.text) == (None, GOOD)


def test_columns_become_targets_conditions_and_labels(recorded):
    found = recorded(TABLE)
    V, R, Na, Cl = found.targets
    assert [t.of for t in found.targets] == ["V", "input_resistance", "c.Na", "c.Cl"]
    assert (found.cells, found.problems) == (("a", "b"), ())
    assert V.values[:, 0] == pytest.approx([-70.1, -66.1])
    assert V.sd[0] == pytest.approx([1.0, 1.0])  # a bare number is in the unit of its target
    assert R.values[0] == pytest.approx([1.2e-3, 1e-3])  # mV/fA
    assert R.sd[0] == pytest.approx([1.2e-4, 1e-4])
    assert Na.sd[0] == pytest.approx([0.5, 0.6])
    assert Cl.sd[1, 0] == pytest.approx(0.5)
    assert found.conditions["bath.K"].tolist() == [[3.5, 8.0], [3.5, 3.5]]
    assert found.labels["family"].tolist() == ["Vip", "Pvalb"]


def test_a_table_that_says_what_it_is_needs_no_words(recorded):
    text = '[cell]\nzoo = "neuron"\n[free]\nnka.j = {uniform = [50, 200]}\n'
    found = recorded("cell,V (mV),V sd (mV)\na,-70,1\nb,-66,2\n", text)
    assert found.targets[0].sd.ravel().tolist() == [1.0, 2.0]
    rows = "cell,target,value\na,V,-70\na,c.Na,14\nb,V,-66\n"
    found = recorded(rows, text + '[targets]\nV = {sd = "1 mV"}\n"c.Na" = {sd = "5 %"}\n')
    assert [float(t.sd[0]) for t in found.targets] == pytest.approx([1.0, 0.7])
    text += '[data]\ncolumns = {what = "target", x = "value (V)"}\n'
    assert recorded("cell,what,x\na,V,-0.07\n", text).targets[0].values[0] == pytest.approx(-70.0)


def test_courses_take_their_times_from_the_data(read, recorded):
    text = changed("[fit]", '[[protocol.interventions]]\nname = "pump_block"\n[fit]')
    assert read(text).protocol == jm.interventions.pump_block(jm.zoo.neuron())
    with pytest.raises(RecordingsError, match=r"cells\.csv: .* the data need a column time"):
        recorded(TABLE, text)
    timed = "cell_id,time (min),V_rest,R_in,Na,Na_error,c.Cl (mM),family\n"
    timed += "a,0,-0.07,1200,14,1,5,Vip\na,1,-0.06,1100,15,1,6,Vip\n"
    text = changed(', K_out = "bath.K (mM)"', "", text)
    assert recorded(timed, text).times == (0.0, 60.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nka.j = {", "bath.K = {", "bath.K is both in the data and free: keep one"),
        ("bath.Na =", "bath.K =", "bath.K is both in the data and fixed in [cell.parameters]"),
        ("R_in =", "R_inn =", "cells.csv:1: unknown column 'R_inn'; did you mean R_in?"),
        ("cell_id =", "cell_no =", "cells.csv:1: unknown column 'cell_no'; did you mean cell_id"),
        ('"family"', '"familly"', "cells.csv:1: unknown column 'familly'; did you mean family"),
    ],
)
def test_data_that_do_not_fit_the_study(recorded, old, new, words):
    text = changed(old, new).replace('shared = ["nka.j"]\n', "")
    with pytest.raises(RecordingsError) as refused:
        recorded(TABLE, text)
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("[targets]", "[target]", 8, "unknown section 'target'; did you mean targets?"),
        ("[free]", "[space]", 1, "the section [free] is missing or empty"),
        ("leak_K.g", "leak_K.h", 5, "unknown parameter 'leak_K.h'; did you mean leak_K.g"),
        ('"0.01 mS/cm2"', '"0.01 mS/cm"', 5, "leak_K.g: loguniform: '0.01 mS/cm': cannot convert"),
        (
            "loguniform = [",
            "choice = [",
            5,
            "unknown distribution 'choice'; there are lognormal, l",
        ),
        ("lognormal = [100, 0.5]", "normal = [100, 50]", 7, "but its axis runs from -150 to 350"),
        ("{uniform = [0.02, 2]}", "{uniform = [2, 0.02]}", 6, "lower must be below upper"),
        ("nka.j = {", '"leak_K.g, nka.j" = {', 7, "linked parameters must have one unit"),
        ("nka.j = {", '"leak_K.g, kcc2.g" = {', 4, "'leak_K.g' stands in two axes"),
        ('bath.Na = "0.14 M"', "nka.j = 1", 7, "nka.j is both fixed in [cell.parameters] and free"),
        ('target = "V"', 'target = "Vm"', 9, "meaning of column 'V_rest': 'Vm'; did you mean V?"),
        ('target = "V"', "target = 5", 9, "target must be a text, not 5"),
        ('"c.Na"', '"c.Nb"', 11, "unknown entry of c: 'c.Nb'; did you mean c.Na"),
        ('"c.Na"', '"c"', 11, "c needs a species: write c.Na, c.K or c.Cl"),
        ('"c.Na"', '"bath.K"', 11, "bath.K is no target: write an output, as V or c.Na"),
        ('"c.Na"', '"c.Cl"', 12, "c.Cl has two entries; keep one of them"),
        ("c.Cl =", "c.CL =", 12, "unknown entry of c: 'c.CL'; did you mean c.Cl"),
        ('unit = "MOhm"', 'unit = "mM"', 10, "column 'R_in': cannot convert 'mM' to 'mV/fA'"),
        ('unit = "MOhm"', "unit = 1e6", 10, "unit must be a text, not 1000000.0"),
        ('unit = "MOhm"', 'units = "MOhm"', 10, "unknown key of a target: 'units'; did you mean u"),
        ("0.001", "0", 9, "sd of V is 0.0: it must be above zero"),
        ("0.001", "true", 9, "sd of V: True is not a quantity"),
        ("0.001", '"1 mM"', 9, "sd of V: '1 mM': cannot convert 'mM' to 'V'"),
        ('"10 %"', '"-10 %"', 10, "it must be above zero, as 1.0 or '10 %'"),
        ('"Na_error"', '"R_in"', 11, "column 'R_in' has two meanings; keep one of them"),
        ("K_out =", "V_rest =", 9, "column 'V_rest' has two meanings; keep one of them"),
        ("bath.K (mM)", "bath.Kl (mM)", 14, "unknown parameter 'bath.Kl'; did you mean bath.K"),
        ("bath.K (mM)", "bath.K (mV)", 14, "column 'K_out': cannot convert 'mV' to 'mM'"),
        ('"bath.K (mM)"', "3.5", 14, "column 'K_out': write a text such as 'cell', 'bath.K (mM)'"),
        ("K_out =", "K.out =", 14, "column 'K': write a text such as"),
        ("columns =", "cols =", 14, "unknown key in [data]: 'cols'; did you mean columns?"),
        ('["family"]', '"family"', 15, "labels must be a list of texts, not 'family'"),
        ("starts = 4", "starts = 0", 17, "starts must be a whole number, 1 or more, but got 0"),
        ("seed = 2", "seed = -1", 18, "seed must be a whole number"),
        (
            "level = 0.9",
            "level = 90",
            19,
            "level must be a number between 0 and 1, as 0.95, not 90",
        ),
        ('"lm"', '"adma"', 20, "unknown method 'adma'; did you mean adam?"),
        ('["nka.j"]', '["bath.K"]', 21, "unknown free parameter 'bath.K'"),
        ("[fit]", "[protocol]\ntimes = [0, 60]\n[fit]", 17, "unknown key in [protocol]: 'times'"),
    ],
)
def test_mistakes(problems, old, new, line, words):
    found = problems(changed(old, new))
    assert any(at == line and words in said for at, said in found), found


def test_all_mistakes_are_told_at_once(problems):
    text = changed(
        'target = "V"', 'target = "Vm"', changed('"lm"', '"adma"', changed("[100, 0.5]", "[100]"))
    )
    assert [line for line, _ in problems(text)] == [7, 9, 20]


def test_mistakes_are_told_without_a_cell(problems):
    text = changed('"neuron"', '"nueron"', changed("starts = 4", "starts = 4.5"))
    assert [line for line, _ in problems(changed('"10 %"}', '"10 %", x = 1}', text))] == [2, 10, 17]
