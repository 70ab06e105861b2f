"""Which bone is meant: the largest one, or the one nearest to a point that the user shows."""

import numpy as np
from napari.layers import Points
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from .parts import Note, small_button
from .picker import newest


class SeedPicker(QWidget):
    """A voxel of a scan layer, picked by a click or taken from a points layer."""

    def __init__(self, viewer):
        super().__init__()
        self._viewer = viewer
        self._layer = None
        self.seed: tuple[int, int, int] | None = None
        self.text = Note("Largest bone", quiet=False)
        self.click = small_button(
            "Click on it", "Then click on the bone in the image", self._await_click
        )
        self.click.setCheckable(True)
        self.click.toggled.connect(self._toggle)
        self.point = small_button(
            "From point",
            "Take the selected, else the last point of the newest points layer",
            self.take_point,
        )
        self.clear = small_button(
            "Largest", "Forget the point: segment the largest bone", self.forget
        )
        row = QHBoxLayout()
        for button in (self.click, self.point, self.clear):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addLayout(row)

    def follow(self, layer) -> None:
        """Seeds belong to this image layer from now on; one of another layer is forgotten."""
        if layer is not self._layer:
            self._layer = layer
            self.forget()

    def stop(self) -> None:
        """No longer wait for a click."""
        self.click.setChecked(False)

    def forget(self) -> None:
        """Back to the largest bone."""
        self.seed = None
        self._describe()

    def take_point(self) -> None:
        """Take a point from the newest points layer."""
        points = newest(self._viewer, Points)
        if points is None or not len(points.data) or points.ndim < 3:
            self.text.say("Add a points layer and a point first, or click on the bone.")
            return
        index = min(points.selected_data) if points.selected_data else len(points.data) - 1
        self.take_world(points.data_to_world(points.data[index]))

    def take_world(self, position) -> None:
        """Take a world position."""
        if self._layer is None:
            return
        shape = (self._layer.data[0] if self._layer.multiscale else self._layer.data).shape
        index = np.round(self._layer.world_to_data(position)).astype(int)[-3:]
        if np.any(index < 0) or np.any(index >= shape):
            self.text.say("That point lies outside the scan.")
            return
        self.seed = tuple(int(i) for i in index)
        self._describe()

    def _await_click(self) -> None:
        """`toggled` does the work; a checkable button also reports its click."""

    def _toggle(self, on: bool) -> None:
        callbacks = self._viewer.mouse_drag_callbacks
        if on and self._on_click not in callbacks:
            callbacks.append(self._on_click)
            self.text.say("Click on the bone in the image …")
        elif not on and self._on_click in callbacks:
            callbacks.remove(self._on_click)
            self._describe()

    def _on_click(self, viewer, event) -> None:
        self.click.setChecked(False)
        if viewer.dims.ndisplay == 3:  # a click there names no depth
            self.text.say("Switch to 2D to click on the bone.")
        else:
            self.take_world(event.position)

    def _describe(self) -> None:
        self.text.say(
            "Bone nearest to slice {}, y {}, x {}".format(*self.seed)
            if self.seed
            else "Largest bone"
        )
