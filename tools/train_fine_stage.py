"""Train the fine stage on synthetic hands: the outline, and the slice range.

    python tools/train_fine_stage.py draw --cache CACHE --seeds 1000:1240
    python tools/train_fine_stage.py draw --cache CACHE --seeds 90000:90016
    python tools/train_fine_stage.py draw --cache CACHE --seeds 5000:6500 --coarse-only
    python tools/train_fine_stage.py outline --cache CACHE --out RUN --steps 2600
    python tools/train_fine_stage.py ends --cache CACHE --out RUN --steps 4000
    python tools/train_fine_stage.py join --out RUN --weights unet-2d-fine.pt --held-out-dice 0.99

Drawing and training can run at once; a training that was stopped goes on from its last checkpoint.
Seeds from 90,000 on validate; those from 100,000 on belong to the tests.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from fine_crops import (
    MEAN,
    OUTLINED,
    SD,
    Cache,
    draw,
    noise,
    outline_sample,
    range_sample,
    reseed,
    seen,
)
from torch.nn import functional

from napari_vbmd.segmentation.fine_networks import FineStage, OutlineNet, RangeNet
from napari_vbmd.segmentation.slice_range import crossings
from napari_vbmd.segmentation.weights_file import WeightsInfo, save_weights

HIGHEST_RATE = 3e-3
LENGTHS = (48, 64, 80, 80, 80, 96)  # slices that the range's network is shown
NORMS = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)


def draw_all(args) -> None:
    """Fill the cache."""
    args.cache.mkdir(parents=True, exist_ok=True)
    for seed in range(*(int(part) for part in args.seeds.split(":"))):
        print(f"{seed}: {draw(seed, args.cache, not args.coarse_only):.1f} s", flush=True)


class OutlineTask:
    """Which pixels are bone."""

    batch = 8

    def __init__(self, cache: Path):
        self.training = Cache(cache, False, "outline", 420)  # 13 MB each, all in memory
        self.validation = Cache(cache, True, "outline")
        self.network = OutlineNet().to(memory_format=torch.channels_last)

    def draw(self):
        """A batch: images and shares."""
        images, shares = zip(
            *(outline_sample(self.training.any()) for _ in range(self.batch)), strict=True
        )
        return torch.stack(images).contiguous(memory_format=torch.channels_last), torch.stack(
            shares
        )

    def loss(self, logits, shares):
        """Cross-entropy plus Dice over the batch."""
        found = logits.sigmoid()
        dice = (2 * (found * shares).sum() + 1) / (found.sum() + shares.sum() + 1)
        return functional.binary_cross_entropy_with_logits(logits, shares) + 1 - dice

    def validate(self) -> dict:
        """Over the slices drawn of hands held out: Dice, and the density's error in percent."""
        edge = (320 - OUTLINED) // 2
        part = (..., slice(edge, -edge), slice(edge, -edge))
        dice, bias = [], []
        for seed, (fine, depth) in self.validation.hands.items():
            reseed(seed)
            image = fine[part].astype(np.float32)
            image = image + 72 * np.stack([noise(one.shape) for one in image])
            found, bone = (self.network(seen(image))[:, 0] > 0).numpy(), depth[part] > 0
            dice.append(2 * (found & bone).sum() / max(1, found.sum() + bone.sum()))
            bias.append(100 * (image[:, 1][found].mean() / image[:, 1][bone].mean() - 1))
        return {"dice": np.mean(dice), "lowest": np.min(dice), "d100_percent": np.mean(bias)}


class EndsTask:
    """Which slices the expert marks."""

    batch = 4

    def __init__(self, cache: Path):
        self.training = Cache(cache, False, "ends")
        self.validation = Cache(cache, True, "ends")
        self.network = RangeNet()

    def draw(self):
        """A batch: blocks of one length, and shares."""
        slices = random.choice(LENGTHS)
        blocks, shares, _ = zip(
            *(range_sample(self.training.any(), slices) for _ in range(self.batch)), strict=True
        )
        return torch.stack(blocks), torch.stack(shares)

    def loss(self, logits, shares):
        """Cross-entropy."""
        return functional.binary_cross_entropy_with_logits(logits, shares)

    def validate(self) -> dict:
        """Mean absolute error of both ends, in slices of 0.246 mm, where they are in view."""
        errors = []
        for seed, hand in self.validation.hands.items():
            rng = random.Random(seed)
            reseed(seed)
            for _ in range(2):
                block, _, (first, last) = range_sample(hand, 80, False, rng)
                found = crossings(self.network(block[None])[0].sigmoid().numpy())
                errors.append(
                    [
                        abs(found[0] - first) if first > 1 else np.nan,
                        abs(found[1] - last) if last < 78 else np.nan,
                    ]
                )
        return dict(zip(("first", "last"), np.nanmean(errors, axis=0), strict=True))


def settle(task, batches: int = 25) -> None:
    """Batch norms count anew what batches look like: running means of so varied ones are noisy."""
    norms = [each for each in task.network.modules() if isinstance(each, NORMS)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        for _ in range(batches):
            task.network(task.draw()[0])
    for norm in norms:
        norm.momentum = 0.1


def rate_at(step: int, steps: int) -> float:
    """One cycle: up for an eighth of the steps, then down to almost nothing."""
    rise = max(1, steps // 8)
    if step < rise:
        return HIGHEST_RATE * (0.05 + 0.95 * step / rise)
    done = (step - rise) / max(1, steps - rise)
    return HIGHEST_RATE * max(1e-3, 0.5 * (1 + math.cos(math.pi * done)))


def train(args) -> None:
    """Train until the steps or the time are used up."""
    torch.set_num_threads(args.threads)
    folder = args.out / args.task
    folder.mkdir(parents=True, exist_ok=True)
    task = {"outline": OutlineTask, "ends": EndsTask}[args.task](args.cache)
    if not task.training.hands:
        raise SystemExit(f"{args.cache}: nothing drawn yet")
    decay = 1e-4 if args.task == "outline" else 1e-3
    optimiser = torch.optim.AdamW(task.network.parameters(), lr=1e-3, weight_decay=decay)
    step, last = 0, folder / "last.ckpt"
    if last.exists():
        stored = torch.load(last, weights_only=True)
        task.network.load_state_dict(stored["network"])
        optimiser.load_state_dict(stored["optimiser"])
        step = stored["step"]
    began, losses = time.monotonic(), []
    while step < args.steps and time.monotonic() - began < 60 * args.minutes:
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, args.steps)
        task.network.train()
        images, shares = task.draw()
        loss = task.loss(task.network(images), shares)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.network.parameters(), 5.0)
        optimiser.step()
        losses.append(loss.item())
        step += 1
        if step % args.every == 0 or step == args.steps:
            task.training.refresh()
            settle(task)
            task.network.eval()
            with torch.inference_mode():
                result = {name: round(float(v), 4) for name, v in task.validate().items()}
            reseed()
            state = {"network": task.network.state_dict(), "step": step}
            torch.save(state | {"optimiser": optimiser.state_dict()}, folder / "last.part")
            (folder / "last.part").replace(last)
            row = {"step": step, "seconds": round(time.monotonic() - began)}
            row |= {"loss": round(float(np.mean(losses)), 4), **result}
            print(json.dumps(row | {"hands": len(task.training.hands)}), flush=True)
            losses = []


def join(args) -> None:
    """Put both networks into one weights file."""
    stage = FineStage()
    for name, network in (("outline", stage.outline), ("ends", stage.ends)):
        stored = torch.load(args.out / name / "last.ckpt", weights_only=True)
        network.load_state_dict(stored["network"])
    info = WeightsInfo(
        "unet-2d-fine",
        MEAN,
        SD,
        preset="fine",
        held_out_dice=args.held_out_dice,
        trained_on=args.trained_on,
    )
    print(save_weights(args.weights, stage, info))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("draw")
    command.set_defaults(run=draw_all)
    command.add_argument("--cache", type=Path, required=True)
    command.add_argument("--seeds", required=True, help="FIRST:STOP")
    command.add_argument("--coarse-only", action="store_true", help="for the slice range only")
    for name in ("outline", "ends"):
        command = commands.add_parser(name)
        command.set_defaults(run=train, task=name)
        command.add_argument("--cache", type=Path, required=True)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--steps", type=int, required=True)
        command.add_argument("--minutes", type=float, default=math.inf, help="of this call")
        command.add_argument("--every", type=int, default=250)
        command.add_argument("--threads", type=int, default=1)
    command = commands.add_parser("join")
    command.set_defaults(run=join)
    command.add_argument("--out", type=Path, required=True)
    command.add_argument("--weights", type=Path, required=True)
    command.add_argument("--held-out-dice", type=float)
    command.add_argument("--trained-on", default="synthetic hand phantoms")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
