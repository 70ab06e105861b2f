"""Figures and the patient report."""

from .figures import figure_png, overlay_figure, profile_figure
from .page import report_html
from .sheet import report_pdf

__all__ = ["figure_png", "overlay_figure", "profile_figure", "report_html", "report_pdf"]
