"""The reason why a part of a report is empty."""

from __future__ import annotations

from keiretsu.errors import KeiretsuError


class NothingStated(KeiretsuError):
    """A case does not say what a part of its report would be about, or its run did not simulate it: the part is empty and shows this sentence."""
