"""Taking an agreement along: clipboard, a figure, and all numbers as JSON."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QWidget

from ..errors import ParameterError
from ..io.atomic import written_whole
from ..measurement.agreement_tables import Line
from ..provenance import as_json
from ..study.agreement import Quantity
from .parts import RunBar, small_button


class AgreementExports(QWidget):
    """Copy, Figure and JSON, for what is shown."""

    def __init__(self, run_bar: RunBar):
        super().__init__()
        self._quantity: Quantity | None = None
        self._lines: list[Line] = []
        self._run_bar = run_bar
        self.copy_button = small_button("Copy", "Copy the numbers for a spreadsheet", self.copy)
        self.figure_button = small_button(
            "Figure …", "Save both plots, fit to print (PDF, SVG or PNG)", self.save_figure
        )
        self.json_button = small_button(
            "JSON …",
            "Save every number with its interval, and why some are missing",
            self.save_json,
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.copy_button, self.figure_button, self.json_button):
            row.addWidget(button)
        row.addStretch()
        self.offer(None, [])

    def offer(self, quantity: Quantity | None, lines: list[Line]) -> None:
        """Offer these numbers; None: there are none."""
        self._quantity, self._lines = quantity, lines
        self.setEnabled(quantity is not None)
        self.figure_button.setEnabled(quantity is not None and quantity.agreement is not None)

    def copy(self) -> None:
        """Put the numbers on the clipboard, with tabs."""
        head = ("", "value", "95 % interval", "unit")
        rows = [head, *(line[:4] for line in self._lines)]
        QApplication.clipboard().setText("\n".join("\t".join(row) for row in rows))
        self._run_bar.message.say("Copied; paste it into a spreadsheet.")

    def save_figure(self, path: str = "") -> None:
        """Save the figure, drawn in the background; asks where when no path is given."""
        path = path or self._ask("Save figure", "agreement.pdf", "Figure (*.pdf *.svg *.png)")
        if path:
            quantity = self._quantity
            self._run(path, lambda: _figure(quantity, path), "Drawing the figure")

    def save_json(self, path: str = "") -> None:
        """Save all numbers; asks where when no path is given."""
        path = path or self._ask("Save numbers", "agreement.json", "JSON (*.json)")
        if path:
            quantity = self._quantity
            self._run(path, lambda: _json(quantity), "Writing the numbers")

    def _run(self, path: str, make: Callable[[], bytes], title: str) -> None:
        def work(progress: Callable) -> str:
            progress(0.1, title)
            content = make()
            progress(0.9, "writing the file")
            with written_whole(path) as temporary:
                temporary.write_bytes(content)
            return path

        self._run_bar.run(
            work, title, lambda path: self._run_bar.message.say(f"Saved {Path(path).name}.")
        )

    def _ask(self, title: str, name: str, kinds: str) -> str:
        return QFileDialog.getSaveFileName(self, title, name, kinds)[0]


def _figure(quantity: Quantity, path: str) -> bytes:
    from ..report.agreement_figures import agreement_figure
    from ..report.figure_files import FORMATS, figure_bytes
    from ..study.agreement_files import names_of

    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        endings = ", ".join(f".{one}" for one in FORMATS)
        raise ParameterError(f"{path}: choose one of the endings {endings}")
    return figure_bytes(agreement_figure(quantity.agreement, names_of(quantity)), kind)


def _json(quantity: Quantity) -> bytes:
    from ..study.agreement_files import content_of

    return as_json(content_of([quantity])).encode()
