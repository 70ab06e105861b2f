"""Parts that every dock is made of: notes, the run bar, and the page itself."""

from collections.abc import Callable
from time import monotonic

from napari.utils.notifications import show_error
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from .job import Job
from .status import watch

PLUGIN = "napari-vbmd"
DOCK_WIDTH = 300


class Note(QLabel):
    """A line that wraps; quiet, or a warning that stays."""

    def __init__(self, text: str = "", quiet: bool = True):
        super().__init__(text)
        self.setWordWrap(True)
        self.setTextFormat(Qt.PlainText)  # names of files and layers are no markup
        self.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Minimum)
        if quiet:
            self.setStyleSheet("font-size: 8pt;")
        if not text:  # showing it now, without a parent, would open a window
            self.hide()

    def say(self, text: str) -> None:
        """Show a text, or nothing."""
        self.setText(text)
        self.setVisible(bool(text))


class Warnings(Note):
    """What must stay in sight, one line each."""

    def __init__(self):
        super().__init__(quiet=False)
        self.setStyleSheet("color: #E69F00;")

    def list(self, warnings: list[str]) -> None:
        """Show these, or nothing."""
        self.say("\n".join(f"⚠ {text}" for text in warnings))


class RunBar(QWidget):
    """One primary button at the bottom right, Cancel beside it, and progress while it runs.

    Signals
    -------
    ended()
        Work has ended, whichever way.
    """

    ended = Signal()

    def __init__(self, text: str, tooltip: str):
        super().__init__()
        self._job: Job | None = None
        self._started = 0.0
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setVisible(False)
        self.message = Note()
        self.button = QPushButton(text)
        self.button.setToolTip(tooltip)
        self.button.setDefault(True)
        self.button.setStyleSheet(
            "QPushButton { background: #0072B2; color: white; font-weight: bold;"
            " padding: 5px 14px; }"
            "QPushButton:disabled { background: palette(mid); }"
        )
        self._tooltip, self._reason = tooltip, ""
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop the work; nothing is changed")
        self.cancel.setVisible(False)
        self.cancel.clicked.connect(self.stop)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for item in (self.bar, self.message):
            layout.addWidget(item)
        layout.addLayout(buttons)

    @property
    def running(self) -> bool:
        """Whether work is under way."""
        return self._job is not None

    def run(self, work: Callable, title: str, succeeded: Callable) -> None:
        """Start work; ``succeeded`` gets its result. A second start while one runs is ignored."""
        if self._job is not None:
            return
        job = self._job = Job(work, title, self)
        job.progressed.connect(self._show_progress)
        job.succeeded.connect(succeeded)
        job.failed.connect(self.complain)
        job.cancelled.connect(lambda: self.message.say("Cancelled; nothing was changed."))
        job.ended.connect(self._end)
        self.show_running(True)
        self._started = monotonic()
        self.bar.setValue(0)
        self.message.say(f"{title} …")
        job.start()

    def stop(self) -> None:
        """Cancel what runs."""
        if self._job is not None:
            self.message.say("Cancelling …")
            self._job.cancel()

    def complain(self, text: str) -> None:
        """An error: in the dock's line and as a napari notification."""
        self.message.say(text)
        show_error(text)

    def allow(self, reason: str = "") -> None:
        """Enable the button, or disable it and say why in its tooltip."""
        self._reason = reason
        self.button.setEnabled(not reason and not self.running)
        self.button.setToolTip(reason or self._tooltip)

    def show_running(self, running: bool) -> None:
        """Show progress and Cancel instead of the button, or the other way round."""
        self.bar.setVisible(running)
        self.cancel.setVisible(running)
        self.button.setEnabled(not running and not self._reason)

    def _show_progress(self, fraction: float, message: str) -> None:
        self.bar.setValue(round(100 * fraction))
        elapsed = monotonic() - self._started
        if fraction > 0.05 and elapsed > 2:  # earlier than this it would be a guess
            message += f", about {elapsed / fraction - elapsed:.0f} s left"
        self.message.say(message)

    def _end(self) -> None:
        self._job.deleteLater()  # it holds the input and the result
        self._job = None
        self.show_running(False)
        self.ended.emit()


class Page(QWidget):
    """A dock's page: scrolls, never sideways, and ends in a line that opens the next step."""

    def __init__(self, viewer, next_dock: str = "", next_text: str = ""):
        super().__init__()
        watch(viewer)
        self.viewer = viewer
        self.setMinimumWidth(DOCK_WIDTH)
        inner = QWidget()
        self.body = QVBoxLayout(inner)
        self.footer = QVBoxLayout()  # stays in sight: the primary button lives here
        self.body.setContentsMargins(8, 8, 8, 8)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self.footer.setContentsMargins(8, 4, 8, 0)
        outer.addLayout(self.footer)
        if next_dock:
            link = QLabel(f'<a href="next" style="color: {"#56B4E9"};">{next_text}</a>')
            link.setToolTip(f"Open the dock “{next_dock}”")
            link.setContentsMargins(8, 2, 8, 4)
            link.linkActivated.connect(lambda _: self.open_dock(next_dock))
            outer.addWidget(link)

    def form(self) -> QFormLayout:
        """A new form at the end of the page."""
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.DontWrapRows)
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        self.body.addLayout(form)
        return form

    def open_dock(self, name: str) -> QWidget:
        """Open another dock of this plugin, as a tab beside this one and in front of it."""
        dock, page = self.viewer.window.add_plugin_dock_widget(PLUGIN, name, tabify=True)
        dock.show()
        dock.raise_()
        return page

    def stop(self) -> None:
        """End what goes on: the dock was closed. A dock with more than work to end adds to this."""
        for bar in self.findChildren(RunBar):
            bar.stop()

    def changeEvent(self, event: QEvent) -> None:
        """Notice that napari has let go of the page: nobody sees it from now on."""
        super().changeEvent(event)
        if event.type() == QEvent.ParentChange and self.parent() is None:
            self.stop()
            self.deleteLater()  # here: garbage collection might do it in another thread


def small_button(text: str, tooltip: str, clicked: Callable) -> QPushButton:
    """A secondary button."""
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.clicked.connect(lambda _=False: clicked())
    return button
