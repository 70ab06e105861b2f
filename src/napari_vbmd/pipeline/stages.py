"""Seconds of each stage, and one bar of progress over all of them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[float, str], None]

# Where each stage begins and ends in the whole, for one bar of progress
_SHARES = {
    "read": (0.0, 0.02),
    "segment": (0.02, 0.7),
    "post-process": (0.7, 0.75),
    "measure": (0.75, 0.8),
    "curves": (0.8, 0.81),
    "compartments": (0.81, 0.85),
    "checksum": (0.85, 0.9),
    "mask file": (0.9, 0.95),
    "figures": (0.95, 1.0),
}


@dataclass
class Stages:
    """Seconds of each stage, and one progress for all of them."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Time a stage; gives the progress to hand on."""
        first, last = _SHARES[name]

        def within(fraction: float, message: str = "") -> None:
            if self.progress:
                text = f"{name}: {message}" if message else name
                self.progress(first + fraction * (last - first), text)

        within(0.0)
        start = time.perf_counter()
        yield within
        self.seconds[name] = time.perf_counter() - start
