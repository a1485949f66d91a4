"""What a stake, merger, alliance, launch or policy in the car industry does, and to whom.

>>> import keiretsu
>>> case = keiretsu.load_case("ampere")                # doctest: +SKIP
>>> results = keiretsu.run(case)                       # doctest: +SKIP
>>> results.headline                                   # doctest: +SKIP

The names below are looked up when they are first used, so that `import keiretsu` and `keiretsu --help` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keiretsu.case import load_case
    from keiretsu.moves.comparison import compare
    from keiretsu.report import write_report
    from keiretsu.study.run import run
    from keiretsu.study.store import save_results

__version__ = "0.1.0"
__all__ = ["load_case", "run", "compare", "save_results", "write_report", "__version__"]

_HOMES = {
    "load_case": "keiretsu.case",
    "run": "keiretsu.study.run",
    "compare": "keiretsu.moves.comparison",
    "save_results": "keiretsu.study.store",
    "write_report": "keiretsu.report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"keiretsu has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)
