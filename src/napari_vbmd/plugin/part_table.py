"""A table with a row for each part of a mask; a row can be selected."""

from typing import NamedTuple

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ..measurement.densitometry import Measurement
from ..measurement.tables import DENSITIES
from . import results

_SWATCH = 10  # pixels
_MOST_ROWS = 12  # in sight at once; more are scrolled


class PartRow(NamedTuple):
    """A part: its label, its name, and its numbers or why there are none."""

    label: int
    name: str
    measurement: Measurement | None
    missing: str = ""
    inner: bool = False  # a part of the row above


class PartTable(QTableWidget):
    """Tt.vBMD, volume and Tt.Ar of each part; all the rest in the row's tooltip.

    Signals
    -------
    chosen(int)
        A row was chosen, by mouse or key.
    """

    chosen = Signal(int)

    def __init__(self):
        super().__init__(0, 4)
        self.setHorizontalHeaderLabels(["Part", "Tt.vBMD\nmg HA/cm³", "Volume\nmm³", "Tt.Ar\nmm²"])
        self.setToolTip("Choose a row to select its label in the layer and to see it")
        self.verticalHeader().setVisible(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.Stretch)
        header.setSectionsClickable(False)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.rows: list[PartRow] = []
        self.itemSelectionChanged.connect(self._tell)

    def fill(self, rows: list[PartRow], colors: dict[int, QColor]) -> None:
        """Show these rows; the one that was selected stays so while its part is there."""
        selected = self.selected
        self.rows = rows
        with QSignalBlocker(self):
            self.setRowCount(len(rows))
            for i, row in enumerate(rows):
                self._fill_row(i, row, None if row.inner else colors[row.label])
            self.clearSelection()
        if selected is not None:
            self.select(selected.label, selected.name)
        self.resizeRowsToContents()
        heights = [self.rowHeight(i) for i in range(min(len(rows), _MOST_ROWS))]
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + sum(heights) + 4)

    @property
    def selected(self) -> PartRow | None:
        """The row that is selected."""
        chosen = self.selectionModel().selectedRows()
        return self.rows[chosen[0].row()] if chosen and chosen[0].row() < len(self.rows) else None

    def select(self, label: int, name: str = "") -> None:
        """Select the row of a label, of this name if there is one; nothing is told of it."""
        found = [i for i, row in enumerate(self.rows) if row.label == label]
        named = [i for i in found if self.rows[i].name == name]
        with QSignalBlocker(self):
            self.clearSelection()
            if found:
                self.selectRow((named or found)[0])
        self.viewport().update()

    def _fill_row(self, i: int, row: PartRow, color: QColor | None) -> None:
        m = row.measurement
        numbers = ("–",) * 3
        if m is not None:
            numbers = (
                f"{m.tt_vbmd_mg_cm3:.1f}",
                f"{m.volume_mm3:.2f}",
                f"{m.mean_slice_area_mm2:.2f}",
            )
        name = f"    {row.name}" if row.inner else row.name
        for j, text in enumerate((name, *numbers)):
            item = QTableWidgetItem(text)
            item.setToolTip(_all_of(row))
            if j:
                item.setTextAlignment(Qt.AlignRight | Qt.AlignVCenter)
            self.setItem(i, j, item)
        if color is not None:
            swatch = QPixmap(_SWATCH, _SWATCH)
            swatch.fill(color)
            self.item(i, 0).setIcon(QIcon(swatch))

    def _tell(self) -> None:
        chosen = self.selectionModel().selectedRows()
        if chosen:
            self.chosen.emit(chosen[0].row())


def _all_of(row: PartRow) -> str:
    """Every number of a part, a line each."""
    if row.measurement is None:
        return row.missing
    m = row.measurement
    lines = [f"{q.name} {q.text(getattr(m, q.key))} {q.unit}".rstrip() for q in DENSITIES]
    lines.append(f"slices {m.slices['first']} to {m.slices['last']}")
    return "\n".join([*lines, *results.sentences([*m.warnings, *m.notes])])
