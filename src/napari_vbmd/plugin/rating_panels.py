"""What the dock Rate shows in turn: the set-up, the pair in view, and the summary."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..study.answers import EQUAL, A, B
from ..study.summary import Summary
from .layers import AGREEMENT, EXPERT, OURS
from .parts import Note, small_button

# answer, key, text, colour, what it means; keys 1, 2, 3 stand above Q, W, E, as the buttons do
CHOICES = (
    (A, "1", "A", OURS, "A, the blue outline, is better"),
    (EQUAL, "2", "Equally\ngood", AGREEMENT, "Neither is better than the other"),
    (B, "3", "B", EXPERT, "B, the orange outline, is better"),
)
HIDING = (
    ("Q", "Hide A", "Hide or show A, the blue outline", (0,)),
    ("W", "Hide both", "Hide or show both outlines", (0, 1)),
    ("E", "Hide B", "Hide or show B, the orange outline", (1,)),
)
DIFFER = ("D", "Where they differ most", "Go to the slice where A and B differ most")


class SetUp(QWidget):
    """The table of pairs, and who rates it."""

    def __init__(self):
        super().__init__()
        self.path = QLineEdit()
        self.path.setPlaceholderText("pairs.csv")
        self.path.setToolTip("A CSV with the columns scan, mask_1, mask_2; see the user guide")
        self.rater = QLineEdit()
        self.rater.setPlaceholderText("name or initials")
        self.rater.setToolTip(
            "Who rates; every rater has an order and a file of answers of one's own"
        )
        self.browse = small_button("…", "Choose the table of pairs", self._choose)
        self.browse.setMaximumWidth(30)
        row = QHBoxLayout()
        row.addWidget(self.path)
        row.addWidget(self.browse)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Pairs", row)
        form.addRow("Rater", self.rater)
        form.addRow(
            Note(
                "Two masks of each scan, A in blue and B in orange. Which source has which colour "
                "is drawn by lot for every pair. Say which outline is better, by key."
            )
        )

    def _choose(self) -> None:
        path = QFileDialog.getOpenFileName(self, "Table of pairs", "", "CSV (*.csv)")[0]
        if path:
            self.path.setText(path)


class PairPanel(QWidget):
    """How far the rating is, the answers, and what else can be done with the pair in view.

    Signals
    -------
    answered(str), hidden(object), difference_wanted(), back(), paused(), summary_wanted(),
    keys_wanted()
    """

    answered = Signal(str)
    hidden = Signal(object)
    difference_wanted = Signal()
    back = Signal()
    paused = Signal()
    summary_wanted = Signal()
    keys_wanted = Signal()

    def __init__(self):
        super().__init__()
        self.count = QLabel()
        self.count.setStyleSheet("font-size: 14pt; font-weight: bold;")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        self.bar.setToolTip("Pairs with an answer")
        self.state = Note()
        self.buttons: dict[str, QPushButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.count, self.bar, self.state):
            layout.addWidget(widget)
        grid = QGridLayout()
        layout.addLayout(grid)
        for column, (choice, key, text, color, meaning) in enumerate(CHOICES):
            button = self._button(choice, f"{text}\n{key}", f"{meaning} (key {key})")
            button.clicked.connect(lambda _=False, c=choice: self.answered.emit(c))
            button.setStyleSheet(_answer_style(color))
            button.setMinimumHeight(72)
            grid.addWidget(button, 0, column)
        for column, (key, text, meaning, masks) in enumerate(HIDING):
            button = self._button(text, f"{text}\n{key}", f"{meaning} (key {key})")
            button.clicked.connect(lambda _=False, m=masks: self.hidden.emit(m))
            grid.addWidget(button, 1, column)
        key, text, meaning = DIFFER
        button = self._button(text, f"{text}  {key}", f"{meaning} (key {key})")
        button.clicked.connect(lambda _=False: self.difference_wanted.emit())
        grid.addWidget(button, 2, 0, 1, 3)
        for column in range(3):
            grid.setColumnStretch(column, 1)
        others = QGridLayout()
        layout.addLayout(others)
        for place, (text, meaning, signal) in enumerate(
            (
                (
                    "Back",
                    "Show the pair before; its answer stands until another is given (Ctrl+Z)",
                    self.back,
                ),
                ("Pause", "Close the pair; start again to go on where you left", self.paused),
                ("Summary now …", "See the result of the pairs rated so far", self.summary_wanted),
                ("? Keys", "List the keys (F1)", self.keys_wanted),
            )
        ):
            button = self._button(text, text, meaning)
            button.clicked.connect(lambda _=False, s=signal: s.emit())
            others.addWidget(button, place // 2, place % 2)

    def show_progress(self, text: str, answered: int, count: int) -> None:
        """Say where the rating is."""
        self.count.setText(text)
        self.bar.setRange(0, count)
        self.bar.setValue(answered)

    def allow(self, in_view: bool, back: bool, summary: bool) -> None:
        """Enable what does something: with a pair in view, with answers, and before the end."""
        with_keys = *(choice[0] for choice in CHOICES), *(hide[1] for hide in HIDING), DIFFER[1]
        for name in with_keys:
            self.buttons[name].setEnabled(in_view)
        self.buttons["Back"].setEnabled(back)
        self.buttons["Summary now …"].setEnabled(summary)

    def _button(self, name: str, text: str, tooltip: str) -> QPushButton:
        button = self.buttons[name] = QPushButton(text)
        button.setToolTip(tooltip)
        button.setFocusPolicy(Qt.NoFocus)  # keys go to the pair, also after a click
        return button


class Result(QWidget):
    """The summary, with Copy."""

    def __init__(self, go_on):
        super().__init__()
        self.number = QLabel()
        self.number.setStyleSheet("font-size: 26pt; font-weight: bold;")
        self.number.setToolTip("Of the decided pairs, %")
        self.text = Note(quiet=False)
        self.written = Note()
        self.copy_button = small_button("Copy", "Copy the summary", self._copy)
        self.go_on_button = small_button("Go on", "Rate the pairs that are left, not blind", go_on)
        row = QHBoxLayout()
        row.addWidget(self.copy_button)
        row.addWidget(self.go_on_button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.number, self.text, self.written):
            layout.addWidget(widget)
        layout.addLayout(row)

    def show_summary(self, summary: Summary, written: str, waiting: bool) -> None:
        """Show a summary, and the files that hold it; the pairs that wait can be rated still."""
        share = summary.preferences[summary.leading].share.value
        self.number.setText("–" if share is None else f"{100 * share:.1f} %")
        self.text.say(summary.text())
        self.written.say(written)
        self.go_on_button.setVisible(waiting)

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text.text())


def _answer_style(color: str) -> str:
    return (
        f"QPushButton {{ background: {color}; color: black; font-weight: bold; font-size: 11pt; }}"
        f"QPushButton:hover {{ border: 2px solid palette(text); }}"
        "QPushButton:disabled { background: palette(mid); }"
    )
