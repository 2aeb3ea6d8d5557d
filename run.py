#!/usr/bin/env python3
"""Set up and run jaxmembrane from a clone, on a machine that has Python 3.11 with pip or uv.

``python3 run.py demo`` and ``python3 run.py test`` make a virtual environment ``.venv`` beside this
file, install the package and what the command needs into it, and run the command there. A stamp
with what was installed is written last: an install that was cut short is done again, and a second
start installs nothing and needs no network.

Standard library only; up to the check below, and in its syntax throughout, it is Python 3.6.
"""

import sys


def too_old(version):
    """Say which Python is needed where `version` is older, else return an empty string."""
    if tuple(version[:2]) >= (3, 11):
        return ""
    return f"Python 3.11 or newer is needed, this is {version[0]}.{version[1]}"


if too_old(sys.version_info):
    print(too_old(sys.version_info), file=sys.stderr)
    sys.exit(2)

import difflib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

USAGE = """\
usage: python3 run.py demo [--gpu] [options]   sweep the published neuron: summary, figure, store
       python3 run.py test [pytest options]    run the tests (-m slow: the long ones)
       python3 run.py setup [part ...]         set up only, with extras or groups (dev, dask, ...)

Each first sets up .venv beside this file, where that is not done yet: about a minute, 900 MB.
demo --gpu installs JAX for an NVIDIA GPU; demo --help lists the options of the demo."""

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What makes .venv and installs into it: this Python or, where this is .venv's own, its parent.
MAKER = sys._base_executable if Path(sys.prefix).resolve() == VENV else sys.executable
STAMP = VENV / "stamp.json"
LOG = VENV / "install.log"
CONSTRAINTS = ROOT / "constraints.txt"
DEMO = ROOT / "experiments" / "neuron_rest" / "run.py"

ALWAYS = {"plot"}
# One worker per core, at most four: each compiles, and may hold a gigabyte. A file stays in one
# worker, which then compiles what its tests share once.
WORKERS = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]

# With these a child would look, or pip would write, outside .venv; without its byte code, which
# the first import writes because compiling all of it in advance takes longer, every start is slow.
FOREIGN = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"}
FOREIGN |= {"PYTHONDONTWRITEBYTECODE"}

# What pip and uv say when no package index answers.
OFFLINE = re.compile(
    r"from versions: none|NewConnectionError|NameResolutionError|ProxyError|IncompleteRead"
    r"|timed out|Connection (?:refused|reset)|error sending request|dns error"
)


def stop(message: str, status: int = 1) -> NoReturn:
    """End with one line on standard error."""
    print(f"run.py: {message}", file=sys.stderr)
    raise SystemExit(status)


def unknown(kind: str, name: str, known: list[str]) -> NoReturn:
    """End with status 2 over a name that is not among `known`; name the nearest that is."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}"
    stop(f"unknown {kind} {name!r}: {hint}", 2)


def environment() -> dict[str, str]:
    """Return the variables for a child: ours, without what would lead it out of .venv."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


def ask(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command and keep what it says."""
    return subprocess.run(command, env=environment(), capture_output=True, text=True)


def requirements(parts: set[str], project: dict) -> list[str]:
    """Return the package with its extras, and the members of the groups, among `parts`.

    Groups are resolved here, because pip learned to read ``[dependency-groups]`` in 25.1 only.
    """
    groups = project["dependency-groups"]

    def members(group: str) -> Iterator[str]:
        for entry in groups[group]:
            yield from [entry] if isinstance(entry, str) else members(entry["include-group"])

    extras = sorted(parts & set(project["project"]["optional-dependencies"]))
    named = [name for part in sorted(parts & set(groups)) for name in members(part)]
    return ["-e", f".[{','.join(extras)}]", *dict.fromkeys(named)]


def wanted(parts: set[str], project: dict) -> dict:
    """Return the stamp of an environment with `parts`, made here by this version of Python.

    Of pyproject.toml only what decides about the installation counts, not the linter's rules.
    """
    tables = [project[name] for name in ("build-system", "project", "dependency-groups")]
    source = json.dumps([tables, CONSTRAINTS.read_text("utf-8")], sort_keys=True)
    return {
        "place": f"{ROOT}, Python {sys.version_info[0]}.{sys.version_info[1]}",
        "source": hashlib.sha256(source.encode()).hexdigest(),
        "parts": sorted(parts),
    }


def installed() -> dict:
    """Return the stamp of the environment that is there, or an empty one."""
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if PYTHON.exists() else {}  # a link into a Python that was removed does not exist


def write_stamp(stamp: dict) -> None:
    """Write the stamp in one stroke."""
    draft = STAMP.with_suffix(".new")
    draft.write_text(json.dumps(stamp), "utf-8")
    draft.replace(STAMP)


def installer() -> list[str]:
    """Return the command that installs into .venv: uv where there is one, else pip."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", str(PYTHON)]
    pip = [MAKER, "-m", "pip"]
    found = re.match(r"pip (\d+)\.(\d+)", ask([*pip, "--version"]).stdout)
    if not found:
        stop(
            "this Python has no pip: install it (Debian and Ubuntu: `sudo apt install python3-pip`,"
            f" elsewhere: `{MAKER} -m ensurepip`) or install uv, and start again"
        )
    if (int(found[1]), int(found[2])) < (22, 3):
        stop(
            f"pip 22.3 or newer is needed, this is {found[1]}.{found[2]}:"
            f" `{MAKER} -m pip install --upgrade pip`, or install uv, and start again"
        )
    quiet = ["--no-input", "--disable-pip-version-check"]
    return [*pip, "--python", str(PYTHON), "install", "--no-compile", *quiet]


def make_venv() -> None:
    """Make an empty .venv; without pip, which it does not need and Debian cannot put there."""
    answer = ask([MAKER, "-m", "venv", "--clear", "--without-pip", str(VENV)])
    if answer.returncode:
        reason = (answer.stdout + answer.stderr).strip().rpartition("\n")[2]
        stop(f"could not make {VENV}: {reason}")


def install(command: list[str]) -> str:
    """Run the installer; return its output, also kept in the log, if it failed, else "".

    On a terminal its latest line is in sight meanwhile.
    """
    show = sys.stdout.isatty()
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment(), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    with LOG.open("w", encoding="utf-8") as log, child:
        for line in child.stdout or ():
            log.write(line)
            if show:
                print(f"\r  {line.strip():<76.76}", end="", flush=True)
    if show:
        print(f"\r{'':<78}\r", end="", flush=True)
    return (LOG.read_text("utf-8") or "it said nothing") if child.returncode else ""


def set_up(parts: set[str]) -> None:
    """Make .venv hold `parts` beside whatever it holds already; do nothing where it does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    known = {*project["project"]["optional-dependencies"], *project["dependency-groups"]}
    for part in sorted(parts - known):
        unknown("part", part, sorted(known))
    there = installed()
    parts = parts | ALWAYS | (known & set(there.get("parts", [])))
    stamp = wanted(parts, project)
    if there == stamp:
        return
    command = installer()
    fresh = there.get("place") != stamp["place"]
    tool = "pip" if "-m" in command else "uv"
    new = parts - set(there.get("parts", []))
    wait = "about a minute" if fresh else "less than a minute"
    wait = "some minutes: CUDA is large" if new & {"cuda12", "cuda13"} else wait
    print(f"Setting up {VENV} with {tool}: {', '.join(stamp['parts'])} ({wait})", flush=True)
    started = time.monotonic()
    if fresh:
        make_venv()
    else:
        STAMP.unlink()
    output = install([*command, "-c", CONSTRAINTS.name, *requirements(parts, project)])
    if OFFLINE.search(output):
        # Both tools fetch everything before they install anything: what was there is still whole.
        if not fresh:
            write_stamp(there)
        stop(f"no network, or no package index answers: connect, and start again ({LOG})")
    if output:
        reasons = [line.strip() for line in output.splitlines() if "error" in line.lower()]
        stop(f"{tool} failed: {[*reasons, 'see its output'][0]} ({LOG})")
    write_stamp(stamp)
    print(f"Set up in {time.monotonic() - started:.0f} s", flush=True)


def cuda_extra() -> str:
    """Return the extra that suits this machine's NVIDIA driver."""
    found = None
    if shutil.which("nvidia-smi"):
        found = re.search(r"CUDA[A-Za-z ]* Version: *(\d+)", ask(["nvidia-smi"]).stdout)
    if not found:
        stop("--gpu: nvidia-smi finds no NVIDIA GPU here; without --gpu the demo runs on the CPU")
    if int(found[1]) < 12:
        stop(f"--gpu: the driver must run CUDA 12 or newer, this one runs CUDA {found[1]}")
    return "cuda12" if int(found[1]) == 12 else "cuda13"


def call(arguments: list[str], cwd: Path | None = None) -> int:
    """Run .venv's Python and return its exit status, 130 after an interrupt.

    The terminal sends the interrupt to the child as well, which ends in its own time and way.
    """
    interrupts = []
    signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
    status = subprocess.call([str(PYTHON), *arguments], env=environment(), cwd=cwd)
    return 130 if interrupts else status if status >= 0 else 128 - status


def demo(options: list[str]) -> int:
    """Run the sweep of the published neuron."""
    set_up({cuda_extra()} if "--gpu" in options else set())
    return call([str(DEMO), *(option for option in options if option != "--gpu")])


def test(options: list[str]) -> int:
    """Run the tests; pytest's own status 5 says that there was none."""
    set_up({"test"})
    return call(["-m", "pytest", *WORKERS, *options], cwd=ROOT)


def setup(parts: list[str]) -> int:
    """Set up with the named extras and groups."""
    set_up(set(parts))
    print(f"{VENV} is ready")
    return 0


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status."""
    commands = {"demo": demo, "test": test, "setup": setup}
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in commands:
        unknown("option" if name.startswith("-") else "command", name, list(commands))
    try:
        return commands[name](rest)
    except KeyboardInterrupt:
        print("\nrun.py: interrupted; the same command starts again", file=sys.stderr)
        return 130
    except OSError as error:
        stop(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
