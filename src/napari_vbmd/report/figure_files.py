"""A figure as the bytes of a file."""

import io

from matplotlib import rc_context
from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """The figure as PNG, SVG or PDF; the same figure gives the same bytes.

    Letters of a PDF stay text, which a journal can edit; those of an SVG are outlines.
    """
    settings = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "napari-vbmd"}
    dates = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    buffer = io.BytesIO()
    with rc_context(settings):
        figure.savefig(buffer, format=kind, metadata=dates[kind])
    return buffer.getvalue()
