"""`python -m keiretsu` is `keiretsu`."""

from keiretsu.cli import main

main()
