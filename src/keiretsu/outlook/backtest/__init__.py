"""Looking back: a forecast from what was known on a day, judged by what came.

Facts pass one door, `known`, which drops whatever became known later. `forecast` makes the year after the last complete one; `tuning` chooses
its settings on earlier years; `score` compares with persistence, growth and the bands.
"""

from keiretsu.outlook.backtest.forecast import Forecast, Settings, forecast
from keiretsu.outlook.backtest.known import BacktestError, History, Known, known_until, read_history
from keiretsu.outlook.backtest.observed import observed_in, read_observed
from keiretsu.outlook.backtest.score import Backtest, backtest, better_than_persistence, history_of, judged
from keiretsu.outlook.backtest.tables import error_table, misses_table, opening, sentences, write_tables
from keiretsu.outlook.backtest.tuning import Tuning, tune

__all__ = [
    "History", "Known", "known_until", "read_history", "history_of", "observed_in", "read_observed",
    "Settings", "Tuning", "tune", "Forecast", "forecast", "Backtest", "backtest", "judged", "better_than_persistence",
    "error_table", "misses_table", "opening", "sentences", "write_tables", "BacktestError",
]  # fmt: skip
