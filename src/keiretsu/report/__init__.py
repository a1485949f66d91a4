"""Tables, figures, one self-contained page, a spreadsheet and LaTeX: reads results, computes nothing new."""

from keiretsu.report.html import write_report

__all__ = ["write_report"]
