"""The loop of a training: steps, validations, checkpoints.

What is learnt, and from what, is the `Task`'s; where it runs (device, processes, precision) is
Lightning Fabric's. Every step draws its chance from the training's seed and its own number, so that
a training that was stopped goes on exactly as if it had not been.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import ParameterError
from .batches import STEPS, Batches, Plan
from .checkpoint import CHECKPOINT, Standing, save_checkpoint
from .metrics import write_curves, write_metrics
from .presets import TrainingPreset
from .stopper import Stopper
from .task import Task
from .volumes import Volume

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import nn

Progress = Callable[[float, str], None]
Ending = Literal["finished", "time is up", "interrupted", "diverged"]
_LONGEST_GRADIENT = 5.0  # norm to which gradients are clipped
_ROWS = 10  # of metrics.csv for each validation
_SETTLING = 2  # a kind of chance; see `batches`


@dataclass
class Training:
    """One training, in one of its processes.

    Parameters
    ----------
    task : Task
        After `Task.learn_from`.
    preset : TrainingPreset
    plan : Plan
    training, validation : sequence of Volume
    folder : Path
        For checkpoint, metrics and curves.
    settings : mapping
        Kept in the checkpoint: what must be the same for a training to go on.
    begin : callable
        Called with the new network when there is no checkpoint: an encoder's weights, say.
    keep_best : callable
        Called with network and `Standing` when a validation was the best so far.
    progress : callable
        Called with a fraction and a message.
    """

    task: Task
    preset: TrainingPreset
    plan: Plan
    training: Sequence[Volume]
    validation: Sequence[Volume]
    folder: Path
    settings: Mapping[str, Any]
    begin: Callable[["nn.Module"], None]
    keep_best: Callable[["nn.Module", Standing], None]
    progress: Progress

    def run(self, fabric: "Fabric", kept: Mapping[str, Any] | None) -> tuple[Ending, Standing]:
        """Train until the end, the time limit, an interrupt, or a loss that is no number.

        Parameters
        ----------
        fabric : Fabric
            Launched.
        kept : mapping or None
            Of `checkpoint.read_checkpoint`.

        Raises
        ------
        ParameterError
            When the memory does not suffice.
        WriteError
            When the disk is full: the last checkpoint stays.
        """
        self._fabric = fabric
        with _memory_said(), Stopper(self.folder) as stopper:
            self._set_up(kept)
            return self._go_on(stopper), self.standing

    def _set_up(self, kept: Mapping[str, Any] | None) -> None:
        import torch

        torch.manual_seed(self.plan.seed)
        self.network = self.task.network()
        if kept is None:
            self.begin(self.network)
        kind = getattr(torch.optim, self.preset.optimiser)
        self.optimiser = kind(self.network.parameters(), lr=self.plan.rate)
        learner = _learner(self.task, self.network)
        self._learner, self._steps = self._fabric.setup(learner, self.optimiser)
        self.standing = kept["standing"] if kept else Standing()
        if kept:
            self.network.load_state_dict(kept["network"])
            self.optimiser.load_state_dict(kept["optimiser"])

    def _go_on(self, stopper: Stopper) -> Ending:
        plan, standing = self.plan, self.standing
        began, before = time.monotonic(), standing.seconds
        if self._owes_a_validation() and not self._validate(stopper):
            return "interrupted"
        batches = Batches(self.task, self.training, plan, self._fabric)
        for batch in batches.from_step(standing.step, self._fabric.device.type == "cuda"):
            loss = self._step(batch)
            standing.seconds = before + time.monotonic() - began
            late = standing.seconds - before > 60 * plan.minutes
            loss, interrupted, late = self._agreed(loss, stopper.asked, late)
            if not math.isfinite(loss):
                return "diverged"
            standing.step += 1
            standing.losses.append(loss)
            self._tell(f"loss {loss:.4f}")
            due = standing.step % plan.every == 0 or standing.step == plan.steps or late
            if due or standing.step % max(1, plan.every // _ROWS) == 0:
                self._add_row()
            if (due or interrupted) and not self._is_finite():
                return "diverged"
            if interrupted or (due and not self._validate(stopper)):
                self._keep()
                return "interrupted"
            if late and standing.step < plan.steps:
                return "time is up"
        return "finished"

    def _step(self, batch: Any) -> "Any":
        import torch

        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        torch.manual_seed(int(self._chance(STEPS).integers(2**62)))  # of a dropout
        loss = self._learner(self._fabric.to_device(batch))
        self._fabric.backward(loss)
        self._fabric.clip_gradients(
            self._learner, self._steps, max_norm=_LONGEST_GRADIENT, error_if_nonfinite=False
        )
        self._steps.step()
        self._steps.zero_grad()
        return loss.detach()

    def _agreed(self, loss: "Any", interrupted: bool, late: bool) -> tuple[float, bool, bool]:
        """Mean loss over the processes, and whether any of them wants to stop."""
        import torch

        fabric = self._fabric
        if fabric.world_size > 1:
            said = torch.tensor([float(interrupted), float(late)], device=loss.device)
            said = fabric.all_reduce(torch.cat([loss.float().reshape(1), said]), reduce_op="sum")
            loss, interrupted, late = said[0] / fabric.world_size, said[1] > 0, said[2] > 0
        return float(loss), bool(interrupted), bool(late)

    def _owes_a_validation(self) -> bool:
        """Whether the training was interrupted in the middle of one."""
        step, rows = self.standing.step, self.standing.rows
        due = step and (step % self.plan.every == 0 or step == self.plan.steps)
        return bool(due and not (rows and "validation_dice" in rows[-1]))

    def _validate(self, stopper: Stopper) -> bool:
        """Score every volume, keep the network when it is the best so far, and the training.

        False when it was interrupted.
        """
        import torch

        fabric, standing = self._fabric, self.standing
        self._settle()
        self.network.eval()
        scores = torch.zeros(len(self.validation), 2, device=fabric.device)
        with torch.inference_mode(), fabric.autocast():
            for k in range(fabric.global_rank, len(self.validation), fabric.world_size):
                if stopper.asked and fabric.world_size == 1:
                    return False
                self._tell(f"validation {k + 1} of {len(self.validation)}")
                score = self.task.score(self.network, self.validation[k], fabric.device)
                scores[k] = torch.tensor([score.dice, score.loss])
        self.network.train()
        dice, loss = fabric.all_reduce(scores.clone(), reduce_op="sum").double().cpu().T
        standing.rows[-1] |= {
            "validation_loss": float(loss.mean()),
            "validation_dice": float(dice.mean()),
            "validation_dice_lowest": float(dice.min()),
        }
        if dice.mean() > standing.best_dice:
            standing.best_dice, standing.best_step = float(dice.mean()), standing.step
            if fabric.is_global_zero:
                self.keep_best(self.network, standing)
        self._keep(with_curves=True)
        return True

    def _settle(self) -> None:
        """Batch norms count anew what training batches look like: their running means are noisy.

        Without this a network that is good in training can be useless in validation.
        """
        import torch

        kinds = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)
        norms = [module for module in self.network.modules() if isinstance(module, kinds)]
        if not norms or not self.preset.settling:
            return
        momentum = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over all batches
        with torch.no_grad(), self._fabric.autocast():
            for k in range(self.preset.settling):
                draw = self._chance(_SETTLING, k)
                some = draw.choice(len(self.training), self.plan.batch)
                batch = self.task.batch([self.training[n] for n in some], draw)
                self.task.loss(self.network, self._fabric.to_device(batch))
        for norm, before in zip(norms, momentum, strict=True):
            norm.momentum = before

    def _keep(self, with_curves: bool = False) -> None:
        """Write down where the training stands."""
        if self._fabric.is_global_zero:
            path = self.folder / CHECKPOINT
            save_checkpoint(path, self.network, self.optimiser, self.standing, self.settings)
            write_metrics(self.folder, self.standing.rows)
            if with_curves:
                write_curves(self.folder, self.standing.rows, self.folder.name)
        self._fabric.barrier()

    def _add_row(self) -> None:
        standing = self.standing
        standing.rows.append(
            {
                "step": standing.step,
                "seconds": round(standing.seconds, 1),
                "learning_rate": self._rate(standing.step - 1),
                "loss": math.fsum(standing.losses) / len(standing.losses),
            }
        )
        standing.losses.clear()
        if self._fabric.is_global_zero:
            write_metrics(self.folder, standing.rows)

    def _rate(self, step: int | None = None) -> float:
        step = self.standing.step if step is None else step
        return self.preset.rate_at(step, self.plan.steps, self.plan.rate)

    def _chance(self, kind: int, more: int = 0) -> np.random.Generator:
        """Chance of this step: the same in all processes only where it must be."""
        rank = self._fabric.global_rank if kind == STEPS else 0
        return np.random.default_rng([self.plan.seed, kind, self.standing.step, more, rank])

    def _is_finite(self) -> bool:
        return all(bool(each.isfinite().all()) for each in self.network.parameters())

    def _tell(self, what: str) -> None:
        standing, steps = self.standing, self.plan.steps
        best = f", best Dice {standing.best_dice:.3f}" if standing.best_dice >= 0 else ""
        message = f"train: step {standing.step} of {steps}, {what}{best}"
        self.progress(standing.step / steps, message)


def _learner(task: Task, network: "nn.Module") -> "nn.Module":
    """A module from a batch to its loss: whatever a task runs in it, processes share gradients."""
    from torch import nn

    class Learner(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, batch: Any) -> Any:
            return task.loss(self.network, batch)

    return Learner()


@contextmanager
def _memory_said() -> Iterator[None]:
    """One clear line where memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error).lower():
            raise
        raise ParameterError(
            "the memory did not suffice: use a smaller --batch; the last checkpoint is kept"
        ) from error
