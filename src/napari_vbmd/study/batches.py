"""The batches of a training: which volumes, in which order, drawn where."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .task import Task
from .volumes import Volume

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_ORDER, STEPS = 0, 1  # kinds of chance: whatever is drawn has one, a seed and a number


@dataclass(frozen=True)
class Plan:
    """How long and how fast.

    Parameters
    ----------
    steps : int
        In all.
    every : int
        Steps between validations, after each of which the training is kept.
    batch : int
        Volumes a step, for each process.
    rate : float
        Highest learning rate.
    seed : int
    minutes : float
        Of this call.
    workers : int
        Processes that draw batches; 0: the training's own.
    """

    steps: int
    every: int
    batch: int
    rate: float
    seed: int = 0
    minutes: float = math.inf
    workers: int = 0


class Batches:
    """The batch of each step; plain data, so that workers can draw them."""

    def __init__(self, task: Task, volumes: Sequence[Volume], plan: Plan, fabric: "Fabric"):
        self._task, self._volumes, self._plan = task, volumes, plan
        self._rank, self._world = fabric.global_rank, fabric.world_size

    def __len__(self) -> int:
        return self._plan.steps

    def __getitem__(self, step: int) -> Any:
        draw = np.random.default_rng([self._plan.seed, STEPS, step, 0, self._rank])
        first = (step * self._world + self._rank) * self._plan.batch
        return self._task.batch([self._pick(first + k) for k in range(self._plan.batch)], draw)

    def from_step(self, first: int, pinned: bool = False) -> Iterator[Any]:
        """The batches from a step on, drawn by other processes where the plan has them."""
        steps = range(first, self._plan.steps)
        if self._plan.workers < 1:
            return (self[step] for step in steps)
        from torch.utils.data import DataLoader

        return iter(
            DataLoader(
                self,
                batch_size=None,
                sampler=steps,
                num_workers=self._plan.workers,
                worker_init_fn=_deaf,
                multiprocessing_context="spawn",  # torch and its threads must not be forked
                pin_memory=pinned,
            )
        )

    def _pick(self, number: int) -> Volume:
        """Every volume once, in another order each time."""
        turn, place = divmod(number, len(self._volumes))
        order = np.random.default_rng([self._plan.seed, _ORDER, turn]).permutation(
            len(self._volumes)
        )
        return self._volumes[order[place]]


def _deaf(_: int) -> None:
    """A worker does not hear Ctrl+C: the training stops it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
