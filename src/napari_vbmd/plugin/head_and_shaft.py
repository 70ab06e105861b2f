"""The choice to measure head and shaft apart: how long the head is, and where its tip lies."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QWidget

from ..measurement.accumulator import DensityAccumulator
from ..measurement.parts import HEAD_MM, TIPS, Region, regions_of
from ..scan import Scan

_LONGEST_MM = 200.0


class HeadAndShaft(QWidget):
    """A box to tick; what else must be said is seen when it is.

    Signals
    -------
    changed()
        Another choice.
    """

    changed = Signal()

    def __init__(self):
        super().__init__()
        self.wanted = QCheckBox("Head and shaft")
        self.wanted.setToolTip("Measure both apart, by the distance along z from the head's tip")
        self.length = QDoubleSpinBox()
        self.length.setRange(0.01, _LONGEST_MM)
        self.length.setSuffix(" mm")
        self.length.setValue(HEAD_MM)
        self.length.setToolTip(
            "Length of the head along z, mm. No split of the metacarpals is published: say which "
            "you took"
        )
        self.tip = QComboBox()
        for tip in TIPS:
            self.tip.addItem(f"{tip} slice", tip)
        self.tip.setToolTip("The end of the mask at which the tip of the head lies")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self.wanted, 0, 0, 1, 2)
        self._more = []
        for row, (text, widget) in enumerate((("Head", self.length), ("Tip in", self.tip)), 1):
            label = QLabel(text)
            layout.addWidget(label, row, 0)
            layout.addWidget(widget, row, 1)
            self._more += [label, widget]
        self.wanted.toggled.connect(self._react)
        self.length.valueChanged.connect(lambda _: self.changed.emit())
        self.tip.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._react(False)

    def regions(self, scan: Scan, sums: DensityAccumulator, label: int) -> list[Region]:
        """Head and shaft of a label as chosen; none when not wanted."""
        if not self.wanted.isChecked():
            return []
        return regions_of(scan, sums, label, self.length.value(), self.tip.currentData())

    def _react(self, wanted: bool) -> None:
        for widget in self._more:
            widget.setVisible(wanted)
        self.changed.emit()
