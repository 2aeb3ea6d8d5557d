"""The section [protocol] of study files: steps, interventions, times, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import interventions as act
from jaxmembrane.protocol import Protocol
from jaxmembrane.study import key_lines

GOOD = """\
[cell]
zoo = "neuron"
parameters = {bath.K = 4.0}
[space]
nka.j = {loguniform = [30, 300]}
[design]
kind = "sobol"
rows = 8

[protocol]
times = [0, "100 ms", 60, "1 h"]

[[protocol.steps]]
at = 120
change = {leak_K.g = "0.05 mS/cm2", "membrane.C_m" = 0.01}

[[protocol.interventions]]
name = "ouabain"
dose = "1 uM"
isoform = "alpha3"
lasting = "10 min"

[[protocol.steps]]
at = "2 min"
over = "6 min"
[protocol.steps.change]
kcc2.g = 3.68

[[protocol.interventions]]
name = "bath_exchange"
concentrations = {K = "0.01 M"}
replacing = "Na"
at = "1 h"

[outputs]
names = ["V", "c"]
"""


def changed(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_a_study_carries_the_protocol_that_the_same_calls_give(read):
    study, cell = read(GOOD), jm.zoo.neuron()
    assert study.protocol == (
        Protocol([jm.Step(120.0, {"leak_K.g": 0.5, "membrane.C_m": 0.01})])
        + Protocol([jm.Step(120.0, {"kcc2.g": 3.68}, over=360.0)])
        + act.ouabain(cell, 1e-3, isoform="alpha3", lasting=600.0)
        # From the 4 mM of the study, not from those of the zoo.
        + act.bath_exchange(cell, {"K": 10.0}, replacing="Na", at=3600.0, params={"bath.K": 4.0})
    )
    assert study.protocol.final(cell.nominal(study.params))["bath.Na"] == 139.0
    assert study.times == (0.0, 0.1, 60.0, 3600.0)
    assert study.outputs == ("V", "c")


def test_a_study_without_the_section_is_of_rests(read):
    study = read(GOOD[: GOOD.index("[protocol]")])
    assert study.protocol is None and study.times is None


def test_a_study_may_only_watch(read):
    text = GOOD[: GOOD.index("[protocol]")] + '[protocol]\ntimes = {to = "2 h", points = 61}\n'
    study = read(text)
    assert study.protocol == Protocol()
    assert_allclose(study.times, np.linspace(0.0, 7200.0, 61))


def test_steps_may_be_written_in_place(read):
    head = GOOD[: GOOD.index("[[protocol.steps]]")]
    study = read(f"{head}steps = [{{at = 1, change = {{nka.j = 0.0}}}}]\n")
    assert study.protocol == Protocol([jm.Step(1.0, {"nka.j": 0.0})])


@pytest.mark.parametrize(
    "table",
    [
        'name = "pump_block"\nleft = 0.5\nover = "1 min"',
        'name = "vu0463271"\ndose = "61 nM"',
        'name = "osmotic_step"\nosmolyte = 50',
        'name = "osmotic_step"\nfactor = 0.7\nlasting = 60',
        'name = "impermeant"\nfactor = 1.5\ncompartment = "cytosol"',
        'name = "ouabain"\ndose = 1\nK = "1 nM"\ntransporter = "nka"',
    ],
)
def test_every_argument_is_read_by_its_unit(read, table):
    head = GOOD[: GOOD.index("[[protocol.steps]]")]
    study = read(f"{head}[[protocol.interventions]]\n{table}\n")
    values = dict(line.split(" = ") for line in table.split("\n"))
    name = values.pop("name").strip('"')
    units = {"1 min": 60.0, "61 nM": 6.1e-5, "1 nM": 1e-6}
    for key, value in values.items():
        text = value.strip('"')
        values[key] = units.get(text, text if key in ("compartment", "transporter") else None)
        values[key] = float(value) if values[key] is None else values[key]
    expected = act.INTERVENTIONS[name](jm.zoo.neuron(), **values)
    assert [step.at for step in study.protocol.steps] == [step.at for step in expected.steps]
    nominal = jm.zoo.neuron().nominal()
    assert study.protocol.final(nominal) == pytest.approx(expected.final(nominal), rel=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("times = [0,", "tims = [0,", 11, "unknown key in [protocol]: 'tims'; did you mean times"),
        ('times = [0, "100 ms", 60, "1 h"]', "", 10, "times must be as [0, 60, "),
        ('[0, "100 ms", 60, "1 h"]', "60", 11, "times must be as [0, 60, "),
        ('"100 ms", 60', '"100 mV", 60', 11, "times[1]: '100 mV': cannot convert 'mV' to 's'"),
        ('"100 ms", 60', '"2 min", 60', 11, "times must be increasing numbers of seconds"),
        ('[0, "100 ms"', '[-1, "100 ms"', 11, "times must be increasing numbers of seconds"),
        ('[0, "100 ms", 60, "1 h"]', '{to = "1 h"}', 11, "points must be a whole number"),
        ('[0, "100 ms", 60, "1 h"]', "{points = 3}", 11, "to: None is not a quantity"),
        ('[0, "100 ms", 60, "1 h"]', "{to = 1, step = 2}", 11, "unknown key of times: 'step'"),
        ("at = 120", "at = -120", 13, "at of a step must be a time in s, zero or more, not -120"),
        ("at = 120", "", 13, "at: None is not a quantity; write a number in s"),
        ("at = 120", 'at = "soon"', 14, "at: 'soon' does not begin with a number"),
        (
            "at = 120",
            "at = 120\nunder = 3",
            15,
            "unknown key of a step: 'under'; there are at, change, over",
        ),
        ("leak_K.g =", "leak_K.gg =", 15, "unknown parameter 'leak_K.gg'; did you mean leak_K.g"),
        ('"0.05 mS/cm2"', '"0.05 mS/cm3"', 15, "leak_K.g: '0.05 mS/cm3': cannot convert"),
        ('"membrane.C_m" = 0.01', '"membrane.C_m" = 0', 15, "a finite number above zero, not 0 pF"),
        ('change = {leak_K.g = "0.05 mS/cm2", "membrane.C_m" = 0.01}', "", 13, "must change param"),
        ("kcc2.g = 3.68", "kcc2.h = 3.68", 27, "unknown parameter 'kcc2.h'; did you mean kcc2.g"),
        ("kcc2.g = 3.68", "leak_K.g = 1", 23, "leak_K.g is changed by two steps at once"),
        ('over = "6 min"', 'over = "6 mV"', 25, "over: '6 mV': cannot convert 'mV' to 's'"),
        ('"ouabain"', '"oubain"', 18, "unknown intervention 'oubain'; did you mean ouabain"),
        ('name = "ouabain"', "", 17, "unknown intervention 'nothing'"),
        ('dose = "1 uM"', "", 17, "ouabain needs dose"),
        ('dose = "1 uM"', "dose = -1", 17, "ouabain: dose must be a finite number, zero or more"),
        ('dose = "1 uM"', "dose = true", 19, "dose: True is not a quantity"),
        ('dose = "1 uM"', 'dosis = "1 uM"', 19, "unknown key of ouabain: 'dosis'; did you mean"),
        ('"alpha3"', '"alpha4"', 17, "isoform for ouabain must be one of alpha1, alpha2, alpha3"),
        ('"10 min"', "0", 17, "lasting must be a time in s, above zero"),
        ("{K = ", "{Ki = ", 29, "unknown species in the bath: 'Ki'; did you mean K"),
        ('"0.01 M"', '"much"', 31, "concentrations.K: 'much' does not begin with a number"),
        ('"0.01 M"', '"1 M"', 29, "the bath has 145 mM of Na, too little to take away 996 mM"),
        ('replacing = "Na"', 'replacing = ["Na"]', 32, "replacing must be a text, not ['Na']"),
        ('replacing = "Na"', "", 29, "bath_exchange needs replacing"),
        ('"V", "c"', '"V", "stability"', 36, "unknown output 'stability'"),
        ('"bath_exchange"', '"wnk_spak"', 31, "unknown key of wnk_spak: 'concentrations'"),
    ],
)
def test_mistakes(problems, old, new, line, words):
    found = problems(changed(old, new))
    assert any(at == line and words in said for at, said in found), found


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("protocol = 5", "protocol must be a table of keys, not 5"),
        ("[protocol]\ntimes = [0]\nsteps = 5", "must be tables, each headed [[protocol.steps]]"),
        ("[protocol]\ntimes = [0]\nsteps = [5]", "must be tables, each headed"),
        ("[[protocol]]\ntimes = [0]", "protocol must be a table of keys"),
        ("[protocol]", "times must be as"),
    ],
)
def test_what_is_no_table(problems, section, words):
    text = GOOD[: GOOD.index("[protocol]")]
    text = f"{section}\n{text}" if section.startswith("protocol") else text + section
    assert any(words in said for _, said in problems(text))


def test_all_mistakes_are_told_at_once(problems):
    text = GOOD.replace("at = 120", "at = true").replace('"ouabain"', '"oubain"')
    text = text.replace("kcc2.g = 3.68", "kcc2.h = 3.68").replace('"Na"', '"N"')
    assert [line for line, _ in problems(text)] == [14, 18, 27, 29]


def test_mistakes_are_told_without_a_cell(problems):
    found = problems(GOOD.replace('"neuron"', '"nueron"').replace('dose = "1 uM"', "dosis = 1"))
    assert [line for line, _ in found] == [2, 17, 19]


def test_lines_of_arrays_of_tables():
    text = (
        "[[a]]\nx = 1\n[[a]]\n[a.b]\ny = 2\n[[a.c]]\nz = [\n3]\n[[a.c]]\nz = 4\n[d]\ne = [{f = 1}]"
    )
    found = key_lines(text)
    wanted = {("a",): 1, ("a", "0"): 1, ("a", "0", "x"): 2, ("a", "1"): 3, ("a", "1", "b", "y"): 5}
    wanted |= {("a", "1", "c", "0", "z"): 7, ("a", "1", "c", "1"): 9, ("a", "1", "c", "1", "z"): 10}
    wanted |= {("d", "e", "0", "f"): 12}
    assert wanted.items() <= found.items(), found
