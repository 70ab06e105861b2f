"""A network that ONNX Runtime runs on the CPU, called with tensors as the torch module was."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_SECONDS_BETWEEN = 0.1  # of two questions whether to go on


def is_installed() -> bool:
    """Whether the extra `onnx` is there: the runtime, and what the export needs."""
    return all(importlib.util.find_spec(name) for name in ("onnxruntime", "onnx"))


class OnnxNetwork:
    """A model in ONNX Runtime.

    Parameters
    ----------
    model : bytes
        As `onnx_export.model_of` gives it.
    threads : int
        That it may use.
    """

    def __init__(self, model: bytes, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors only
        # A waiting thread sleeps: two programs on one machine do not take each other's time
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, seen: "Tensor") -> "Tensor":
        """Logits."""
        return self._run(seen, _frugal())

    def watched(self, seen: "Tensor", tick: "Callable[[], None]") -> "Tensor":
        """Logits; ``tick`` is called now and then, and what it raises ends the run."""
        options = _frugal()
        with ThreadPoolExecutor(1, "onnx") as pool:
            running = pool.submit(self._run, seen, options)
            try:
                while True:
                    try:
                        return running.result(_SECONDS_BETWEEN)
                    except StillRunning:
                        tick()
            finally:
                options.terminate = True  # for a run that nobody waits for

    def _run(self, seen: "Tensor", options) -> "Tensor":
        import torch

        try:
            [logits] = self._session.run(None, {"seen": seen.contiguous().numpy()}, options)
        except Exception as error:  # of the runtime's own kinds, which say it in words only
            if "alloc" in str(error).lower():
                raise MemoryError(str(error)) from error
            raise
        return torch.from_numpy(logits)


def _frugal():
    """Options of a run after which the memory for its layers is given back."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options
