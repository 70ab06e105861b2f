"""The cases of a worklist as a table, in the order of the manifest or any other."""

from collections import Counter
from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ..study.manifest import Case
from ..study.mask_names import stem_of
from ..study.worklist import APPROVED, CORRECTED, STATUSES, TO_DO, Worklist

MARKS = {TO_DO: "○", CORRECTED: "◐", APPROVED: "●"}  # told apart without any colour
_COLUMNS = (
    ("#", "Row of the manifest"),
    ("Case", "The scan; double-click to go there"),
    ("Status", "To do, corrected or approved; ⚠: its scan cannot be opened"),
    ("min", "Active minutes on the case, of everybody"),
)
_KEY = Qt.UserRole
_WIDTHS = {0: 30, 2: 96, 3: 44}  # pixels; the name has the rest
_ROWS_SHOWN = 5


class CaseTable(QTableWidget):
    """One row a case; a click on a column's head sorts by it.

    Signals
    -------
    chosen(str)
        The key of the case that was double-clicked.
    """

    chosen = Signal(str)

    def __init__(self):
        super().__init__(0, len(_COLUMNS))
        for column, (text, tooltip) in enumerate(_COLUMNS):
            item = QTableWidgetItem(text)
            item.setToolTip(tooltip)
            self.setHorizontalHeaderItem(column, item)
        head = self.horizontalHeader()
        head.setMinimumSectionSize(min(_WIDTHS.values()))
        head.setSectionResizeMode(QHeaderView.Fixed)
        head.setSectionResizeMode(1, QHeaderView.Stretch)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        self.setTextElideMode(Qt.ElideMiddle)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.NoFocus)  # keys go to the viewer: letters would search the table
        self.setWordWrap(False)
        self.setMinimumHeight((_ROWS_SHOWN + 1) * self.fontMetrics().height() * 3 // 2)
        self.itemDoubleClicked.connect(lambda item: self.chosen.emit(item.data(_KEY)))

    def list(self, worklist: Worklist) -> None:
        """Show these cases, sorted as the manifest is."""
        self.setSortingEnabled(False)
        cases = worklist.manifest.cases
        self.setRowCount(len(cases))
        names = Counter(stem_of(case.name) for case in cases)
        for row, case in enumerate(cases):
            stem = stem_of(case.name)
            name = stem if names[stem] == 1 else case.key
            for column, (text, order) in enumerate(
                ((str(row + 1), row), (name, name), ("", 0), ("", 0))
            ):
                self.setItem(row, column, _Item(text, order, case))
        self.sortItems(0)
        self.setSortingEnabled(True)

    def show_records(
        self, worklist: Worklist, problems: Mapping[str, str], current: Case | None
    ) -> None:
        """Show what is known of the cases now; the one in view is selected."""
        self.setSortingEnabled(False)  # a row must not move while it is written
        for row in range(self.rowCount()):
            items = [self.item(row, column) for column in range(len(_COLUMNS))]
            key = items[0].data(_KEY)
            record, problem = worklist.records[key], problems.get(key, "")
            mark = "⚠ no scan" if problem else f"{MARKS[record.status]} {record.status}"
            items[2].say(mark, -1 if problem else STATUSES.index(record.status))
            items[3].say(f"{record.minutes:.1f}" if record.minutes else "", record.minutes)
            who = f"{record.status}, {record.annotator}, {record.saved_at.replace('T', ' ')}"
            about = problem or (who if record.saved_at else record.status)
            is_current = current is not None and key == current.key
            for item in items:
                item.setToolTip(f"{key}\n{about}")
            if is_current:
                self.selectRow(row)
                self.scrollToItem(items[0])
        self.setSortingEnabled(True)


class _Item(QTableWidgetItem):
    """A cell that is sorted by a value of its own."""

    def __init__(self, text: str, order, case: Case):
        super().__init__(text)
        self._order = order
        self.setData(_KEY, case.key)

    def say(self, text: str, order) -> None:
        """Show another text."""
        self.setText(text)
        self._order = order

    def __lt__(self, other: "_Item") -> bool:
        return self._order < other._order
