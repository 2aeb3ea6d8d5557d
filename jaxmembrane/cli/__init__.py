"""The command line: ``jaxmembrane sweep | sensitivity | fit | show | plot | verify | zoo``.

What needs JAX is imported inside the commands, after the devices are arranged. A mistake of the
user's ends in one sentence (a study file's in one for each) and exit status 2.
"""

import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from ..study.example import FIT, SENSITIVITY, SWEEP
from .fit import fit
from .plot import plot
from .sensitivity import sensitivity
from .show import show, verify
from .sweep import sweep
from .zoo import zoo

_STOPPED = 130
_MISTAKES = (ValueError, KeyError, TypeError, ImportError, OSError, RuntimeError, MemoryError)


def main() -> None:
    """Run the command line and leave Python with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command: status 0, 1 for damage found, 2 for a mistake, 130 when stopped."""
    try:
        with warnings.catch_warnings():
            # Another process may be writing the entry; who cannot read it compiles for himself.
            warnings.filterwarnings("ignore", "Error reading persistent compilation cache entry")
            code = typer.main.get_command(app).main(
                list(arguments), prog_name="jaxmembrane", standalone_mode=False
            )
    except typer.TyperException as error:
        print(f"error: {error.format_message()}" if arguments else error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        code = _STOPPED
    except _MISTAKES as error:
        print(_reason(error), file=sys.stderr)
        return 2
    if code == _STOPPED:
        print("stopped; the same command resumes", file=sys.stderr)
    return code or 0


def _reason(error: Exception) -> str:
    """One sentence; the lines of a study file say by themselves what they are about."""
    from ..study import StudyError

    if isinstance(error, StudyError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"error: not enough memory, so take fewer rows or a smaller chunk ({error})"
    if isinstance(error, OSError) and error.strerror:
        return f"error: {error.filename or 'the system'}: {error.strerror}"
    return f"error: {error}"


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"jaxmembrane {version('jaxmembrane')}, JAX {version('jax')}")
        raise typer.Exit


def _common(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Population sweeps, sensitivities and fits of living cells' membrane systems."""


app = typer.Typer(
    name="jaxmembrane",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # brackets in the examples are those of TOML
)
app.callback()(_common)
app.command(epilog=SWEEP)(sweep)
app.command(epilog=SENSITIVITY)(sensitivity)
app.command(epilog=FIT)(fit)
for command in (show, plot, verify, zoo):
    app.command()(command)
