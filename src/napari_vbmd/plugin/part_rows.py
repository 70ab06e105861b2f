"""The parts of a mask in the dock Measure: rows that follow edits and go with the layer.

A row that is chosen selects its label in the layer, ready for painting, and shows it; a label that
is selected in the layer selects its row.
"""

from napari.layers import Image, Labels
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..measurement.accumulator import DensityAccumulator
from ..measurement.part_tables import Bone
from ..measurement.parts import labels_of
from ..scan import Scan
from . import label_features
from .part_table import PartRow, PartTable
from .slice_range import go_to_slice, slice_in_view


class PartRows(QWidget):
    """One row for each label; with one label there is nothing to see but the layer's features."""

    def __init__(self, viewer):
        super().__init__()
        self._viewer = viewer
        self._mask: Labels | None = None
        self._image: Image | None = None
        self.table = PartTable()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.table.chosen.connect(self._choose)
        self.setVisible(False)

    def follow(self, image: Image, mask: Labels) -> None:
        """Belong to these layers, and to no others."""
        self.leave()
        self._image, self._mask = image, mask
        mask.events.selected_label.connect(self._select)

    def leave(self) -> None:
        """Show nothing, and leave nothing in the layer's features."""
        self.setVisible(False)
        if self._mask is not None:
            self._mask.events.selected_label.disconnect(self._select)
            label_features.take_away(self._mask)
        self._mask = self._image = None

    def show_parts(self, scan: Scan, sums: DensityAccumulator) -> None:
        """Show what these sums say now."""
        labels = labels_of(scan, sums)
        rows = [PartRow(label, f"Label {label}", found) for label, found in labels.items()]
        self.table.fill(rows, {label: self._color(label) for label in labels})
        label_features.put(self._mask, labels, {})
        self._select()
        self.setVisible(len(rows) > 1)

    def bones(self, scan: Scan, sums: DensityAccumulator) -> list[Bone]:
        """The rows for a file, of sums as they were measured; none where the whole says it all."""
        labels = labels_of(scan, sums)
        return [Bone(*one) for one in labels.items()] if len(labels) > 1 else []

    def _choose(self, i: int) -> None:
        row = self.table.rows[i]
        if row.label is not None:
            self._mask.selected_label = row.label
        if row.measurement is None:
            return
        held = [one["slice"] for one in row.measurement.per_slice]
        if slice_in_view(self._viewer, self._image) not in held:
            go_to_slice(self._viewer, self._image, held[len(held) // 2])

    def _select(self, event=None) -> None:
        selected = self.table.selected
        label = int(self._mask.selected_label)
        if selected is None or selected.label != label:
            self.table.select(label)

    def _color(self, label: int) -> QColor:
        return QColor.fromRgbF(*(float(part) for part in self._mask.get_color(label)))
