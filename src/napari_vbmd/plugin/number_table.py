"""A table of name, value and unit that is as high as its rows."""

from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem

from .results import Row


class NumberTable(QTableWidget):
    """Numbers to read, not to edit."""

    def __init__(self):
        super().__init__(0, 3)
        self.horizontalHeader().setVisible(False)
        self.verticalHeader().setVisible(False)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.Stretch)
        for column in (1, 2):
            self.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeToContents)
        self.setEditTriggers(QTableWidget.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)

    def fill(self, rows: list[Row]) -> None:
        """Show these rows."""
        self.setRowCount(len(rows))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                self.setItem(i, j, QTableWidgetItem(text))
        self.resizeRowsToContents()
        self.setFixedHeight(sum(self.rowHeight(i) for i in range(len(rows))) + 4)
