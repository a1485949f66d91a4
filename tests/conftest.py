"""Compiled code is shared by all tests of a run, and by the next run: most of the suite's time would otherwise be compilation."""

from __future__ import annotations

import os
from pathlib import Path

from keiretsu.numerics.compiled import FOLDER_VARIABLE, keep_compiled_code, one_thread_each

CACHE = Path(os.environ.get(FOLDER_VARIABLE, Path(__file__).parents[1] / ".pytest_cache" / "keiretsu"))
os.environ[FOLDER_VARIABLE] = str(CACHE)  # for commands that tests start
keep_compiled_code(CACHE)
one_thread_each()  # as on the command line: bytes can be compared between processes; `make test` says so to NumPy's own threads
