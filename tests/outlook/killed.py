"""Fills a run folder, is killed twenty times at random moments, and says where the bytes ended up; run as a script by `test_runs`."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from keiretsu.outlook.pieces import Piece, pieces_of
from keiretsu.study.runs import fill
from keiretsu.study.storage import finished, held, open_run

MANIFEST = {"case": "killed", "asked": {"draws": 60}}
PIECES = pieces_of(["baseline", "other"], 60, 2, ["baseline", "other"])


def numbers(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
    for piece in pieces:
        time.sleep(0.04)  # all pieces together take longer than all twenty lives, so that no life sees the end
        seed = sum(piece.name.encode())
        yield (
            piece,
            {"profit": np.random.default_rng(seed).standard_normal((2, 12, 400)), "units": np.random.default_rng(seed + 1).standard_normal((2, 400))},
        )


def work(folder: Path) -> None:
    with held(folder):
        open_run(folder, MANIFEST)
        fill(folder, PIECES, numbers, lambda *_: None)


def main(folder: Path) -> None:
    chance = random.Random(11)
    kills = 0
    while kills < 20:
        child = os.fork()
        if child == 0:
            work(folder)
            os._exit(0)
        time.sleep(chance.uniform(0.0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
    before = len(finished(folder)) if folder.exists() else 0
    work(folder)
    sys.stdout.write(f"{kills} {before} {len(PIECES)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
