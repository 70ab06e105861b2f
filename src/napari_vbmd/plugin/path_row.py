"""A line for a file's or folder's path, with a button to look for it."""

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from .parts import small_button


class PathRow(QWidget):
    """A path, typed or looked for.

    Parameters
    ----------
    title : str
        Of the dialog.
    tooltip : str
    kinds : str
        Of files, as Qt writes them; "" for a folder, which need not be there yet.

    Signals
    -------
    changed()
        When another path stands there.
    """

    changed = Signal()

    def __init__(self, title: str, tooltip: str, kinds: str = "", example: str = ""):
        super().__init__()
        self._title, self._kinds = title, kinds
        self.line = QLineEdit()
        self.line.setToolTip(tooltip)
        self.line.setPlaceholderText(example)
        self.line.editingFinished.connect(self._tell)
        self._told = ""
        self.button = small_button("…", title, self._look_for)
        self.button.setMaximumWidth(30)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line)
        row.addWidget(self.button)

    @property
    def path(self) -> Path | None:
        """The path; None where nothing stands."""
        text = self.line.text().strip()
        return Path(text).expanduser().absolute() if text else None

    def pick(self, path: str | Path) -> None:
        """Put a path there."""
        self.line.setText(str(path))
        self._tell()

    def _look_for(self) -> None:
        start = str(self.path or "")
        if self._kinds:
            found = QFileDialog.getOpenFileName(self, self._title, start, self._kinds)[0]
        else:
            found = QFileDialog.getExistingDirectory(self, self._title, start)
        if found:
            self.pick(found)

    def _tell(self) -> None:
        if self.line.text() != self._told:
            self._told = self.line.text()
            self.changed.emit()
