"""run.py in a small clone of its own, with a stand-in for uv that installs nothing."""

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[1] / "run.py"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

PROJECT = """
build-system = { requires = ["hatchling>=1.27"], build-backend = "hatchling.build" }
dependency-groups = { test = ["pytest"], dev = [{ include-group = "test" }, "ruff"] }
tool.ruff = { line-length = 100 }
[project]
name = "small"
version = "1"
dependencies = ["numpy"]
optional-dependencies = { plot = ["matplotlib"], cuda12 = ["jax"], cuda13 = ["jax"] }
"""
DEMO = """
import os, sys
print("demo", sys.argv[1:], sorted({"PYTHONPATH", "VIRTUAL_ENV", "PIP_USER"} & set(os.environ)))
sys.exit(2 if "--no-such-option" in sys.argv else 0)
"""
SLOW_DEMO = """
import time
try:
    print("running", flush=True)
    while True: time.sleep(0.05)
except KeyboardInterrupt: print("stopped", flush=True)
"""
PYTEST = "import sys; print('pytest', sys.argv[1:]); sys.exit(5 if 'none' in sys.argv else 0)"
UV = f"""
import pathlib
python = pathlib.Path(sys.argv[sys.argv.index("--python") + 1])
[site] = python.parents[1].glob("lib/python*/site-packages")
(site / "pytest.py").write_text({PYTEST!r})
"""


class Clone:
    """A project with run.py, and the only folder of commands on its PATH."""

    def __init__(self, home: Path) -> None:
        self.root = home / "a clone"
        self.venv = self.root / ".venv"
        self.stamp = self.venv / "stamp.json"
        self.demo = self.root / "experiments" / "neuron_rest" / "run.py"
        self.bin = home / "bin"
        self.calls = home / "calls"
        self.bin.mkdir()
        self.demo.parent.mkdir(parents=True)
        self.demo.write_text(DEMO)
        shutil.copy(RUN, self.root)
        (self.root / "pyproject.toml").write_text(PROJECT)
        (self.root / "constraints.txt").write_text("numpy==2.4.6\n")
        self.command("uv", UV)

    def command(self, name: str, body: str) -> None:
        """Put a Python program on the PATH that first notes how it was called."""
        program = self.bin / f"{name}.py"
        note = f"import sys; print(*sys.argv[1:], file=open({str(self.calls)!r}, 'a'), flush=True)"
        program.write_text(f"{note}\n{body}")
        (self.bin / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
        (self.bin / name).chmod(0o755)

    def start(self, *arguments: str, python: str = sys.executable, **variables: str):
        return subprocess.Popen(
            [python, str(self.root / "run.py"), *arguments],
            env={"PATH": str(self.bin), "HOME": str(self.bin), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **options) as child:
            out, err = child.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def signalled_in_install(self, number: int) -> subprocess.CompletedProcess[str]:
        """Run the demo and send the signal to it and its children while the installer works."""
        half = self.venv / "half"
        self.command("uv", f"import time; open({str(half)!r}, 'w')\nwhile True: time.sleep(0.05)")
        with self.start("demo") as child:
            while not half.exists():
                assert child.poll() is None
                time.sleep(0.02)
            os.killpg(child.pid, number)
            out, err = child.communicate(timeout=10)
        return subprocess.CompletedProcess([], child.returncode, out, err)

    def installs(self) -> list[str]:
        """Return what the installer was asked for so far, and forget it."""
        text = self.calls.read_text() if self.calls.exists() else ""
        self.calls.write_text("")
        return [call.partition("-c constraints.txt ")[2] for call in text.splitlines()]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def error(answer: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """Return the only line on standard error, without the name of the program."""
    assert answer.returncode == status, answer
    [line] = answer.stderr.splitlines()
    return line.removeprefix("run.py: ")


def test_old_pythons_can_read_the_file_and_are_told_what_is_needed() -> None:
    ast.parse(RUN.read_text("utf-8"), feature_version=(3, 7))
    pose = "import runpy, sys; sys.version_info = (3, 9, 18); runpy.run_path(sys.argv[1])"
    answer = subprocess.run([sys.executable, "-c", pose, RUN], capture_output=True, text=True)
    assert error(answer, 2) == "Python 3.11 or newer is needed, this is 3.9"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tset"], "unknown command 'tset': did you mean 'test'?"),
        (["fit"], "unknown command 'fit': choose from demo, test, setup"),
        (["--gpu"], "unknown option '--gpu': choose from demo, test, setup"),
        (["setup", "dve"], "unknown part 'dve': did you mean 'dev'?"),
    ],
)
def test_unknown_names(clone: Clone, arguments: list[str], message: str) -> None:
    assert error(clone.run(*arguments), 2) == message
    assert not clone.venv.exists()


def test_help(clone: Clone) -> None:
    asked, without = clone.run("--help"), clone.run()
    assert (asked.returncode, without.returncode) == (0, 2)
    assert "run.py demo" in asked.stdout == without.stdout


def test_demo_sets_up_once_and_passes_options_and_status_on(clone: Clone) -> None:
    foreign = {"PYTHONPATH": "/nowhere", "VIRTUAL_ENV": "/nowhere", "PIP_USER": "1"}
    first = clone.run("demo", "--rows", "5", **foreign)
    assert first.returncode == 0, first
    assert first.stdout.endswith("demo ['--rows', '5'] []\n")
    assert clone.installs() == ["-e .[plot]"]

    (clone.bin / "uv").unlink()
    again = clone.run("demo", "--no-such-option")
    assert (again.returncode, again.stdout) == (2, "demo ['--no-such-option'] []\n")


def test_test_returns_the_status_of_pytest(clone: Clone) -> None:
    answer = clone.run("test", "-k", "name")
    assert answer.returncode == 0
    assert re.search(r"pytest \['-n', 'auto', .*'-k', 'name'\]\n$", answer.stdout)
    assert clone.run("test", "none").returncode == 5


def test_parts_add_up(clone: Clone) -> None:
    for arguments in (["setup"], ["test"], ["setup", "dev", "cuda12"], ["demo"]):
        assert clone.run(*arguments).returncode == 0
    asked = ["-e .[plot]", "-e .[plot] pytest", "-e .[cuda12,plot] pytest ruff"]
    assert clone.installs() == asked


@pytest.mark.parametrize(
    ("file", "old", "new", "installs"),
    [
        ("pyproject.toml", '"numpy"', '"numpy>=2"', 1),
        ("pyproject.toml", "line-length = 100", "line-length = 80", 0),
        ("constraints.txt", "2.4.6", "2.5.5", 1),
    ],
)
def test_a_change_that_matters_installs_again(
    clone: Clone, file: str, old: str, new: str, installs: int
) -> None:
    clone.run("demo")
    (clone.venv / "mark").touch()
    path = clone.root / file
    path.write_text(path.read_text().replace(old, new))
    clone.installs()
    assert clone.run("demo").returncode == 0
    assert len(clone.installs()) == installs
    assert (clone.venv / "mark").exists()


def test_a_moved_clone_is_set_up_afresh(clone: Clone) -> None:
    clone.run("test")
    (clone.venv / "mark").touch()
    clone.installs()
    clone.root = clone.root.rename(clone.root.with_name("elsewhere"))
    assert clone.run("demo").returncode == 0
    assert clone.installs() == ["-e .[plot] pytest"]
    assert not (clone.root / ".venv" / "mark").exists()


def test_a_damaged_stamp_starts_afresh(clone: Clone) -> None:
    clone.run("demo")
    for damage in ("", "{", '{"place": "here"}'):
        clone.stamp.write_text(damage)
        assert clone.run("demo").returncode == 0
    assert clone.installs() == ["-e .[plot]"] * 4


def test_a_killed_install_starts_afresh(clone: Clone) -> None:
    assert clone.signalled_in_install(signal.SIGKILL).returncode == -signal.SIGKILL
    assert not clone.stamp.exists()
    clone.command("uv", UV)
    assert clone.run("demo").returncode == 0
    assert clone.stamp.exists() and not (clone.venv / "half").exists()


def test_an_interrupted_install_says_how_to_go_on(clone: Clone) -> None:
    answer = clone.signalled_in_install(signal.SIGINT)
    assert answer.returncode == 130
    assert answer.stderr == "\nrun.py: interrupted; the same command starts again\n"
    assert not clone.stamp.exists()


def test_an_interrupted_demo_ends_in_its_own_way(clone: Clone) -> None:
    clone.run("setup")
    clone.demo.write_text(SLOW_DEMO)
    with clone.start("demo") as child:
        assert child.stdout is not None and child.stdout.readline() == "running\n"
        os.killpg(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=10)
    assert (child.returncode, out, err) == (130, "stopped\n", "")


@pytest.mark.parametrize(
    ("words", "message", "kept"),
    [
        ("error: Failed to fetch\n cause: error sending request for url", "no network, or", True),
        ("WARNING: Retrying after 'NewConnectionError(...)'\nERROR: No", "no network, or", True),
        ("ERROR: nothing satisfies numpy (from versions: none)", "no network, or", True),
        ("Resolved\nerror: No space left on device", "uv failed: error: No space left", False),
    ],
)
def test_a_failed_install(clone: Clone, words: str, message: str, kept: bool) -> None:
    clone.run("demo")
    clone.command("uv", f"print({words!r}); sys.exit(1)")
    assert error(clone.run("test")).startswith(message)
    clone.command("uv", UV)
    clone.installs()
    assert clone.run("demo").returncode == 0
    assert clone.installs() == ([] if kept else ["-e .[plot]"])


def test_a_venv_that_cannot_be_made(clone: Clone) -> None:
    clone.venv.write_text("in the way")
    assert error(clone.run("demo")).startswith(f"could not make {clone.venv}: ")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "this Python has no pip: install it (Debian and Ubuntu: `sudo apt install"),
        ("22.2.1", "pip 22.3 or newer is needed, this is 22.2: `"),
    ],
)
def test_a_python_without_a_fitting_pip(
    clone: Clone, tmp_path: Path, version: str | None, message: str
) -> None:
    (clone.bin / "uv").unlink()
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    if version:
        [site] = bare.glob("lib/python*/site-packages")
        (site / "pip.py").write_text(f"print('pip {version} from somewhere')")
    assert error(clone.run("demo", python=str(bare / "bin" / "python"))).startswith(message)
    assert not clone.venv.exists()


def test_pip_itself_without_a_network(clone: Clone) -> None:
    python = sys._base_executable
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode:
        pytest.skip("the Python that made this environment has no pip")
    (clone.bin / "uv").unlink()
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    answer = clone.run("demo", python=python, PIP_RETRIES="0", PIP_NO_CACHE_DIR="1", **nowhere)
    assert error(answer).startswith("no network, or no package index answers")
    assert not clone.stamp.exists()


@pytest.mark.parametrize(
    ("words", "extra", "message"),
    [
        ("| Driver Version: 560.1   CUDA Version: 12.4 |", "cuda12", ""),
        ("| Driver Version: 580.1   CUDA Version: 13.0 |", "cuda13", ""),
        ("| CUDA Version: 11.8 |", None, "--gpu: the driver must run CUDA 12 or newer, this one"),
        ("NVIDIA-SMI has failed", None, "--gpu: nvidia-smi finds no NVIDIA GPU here"),
    ],
)
def test_gpu(clone: Clone, words: str, extra: str | None, message: str) -> None:
    clone.command("nvidia-smi", f"print({words!r})")
    answer = clone.run("demo", "--gpu", "--rows", "9")
    if extra:
        assert answer.stdout.endswith("demo ['--rows', '9'] []\n")
        assert clone.installs()[-1] == f"-e .[{extra},plot]"
    else:
        assert error(answer).startswith(message)
        assert not clone.venv.exists()


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads(RUN.with_name("pyproject.toml").read_text("utf-8"))
    pins = RUN.with_name("constraints.txt").read_text("utf-8").splitlines()
    for requirement in project["project"]["dependencies"]:
        name = re.split(r"[<>=\[]", requirement)[0]
        assert any(pin.startswith(f"{name}==") for pin in pins), name
