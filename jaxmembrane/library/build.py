"""From a catalogue entry to a transporter: choose the law, set nominal values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..kinetics.law import Law
from ..naming import UnknownName, unknown
from ..params import Param, check_params
from ..species import Species
from ..transport import Transporter


@dataclass(frozen=True)
class Entry:
    """An entry of the catalogue: its function's name, its laws, and how to make it with one."""

    name: str
    laws: Mapping[str, Law]
    make: Callable[[str], Transporter]


def check_species(species: object) -> None:
    """Refuse anything but a species, in one sentence."""
    if not isinstance(species, Species):
        raise TypeError(f"species must be a jm.Species, as jm.K, not {species!r}")


def choose(laws: Mapping[str, Law], law: str, what: str) -> Law:
    """The law of that name, or a sentence that names the nearest."""
    if law not in laws:
        raise UnknownName(unknown(f"law of {what}", law, laws))
    return laws[law]


def with_nominal(declared: Mapping[str, Param], nominal: Mapping[str, Any]) -> dict[str, Param]:
    """Declared parameters with other nominal values."""
    check_params(declared, nominal)
    return {
        name: replace(param, nominal=nominal[name]) if name in nominal else param
        for name, param in declared.items()
    }


def build(
    name: str,
    reaction: str,
    laws: Mapping[str, Law],
    law: str,
    nominal: Mapping[str, Any],
    **options: Any,
) -> Transporter:
    """A transporter with one reaction and one of its laws."""
    chosen = choose(laws, law, name)
    return Transporter(
        name,
        reaction,
        chosen.rate,
        with_nominal(chosen.params, nominal),
        irreversible=chosen.irreversible,
        source=chosen.source,
        **options,
    )
