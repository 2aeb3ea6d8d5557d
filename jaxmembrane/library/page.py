"""The catalogue as one Markdown page, written from the catalogue itself.

``python -m jaxmembrane.library.page > docs/transporters.md`` renews it.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from .. import constants, library
from ..params import Param
from ..reaction import ENERGY
from ..site import SOURCES, RateLaw
from ..species import KNOWN
from .build import Entry
from .gating import ExpLinearRate, ExponentialRate
from .markdown import call, code, given_as, linked, number, options, paragraphs, table, value
from .symbols import facts

SOURCE_ENERGY = {
    "ATP": "RT ln(ADP Pi/(ATP K_ATP))",
    "photon": "-E_photon",
    "redox": "-F E_redox",
}
"""Free energy of one use of each energy source, in its bare parameters."""

_OTHER_CALLS: Mapping[str, Sequence[dict[str, Any]]] = {
    "na_k_atpase": (
        {"stoichiometry": (2, 3)},
        {"stoichiometry": (2, 2)},
        {"isoform": "alpha2"},
        {"isoform": "alpha3"},
    ),
    "nbc": ({"bicarbonates": 1}, {"bicarbonates": 3}),
    "sglt1": ({"sodium": 1}, {"law": "six_state", "slip": True}, {"law": "parent", "slip": True}),
    "ncx": ({"inactivation": True},),
    "pmca": ({"protons": 2},),
    "h_atpase": ({"protons": 2},),
}
"""Calls that change a transporter's reaction, parameters or gates without another law."""

_ISOFORMS = ("alpha1", "alpha2", "alpha3")
_REGULATIONS: Mapping[str, Sequence[dict[str, Any]]] = {
    "inhibitor": ({"drug": "bumetanide", "K": 1e-3},),
    "ouabain": (
        *({"isoform": isoform} for isoform in _ISOFORMS),
        *({"isoform": isoform, "kinetics": True} for isoform in _ISOFORMS),
    ),
    "atp_dependence": ({},),
    "phosphorylation": ({"site": "T906"},),
    "wnk_spak": ({"role": "inhibits"}, {"role": "activates"}),
    "gate": (
        {
            "name": "n",
            "opening": ExpLinearRate(80.0, -35.0, 5.0),
            "closing": ExponentialRate(250.0, -50.0, -40.0),
            "power": 2,
        },
    ),
    "boltzmann": ({"V": -10.0, "k": 10.0},),
}
_DOMAINS = {"real": "any", "nonnegative": ">= 0", "positive": "> 0", "fraction": "0 to 1"}

_INTRODUCTION = """\
# Transporters

<!-- Written by `python -m jaxmembrane.library.page` from the catalogue: change it there. -->

{} transporters with {} rate laws, and {} kinds of regulation. Charge, reversal potential and
equilibrium on this page are derived from each reaction, as they are when a cell is computed.

```python
import jaxmembrane as jm

ncx = jm.ncx(law="luo_rudy", j_max=10.0)  # one of its laws, and a nominal value of your own
at = ncx.at(V=-70.0, Na_i=12.0, Na_o=145.0, Ca_i=1e-4, Ca_o=1.2)
print(f"{{at.reversal:.2f}} mV, {{at.current:.4f}} fA/um^2")  # -51.24 mV, -0.0548 fA/um^2
print(jm.check(ncx))  # the second law, units, finite derivatives
```

## How to read this page

- **Reaction.** `_i` is the inside and `_o` the outside of the membrane. The turnover J, in
  amol/um^2/s, is positive in the direction in which the reaction is written; Q is the number of
  elementary charges that one turnover moves inward.
- **Potentials.** V is inside minus outside, and currents are positive outward. `u` is F V/(R T),
  `E_K` the Nernst potential of K, `dG` the free energy of the reaction, and `dG_ATP` (negative)
  that of an [energy source](#species-and-energy-sources).
- **Laws.** `law=` chooses one. The *strength* is the parameter that scales it. A law that is
  *irreversible as published* can run against its own free energy: it is refused where the second
  law matters, as in outputs of heat.
- **Parameters.** A value given where the transporter is made, `jm.ncx(j_max=10.0)`, becomes its
  nominal value. In a cell, a sweep or a table the parameter is called `ncx.j_max`, after the
  transporter, whose name `name=` changes; *bare* parameters, as `ATP`, belong to the whole cell.
  Values are rounded to five digits here, `jm.ncx().declared` has them in full. Units are um, s,
  amol, mV, fC and K, thus mM, pS and fA.
"""
_NEW_SPECIES = 'A new one is `jm.Species("Li", +1)`, given as `species=` to `jm.Transporter`.'
_WATER = """\
Water crosses a membrane through aquaporins and lipid, neutral and without a law of its own:

    dw/dt = L_w A (osm_i - osm_o - turgor / RT)

`membrane.L_w` (um/s/mM) is the osmotic permeability P_f times the molar volume of water,
`jm.analytic.water_permeability(150.0)` = 0.0027 for 150 um/s. With `jm.Membrane(..., wall=True)` a
wall presses water out, `turgor = wall_modulus ln(w / wall_volume)`, and the output `turgor` is its
pressure in Pa. `jm.analytic.water_flow`, `turgor` and `osmotic_pressure` give each part alone.
"""
_REGULATION = """\
A regulation is a factor on a turnover: `jm.nkcc1().regulated(jm.inhibitor("bumetanide", K=1e-3))`.
Free energy, reversal potential and equilibrium stay where they are.
"""


def render() -> str:
    """The page."""
    entries = library.CATALOGUE.values()
    counts = len(entries), sum(len(entry.laws) for entry in entries), len(_REGULATIONS)
    parts = [_INTRODUCTION.format(*counts), *_contents(), *_basics()]
    for title, family in library.FAMILIES.items():
        parts += [f"\n## {title}"]
        for entry in family:
            parts += _transporter(entry)
    parts += [f"\n## Water\n\n{_WATER}", f"\n## Regulation\n\n{_REGULATION}"]
    for name, calls in _REGULATIONS.items():
        parts += _regulation(getattr(library, name), calls)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip() + "\n"


def _contents() -> Iterator[str]:
    rows = []
    for title, family in library.FAMILIES.items():
        rows.append((f"**{title}**", "", "", ""))
        for entry in family:
            reactions = [leg.reaction for leg in entry.make(next(iter(entry.laws))).legs]
            charges = dict.fromkeys(f"{r.charge:+d}" if r.charge else "0" for r in reactions)
            link, written = f"[{entry.name}](#{entry.name})", code(*(r.text for r in reactions))
            rows.append((link, written, ", ".join(charges), str(len(entry.laws))))
    rows += [("**[Water](#water)**", "", "", ""), ("**[Regulation](#regulation)**", "", "", "")]
    rows += [(f"[{name}](#{name})", "", "", "") for name in _REGULATIONS]
    yield "## Contents"
    yield from table(("", "reaction", "Q", "laws"), rows)


def _basics() -> Iterator[str]:
    """What reactions may name: species and energy sources."""
    valences = (f"`{s.name}` {s.z:+d}" if s.z else f"`{s.name}` 0" for s in KNOWN.values())
    yield "## Species and energy sources\n"
    yield f"Species and their valences: {', '.join(valences)}. {_NEW_SPECIES}"
    rows = []
    for source, change in ENERGY.items():
        sides = (" + ".join(x for x, n in change.items() if n * sign > 0) for sign in (-1, 1))
        written = code(" <-> ".join(filter(None, sides)))
        rows.append((written, f"`dG_{source} = {SOURCE_ENERGY[source]}`", _nominal_energy(source)))
    yield from table(("energy source", "free energy of one use", "nominal, 37 C"), rows)
    yield from _parameters({source: SOURCES[source].params.items() for source in ENERGY}, "source")


def _nominal_energy(source: str) -> str:
    values = {name: p.nominal for name, p in SOURCES[source].params.items()}
    RT, F = constants.R * 310.15, constants.F
    site: Any = SimpleNamespace(**values, RT=RT, F=F, medium=SimpleNamespace(bare=values))
    return f"{1e-3 * RT * math.log(SOURCES[source].quotient(site)):.1f} kJ/mol"


def _transporter(entry: Entry) -> Iterator[str]:
    function, usual = getattr(library, entry.name), next(iter(entry.laws))
    by_law = {law: entry.make(law) for law in entry.laws}
    default = by_law[usual]
    made = {call(function, {"law": law}): t for law, t in by_law.items()}
    named: dict[str, Iterable[tuple[str, Param]]] = {law: t.params for law, t in by_law.items()}
    sources: dict[str, list[str]] = {}
    for law, t in by_law.items():
        sources.setdefault(t.source, []).append(law)
    for given in _OTHER_CALLS.get(entry.name, ()):
        plain = by_law[given.get("law", usual)]
        made[call(function, given)] = t = function(**given)
        named[given_as(given)] = [item for item in t.params if item not in plain.params]
        if t.source != plain.source:
            sources[t.source.removeprefix(f"{plain.source}; ")] = [given_as(given)]
    shown = {call: [*facts(t), *_states(t.gates, t.bare)] for call, t in made.items()}
    yield from _head(function)
    yield from _facts("by default", shown)
    yield from _laws(entry)
    yield f"\n**Parameters**, named as `{default.name}.{default.params[0][0]}`"
    yield from _parameters(named, "law", by_law)
    yield "**Sources**\n"
    yield from (f"- {code(*by)}: {linked(source)}" for source, by in sources.items())


def _regulation(function: Callable, calls: Sequence[dict[str, Any]]) -> Iterator[str]:
    made = {given_as(given): function(**given) for given in calls}
    shown = {
        f"jm.{function.__name__}({given})": [
            ("factor", _first(r.factor)),
            *_states(r.gates.items(), r.shared),
        ]
        for given, r in made.items()
    }
    yield from _head(function)
    yield from _facts(code(next(iter(shown))), shown)
    yield "\n**Parameters**"
    yield from _parameters({given: r.params.items() for given, r in made.items()}, "call", made)
    sources = dict.fromkeys(r.source for r in made.values() if r.source)
    yield from (f"**Source:** {linked(source)}" for source in sources)


def _head(function: Callable) -> Iterator[str]:
    """What it is, how it is called, and what it takes."""
    shown = []
    for p in inspect.signature(function).parameters.values():
        if p.kind is p.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        default = "" if p.default is p.empty else f"={value(p.default)}"
        shown.append("**" * (p.kind is p.VAR_KEYWORD) + p.name + default)
    yield f"\n### {function.__name__}\n\n{paragraphs(function)[0]}\n"
    yield f"```python\njm.{function.__name__}({', '.join(shown)})\n```\n"
    yield from (f"- `{name}` ({kind}): {what}" for name, kind, what in options(function))


def _facts(title: str, shown: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[str]:
    """What holds for the first call, and for each other what differs."""
    usual = next(iter(shown.values()))
    yield from table(("", title), usual)
    differing: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for asked, found in shown.items():
        differing.setdefault(tuple(fact for fact in found if fact not in usual), []).append(asked)
    for found, calls in differing.items():
        if found:
            yield from table(("", code(*calls)), found)


def _states(
    gates: Iterable[tuple[str, RateLaw]], bare: Mapping[str, Param]
) -> Iterator[tuple[str, str]]:
    for gate, rate in gates:
        yield f"gate `{gate}`, its rate in 1/s", _first(rate)
    known = {name: p for source in SOURCES.values() for name, p in source.params.items()}
    shown = (
        f"`{name}`" if known.get(name) == p else f"`{name}` = {_quantity(p)} ({p.long_name})"
        for name, p in bare.items()
    )
    if bare:
        yield "bare parameters", ", ".join(shown)


def _laws(entry: Entry) -> Iterator[str]:
    rows, notes = [], {}
    for name, law in entry.laws.items():
        strength, p = next(iter(law.params.items()))
        kept = "irreversible as published" if law.irreversible else "kept"
        label = f"`{name}`" if rows else f"`{name}` (default)"
        rows.append((label, _first(law.rate), f"`{strength}` = {_quantity(p)}", kept))
        notes.setdefault("\n\n  ".join(paragraphs(law.rate)[1:]), []).append(name)
    yield "\n**Laws**"
    yield from table(("law", "turnover J", "strength", "second law"), rows)
    yield from (f"- {code(*names)}: {note}" for note, names in notes.items() if note)


def _parameters(
    named: Mapping[str, Iterable[tuple[str, Param]]], head: str, every: Iterable[str] = ()
) -> Iterator[str]:
    """A table of parameters; the last column says whose they are, if there are several."""
    found: dict[tuple[str, Param], list[str]] = {}
    for label, items in named.items():
        for item in items:
            found.setdefault(item, []).append(label)
    columns = ("parameter", "nominal", "unit", "meaning", "domain", head)[: 5 + (len(named) > 1)]
    rows = []
    for (name, p), labels in found.items():
        whose = "all" if labels == [*every] else code(*labels)
        row = f"`{name}`", number(p.nominal), p.unit, p.long_name, _DOMAINS[p.domain], whose
        rows.append(row[: len(columns)])
    yield from table(columns, rows)


def _quantity(p: Param) -> str:
    return f"{number(p.nominal)} {p.unit}".removesuffix(" 1")


def _first(documented: Any) -> str:
    return paragraphs(documented)[0].removesuffix(".")


if __name__ == "__main__":
    print(render(), end="")
