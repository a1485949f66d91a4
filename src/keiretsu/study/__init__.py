"""The only place that knows the whole order: case, world, markets, scenarios, comparison, report's inputs."""

from keiretsu.study.results import Results
from keiretsu.study.run import RunOptions, run
from keiretsu.study.store import save_results

__all__ = ["Results", "RunOptions", "run", "save_results"]
