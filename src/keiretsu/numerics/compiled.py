"""Compiled code kept on disk between runs, so that the second run of a command does not compile again."""

from __future__ import annotations

import os
from pathlib import Path

import jax

FOLDER_VARIABLE = "KEIRETSU_CACHE"
FOLDER, SHORTEST = "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"  # settings of JAX


def cache_folder() -> Path:
    """Where compiled code is kept: $KEIRETSU_CACHE, else $XDG_CACHE_HOME/keiretsu, else ~/.cache/keiretsu."""
    if FOLDER_VARIABLE in os.environ:
        return Path(os.environ[FOLDER_VARIABLE])
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "keiretsu"


THREADS = "NPROC"  # how many threads XLA runs compiled code on; it compiles on as many as the machine has, whatever this says
ONE_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", THREADS: "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def one_thread_each(at_once: int = 1) -> None:
    """Compiled code runs on one thread from now on, in a process that runs `at_once` of them; to be called before the first array is made.

    Sums are then added in one order, so that numbers do not depend on which process computed them, and processes side by side do not wait for each other.
    With a second thread XLA would hand the small steps of one function back and forth between both, which costs a third more processor time and gains none.
    """
    os.environ.update({**ONE_THREAD, THREADS: str(at_once)})


def keep_compiled_code(folder: Path) -> bool:
    """Keep compiled code in `folder` from now on, in this process. False when the folder cannot be written: then nothing is kept.

    The edge of the program calls this (the command line, a worker); the package itself never does, so that importing it has no effect
    on a user's own JAX code.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    if not os.access(folder, os.W_OK):
        return False
    jax.config.update(FOLDER, str(folder / "xla"))
    jax.config.update(SHORTEST, 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return True


def kept_in() -> Path | None:
    """Where this process keeps functions compiled whole, see `keiretsu.numerics.kept`; None where it keeps nothing."""
    folder = setting(FOLDER)
    return Path(str(folder)).with_name("whole") if folder else None


def setting(name: str) -> object:
    """A setting of JAX in this process."""
    return getattr(jax.config, name)
