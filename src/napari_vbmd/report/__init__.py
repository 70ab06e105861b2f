"""Figures and the patient report."""

from .curve_figures import curve_files
from .figures import figure_png, overlay_figure, profile_figure
from .page import report_html
from .sheet import report_pdf

__all__ = [
    "curve_files",
    "figure_png",
    "overlay_figure",
    "profile_figure",
    "report_html",
    "report_pdf",
]
