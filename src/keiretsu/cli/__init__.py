"""The command line: arguments in, one call to the study, sentences and tables out. Nothing is computed here.

Commands live in one module for each group of the table of contents; whatever is heavy is imported inside the command that needs it, so
that `keiretsu --help` answers at once.
"""

from __future__ import annotations

import os
import sys

from keiretsu.cli.app import app
from keiretsu.errors import InputError, KeiretsuError, Problem

__all__ = ["main"]

INPUT_IS_WRONG = 2
NOT_SETTLED = 3


def main() -> None:
    """Run one command; a refusal of the program is printed as sentences, with status 2 (inputs) or 3 (nothing settled)."""
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # read when NumPy is loaded: small matrices lose more by waiting than threads gain
        os.environ.setdefault(variable, "1")
    try:
        app()
    except InputError as error:
        from keiretsu.cli.say import complain

        complain(error.problems)
        sys.exit(INPUT_IS_WRONG)
    except KeiretsuError as error:
        from keiretsu.cli.say import complain

        complain([str(error)])
        sys.exit(NOT_SETTLED)
    except OSError as error:
        if error.filename is None:  # nothing that a user named
            raise
        from keiretsu.cli.say import complain

        complain([Problem("cannot be read or written", str(error.filename), str(error.strerror), "a file or folder that is there and may be used")])
        sys.exit(INPUT_IS_WRONG)
