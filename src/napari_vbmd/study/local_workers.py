"""Processes for many patients: one that dies loses its patient only, who is tried once more."""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from .batch_case import FAILED, BatchCase, Outcome, run_case
from .local_worker import LocalWorker, Progress, Work

_ATTEMPTS = 2
_SECONDS_OF_SILENCE = 0.5  # after which the caller is asked whether to go on
_PATIENCE_S = 10.0  # for workers that are asked to stop


def run_locally(
    cases: Sequence[BatchCase],
    workers: int = 1,
    progress: Progress | None = None,
    work: Work = run_case,
) -> Iterator[tuple[int, Outcome]]:
    """Run patients in processes on this machine; gives each outcome as it comes.

    A worker takes patient after patient. One that dies (killed, or out of memory) has its patient
    tried once more by a new one; after that it is a failure with the signal as reason. A worker
    whose patient failed is replaced, too: nobody knows what the failure left in it. When the
    caller stops, so do the workers.

    Parameters
    ----------
    cases : sequence of BatchCase
    workers : int
        At the same time.
    progress : callable, optional
        Called with the share of all patients and a message; may raise to cancel.
    work : callable
        What is run, importable by name.

    Yields
    ------
    index : int
        Of the case.
    outcome : Outcome
    """
    team = _Team(cases, workers, progress, work)
    try:
        while team.has_work:
            team.hand_out()
            for connection in team.listen():
                ended = team.hear(connection)
                if ended:
                    yield ended
    finally:
        team.dismiss()


@dataclass
class _Running:
    """A worker with its patient."""

    worker: LocalWorker
    index: int
    attempt: int
    fraction: float = 0.0


class _Team:
    """The workers, and who has which patient."""

    def __init__(self, cases: Sequence[BatchCase], workers: int, progress, work: Work):
        self._cases, self._workers, self._work = cases, workers, work
        self._progress: Callable = progress or (lambda *_: None)
        self._waiting = deque((index, 1) for index in range(len(cases)))
        self._running: dict[Connection, _Running] = {}
        self._free: list[LocalWorker] = []
        self._done, self._said = 0, (0.0, f"0 of {len(cases)} patients")

    @property
    def has_work(self) -> bool:
        return bool(self._waiting or self._running)

    def hand_out(self) -> None:
        """A patient for every worker that has none."""
        while self._waiting and len(self._running) < self._workers:
            index, attempt = self._waiting.popleft()
            if attempt > 1 and self._free:  # a new one, with all the memory that this one held
                self._free.pop().let_go()
            warm = self._free and attempt == 1
            worker = self._free.pop() if warm else LocalWorker(self._work)
            self._running[worker.connection] = _Running(worker, index, attempt)
            worker.take(self._cases[index])

    def listen(self) -> list[Connection]:
        """Those that have something to say."""
        heard = wait(list(self._running), _SECONDS_OF_SILENCE)
        if not heard:
            self._progress(*self._said)  # which may want to stop
        return heard

    def hear(self, connection: Connection) -> tuple[int, Outcome] | None:
        """What one says: a patient's index and outcome when it ended, for good."""
        one = self._running[connection]
        said = one.worker.hear()
        if isinstance(said, tuple):
            one.fraction, message = said
            self._tell(one, message)
            return None
        del self._running[connection]
        if isinstance(said, Outcome) and said.status != FAILED:
            self._free.append(one.worker)
        else:
            one.worker.let_go()
        if isinstance(said, EOFError):
            if one.attempt < _ATTEMPTS:
                self._waiting.appendleft((one.index, one.attempt + 1))
                return None
            said = Outcome(FAILED, _died(one.worker.exit_code))
        self._done += 1
        return one.index, said

    def dismiss(self) -> None:
        """End all workers: at once, whatever they do."""
        everybody = [one.worker for one in self._running.values()] + self._free
        for worker in everybody:
            worker.stop()
        until = time.monotonic() + _PATIENCE_S
        for worker in everybody:
            worker.wait_for_end(until)

    def _tell(self, one: _Running, message: str) -> None:
        """The progress of one as that of all; what was said last is kept."""
        count = len(self._cases)
        whole = self._done + sum(each.fraction for each in self._running.values())
        text = f"{self._done} of {count} patients, now {self._cases[one.index].name}: {message}"
        self._said = min(1.0, whole / count), text
        self._progress(*self._said)


def _died(exit_code: int | None) -> str:
    how = f"exit code {exit_code}"
    if exit_code is not None and exit_code < 0:
        try:
            how = signal.Signals(-exit_code).name
        except ValueError:
            how = f"signal {-exit_code}"
    memory = "; perhaps out of memory: use fewer workers" if how == "SIGKILL" else ""
    return f"its worker died twice ({how}){memory}"
