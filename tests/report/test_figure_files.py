"""Figures as files: of the kind that was asked for, and alike every time."""

import pytest
from matplotlib.figure import Figure

from napari_vbmd.report.figure_files import FORMATS, figure_bytes


@pytest.fixture
def figure() -> Figure:
    figure = Figure()
    figure.subplots().set_title("Density")
    return figure


@pytest.mark.parametrize("kind", FORMATS)
def test_files_are_what_their_ending_says_and_the_same_every_time(figure, kind):
    first, again = (figure_bytes(figure, kind) for _ in range(2))
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])
    assert first == again


def test_letters_of_a_pdf_can_be_edited(figure):
    text = figure_bytes(figure, "pdf")
    assert b"/TrueType" in text or b"/CIDFontType2" in text
    assert b"/Type3" not in text
