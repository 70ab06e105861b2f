"""Figures and the patient report."""

from .figures import figure_png, overlay_figure, profile_figure
from .page import report_html

__all__ = ["figure_png", "overlay_figure", "profile_figure", "report_html"]
