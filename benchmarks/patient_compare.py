"""Ours beside the straight port: each step's seconds, the whole, and the peak."""

from pathlib import Path

from patient_limits import limits_table
from patient_processes import read_once, start
from patient_steps import PORT, STEPS
from patient_tables import beyond_libraries, median, table

WHOLE = {
    "all, file to file": lambda run: run["wall"],
    "all but closing holes": lambda run: run["wall"] - run["seconds"]["close holes"],
    "CPU seconds of it all": lambda run: run["cpu"],
    "importing libraries (apart)": lambda run: run["imports"],
}
MEMORY = {
    "peak beyond interpreter and libraries": beyond_libraries,
    "interpreter and libraries": lambda run: run["baseline"] / 1e6,
}


def compared(
    scan: Path, mask: Path, methods: list[str], rounds: int, port: dict, folder: Path
) -> dict:
    """Run the ways in turns; ``port`` are the straight port's size and way to close holes."""
    ways = [*methods, PORT]
    runs = {way: [] for way in ways}
    read_once(scan)
    for i in range(rounds):
        for way in ways[i % len(ways) :] + ways[: i % len(ways)]:
            runs[way].append(start(way, scan=scan, mask=mask, folder=folder, **port))
    limits = start("limits", scan=scan, method=methods[0], size=port["size"])
    return {"runs": runs, "limits": limits, "holes": port["holes"]}


def lines_of(found: dict) -> list[str]:
    """The tables, and what the ways found."""
    runs, methods = found["runs"], list(found["runs"])[:-1]
    steps = {step: (lambda run, step=step: run["seconds"].get(step)) for step in STEPS}
    seconds = _rows(runs, steps | WHOLE)
    loads = [run["load"] for of_way in runs.values() for run in of_way]
    busy = f"load average {min(loads):.1f} to {max(loads):.1f} before the runs"
    answers = ", ".join(
        f"{way} {of[0]['tt_vbmd_mg_cm3']:.1f} mg HA/cm³ in {of[0]['voxels']:,} voxels"
        for way, of in runs.items()
    )
    devices = ", ".join(f"{way}: {of[0]['device']}" for way, of in runs.items() if way != PORT)
    return [
        *_beside(runs, "step, s", seconds, "{:.2f}"),
        "",
        *_beside(runs, "memory, MB", _rows(runs, MEMORY), "{:.0f}"),
        "",
        f"{busy}; the port's `--holes {found['holes']}`. Found: {answers}. {devices}.",
        "",
        *limits_table(methods[0], found["limits"], seconds),
    ]


def _rows(runs: dict, asked: dict) -> dict[str, dict]:
    return {name: {way: median(runs[way], of) for way in runs} for name, of in asked.items()}


def _beside(runs: dict, head: str, rows: dict[str, dict], form: str) -> list[str]:
    """One row a step; the port's ratio to each of ours."""
    own = list(runs)[:-1]
    cells = []
    for name, values in rows.items():
        row = [name, *(form.format(v) if v is not None else "–" for v in values.values())]
        for way in own:
            both = values[way] and values[PORT]
            row.append(f"{values[PORT] / values[way]:.1f}" if both else "–")
        cells.append(row)
    return table([head, *runs, *(f"port / {way}" for way in own)], cells)
