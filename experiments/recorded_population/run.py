"""1,512 recorded neurons in one fit: what V, input resistance and time constant determine.

    python experiments/recorded_population/run.py [--data PATH] [--out DIR] [--rows N]

Each cell gives three numbers, and the model has nine that are not known exactly: area, P_K,
P_Na/P_K, P_Cl/P_K, pump, capacitance per area, and the three concentrations that the pipette sets.
The fit says which the data determine. Families and temperatures are compared by medians over
animals, and all of it again with another junction potential, pump or chloride permeability.
README.md says where the table is from; without --data the cells are simulated, and the fit is held
to the truth.

recorded.png: what was recorded, and what the fit makes of it. determined.png: what is left of each
prior. families.png: parameters by family and temperature. results.md holds the numbers.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import pictures
import xarray as xr
from population import Population, model, read, simulate, space
from report import report

import jaxmembrane as jm

HERE = Path(__file__).resolve().parent
LEAST, STARTS = 64, 4
JUNCTION = -14.0  # mV
VARIANTS: dict[str, dict[str, Any]] = {
    f"V {JUNCTION:+g} mV": {"offset": JUNCTION},
    "pump / 3": {"pump": 1.0 / 3.0},
    "pump x 3": {"pump": 3.0},
    "P_Cl / 4": {"chloride": 0.25},
    "P_Cl x 4": {"chloride": 4.0},
}


def fitted(
    population: Population, *, offset: float = 0.0, progress: bool = False, **priors: float
) -> xr.Dataset:
    """All cells in one fit, each at its temperature."""
    return jm.fit(
        model(),
        population.shifted(offset),
        space(**priors),
        conditions={"T": population.temperature},
        starts=STARTS,
        progress=progress,
    ).load()


def run(out: Path, rows: int | None, data: Path | None) -> None:
    """Read or simulate, fit, tell, draw."""
    if rows is not None and rows < LEAST:
        raise ValueError(f"--rows must be at least {LEAST} for quantiles to mean much, not {rows}")
    jm.configure()
    out.mkdir(parents=True, exist_ok=True)
    known = simulate(rows)
    population = known if data is None else read(data, rows)
    if data is None:
        print("no --data: these cells are simulated, and say nothing of real ones")
    print(population.recordings)
    begun = time.perf_counter()
    base = fitted(population, progress=True)
    first = time.perf_counter() - begun
    variants = {name: fitted(population, **how) for name, how in VARIANTS.items()}
    again = (time.perf_counter() - begun - first) / len(VARIANTS)
    test = base if data is None else fitted(known)
    text = report(population, base, variants, (test, known.truth or {}), (first, again))
    (out / "results.md").write_text(text)
    print(text)
    shifted = variants[f"V {JUNCTION:+g} mV"]
    pictures.recorded(base, shifted, population, out / "recorded.png")
    pictures.determined(base, out / "determined.png")
    pictures.families(base, population, out / "families.png")
    for name in ("results.md", "recorded.png", "determined.png", "families.png"):
        print(f"written: {out / name}")


def main() -> None:
    """Read the arguments; a user's mistake is one line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the results")
    parser.add_argument("--rows", type=int, help="number of cells (all that there are)")
    parser.add_argument("--data", type=Path, help="the recorded table (README.md); else simulated")
    arguments = parser.parse_args()
    try:
        run(arguments.out, arguments.rows, arguments.data)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
