"""One process that takes patient after patient, and keeps what the next one needs, too.

That is: the imported libraries, the loaded network, and the GPU's context.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from ..provenance import forget_peak_memory
from .batch_case import BatchCase, Outcome

Progress = Callable[[float, str], None]
Work = Callable[[BatchCase, Progress], Outcome]
_SECONDS_BETWEEN = 0.2  # of two messages on the progress
_PATIENCE_S = 10.0  # for a worker that is asked to stop
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


class LocalWorker:
    """A process of this machine with a pipe of its own, whose end is the death of this worker only.

    Parameters
    ----------
    work : callable
        What is run, importable by name.

    Attributes
    ----------
    connection : Connection
        Our end of the pipe, to wait for.
    exit_code : int or None
        None as long as it lives.
    """

    def __init__(self, work: Work):
        context = _context()
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()  # so that its death shows here as the end of the pipe

    @property
    def exit_code(self) -> int | None:
        """As the system says; -9 after SIGKILL."""
        return self._process.exitcode

    def take(self, case: BatchCase) -> None:
        """Begin with a patient."""
        self._process.name = case.name  # for who looks at the processes
        with contextlib.suppress(OSError):  # a worker that died is noticed by `hear`
            self.connection.send(case)

    def hear(self) -> tuple[float, str] | Outcome | EOFError:
        """What it says: its progress, its outcome, or, when it died, an EOFError."""
        try:
            return self.connection.recv()
        except (EOFError, OSError) as error:
            return EOFError(str(error))

    def let_go(self) -> None:
        """End a worker that has no patient: it goes when its pipe ends."""
        self.connection.close()
        self.wait_for_end(time.monotonic() + _PATIENCE_S)

    def stop(self) -> None:
        """Ask it to stop, even in the middle of a patient; `wait_for_end` sees to it."""
        self.connection.close()
        self._process.terminate()

    def wait_for_end(self, until: float) -> None:
        """Wait until then (of `time.monotonic`), and kill it if it is still there."""
        self._process.join(max(0.0, until - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


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


def _serve(connection: Connection, work: Work) -> None:
    """In the process: patient after patient, each one's progress and outcome through the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # tidies up on its way out
    tell = _teller(connection)
    while True:
        try:
            case = connection.recv()
        except (EOFError, OSError):  # the parent has no more patients, or is gone
            return
        limit_threads(case.settings.threads)
        forget_peak_memory()  # of the patient before
        outcome = work(case, tell)
        _free_gpu()
        connection.send(outcome)


def _free_gpu() -> None:
    """What torch keeps there for later is another worker's room now."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _teller(connection: Connection) -> Progress:
    """A progress that is said through the pipe, not too often."""
    told = 0.0

    def tell(fraction: float, message: str) -> None:
        nonlocal told
        if time.monotonic() - told > _SECONDS_BETWEEN:
            told = time.monotonic()
            try:
                connection.send((fraction, message))
            except OSError:  # the parent is gone, and nobody wants the result
                sys.exit(1)

    return tell
