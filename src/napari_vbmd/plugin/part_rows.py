"""The parts of a mask in the dock Measure: rows that follow edits and go with the layer.

A row that is chosen selects its label in the layer, ready for painting, and shows it; a label that
is selected in the layer selects its row.
"""

from napari.layers import Image, Labels
from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..measurement.accumulator import DensityAccumulator
from ..measurement.compartments import Compartments
from ..measurement.densitometry import Measurement
from ..measurement.part_tables import Bone
from ..measurement.parts import labels_of
from ..scan import Scan
from . import label_features
from .head_and_shaft import HeadAndShaft
from .part_table import PartRow, PartTable
from .parts import Note
from .slice_range import go_to_slice, slice_in_view


class PartRows(QWidget):
    """A row for each label, and for head and shaft if wanted; no table where there is one row.

    Signals
    -------
    selected(int)
        The label that is selected in the layer.
    changed()
        Other parts are wanted: show them anew.
    """

    selected = Signal(int)
    changed = Signal()

    def __init__(self, viewer):
        super().__init__()
        self._viewer = viewer
        self._mask: Labels | None = None
        self._image: Image | None = None
        self.table = PartTable()
        self.missing = Note()
        self.regions = HeadAndShaft()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.table, self.missing, self.regions):
            layout.addWidget(widget)
        self.table.chosen.connect(self._choose)
        self.regions.changed.connect(self.changed)
        self.setVisible(False)

    def follow(self, image: Image, mask: Labels) -> None:
        """Belong to these layers, and to no others."""
        self.leave()
        self._image, self._mask = image, mask
        mask.events.selected_label.connect(self._select)

    def leave(self) -> None:
        """Show nothing, and leave nothing in the layer's features."""
        self.hide_parts()
        if self._mask is not None:
            self._mask.events.selected_label.disconnect(self._select)
        self._mask = self._image = None

    def hide_parts(self) -> None:
        """Show nothing until there is something again."""
        self.setVisible(False)
        if self._mask is not None:
            label_features.take_away(self._mask)

    def show_parts(
        self,
        scan: Scan,
        sums: DensityAccumulator,
        compartments: dict[int, Compartments] | None = None,
    ) -> None:
        """Show what these sums say now; compartments stand in the layer's features only."""
        if self._mask is None:
            return
        labels = labels_of(scan, sums)
        rows = self._rows(scan, sums, labels)
        self.table.fill(rows, {label: self._color(label) for label in labels})
        self.table.setVisible(len(rows) > 1)
        self.missing.say("\n".join(_reasons(rows)))
        label_features.put(self._mask, labels, compartments or {})
        self._select()
        self.setVisible(bool(rows))

    def bones(
        self,
        scan: Scan,
        sums: DensityAccumulator,
        compartments: dict[int, Compartments] | None = None,
    ) -> list[Bone]:
        """The rows for a file, of sums as they were measured; none where the whole says it all."""
        labels = labels_of(scan, sums)
        several = len(labels) > 1
        bones = []
        for label, found in labels.items():
            split = (compartments or {}).get(label)
            regions = self.regions.regions(scan, sums, label)
            if several:
                bones.append(Bone(label, found, split, regions))
            elif split or regions:
                bones.append(Bone(None, None, split, regions))
        return bones

    def _rows(self, scan, sums, labels: dict[int, Measurement]) -> list[PartRow]:
        rows = []
        for label, found in labels.items():
            name = f"Label {label}" if len(labels) > 1 else "Whole"
            rows.append(PartRow(label, name, found))
            for region in self.regions.regions(scan, sums, label):
                part = region.name, region.measurement, region.missing
                rows.append(PartRow(label, *part, inner=True))
        return rows

    def _choose(self, i: int) -> None:
        row = self.table.rows[i]
        self._mask.selected_label = row.label
        if row.measurement is None:
            return
        held = [one["slice"] for one in row.measurement.per_slice]
        if slice_in_view(self._viewer, self._image) not in held:
            go_to_slice(self._viewer, self._image, held[len(held) // 2])

    def _select(self, event=None) -> None:
        chosen = self.table.selected
        label = int(self._mask.selected_label)
        if chosen is None or chosen.label != label:
            self.table.select(label)
        self.selected.emit(label)

    def _color(self, label: int) -> QColor:
        return QColor.fromRgbF(*(float(part) for part in self._mask.get_color(label)))


def _reasons(rows: list[PartRow]) -> list[str]:
    several = len({row.label for row in rows}) > 1
    return [
        f"{f'Label {row.label}, ' if several else ''}{row.name}: {row.missing}."
        for row in rows
        if row.measurement is None
    ]
