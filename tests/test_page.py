"""The page of the catalogue: it says what the catalogue does, and its formulas are right."""

import math
import re
from pathlib import Path

import pytest

import jaxmembrane as jm
from jaxmembrane import constants, library
from jaxmembrane.library.markdown import linked, number, paragraphs
from jaxmembrane.library.page import SOURCE_ENERGY, render
from jaxmembrane.library.symbols import equilibrium, nernst, reversal
from jaxmembrane.reaction import Reaction
from jaxmembrane.site import SOURCES

PAGE = Path(__file__).parents[1] / "docs" / "transporters.md"
RENEW = "python -m jaxmembrane.library.page > docs/transporters.md"
T = 310.15
RT = constants.R * T
STATE = {
    **{"Na_i": 12.0, "K_i": 140.0, "Cl_i": 8.0, "Ca_i": 1e-4, "H_i": 6.3e-5, "HCO3_i": 15.0},
    **{"Na_o": 145.0, "K_o": 4.0, "Cl_o": 130.0, "Ca_o": 1.2, "H_o": 4e-5, "HCO3_o": 25.0},
    **{"ATP_i": 5.0, "ATP_o": 2.0, "ADP_i": 4.0, "ADP_o": 0.05, "e_i": 2e-9, "e_o": 1e-9},
    **{"Glucose_i": 9.0, "Glucose_o": 5.0},
}
BARE = {name: p.nominal for source in SOURCES.values() for name, p in source.params.items()}

MADE = {f"{name} {law}": e.make(law) for name, e in library.CATALOGUE.items() for law in e.laws}
MADE |= {
    "reverse pump": jm.na_k_atpase(stoichiometry=(2, 3)),
    "neutral pump": jm.na_k_atpase(stoichiometry=(2, 2)),
    "NBCn1": jm.nbc(bicarbonates=1),
    "NBCe1 in kidney": jm.nbc(bicarbonates=3),
    "SGLT2": jm.sglt1(sodium=1),
    "PMCA, two protons": jm.pmca(protons=2),
    "H-ATPase, two protons": jm.h_atpase(protons=2),
    "Ca leak": jm.leak(jm.Ca),
    "Cl leak": jm.leak(jm.Cl),
    "glucose leak": jm.leak(jm.Glucose),
}
# Which law drives a reaction is nothing to its zero.
REACTIONS = {leg.reaction.text: (leg.reaction, t) for t in MADE.values() for leg in t.legs}


def value(formula, known):
    """A formula of the page as a number: a blank multiplies, ^ is a power, ln a logarithm."""
    text = formula.replace("[", "(").replace("]", ")").replace("^", "**")
    text = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", text)
    return eval(text, {"ln": math.log, "exp": math.exp}, known)


def known(transporter):
    """Concentrations, Nernst potentials and energies by the names that the page gives them."""
    bare = BARE | {name: p.nominal for name, p in transporter.bare.items()}
    energies = {
        f"dG_{source}": value(formula, bare | {"RT": RT, "F": constants.F})
        for source, formula in SOURCE_ENERGY.items()
    }
    species = {s.name: s.z for leg in transporter.legs for s in leg.reaction.species if s.z}
    potentials = {
        f"E_{s}": RT / (z * constants.F) * math.log(STATE[f"{s}_o"] / STATE[f"{s}_i"])
        for s, z in species.items()
    }
    return STATE | energies | potentials | {"RT": RT, "F": constants.F}


def free_energy(reaction, transporter, V):
    """Of one reaction, from the package's own thermodynamics, J/mol."""
    wanted = {
        f"{s.name}_{side}": STATE[f"{s.name}_{side}"] for s in reaction.species for side in "io"
    }
    one = jm.Transporter(
        "one",
        reaction.text,
        lambda s, p: 0.0 * s.u,
        shared=transporter.bare,
        species=reaction.species,
    )
    return float(one.at(V=V, T=T, **wanted).dG)


def test_the_page_is_what_the_catalogue_renders():
    assert PAGE.read_text() == render(), f"the catalogue has changed; renew its page by: {RENEW}"


@pytest.mark.parametrize("text", REACTIONS)
def test_zeros_by_symbols_are_zeros_of_the_free_energy(text):
    reaction, transporter = REACTIONS[text]
    names = known(transporter)
    if reaction.charge:
        V = value(reversal(reaction), names)
        assert free_energy(reaction, transporter, V) == pytest.approx(0.0, abs=1e-8)
        if nernst(reaction):
            assert value(nernst(reaction), names) == pytest.approx(V, rel=1e-12)
        return
    dG = free_energy(reaction, transporter, -70.0)
    left, right = (value(side, names) for side in equilibrium(reaction).split(" = "))
    assert RT * math.log(right / left) == pytest.approx(dG, rel=1e-12)
    if nernst(reaction):
        left, right = (value(side, names) for side in nernst(reaction).split(" = "))
        assert abs(left - right) * constants.F == pytest.approx(abs(dG), rel=1e-12)


@pytest.mark.parametrize("source", SOURCES)
def test_energies_of_sources_are_those_of_the_package(source):
    reaction = {"ATP": "H_i + ATP <-> H_o + ADP + Pi", "photon": "H_i + photon <-> H_o"}
    pump = MADE["nadph_oxidase bounded"] if source == "redox" else MADE["pmca hill"]
    text = reaction.get(source, "H_i + redox <-> H_o")
    dG = free_energy(Reaction.parse(text), pump, 0.0) - RT * math.log(STATE["H_o"] / STATE["H_i"])
    assert known(pump)[f"dG_{source}"] == pytest.approx(dG, rel=1e-12)
    assert f"`dG_{source} = {SOURCE_ENERGY[source]}` | {1e-3 * dG:.1f} kJ/mol |" in render()


@pytest.mark.parametrize(
    ("reaction", "zero"),
    [
        (
            "3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi",
            "(RT/F) [3 ln(Na_o/Na_i) - 2 ln(K_o/K_i)] + dG_ATP/F",
        ),
        ("3 Na_o + Ca_i <-> 3 Na_i + Ca_o", "(RT/F) [3 ln(Na_o/Na_i) - ln(Ca_o/Ca_i)]"),
        ("Ca_i <-> Ca_o", "(RT/(2 F)) ln(Ca_o/Ca_i)"),
        ("Cl_i <-> Cl_o", "(RT/F) ln(Cl_i/Cl_o)"),
        ("10 H_i + 2 redox <-> 10 H_o", "(RT/F) ln(H_o/H_i) + (1/5) dG_redox/F"),
        ("H_i + photon <-> H_o", "(RT/F) ln(H_o/H_i) + dG_photon/F"),
    ],
)
def test_reversal_potentials_read_as_textbooks_write_them(reaction, zero):
    assert reversal(Reaction.parse(reaction)) == zero


@pytest.mark.parametrize(
    ("x", "shown"),
    [(103.6426966, "103.64"), (2.396e8, "2.396e8"), (1e-6, "1e-6"), (0.0, "0"), (-0.055, "-0.055")],
)
def test_numbers_have_five_digits(x, shown):
    assert number(x) == shown


def test_papers_are_linked():
    assert linked("(X, doi:10.1016/0301-0082(94)90049-3).") == (
        "(X, [doi:10.1016/0301-0082(94)90049-3](https://doi.org/10.1016/0301-0082%2894%2990049-3))."
    )
    assert linked("PMID 8161218; a") == "[PMID 8161218](https://pubmed.ncbi.nlm.nih.gov/8161218); a"
    assert linked("PMC4861346") == (
        "[PMC4861346](https://pmc.ncbi.nlm.nih.gov/articles/PMC4861346)"
    )


def section(title):
    return re.split(r"\n##+ ", render().split(f"\n### {title}\n")[1])[0]


@pytest.mark.parametrize("name", library.CATALOGUE)
def test_every_law_and_parameter_is_on_the_page(name):
    entry, text = library.CATALOGUE[name], section(name)
    laws = text.split("**Laws**")[1].split("**Parameters**")[0]
    assert laws.count("(default)") == 1
    assert f"| `{next(iter(entry.laws))}` (default) |" in laws
    for law, made in entry.laws.items():
        (row,) = re.findall(rf"^\| `{law}`.*$", laws, re.MULTILINE)
        assert paragraphs(made.rate)[0].removesuffix(".") in row
        assert ("irreversible as published" in row) == made.irreversible
        for parameter, p in entry.make(law).params:
            shown = f"| `{parameter}` | {number(p.nominal)} | {p.unit} | {p.long_name} |"
            assert shown in text
        for doi in re.findall(r"doi:10\.[^\s,;]+[^\s,;.)]", made.source):
            assert doi in text


def test_gates_and_what_a_call_adds_are_on_the_page():
    text = section("ncx")
    added = text.split("`jm.ncx(inactivation=True)`")[1]
    assert "gate `active`" in added and "gate `I1`" in added
    assert "| `to_I1` | 1.5 | 1/s |" in text
    assert "gate `bound`" in section("ouabain")
    assert "where its legs' currents cancel" in section("gaba_a")
    assert "`E_redox` = 1140 mV" in section("respiratory_chain")


def test_markdown_is_well_formed():
    text = render()
    assert text.isascii() and text.endswith("\n") and not text.endswith("\n\n")
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert "``" not in text.replace("```", "") and "\n\n\n" not in text
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1, block
        assert len(rows) in (0, len(block.splitlines())), block
    titles = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    anchors = [title.lower().replace(" ", "-") for title in titles]
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)


def test_the_example_prints_what_it_says(capsys):
    example = re.search(r"```python\n(import jaxmembrane.*?)```", render(), re.DOTALL)[1]
    exec(example, {})
    said = re.search(r'print\(f".*?\)  # (.*)', example)[1]
    assert capsys.readouterr().out.startswith(f"{said}\nncx keeps the contract")
