"""Large functions compiled once for all processes of a run, and kept whole for the next run.

JAX's own cache of compiled code is asked by the traced function, so that every process traces it again, for seconds where the function is large. A
`Kept` function is asked for by what it was made from instead: this program's sources, the versions beneath it, the machine, and the shapes of what it is
given. One process compiles while others that want the same wait for it, then they read what it wrote.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import pickle
import platform
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.experimental import serialize_executable

import keiretsu
from keiretsu.numerics.compiled import SHORTEST, kept_in, setting

P = ParamSpec("P")
R = TypeVar("R")
Program = Callable[[list[jax.Array]], list[jax.Array]]
MOST = 12  # compiled functions kept; the oldest go first
FORMAT = b"keiretsu compiled 1\n"
WIDE: dict[str, str | bool] = {
    "xla_cpu_prefer_vector_width": "512"
}  # bits: XLA's own choice is half of what newer processors add at once; others take what they have


class Kept(Generic[P, R]):
    """A pure function of arrays that returns arrays, compiled for each shape of what it is given.

    Parameters
    ----------
    function
        Importable, pure; arguments that are no arrays must say in their `repr` all that they are. Not to be called while JAX traces.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.function: Callable[..., R] = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self._known: dict[object, tuple[Program, object]] = {}
        self._one_at_a_time = threading.Lock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's answer."""
        leaves, (program, form) = self._ready(args, kwargs)
        return jax.tree.unflatten(jax.tree.structure(form), program(leaves))

    def prepare(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Have the function compiled for arguments of these shapes."""
        self._ready(args, kwargs)

    def _ready(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[jax.Array], tuple[Program, object]]:
        """Arrays among the arguments, and the program for their shapes."""
        arrays, rest = eqx.partition((args, kwargs), eqx.is_array)
        leaves, tree = jax.tree.flatten(arrays)
        shapes = tuple((leaf.shape, str(leaf.dtype), bool(getattr(leaf, "weak_type", False))) for leaf in leaves)
        key = (tree, shapes, repr(rest))
        with self._one_at_a_time:
            if key not in self._known:
                self._known[key] = self._found(leaves, tree, rest, "\n".join((self.name, str(tree), repr(shapes), repr(rest))))
        return leaves, self._known[key]

    def _found(self, leaves: list[jax.Array], tree: Any, rest: object, what: str) -> tuple[Program, object]:
        """The compiled function, read where it is kept, and an answer's form: itself with numbers in place of arrays."""
        folder = kept_in()
        path = folder / f"{hashlib.sha256(f'{what}{_made_from()}'.encode()).hexdigest()[:32]}.xla" if folder else None
        with _alone(path) if path else nullcontext():
            known = _read(path, leaves) if path else None
            if known is not None:
                return known
            found, form = self._compiled(leaves, tree, rest)
            if path:
                _write(path, found, form)
        return _with_leaves(found), form

    def _compiled(self, leaves: list[jax.Array], tree: Any, rest: object) -> tuple[jax.stages.Compiled, object]:
        forms: list[object] = []

        def flat(given: list[jax.Array]) -> list[jax.Array]:
            args, kwargs = eqx.combine(jax.tree.unflatten(tree, given), rest)
            answer, form = jax.tree.flatten(self.function(*args, **kwargs))
            forms[:] = [jax.tree.unflatten(form, range(len(answer)))]
            return answer

        with _compiled_afresh(flat):
            compiled = jax.jit(flat).lower(leaves).compile(compiler_options=WIDE)
        return compiled, forms[0]


@contextmanager
def _compiled_afresh(function: Callable[..., object]) -> Iterator[None]:
    """Past JAX's own cache: code that was itself read back from there cannot be kept, its parts are missing."""
    shortest = setting(SHORTEST)
    function.__name__ = f"kept_{uuid.uuid4().hex}"
    jax.config.update(SHORTEST, float("inf"))
    try:
        yield
    finally:
        jax.config.update(SHORTEST, shortest)


@cache
def sources_hash() -> str:
    """SHA-256 of the program's own sources."""
    root = Path(keiretsu.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def _made_from() -> str:
    """What compiled code depends on beside the function and its arguments."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("jax", "jaxlib", "equinox", "numpy")]
    client = jax.devices()[0].client
    return "\n".join(
        [
            sources_hash(),
            *versions,
            client.platform,
            client.platform_version,
            platform.machine(),
            _processor(),
            os.environ.get("XLA_FLAGS", ""),
            str(setting("jax_enable_x64")),
        ]
    )


def _processor() -> str:
    """The processor's model and abilities: code compiled for another may not run here."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))))


def _with_leaves(compiled: jax.stages.Compiled) -> Program:
    return lambda leaves: compiled(leaves)


def _read(path: Path, leaves: list[jax.Array]) -> tuple[Program, object] | None:
    """What is kept; None where there is nothing, or a file that is not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    head = len(FORMAT)
    if content[:head] != FORMAT or hashlib.sha256(content[head + 32 :]).digest() != content[head : head + 32]:
        return None
    code, form = pickle.loads(content[head + 32 :])
    count = len(jax.tree.leaves(form))
    _find_lapack()
    program = serialize_executable.deserialize_and_load(code, jax.tree.structure(((leaves,), {})), jax.tree.structure([0] * count))
    os.utime(path)
    return _with_leaves(program), form


@cache
def _find_lapack() -> None:
    """JAX looks LAPACK's routines up when a process first lowers something that calls them; code that was lowered elsewhere would call nothing, and crash."""
    jax.jit(jnp.linalg.cholesky).lower(jnp.eye(1))


def _write(path: Path, compiled: jax.stages.Compiled, form: object) -> None:
    """Keep compiled code under `path`, whole or not at all, and let the oldest go; a folder that cannot take it keeps nothing."""
    code = serialize_executable.serialize(compiled)[0]
    content = pickle.dumps((code, form))
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(FORMAT + hashlib.sha256(content).digest() + content)
        unfinished.replace(path)
        for old in sorted(path.parent.glob("*.xla"), key=lambda one: one.stat().st_mtime)[:-MOST]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; where the folder takes no lock, each for itself."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.with_suffix(".lock").open("w")
    except OSError:
        yield
        return
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
