"""The dock Train: a manifest, a network; the curves while it learns, in a process of its own."""

from napari.utils.notifications import show_error

from ..errors import VbmdError
from ..study.train_state import TrainState
from .curves import CurvesCanvas
from .job import sentence
from .parts import Note, Page, RunBar
from .train_form import TrainForm
from .train_process import TrainProcess

_GOES_ON = (
    "The training goes on when napari is closed. To see it again, open this dock and choose its "
    "folder."
)


class TrainDock(Page):
    """Starts and stops a training, or looks on at one that another window started."""

    def __init__(self, napari_viewer: "napari.viewer.Viewer"):  # noqa: F821 - read by npe2
        super().__init__(napari_viewer, "Segment", "Next: segment with the weights →")
        self.choices = TrainForm()
        self.curves = CurvesCanvas()
        self.numbers, self.goes_on = Note(quiet=False), Note()
        self.run_bar = RunBar("Train", "Start the training, or go on with the one in the folder")
        self.process = TrainProcess(self)
        self._state: TrainState | None = None
        for widget in (self.choices, self.numbers, self.curves, self.goes_on):
            self.body.addWidget(widget)
        self.body.addStretch()
        self.footer.addWidget(self.run_bar)
        self.run_bar.cancel.setText("Stop")
        self.run_bar.cancel.setToolTip("Stop after this step; nothing is lost, and it can go on")
        self.run_bar.cancel.clicked.connect(self._stop)
        self.run_bar.button.clicked.connect(self.run)
        self.choices.out.changed.connect(self._show_folder)
        self.process.changed.connect(self._show)
        self.process.said.connect(self._tell)
        self.process.ended.connect(self._end)
        napari_viewer.events.theme.connect(self._plot)
        self._plot()

    def run(self) -> None:
        """Start, or go on."""
        try:
            self.process.start(self.choices.words(), self.choices.out.path)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
            return
        self.run_bar.message.say("Starting …")
        self._set_running(True)

    def stop(self) -> None:
        """The dock was closed: look no further. The training goes on."""
        super().stop()
        self.process.leave()

    def _stop(self) -> None:
        self.run_bar.message.say("Stopping after this step …")
        self.process.stop()

    def _show_folder(self) -> None:
        """Show the training that the folder holds, if it holds one."""
        folder = self.choices.out.path
        self.run_bar.message.say("")
        if folder is None:
            return
        try:
            self.process.show(folder)
            self.choices.take_up(self._state.settings, folder)
        except VbmdError as error:
            self.run_bar.complain(sentence(error))
        self._set_running(self.process.running)

    def _show(self, state: TrainState) -> None:
        is_new = self._state is None or state.rows != self._state.rows
        self._state = state
        self.numbers.say(_numbers(state))
        self.run_bar.button.setText("Go on" if state.can_go_on else "Train")
        if state.steps:
            self.run_bar.bar.setValue(round(100 * state.step / state.steps))
        if is_new:
            self._plot()

    def _tell(self, fraction: float, words: str) -> None:
        """What goes on before the first step; from then on the numbers say it."""
        if self._state is None or not self._state.steps:
            self.run_bar.bar.setValue(round(100 * fraction))
            self.run_bar.message.say(words)
        else:
            self.run_bar.message.say("")

    def _end(self, how: str, is_error: bool) -> None:
        self._set_running(False)
        self.run_bar.message.say(how)
        if is_error:
            show_error(how)

    def _set_running(self, running: bool) -> None:
        self.run_bar.show_running(running)
        self.goes_on.say(_GOES_ON if running else "")
        self.choices.fold(running)

    def _plot(self, _=None) -> None:
        rows = self._state.rows if self._state else []
        self.curves.setVisible(bool(rows))
        if rows:
            self.curves.plot(rows, self.viewer.theme != "light")


def _numbers(state: TrainState) -> str:
    """How far it is, and how good."""
    if not state.steps:
        return ""
    lines = [f"Step {state.step:,} of {state.steps:,}"]
    if state.rows:
        lines[0] += f", loss {state.rows[-1]['loss']:.3f}"
    if state.best:
        dice, step = state.best
        lines.append(f"Best validation Dice {dice:.3f}, at step {step:,}")
    if state.ending == "under way" and state.seconds_left:
        lines.append(f"About {_duration(state.seconds_left)} left")
    return "\n".join(lines)


def _duration(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
