"""The only place that knows the whole order: case, world, markets, scenarios, comparison, report's inputs."""

from keiretsu.study.results import Results
from keiretsu.study.run import run

__all__ = ["Results", "run"]
