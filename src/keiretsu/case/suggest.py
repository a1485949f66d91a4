"""What somebody may have meant: the nearest known word, for the end of a message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str:
    """``did you mean 'Nissan'?``, or nothing when no known word is near."""
    names = list(known)
    lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return f"did you mean {lower[near[0]]!r}?" if near else ""
