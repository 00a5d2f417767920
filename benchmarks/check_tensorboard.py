#!/usr/bin/env python3
"""Holds the TensorBoard events of run folders against their metrics.jsonl, through TensorBoard's own reader.

    pip install tensorboard
    benchmarks/check_tensorboard.py runs/exam-prime-001 ...

Every value of every step has to be there once, and nothing else. TensorBoard keeps 32-bit floats.
"""

import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def check(run):
    wanted = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        step = record.pop("step")
        for name, value in record.items():
            wanted.setdefault(name, []).append((step, single(value)))
    files = list(run.glob("events.out.tfevents.*"))
    if len(files) != 1:
        raise SystemExit(f"{run}: {len(files)} event files where there is to be one")
    reader = EventAccumulator(str(run), size_guidance={"scalars": 0})
    reader.Reload()
    tags = set(reader.Tags()["scalars"])
    if tags != set(wanted):
        raise SystemExit(f"{run}: only in one of them: {sorted(tags ^ set(wanted))}")
    for name, points in wanted.items():
        found = [(event.step, event.value) for event in reader.Scalars(name)]
        if found != points:
            raise SystemExit(f"{run}: {name} is {found[:5]} … where metrics.jsonl has {points[:5]} …")
    values = sum(len(points) for points in wanted.values())
    print(f"{run}: {values} values of {len(wanted)} metrics are the same")


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    for run in sys.argv[1:]:
        check(Path(run))


if __name__ == "__main__":
    main()
