"""Looking back from the command line: what cannot be judged is refused in a sentence."""

import subprocess
import sys


def test_a_year_without_registrations_is_refused_and_the_file_to_bring_is_described():
    command = [sys.executable, "-m", "keiretsu", "backtest", "ampere", "--known-until", "2024-12-31", "--judge", "2025"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none of 2025" in done.stderr and "country, year, brand, model, registrations" in done.stderr
