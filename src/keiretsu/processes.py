"""A process beside this one that loads what it will need while this one loads its own: nothing heavy is imported here."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module

SELDOM = (20_000, 10, 10)  # objects made, and looks at younger ones, between two looks for circular garbage; Python's own are 700, 10 and 10


def process_beside(needs: str) -> ProcessPoolExecutor:
    """One other process, begun at once: it imports the module `needs` before its first task, does not hear Ctrl-C, and ends when this process is gone."""
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(needs, os.getpid()))
    pool.submit(int)  # a pool begins its process with the first task
    return pool


@contextmanager
def loading() -> Iterator[None]:
    """Imports inside make no circular garbage, so none is looked for meanwhile, nor ever among what they made, and seldom afterwards.

    Modules of a run are half a million objects; to go over all of them time and again costs each process a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*SELDOM)
        gc.enable()


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def _begin(needs: str, asker: int) -> None:
    threading.Thread(target=_leave_with, args=(asker,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked is the one that stops
    with loading():
        import_module(needs)


def _leave_with(asker: int) -> None:
    """End this process when the one that asked is gone, however it went: nobody would fetch what it computes."""
    while os.getppid() == asker:
        time.sleep(1.0)
    os._exit(1)
