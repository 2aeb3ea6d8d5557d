"""A fit as rows of a store: what the program takes of each cell, and what is kept of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cell import Cell
from ..record import SCHEMA_VERSION, describe, structure, versions
from ..rest import STATUS
from ..schema import Schema, Variable
from ..target import unit_of
from .coordinate import Coordinates
from .program import FitProgram
from .recorded import Recorded
from .uncertainty import Errors

FLAGS = {
    "converged": STATUS["stable"],
    **{name: STATUS[name] for name in ("unstable", "no_steady_state", "not_converged")},
    **{name: STATUS[name] for name in ("nonfinite", "invalid", "volume_bound", "not_improved")},
}


_AGREES = 1e-3
_WHOLE = {"determined": "int8", "at_bound": "int8", "trial_status": "int8", "turns": "int32"}


@dataclass(frozen=True)
class FitJob:
    """What is fitted, where each cell begins (cells, starts, axes), and how it is told."""

    cell: Cell
    recorded: Recorded
    coordinates: Coordinates
    begin: np.ndarray
    program: FitProgram
    common: Mapping[str, Any]
    level: float
    method: str
    decides: Mapping[str, Any]

    @property
    def shared(self) -> tuple[bool, ...]:
        """Which axes all cells have in common."""
        return self.program.shared

    def given(self, start: int, stop: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """What the program takes of cells, and what was recorded of them."""
        recorded, part = self.recorded, slice(start, stop)
        values, sd = recorded.values[part], recorded.sd[part]
        there = np.isfinite(values)
        conditions = {name: x[part] for name, x in recorded.conditions.items()}
        lanes = {
            "begin": self.begin[part],
            "values": np.where(there, values, 0.0),
            "weights": np.where(there, 1.0 / np.where(there, sd, 1.0), 0.0),
        }
        return lanes | conditions, {"recorded": values, "sd": sd} | conditions

    def made(
        self, parts: Mapping[str, list[Any]], known: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """What the store holds of cells."""
        found = {name: np.concatenate([p[0] for p in part]) for name, part in parts.items()}
        cells = len(found["status"])
        there = np.isfinite(known["recorded"]).reshape(cells, -1)
        errors = Errors(self.coordinates, self.shared, self.level, self.recorded.known_sd)
        found |= errors.of(found, there.sum(axis=1))
        unmet = (found["status"] == FLAGS["converged"]) & found["unmet"]
        found["status"] = np.where(unmet, FLAGS["not_improved"], found["status"]).astype(np.int8)
        nothing = ~there.any(axis=1)
        found["status"][nothing] = FLAGS["invalid"]
        reached = found["trial_loss"] < found["loss"][:, None] + _AGREES
        found["agreement"] = reached.mean(axis=1)
        if not self.recorded.known_sd:
            known = {**known, "sd": known["sd"] * found["error_scale"][:, None, None, None]}
        lost = ~np.isfinite(found["loss"]) | nothing
        for name in self._floating:
            found[name] = np.where(
                lost.reshape(-1, *[1] * (found[name].ndim - 1)), np.nan, found[name]
            )
        for name in ("recorded", "sd", "predicted"):
            x = found[name] if name in found else known[name]
            found[name] = x if self.recorded.times else x[..., 0]
        found |= {name: x for name, x in known.items() if name not in found}
        return {name: found[name] for name in ("status", *(v[0] for v in self._variables))}

    @property
    def _floating(self) -> list[str]:
        return [
            name
            for name, _, dims in self._variables
            if "start" not in dims
            and name not in (*_WHOLE, "recorded", "sd", *self.recorded.conditions)
        ]

    @property
    def _variables(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Name, meaning and dims after the cells of all that is kept."""
        seen = ("target", "condition", *(("time",) if self.recorded.times else ()))
        return [
            ("estimate", "fitted parameter", ("parameter",)),
            ("standard_error", "standard error of a parameter", ("parameter",)),
            ("low", f"lower end of the {self.level:.0%} interval", ("parameter",)),
            ("high", f"upper end of the {self.level:.0%} interval", ("parameter",)),
            ("determined", "whether the data hold a parameter to half its prior", ("parameter",)),
            ("at_bound", "-1 or 1 where an axis ends at a bound", ("parameter",)),
            ("correlation", "correlation of estimates", ("parameter", "other")),
            ("information_eigenvalue", "information, in units of the priors", ("rank",)),
            ("direction", "eigenvectors of the information", ("rank", "parameter")),
            ("loss", "half the chi-square, with that of the priors", ()),
            ("chi_square", "sum of squared residuals over their errors", ()),
            ("degrees_of_freedom", "values and Gaussian priors, less what they determine", ()),
            ("p_value", "chance of a larger loss", ()),
            ("gradient", "largest entry of the gradient of the loss", ()),
            ("agreement", "share of starts that end at this loss", ()),
            ("predicted", "what the fitted cell shows", seen),
            ("recorded", "what was recorded", seen),
            ("sd", "error of what was recorded", seen),
            ("trial", "where a start ended", ("start", "parameter")),
            ("trial_loss", "loss where a start ended", ("start",)),
            ("trial_status", "outcome of a start", ("start",)),
            ("turns", "turns of a start", ("start",)),
            *((name, "condition", ("condition",)) for name in self.recorded.conditions),
        ]

    def schema(self, study: str) -> Schema:
        """What the store of the fit holds."""
        about = self.cell.parameters
        names, conditions = self.coordinates.names, self.recorded.conditions
        variables = []
        for name, words, dims in self._variables:
            dtype = _WHOLE.get(name, "float64")
            attrs = {"units": "1", "long_name": words}
            if name in conditions:
                attrs = {"units": about[name].unit, "long_name": about[name].long_name}
            elif {"target", "parameter"} & set(dims) and name not in ("correlation", "direction"):
                attrs["units"] = "see target_units" if "target" in dims else "see parameter_units"
            variables.append(Variable(name, dims, dtype, attrs, name in conditions))
        labels: dict[str, Any] = {
            "parameter": names,
            "other": names,
            "rank": tuple(str(i) for i in range(len(names))),
            "target": self.recorded.targets,
            "condition": tuple(str(i) for i in range(self.recorded.values.shape[2])),
            "start": tuple(str(i) for i in range(self.begin.shape[1])),
            "time": self.recorded.times,
        }
        if not self.recorded.times:
            del labels["time"]
        return Schema(
            variables=tuple(variables),
            labels=labels,
            label_attrs={
                "time": {"units": "s", "long_name": "time since the protocol began"},
                "parameter": {"parameter_units": " | ".join(about[n].unit for n in names)},
                "target": {"target_units": " | ".join(map(unit_of, self.recorded.targets))},
            },
            fixed={
                name: (value, {"units": about[name].unit, "long_name": about[name].long_name})
                for name, value in self.common["fixed"].items()
            },
            attrs={
                "title": "jaxmembrane fit",
                "schema_version": SCHEMA_VERSION,
                "source": self.cell.source,
                "model": describe(self.cell),
                "free": json.dumps([self._axis(i) for i in range(len(names))]),
                "shared": json.dumps([n for n, s in zip(names, self.shared, strict=True) if s]),
                "method": self.method,
                "level": self.level,
                "errors": "given" if self.recorded.known_sd else "estimated from the residuals",
                "study": study,
                "rows": json.dumps({"dim": "cell", "coordinates": self._labels}),
            },
            status_flags=FLAGS,
        )

    @property
    def _labels(self) -> dict[str, list[Any]]:
        """Names of the cells, and their labels, but for those whose name is taken."""
        taken = {"cell", "status", *self.common["fixed"], *(name for name, _, _ in self._variables)}
        labels = {k: np.asarray(x) for k, x in self.recorded.labels.items() if k not in taken}
        return {"cell": list(self.recorded.cells)} | {k: x.tolist() for k, x in labels.items()}

    def _axis(self, i: int) -> dict[str, Any]:
        axis, (low, width) = self.coordinates.axes[i], self.coordinates.numbers[i]
        return {
            "names": list(axis.names),
            "bounded": axis.bounded,
            "log": axis.log,
            "numbers": [float(low), float(width)],
        }

    def fingerprint(self, tile: int, device: Any) -> dict[str, Any]:
        """What decides the numbers of the fit, section by section."""
        return {
            "extendable": False,
            "schema version": SCHEMA_VERSION,
            "model": structure(self.cell),
            "fixed parameter": dict(self.common["fixed"]),
            "recorded": {"targets": list(self.recorded.targets), "sha256": self.recorded.digest()},
            "free": [self._axis(i) for i in range(len(self.coordinates.axes))],
            "shared": list(self.shared),
            "starts": self.begin.shape[1],
            "begin": hashlib.sha256(self.begin.astype("<f8").tobytes()).hexdigest(),
            **self.decides,
            "method": self.method,
            "limits": [float(x) for x in self.common["limits"]],
            "level": self.level,
            "tile": tile,
            "versions": versions(device),
        }
