"""A process for each patient: one that dies takes nobody with it, and is retried once."""

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from .batch_case import FAILED, BatchCase, Outcome, run_case

Progress = Callable[[float, str], None]
Work = Callable[[BatchCase, Progress], Outcome]
_ATTEMPTS = 2
_SECONDS_BETWEEN = 0.2  # of two messages on the progress
_SECONDS_OF_SILENCE = 0.5  # after which the caller is asked whether to go on
_PATIENCE_S = 10.0  # for a worker that is asked to stop
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


@dataclass
class _Running:
    """A worker with its patient."""

    process: Any
    index: int
    attempt: int
    fraction: float = 0.0


def run_locally(
    cases: Sequence[BatchCase],
    workers: int = 1,
    progress: Progress | None = None,
    work: Work = run_case,
) -> Iterator[tuple[int, Outcome]]:
    """Run patients in processes on this machine; gives each outcome as it comes.

    A worker that dies (killed, or out of memory) has its patient tried once more; after that it is
    a failure with the signal as reason. When the caller stops, so do the workers.

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
    context = _context()
    waiting = deque((index, 1) for index in range(len(cases)))
    running: dict[Connection, _Running] = {}
    done, said = 0, [(0.0, f"0 of {len(cases)} patients")]
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                index, attempt = waiting.popleft()
                ours, process = _start(context, work, cases[index])
                running[ours] = _Running(process, index, attempt)
            heard = wait(list(running), _SECONDS_OF_SILENCE)
            if not heard and progress:
                progress(*said[-1])  # which may want to stop
            for connection in heard:
                one = running[connection]
                outcome = _hear(connection, one, _teller(progress, said, cases, running, done))
                if outcome is None:
                    continue
                del running[connection]
                connection.close()
                one.process.join()
                if isinstance(outcome, Outcome):
                    done += 1
                    yield one.index, outcome
                elif one.attempt < _ATTEMPTS:
                    waiting.appendleft((one.index, one.attempt + 1))
                else:
                    done += 1
                    yield one.index, Outcome(FAILED, _died(one.process.exitcode))
    finally:
        _stop(running)


def limit_threads(threads: int | None) -> None:
    """Let the numerical libraries of this process use so many threads; None leaves them be."""
    if not threads:
        return
    for name in _THREADS:
        os.environ[name] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _context():
    """Processes that begin small: forked from a clean server where that is safe, else new."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["napari_vbmd.study.batch_case"])
    return context


def _start(context, work: Work, case: BatchCase):
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_worker, args=(theirs, work, case), name=case.name, daemon=True
    )
    process.start()
    theirs.close()  # so that its death shows here as the end of the pipe
    return ours, process


def _worker(connection: Connection, work: Work, case: BatchCase) -> None:
    """In the process: one patient, its progress and its outcome through the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # tidies up on its way out
    limit_threads(case.settings.threads)
    told = 0.0

    def tell(fraction: float, message: str) -> None:
        nonlocal told
        if time.monotonic() - told > _SECONDS_BETWEEN:
            told = time.monotonic()
            try:
                connection.send((fraction, message))
            except OSError:  # the parent is gone, and nobody wants the result
                sys.exit(1)

    connection.send(work(case, tell))
    connection.close()


def _hear(connection: Connection, one: _Running, tell) -> Outcome | EOFError | None:
    """What a worker says: its outcome, an EOFError when it died, None for progress only."""
    try:
        said = connection.recv()
    except (EOFError, OSError) as error:
        return EOFError(str(error))
    if isinstance(said, Outcome):
        return said
    one.fraction, message = said
    tell(one, message)
    return None


def _teller(progress: Progress | None, said: list, cases: Sequence[BatchCase], running, done: int):
    """What turns the progress of one worker into that of all, and keeps what was said last."""

    def tell(one: _Running, message: str) -> None:
        whole = done + sum(each.fraction for each in running.values())
        text = f"{done} of {len(cases)} patients, now {cases[one.index].name}: {message}"
        said[:] = [(min(1.0, whole / len(cases)), text)]
        if progress:
            progress(*said[-1])

    return tell


def _died(exit_code: int | None) -> str:
    how = f"exit code {exit_code}"
    if exit_code is not None and exit_code < 0:
        try:
            how = signal.Signals(-exit_code).name
        except ValueError:
            how = f"signal {-exit_code}"
    memory = "; perhaps out of memory: use fewer workers" if how == "SIGKILL" else ""
    return f"its worker died twice ({how}){memory}"


def _stop(running: dict[Connection, _Running]) -> None:
    """Ask every worker to stop, and end those that do not."""
    for connection, one in running.items():
        connection.close()
        one.process.terminate()
    until = time.monotonic() + _PATIENCE_S
    for one in running.values():
        one.process.join(max(0.0, until - time.monotonic()))
        if one.process.is_alive():
            one.process.kill()
            one.process.join()
