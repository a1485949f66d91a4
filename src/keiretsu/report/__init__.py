"""Tables, figures, one self-contained page, a spreadsheet and LaTeX: reads results, computes nothing new."""

from keiretsu.report.html import write_report
from keiretsu.report.latex import write_latex
from keiretsu.report.workbook import write_workbook

__all__ = ["write_report", "write_workbook", "write_latex"]
