"""A training in a process of its own, looked at by its record and its metrics."""

from ..errors import VbmdError
from ..study.train_state import LOCK, TrainState, state_of
from .job import sentence
from .outside_process import INTERRUPTED, OutsideProcess


class TrainProcess(OutsideProcess):
    """The training in one folder; `changed` carries a `TrainState`."""

    noun, command, log, lock = "training", "train", "train.log", LOCK
    _state: TrainState | None = None

    def _forget(self) -> None:
        self._state = None

    def _read(self) -> None:
        try:
            state = state_of(self.folder)
        except VbmdError as error:
            if not self.running:  # a folder was chosen: it is of something else
                raise
            self.said.emit(0.0, sentence(error))
            return
        if state != self._state:
            self._state = state
            self.changed.emit(state)

    def _how_it_ended(self, code: int | None) -> str:
        ending = self._state.ending if self._state else ""
        if code not in (0, INTERRUPTED, None):
            return ""
        if ending == "finished":
            return "Finished: the weights are best.pt, in the training's folder."
        if ending in ("time is up", "interrupted"):
            return f"Stopped after step {self._state.step:,}; it can go on."
        return ""
