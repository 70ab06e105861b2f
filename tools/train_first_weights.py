"""Train the first weights on phantoms: `render` fills a cache, `train` learns from it.

    python tools/train_first_weights.py render --cache CACHE --seeds 0:40 --workers 2
    python tools/train_first_weights.py train unet-3d --cache CACHE --out RUNS/unet-3d

Both can run at once: training takes up what the cache gains. A training that was stopped goes on
from its last checkpoint when the same command is given again. Seeds 90,000 and above validate.
"""

import argparse
import csv
import json
import math
import random
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from phantom_batches import PADDING, SOURCES, Cache, cache_one, draw_2d, draw_3d

from napari_vbmd.segmentation.configurations import CONFIGURATIONS

TRAINING_END = 100_000  # seeds from here on belong to the tests
SETTLING = 40  # batches over which batch norms take their means before a validation
OUTPUT_BIAS = -4.0  # bone is rare: start from "no bone"


def render_all(args) -> None:
    """Fill the cache, several phantoms at a time."""
    args.cache.mkdir(parents=True, exist_ok=True)
    first, last = (int(part) for part in args.seeds.split(":"))
    if not 0 <= first < last <= TRAINING_END:
        raise SystemExit(f"seeds {args.seeds}: training and validation end below {TRAINING_END}")
    with ProcessPoolExecutor(args.workers) as pool:
        jobs = {
            pool.submit(cache_one, args.source, seed, args.cache): seed
            for seed in range(first, last)
        }
        for done, job in enumerate(as_completed(jobs), 1):
            print(f"{done}/{len(jobs)}: seed {jobs[job]}, {job.result():.0f} s", flush=True)


def settle(network, images) -> None:
    """Batch norms count anew what training batches look like: their running means are noisy.

    Without this a 2D network that is good in training can be useless in evaluation.
    """
    import torch

    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    network.train()
    with torch.no_grad():
        for batch in images:
            network(batch)
    for norm in norms:
        norm.momentum = 0.1


def validate(network, cache: Cache, dims: int, mean: float, sd: float) -> float:
    """Mean Dice over whole volumes at a threshold of one half."""
    import torch

    network.eval()
    scores = []
    with torch.inference_mode():
        for volume, label in cache.volumes.values():
            image = (torch.from_numpy(volume.astype(np.float32)) - mean) / sd
            if dims == 2:
                logits = torch.cat([network(part[:, None])[:, 0] for part in image.split(4)])
            else:
                order = np.pad(np.arange(len(volume)), (0, -len(volume) % PADDING), mode="edge")
                logits = network(image[order][None, None])[0, 0, : len(volume)]
            found, truth = (logits > 0).numpy(), label > 127
            scores.append(2 * (found & truth).sum() / max(1, found.sum() + truth.sum()))
    network.train()
    return float(np.mean(scores)) if scores else float("nan")


def start(args):
    """The network and optimiser, from the last checkpoint where there is one."""
    import torch

    configuration = CONFIGURATIONS[args.configuration]
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    network = configuration.build()
    if configuration.dims == 2:
        torch.nn.init.constant_(network.segmentation_head[0].bias, OUTPUT_BIAS)
    elif args.dropout is not None:
        network.first.dropout.p = args.dropout
    optimiser = torch.optim.AdamW(network.parameters(), lr=args.rate, weight_decay=1e-4)
    state = {"step": 0, "seconds": 0.0, "best": 0.0}
    last = args.out / "last.ckpt"
    if last.exists():
        stored = torch.load(last, weights_only=True)
        network.load_state_dict(stored["network"])
        optimiser.load_state_dict(stored["optimiser"])
        state = stored["state"]
        random.seed(args.seed + state["step"])
        torch.manual_seed(args.seed + state["step"])
    return configuration, network, optimiser, state


def rate_at(step: int, steps: int, highest: float) -> float:
    """One cycle: up for a fifth of the steps, then down to almost nothing."""
    rise = max(1, steps // 5)
    if step < rise:
        return highest * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * step / rise)))
    done = (step - rise) / max(1, steps - rise)
    return highest * max(1e-4, 0.5 * (1 + math.cos(math.pi * done)))


def train(args) -> None:
    """Train until the steps or the time are used up."""
    import torch
    from monai.losses import DiceCELoss

    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    configuration, network, optimiser, state = start(args)
    cache = Cache(args.cache, False)
    held_out = Cache(args.cache, True, args.validation)
    if not cache.volumes:
        raise SystemExit(f"{args.cache}: no volumes yet; render some first")
    if "mean" not in state:
        state["mean"], state["sd"] = cache.mean_and_sd()
    draw = draw_2d if configuration.dims == 2 else draw_3d
    layout = torch.channels_last if configuration.dims == 2 else torch.channels_last_3d
    network = network.to(memory_format=layout).train()
    loss_of = DiceCELoss(sigmoid=True, batch=True)

    def batch():
        # of several sizes: instance norms see more or less air around the hand
        patch = tuple(side + 32 * random.choice((0, 0, 1, 2)) for side in args.patch)
        images, labels = draw(cache, args.batch, patch)
        images = (images - state["mean"]) / state["sd"]
        return images.contiguous(memory_format=layout), labels

    began, before, losses = time.monotonic(), state["seconds"], []
    while state["step"] < args.steps and time.monotonic() - began < 60 * args.minutes:
        rate = rate_at(state["step"], args.steps, args.rate)
        for group in optimiser.param_groups:
            group["lr"] = rate
        images, labels = batch()
        loss = loss_of(network(images), labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        losses.append(loss.item())
        state["step"] += 1
        state["seconds"] = before + time.monotonic() - began
        if state["step"] % args.every == 0 or state["step"] == args.steps:
            cache.refresh()
            held_out.refresh()
            if configuration.dims == 2:
                settle(network, (batch()[0] for _ in range(SETTLING)))
            dice = validate(network, held_out, configuration.dims, state["mean"], state["sd"])
            log(args.out, state, np.mean(losses), rate, dice, cache, held_out)
            keep(args, network, optimiser, state, dice, len(cache.volumes))
            losses = []


def keep(args, network, optimiser, state, dice: float, volumes: int) -> None:
    """Write a checkpoint to go on from, and the weights when they are the best so far."""
    import torch

    from napari_vbmd.segmentation.weights_file import WeightsInfo, save_weights

    if dice > state["best"] or not (args.out / "best.pt").exists():
        state["best"] = dice
        info = WeightsInfo(
            args.configuration,
            state["mean"],
            state["sd"],
            held_out_dice=dice if math.isfinite(dice) else None,
            trained_on=f"{volumes} synthetic {args.source} phantoms, {state['step']} steps",
        )
        save_weights(args.out / "best.pt", network, info)
    content = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "state": dict(state),
    }
    torch.save(content, args.out / "last.ckpt.part")
    (args.out / "last.ckpt.part").replace(args.out / "last.ckpt")


def log(folder, state, loss, rate, dice, cache, held_out) -> None:
    """One line on the screen and in log.csv."""
    row = {
        "step": state["step"],
        "seconds": round(state["seconds"]),
        "loss": round(float(loss), 4),
        "rate": f"{rate:.2e}",
        "dice": round(dice, 4),
        "volumes": len(cache.volumes),
        "held_out": len(held_out.volumes),
    }
    print(json.dumps(row), flush=True)
    file = folder / "log.csv"
    new = not file.exists()
    with file.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, run in (("render", render_all), ("train", train)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--cache", type=Path, required=True)
        command.add_argument("--source", choices=SOURCES, default="hand")
        if name == "render":
            command.add_argument("--seeds", default="0:40", help="FIRST:STOP")
            command.add_argument("--workers", type=int, default=2)
            continue
        command.add_argument("configuration", choices=CONFIGURATIONS)
        command.add_argument("--out", type=Path, required=True, help="checkpoints, log, best.pt")
        command.add_argument("--steps", type=int, default=400)
        command.add_argument("--minutes", type=float, default=math.inf, help="of this call")
        command.add_argument("--batch", type=int, default=4)
        command.add_argument("--patch", type=int, nargs=2, default=(256, 256), help="Y X, of 32")
        command.add_argument("--rate", type=float, default=1e-3, help="the highest one")
        command.add_argument("--dropout", type=float, help="of the 3D network; 0.6 as published")
        command.add_argument("--every", type=int, default=25, help="steps between checkpoints")
        command.add_argument("--validation", type=int, default=4, help="volumes held out")
        command.add_argument("--threads", type=int, default=2)
        command.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
