"""Waiting for one click on a mask in the canvas; then painting goes on where it was left.

While it waits nothing is painted: the layer is in napari's pan and zoom mode, so that dragging
moves the view, and only a click that stays in its place counts.
"""

from collections.abc import Callable, Iterator, Sequence

from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

_CALL_OFF = "Escape"
_STILL = 4  # pixels of the screen; a hand moves that much while it clicks


class OneClick(QObject):
    """Waits for a click with the left button.

    Signals
    -------
    waiting(bool)
        Whether it waits now: begun, clicked or called off.
    """

    waiting = Signal(bool)

    def __init__(self, viewer, clicked: Callable[[Sequence[float]], None], parent: QObject):
        super().__init__(parent)
        self._viewer, self._clicked = viewer, clicked
        self._layer: Labels | None = None
        self._mode = ""

    @property
    def waits(self) -> bool:
        """Whether it waits now."""
        return self._layer is not None

    def start(self, layer: Labels) -> None:
        """Wait for a click, with this layer selected; its world position goes to ``clicked``.

        Another layer or another mode, Escape and `stop` call it off.
        """
        self.stop()
        self._viewer.layers.selection.active = layer
        self._layer, self._mode = layer, str(layer.mode)
        layer.mode = "pan_zoom"
        layer.cursor = "crosshair"
        layer.events.mode.connect(self._give_way)
        layer.bind_key(_CALL_OFF, lambda _: self.stop(), overwrite=True)
        self._viewer.layers.selection.events.active.connect(self._give_way)
        self._viewer.mouse_drag_callbacks.append(self._watch)
        self.waiting.emit(True)

    def stop(self) -> None:
        """Wait no longer, and take up the mode that the layer was in."""
        layer, mode = self._layer, self._mode
        self._give_way()
        if layer is not None:
            layer.mode = mode

    def _give_way(self, event=None) -> None:
        """Wait no longer; the person chose another mode or layer."""
        layer, self._layer = self._layer, None
        if layer is None:
            return
        layer.events.mode.disconnect(self._give_way)
        layer.bind_key(_CALL_OFF, None, overwrite=True)
        if layer.cursor == "crosshair":
            layer.cursor = "standard"
        self._viewer.layers.selection.events.active.disconnect(self._give_way)
        self._viewer.mouse_drag_callbacks.remove(self._watch)
        self.waiting.emit(False)

    def _watch(self, viewer, event) -> Iterator[None]:
        """What napari runs from the press of a button to its release."""
        start, position, still = event.pos, event.position, event.button == 1
        yield
        while event.type == "mouse_move":
            still = still and _near(event.pos, start)
            yield
        if still and _near(event.pos, start) and self.waits:
            self.stop()
            self._clicked(position)


def _near(one: Sequence[float], two: Sequence[float]) -> bool:
    return max(abs(a - b) for a, b in zip(one, two, strict=True)) <= _STILL
