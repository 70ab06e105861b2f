"""Graphics of layers that go: freed where they were made.

When a layer is removed, napari 0.9 frees its OpenGL objects at once, in whatever context is
current; after painting that is often not the canvas's own, and the process ends in the graphics
driver. So the canvas is made current before any layer is removed.
"""

from contextlib import suppress


def free_safely(viewer) -> None:
    """Have this viewer's layers removed without harm, whoever removes them."""
    viewer.layers.events.removing.connect(lambda event: _make_current(viewer))


def _make_current(viewer) -> None:
    viewer = getattr(viewer, "__wrapped__", viewer)  # docks are given a proxy
    with suppress(AttributeError):  # a model without a window, or a napari with other names
        canvas = viewer.window._qt_viewer.canvas.native
        if canvas.isValid():  # it was drawn once
            canvas.makeCurrent()
