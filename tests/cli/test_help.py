"""The command line as a reader meets it: a table of contents that answers at once."""

import subprocess
import sys

HEAVY = ("jax", "pandas", "plotly", "scipy", "xarray", "openpyxl", "pydantic")


def test_asking_for_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "sys.argv = ['keiretsu', '--help']\n"
        "from keiretsu.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_the_version_is_printed():
    done = subprocess.run([sys.executable, "-m", "keiretsu", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("keiretsu 0.")
