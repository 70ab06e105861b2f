"""After a crash: the masks that were not saved, each with Recover and Discard."""

from pathlib import Path

from qtpy.QtWidgets import QDialog, QGridLayout, QLabel, QPushButton, QVBoxLayout

from ..errors import VbmdError
from ..io.rescue import about, discard, rescue
from .job import sentence
from .layers import add_mask
from .parts import PLUGIN, Note


class Offer(QDialog):
    """A window beside the viewer that blocks nothing; what is left in it is offered again."""

    def __init__(self, viewer, found: list[Path]):
        super().__init__(viewer.window._qt_window)
        self.setWindowTitle("Masks that were not saved")
        self.setModal(False)
        self._viewer = viewer
        self.rows: dict[Path, tuple[QLabel, QPushButton, QPushButton]] = {}
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("napari ended before these masks were saved:"))
        grid = QGridLayout()
        layout.addLayout(grid)
        self.message = Note(quiet=False)
        layout.addWidget(self.message)
        for number, path in enumerate(found):
            self._add(grid, number, path)

    def recover(self, path: Path) -> None:
        """Add the mask to the viewer, above its scan where that is still where it was."""
        from . import autosave

        try:
            mask, told = rescue(path)
            names = [layer.name for layer in self._viewer.layers]
            if told.scan_path and told.scan not in names and Path(told.scan_path).exists():
                self._viewer.open(told.scan_path, plugin=PLUGIN)
        except VbmdError as error:
            self.message.say(sentence(error))
            return
        layer = add_mask(
            self._viewer,
            mask,
            f"{told.name} [rescued]",
            about={"rescued from": told.when, "scan path": told.scan_path},
        )
        autosave.guard(self._viewer)
        autosave.keep_now(self._viewer, layer)
        self._done(path)

    def discard(self, path: Path) -> None:
        """Throw the mask away."""
        self._done(path)

    def _done(self, path: Path) -> None:
        discard(path)
        for widget in self.rows.pop(path):
            widget.hide()
        if not self.rows:
            self.close()

    def _add(self, grid: QGridLayout, number: int, path: Path) -> None:
        try:
            told = about(path)
            text = f"{told.name}, on {told.scan or 'no scan'}, {told.when}"
        except VbmdError as error:
            text = sentence(error)
        label, recover, drop = QLabel(text), QPushButton("Recover"), QPushButton("Discard")
        recover.setToolTip("Open the scan and the mask as it was")
        drop.setToolTip("Throw this mask away for good")
        recover.clicked.connect(lambda _=False: self.recover(path))
        drop.clicked.connect(lambda _=False: self.discard(path))
        for column, widget in enumerate((label, recover, drop)):
            grid.addWidget(widget, number, column)
        self.rows[path] = label, recover, drop


def offer(viewer, found: list[Path]) -> Offer:
    """Show the offer beside a viewer."""
    window = Offer(viewer, found)
    window.show()
    viewer.window._qt_window._vbmd_offer = window  # Qt closes what nobody holds
    return window
