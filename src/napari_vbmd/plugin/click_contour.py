"""Contour again from a click: the bone under it, outlined anew in the slice in view."""

from collections.abc import Sequence

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QDoubleSpinBox

from ..errors import ParameterError
from ..segmentation.contour import ContourParameters
from ..segmentation.slice_contour import outline_at
from .layers import scan_of
from .one_click import OneClick
from .parts import small_button
from .slice_edit import put_outline

NAME = "Contour from a click"
KEY = "Shift-C"


class ClickContour(QObject):
    """A button that waits for one click on a bone, and the density of the bone's edge.

    Parameters
    ----------
    viewer : napari.Viewer
    dock : CorrectDock
        Says which layers are meant, and tells a person what was done. Shows `button` and `edge`.
    """

    def __init__(self, viewer, dock):
        super().__init__(dock)
        self._dock = dock
        self.edge = QDoubleSpinBox()
        self.edge.setRange(1.0, 3000.0)
        self.edge.setDecimals(0)
        self.edge.setSingleStep(10.0)
        self.edge.setValue(ContourParameters.threshold_mg_cm3)
        self.edge.setSuffix(" mg HA/cm³")
        self.edge.setToolTip(
            "Density of the bone's edge for a contour from a click, mg HA/cm³; "
            "lower it where the shell is weak"
        )
        self.button = small_button(
            NAME,
            "Click inside a bone: its outline in this slice is found anew and takes the place of "
            f"what the mask has of it ({KEY}). One click, then painting goes on; Escape calls it "
            "off",
            self.toggle,
        )
        self.button.setCheckable(True)
        self._click = OneClick(viewer, self._clicked, self)
        self._click.waiting.connect(self._show)

    def toggle(self) -> None:
        """Wait for a click, or no longer."""
        self.button.setChecked(self._click.waits)  # what it shows follows what is so
        if self._click.waits:
            self._click.stop()
            return
        self._dock.on_slice(self._begin)

    def stop(self) -> None:
        """Wait no longer."""
        self._click.stop()

    def _begin(self, layer: Labels, z: int) -> str:
        self._scan().density_transform()  # says what is missing before the click, not after it
        self._click.start(layer)
        return "Click inside the bone …"

    def _clicked(self, position: Sequence[float]) -> None:
        def outlined(layer: Labels, z: int) -> str:
            at = self._dock.scan.layer.world_to_data(position)
            seed = tuple(int(i) for i in np.round(at).astype(int)[-3:])
            found = outline_at(self._scan(), seed, self.edge.value())
            return f"{NAME}: {put_outline(layer, found):,} voxels changed in one slice."

        self._dock.on_slice(outlined)

    def _scan(self):
        layer: Image | None = self._dock.scan.layer
        if layer is None:
            raise ParameterError("Choose the scan that shows the bone first.")
        return scan_of(layer)

    def _show(self, waits: bool) -> None:
        self.button.setChecked(waits)
        if not waits:
            self._dock.run_bar.message.say("")
