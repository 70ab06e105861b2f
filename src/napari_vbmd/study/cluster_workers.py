"""Patients on the workers of an existing dask cluster, which sees the same files as we do."""

import threading
from collections.abc import Callable, Iterator, Sequence

from ..errors import ParameterError
from .batch_case import FAILED, BatchCase, Outcome, run_case
from .local_worker import limit_threads

Progress = Callable[[float, str], None]
_PATIENCE_S = 20  # for the scheduler to answer
_ONE_AT_A_TIME = threading.Lock()  # of a worker's threads: the memory is counted for one patient


def run_on_cluster(
    cases: Sequence[BatchCase],
    address: str,
    progress: Progress | None = None,
    work: Callable[[BatchCase], Outcome] = run_case,
) -> Iterator[tuple[int, Outcome]]:
    """Run patients on a dask cluster; gives each outcome as it comes.

    A worker that dies has its patient tried again, as often as the scheduler is set to
    (``distributed.scheduler.allowed-failures``); after that it is a failure. When the caller
    stops, what has not begun is taken back.

    Parameters
    ----------
    cases : sequence of BatchCase
        Their paths must mean the same files on every worker.
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.
    progress : callable, optional
        Called with the share of all patients and a message; may raise to cancel.
    work : callable
        What is run, importable by name on the workers.

    Raises
    ------
    ParameterError
        When dask.distributed is not installed, or no scheduler answers.
    """
    client = _client(address)
    futures = {}
    try:
        from distributed import as_completed

        futures = {
            client.submit(_on_worker, work, case, pure=False): i for i, case in enumerate(cases)
        }
        for done, future in enumerate(as_completed(list(futures), loop=client.loop), 1):
            index = futures[future]
            outcome = _outcome(future)
            if progress:
                text = f"{done} of {len(cases)} patients, last {cases[index].name}"
                progress(done / len(cases), text)
            yield index, outcome
    finally:
        client.cancel(list(futures))
        client.close()


def _client(address: str):
    try:
        from distributed import Client
    except ImportError:
        raise ParameterError(
            "--scheduler needs dask.distributed: pip install 'napari-vbmd[cluster]'"
        ) from None
    try:
        return Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # TimeoutError is an OSError
        said = " ".join(str(error).split())
        raise ParameterError(f"--scheduler {address}: no scheduler answers ({said})") from error


def _on_worker(work: Callable[[BatchCase], Outcome], case: BatchCase) -> Outcome:
    with _ONE_AT_A_TIME:
        limit_threads(case.settings.threads)
        return work(case)


def _outcome(future) -> Outcome:
    try:
        return future.result()
    except Exception as error:  # KilledWorker, or a worker that lacks this package
        said = " ".join(str(error).split())
        return Outcome(FAILED, f"the cluster gave it up: {type(error).__name__}: {said}")
