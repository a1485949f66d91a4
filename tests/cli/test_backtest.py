"""Looking back from the command line: what cannot be judged is refused in a sentence."""

import subprocess
import sys

from typer.testing import CliRunner

from keiretsu.cli.app import app


def test_a_year_without_registrations_is_refused_and_the_file_to_bring_is_described():
    command = [sys.executable, "-m", "keiretsu", "backtest", "ampere", "--known-until", "2024-12-31", "--judge", "2025"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none of 2025" in done.stderr and "country, year, brand, model, registrations" in done.stderr


def test_what_came_is_shown_beside_the_forecast_with_the_reasons_of_the_worst_misses(tmp_path):
    asked = ["backtest", "ampere", "--known-until", "2021-12-31", "--judge", "2022", "--draws", "100", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    for part in ("Error by total", "Ten worst misses", "Persistence is 2021 again", "80 % band", "Reason"):
        assert part in done.output
    assert {"errors.csv", "misses.csv", "summary.txt"} <= {path.name for path in tmp_path.iterdir()}
