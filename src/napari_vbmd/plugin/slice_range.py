"""First and last slice, each with a button for the slice in view."""

import numpy as np
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QSpinBox, QWidget

from .parts import Note, small_button


class SliceRange(QWidget):
    """A range of slices of a scan layer, from 0 along z, inclusive; or the whole scan."""

    def __init__(self, viewer):
        super().__init__()
        self._viewer, self._layer = viewer, None
        self.limit = QCheckBox("Only these slices")
        self.limit.setToolTip("Slices outside are left without mask; unticked: the whole scan")
        self.first, self.last = QSpinBox(), QSpinBox()
        self.note = Note()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.limit, 0, 0, 1, 3)
        self._buttons = []
        for row, (text, box) in enumerate((("First", self.first), ("Last", self.last)), 1):
            box.setToolTip(f"{text} slice to segment, counted from 0")
            box.valueChanged.connect(self._describe)
            button = small_button(
                "Use this slice", f"{text} slice = the one in view", lambda b=box: self._use(b)
            )
            self._buttons.append(button)
            for column, widget in enumerate((QLabel(text), box, button)):
                layout.addWidget(widget, row, column)
        layout.addWidget(self.note, 3, 0, 1, 3)
        self.limit.toggled.connect(self._describe)
        self._describe()

    def follow(self, layer) -> None:
        """Belong to this image layer; the range starts as the whole of it."""
        if layer is self._layer:
            return
        self._layer = layer
        last = len(layer.data[0] if layer.multiscale else layer.data) - 1 if layer else 0
        for box, value in ((self.first, 0), (self.last, last)):
            box.setRange(0, last)
            box.setValue(value)
        self.limit.setChecked(False)

    def value(self) -> tuple[int, int] | None:
        """First and last slice, or None for the whole scan."""
        return (self.first.value(), self.last.value()) if self.limit.isChecked() else None

    def limit_to(self, first: int, last: int) -> None:
        """Tick the limit and set both ends."""
        self.limit.setChecked(True)
        for box, value in ((self.first, first), (self.last, last)):
            box.setValue(value)

    def _use(self, box: QSpinBox) -> None:
        if self._layer is None:
            return
        z = slice_in_view(self._viewer, self._layer)
        self.limit.setChecked(True)
        box.setValue(int(np.clip(z, 0, self.last.maximum())))

    def _describe(self) -> None:
        on = self.limit.isChecked()
        for widget in (self.first, self.last):
            widget.setEnabled(on)
        count = self.last.value() - self.first.value() + 1
        if not on or self._layer is None:
            self.note.say("")
        elif count < 1:
            self.note.say("The first slice comes after the last.")
        else:
            self.note.say(f"{count} slices, {count * abs(self._layer.scale[-3]):.2f} mm")


def go_to_slice(viewer, layer, z: int) -> None:
    """Show a slice of a layer's data."""
    viewer.dims.set_point(viewer.dims.ndim - 3, z * layer.scale[-3] + layer.translate[-3])


def slice_in_view(viewer, layer) -> int:
    """Index in a layer's data of the slice in view."""
    point = np.array(viewer.dims.point[-3:])
    return round((point[0] - layer.translate[-3]) / layer.scale[-3])
