"""The same pieces on Dask: workers of this machine, or of a cluster that is already running ([12]).

A piece is a pure function of the outlook and its draws, so it does not matter which worker computes it or how often. The outlook travels once as bytes
and is unpacked by a task of its own, which Dask repeats where a worker that held it was lost. Every worker runs one thread and XLA without
threads of its own: sums are then added in one order, and the bytes do not depend on the number of workers.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from keiretsu.errors import InputError, Problem
from keiretsu.numerics.compiled import ONE_THREAD
from keiretsu.outlook.outlook import Outlook
from keiretsu.outlook.pieces import Piece
from keiretsu.processes import processors
from keiretsu.study.runs import Executor, Threads, Work, groups_of_work, or_raised
from keiretsu.study.runs import computed as of_group

LOSSES_ALLOWED = 10  # of workers under one piece before it is given up: a piece that kills its workers is a defect, not bad luck
AT_ONCE = 2  # groups of pieces handed out for each worker, so that results do not pile up


def executor_of(on: str, workers: int) -> Executor:
    """Where to compute: ``local`` in threads (one worker) or processes, or ``tcp://...`` on a running cluster.

    Raises
    ------
    InputError
        For a place that is neither, or no workers.
    """
    if workers < 0:
        raise InputError(Problem("a run needs workers", "--workers", str(workers), "1 or more; 0 for one thread for each processor"))
    if on == "threads":
        return Threads(workers or processors())
    if on == "local":
        return LocalWorkers(workers or processors())
    if "://" in on:
        return RunningCluster(on)
    raise InputError(
        Problem(
            "no such place to compute",
            "--on",
            on,
            "threads, local, or the address of a Dask scheduler such as tcp://host:8786; for `run` also beside",
        )
    )


@dataclass(frozen=True)
class LocalWorkers:
    """Worker processes of this machine, one thread each."""

    count: int
    at_once: int = 1

    def compute(self, outlook: Outlook, work: Sequence[Work], products: bool) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
        """See `keiretsu.study.runs.Executor`."""
        with self.client() as client:
            yield from computed(client, outlook, work, products)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A Dask client of fresh workers, closed with them afterwards."""
        import dask.config
        from distributed import Client, LocalCluster

        settings = {
            "distributed.nanny.pre-spawn-environ": {**ONE_THREAD, **_compiled_code(), "MALLOC_TRIM_THRESHOLD_": "65536"},
            "distributed.scheduler.allowed-failures": LOSSES_ALLOWED,
            "distributed.admin.large-graph-warning-threshold": "1GB",
        }
        with (
            dask.config.set(settings),
            LocalCluster(
                n_workers=self.count, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0, silence_logs=50
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


@dataclass(frozen=True)
class RunningCluster:
    """A Dask scheduler that is already running: started by hand, by dask-jobqueue on SLURM, by the Dask operator on Kubernetes."""

    address: str
    at_once: int = 1

    def compute(self, outlook: Outlook, work: Sequence[Work], products: bool) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
        """See `keiretsu.study.runs.Executor`.

        Raises
        ------
        InputError
            When nobody answers at the address.
        """
        from distributed import Client

        try:
            client = Client(self.address, timeout="20s")
        except (OSError, TimeoutError) as error:
            problem = Problem(
                "no Dask scheduler answers",
                "--on",
                f"{self.address}: {error}",
                "the address of a running scheduler",
                "start one with `dask scheduler`",
            )
            raise InputError(problem) from None
        with client:
            yield from computed(client, outlook, work, products)


def computed(client: Any, outlook: Outlook, work: Sequence[Work], products: bool) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
    """Pieces computed by the workers behind a Dask client, each as soon as it is there."""
    from distributed import as_completed

    unpacked = client.submit(pickle.loads, pickle.dumps(outlook), pure=False)
    waiting = iter(groups_of_work(work))
    running = as_completed([])

    def hand_out(count: int) -> None:
        for _, group in zip(range(count), waiting, strict=False):
            running.add(client.submit(of_group, unpacked, group, products, pure=False))

    hand_out(AT_ONCE * max(len(client.scheduler_info(n_workers=-1)["workers"]), 1))
    for future in running:
        found = future.result()
        hand_out(1)
        yield from or_raised(found)


def _compiled_code() -> dict[str, str]:
    """Workers keep compiled code where this process keeps it."""
    folder = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    return {"JAX_COMPILATION_CACHE_DIR": folder, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2"} if folder else {}
