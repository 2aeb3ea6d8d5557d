"""What every test runs under: two CPU devices, float64, strict promotion, one compilation cache.

What a child process needs as well is an environment variable. What a user does not have by default
is set by ``jax.config``, so that a command started by a test runs as a user's would.
"""

import gc
import os
from pathlib import Path

import hypothesis
import pytest

# No deadline: the first example of a test compiles. The same examples every time, so that who
# changed nothing breaks nothing; --hypothesis-profile=explore draws new ones.
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.register_profile("repeat", deadline=None, derandomize=True)
hypothesis.settings.load_profile("repeat")


def pytest_configure(config: pytest.Config) -> None:
    """Set JAX up before a test module imports it."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    # Compiling is most of the work: all workers, children and later runs share what it made.
    if config.pluginmanager.has_plugin("cacheprovider"):
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

    import jax

    # On every machine, so that the tests deal work to several devices.
    jax.config.update("jax_num_cpu_devices", 2)
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_numpy_dtype_promotion", "strict")


# A process may hold 65,530 mappings on Linux, and each compiled program has a dozen; the compiler
# crashes where there are no more.
_MOST_MAPPINGS = 20_000


@pytest.fixture(autouse=True, scope="module")
def _room_for_programs():
    """Let go of compiled programs, once the tests of a file are done and there are very many."""
    yield
    mappings = Path("/proc/self/maps")
    if mappings.exists() and mappings.read_bytes().count(b"\n") > _MOST_MAPPINGS:
        import jax

        from jaxmembrane import engine

        engine._COMPILED.clear()
        jax.clear_caches()
        gc.collect()


@pytest.fixture
def read(tmp_path):
    """Read a text as a study file."""

    from jaxmembrane import study

    def reader(text, **more):
        file = tmp_path / "study.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return study.read_study(file, **more)

    return reader


@pytest.fixture
def problems(read, tmp_path):
    """Problems of a text, as (line, message)."""

    from jaxmembrane import study

    def finder(text, **more):
        with pytest.raises(study.StudyError) as caught:
            read(text, **more)
        found = []
        for line in str(caught.value).split("\n"):
            place, _, message = line.removeprefix(f"{tmp_path / 'study.toml'}:").partition(": ")
            found.append((int(place), message))
        return found

    return finder
