"""The work of `cargo bench -p prime-advantage --bench estimators` in PyTorch and numpy.

    python advantage_torch.py [--criterion DIRECTORY] [--dump DIRECTORY]

Same numbers (made by the same formula), same sizes: 1,024 responses of 3,072 tokens in groups of four, padded `float32`
tensors with a mask, as trainers have them. Needs `pip install torch numpy`.

"loop" is each estimator the way trainers write it: a Python loop over groups, responses or tokens. "vectorised" is the
same without any loop. `--criterion` names the folder with the Rust side's times and puts them beside; `--dump` names the
folder that the Rust side wrote its advantages to and fails if they differ.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections import defaultdict

import numpy as np
import torch

# The sizes of prime-advantage/benches/estimators.
ROWS, K, TOKENS = 1024, 4, 3072
COEF = 5.0
TOLERANCE = 1e-4
# Told so, glibc keeps memory that was freed; else each of these tensors is new pages, every time.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}


def noise(stream, count):
    """In [-0.5, 0.5): the integer hash of benches/estimators/data.rs."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(stream * 0x85EBCA77 & 0xFFFFFFFF)
    x = (x ^ (x >> 15)) * np.uint32(0x2C1B3C6D)
    x = (x ^ (x >> 13)) * np.uint32(0x297A2D39)
    x ^= x >> 16
    return (x >> 8).astype(np.float32) / np.float32(1 << 24) - np.float32(0.5)


class Batch:
    def __init__(self):
        self.outcome = torch.from_numpy((noise(1, ROWS) >= 0).astype(np.float32))
        self.process = torch.from_numpy(noise(3, ROWS * TOKENS).reshape(ROWS, TOKENS))
        self.values = torch.from_numpy(noise(4, ROWS * TOKENS).reshape(ROWS, TOKENS))
        self.mask = torch.ones(ROWS, TOKENS, dtype=torch.bool)
        self.group = [row // K for row in range(ROWS)]
        # Rewards of tokens as trainers keep them: the outcome is paid at the last one.
        self.paid = torch.zeros(ROWS, TOKENS)
        self.paid[:, -1] = self.outcome
        self.rewards = self.process + self.paid


def to_the_end(x):
    return x.flip(-1).cumsum(-1).flip(-1)


def whiten(x, mask):
    m = mask.float()
    count = m.sum()
    mean = (x * m).sum() / count
    variance = ((x - mean).square() * m).sum() / count * count / (count - 1)
    return (x - mean) * torch.rsqrt(variance + 1e-8)


def last_tokens(mask):
    return torch.arange(len(mask)), mask.sum(-1) - 1


def normed(batch):
    """What the recipe does to process rewards beforehand: nothing for the last token, and batch norm."""
    rewards = batch.process * batch.mask
    rewards[last_tokens(batch.mask)] = 0.0
    return rewards.div_(to_the_end(rewards).abs().max() + 1e-6)


def leave_one_out_loop(x, mask):
    """Group by group: tokens times K/(K-1), less the sum of the responses' token means over K-1."""
    x = torch.where(mask, x, 0.0)
    for start in range(0, len(x), K):
        rows, own = x[start : start + K], mask[start : start + K]
        means = [row[written].mean() for row, written in zip(rows, own)]
        rows[own] = rows[own] * (K / (K - 1)) - torch.stack(means).sum() / (K - 1)
    return x


def prime_loop(batch, process):
    mask = batch.mask
    last = torch.zeros_like(mask)
    last[last_tokens(mask)] = True
    outcome = torch.zeros_like(process)
    outcome[last_tokens(mask)] = batch.outcome
    total = COEF * leave_one_out_loop(process, mask) + COEF * leave_one_out_loop(outcome, last)
    return whiten(to_the_end(total * mask), mask)


def others_mean(x):
    grouped = x.view(-1, K)
    return ((grouped.sum(1, keepdim=True) - grouped) / (K - 1)).view(-1)


def prime_vectorised(batch, process):
    m = batch.mask.float()
    x = process * m
    means = x.sum(-1) / m.sum(-1)
    baselines = means.view(-1, K).sum(1).repeat_interleave(K) / (K - 1)
    x.mul_(COEF * K / (K - 1)).sub_(COEF * baselines[:, None]).mul_(m)
    x[last_tokens(batch.mask)] += COEF * (batch.outcome - others_mean(batch.outcome))
    return whiten(to_the_end(x), batch.mask)


def paper_vectorised(batch):
    m = batch.mask.float()
    x = batch.process * m
    means = x.sum(-1) / m.sum(-1)
    x.sub_(others_mean(means)[:, None]).mul_(m)
    x[last_tokens(batch.mask)] += batch.outcome - others_mean(batch.outcome)
    return to_the_end(x)


def prime_numpy(batch, process):
    m = batch.mask.numpy().astype(np.float32)
    rows, last = np.arange(ROWS), batch.mask.numpy().sum(-1) - 1
    x = process.numpy() * m
    means = x.sum(-1) / m.sum(-1)
    baselines = np.repeat(means.reshape(-1, K).sum(1), K) / np.float32(K - 1)
    x *= np.float32(COEF * K / (K - 1))
    x -= np.float32(COEF) * baselines[:, None]
    x *= m
    outcome = batch.outcome.numpy().reshape(-1, K)
    others = (outcome.sum(1, keepdims=True) - outcome) / np.float32(K - 1)
    x[rows, last] += np.float32(COEF) * (outcome - others).reshape(-1)
    x = x[:, ::-1].cumsum(1)[:, ::-1]
    count = m.sum()
    mean = (x * m).sum() / count
    variance = (np.square(x - mean) * m).sum() / count * count / (count - 1)
    return (x - mean) / np.sqrt(variance + np.float32(1e-8))


def normed_numpy(batch):
    mask = batch.mask.numpy()
    rewards = batch.process.numpy() * mask
    rewards[np.arange(ROWS), mask.sum(-1) - 1] = 0.0
    rewards /= np.abs(rewards[:, ::-1].cumsum(1)).max() + np.float32(1e-6)
    return torch.from_numpy(rewards)


def by_group_loop(batch, advantages):
    """Scores collected by group, then one response after the other."""
    scores = batch.paid.sum(-1)
    members = defaultdict(list)
    for row, group in enumerate(batch.group):
        members[group].append(scores[row])
    members = {group: torch.stack(own) for group, own in members.items()}
    statistics_ = {group: (own.mean(), own.std(), len(own)) for group, own in members.items()}
    for row, group in enumerate(batch.group):
        scores[row] = advantages(scores[row], *statistics_[group])
    return scores[:, None] * batch.mask


def rloo_loop(batch):
    return by_group_loop(batch, lambda score, mean, _, size: (score - mean) * size / (size - 1))


def grpo_loop(batch):
    return by_group_loop(batch, lambda score, mean, std, _: (score - mean) / (std + 1e-6))


def rloo_vectorised(batch):
    return (batch.outcome - others_mean(batch.outcome))[:, None] * batch.mask


def grpo_vectorised(batch):
    grouped = batch.outcome.view(-1, K)
    scores = (grouped - grouped.mean(1, keepdim=True)) / (grouped.std(1, keepdim=True) + 1e-6)
    return scores.view(-1, 1) * batch.mask


def gae_loop(batch, gamma=1.0, lam=1.0):
    """Token by token from the end; a masked token hands on what came behind it."""
    m = batch.mask.float()
    next_value, advantage, columns = torch.zeros(ROWS), torch.zeros(ROWS), []
    for t in reversed(range(TOKENS)):
        own, value = m[:, t], batch.values[:, t]
        delta = batch.rewards[:, t] + gamma * next_value - value
        here = delta + gamma * lam * advantage
        advantage = own * here + (1 - own) * advantage
        next_value = own * value + (1 - own) * next_value
        columns.append(advantage)
    advantages = torch.stack(columns[::-1], 1)
    return advantages, advantages + batch.values


def gae_vectorised(batch):
    """Without discounts only: the return less the value."""
    returns = to_the_end(batch.rewards * batch.mask)
    return returns - batch.values, returns


def reinforce_plus_plus_loop(batch, gamma=1.0):
    returns, running = torch.zeros_like(batch.rewards), torch.zeros(ROWS)
    m = batch.mask.float()
    for t in reversed(range(TOKENS)):
        running = m[:, t] * (batch.rewards[:, t] + gamma * running) + (1 - m[:, t]) * running
        returns[:, t] = running
    return whiten(returns, batch.mask) * batch.mask


def reinforce_plus_plus_vectorised(batch):
    return whiten(to_the_end(batch.rewards * batch.mask), batch.mask) * batch.mask


# By the Rust side's names; a pair is (advantages, returns).
ESTIMATORS = {
    "prime_recipe": {
        "loop": lambda b: prime_loop(b, normed(b)),
        "vectorised": lambda b: prime_vectorised(b, normed(b)),
        "numpy": lambda b: prime_numpy(b, normed_numpy(b)),
    },
    "prime_recipe_after_norm": {
        "loop": lambda b: prime_loop(b, b.process),
        "vectorised": lambda b: prime_vectorised(b, b.process),
        "numpy": lambda b: prime_numpy(b, b.process),
    },
    "prime_paper": {"vectorised": paper_vectorised},
    "rloo": {"loop": rloo_loop, "vectorised": rloo_vectorised},
    "grpo": {"loop": grpo_loop, "vectorised": grpo_vectorised},
    "gae": {"loop": gae_loop, "vectorised": gae_vectorised},
    "reinforce_plus_plus": {"loop": reinforce_plus_plus_loop, "vectorised": reinforce_plus_plus_vectorised},
}


def every_core():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def milliseconds(work, runs):
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def measure():
    """`{estimator: {form: [one thread, all threads]}}`; numpy has one thread here."""
    batch = Batch()
    table = {}
    for name, forms in ESTIMATORS.items():
        table[name] = {}
        for form, estimate in forms.items():
            runs = 5 if form == "loop" else 11
            table[name][form] = []
            for threads in [1, every_core()] if form != "numpy" else [1]:
                torch.set_num_threads(threads)
                table[name][form].append(milliseconds(lambda: estimate(batch), runs))
    return table


def difference(found, expected):
    return np.abs(np.asarray(found) - expected).max() / np.abs(expected).mean()


def check(dump):
    """Every form against the Rust side's advantages, or against each other without them."""
    batch = Batch()
    worst = 0.0
    for name, forms in ESTIMATORS.items():
        results = {form: estimate(batch) for form, estimate in forms.items()}
        results = {form: r[0] if isinstance(r, tuple) else r for form, r in results.items()}
        if dump:
            expected = np.fromfile(dump / f"{name}.f32", dtype="<f4").reshape(ROWS, TOKENS)
        else:
            expected = np.asarray(results["vectorised"])
        for form, result in results.items():
            off = difference(result, expected)
            worst = max(worst, off)
            if not off <= TOLERANCE:
                sys.exit(f"{name}, {form}: advantages differ by {off:.1e} of their mean size")
    against = "those of the Rust side" if dump else "each other"
    print(f"all results equal {against}: largest difference {worst:.1e} of the mean advantage\n")


class Criterion:
    """Medians of criterion's runs."""

    def __init__(self, folder):
        self.times = {}
        for file in sorted(folder.glob("*/**/new/estimates.json")):
            path = file.parent.parent.relative_to(folder).parts
            nanoseconds = json.loads(file.read_text(encoding="utf-8"))["median"]["point_estimate"]
            self.times.setdefault(path[0], {})["/".join(path[1:])] = nanoseconds / 1e6

    def estimators(self):
        """`(name, columns, one core, all cores)`"""
        one, every = self.times.get("one_core", {}), self.times.get("all_cores", {})
        for path, time_ in one.items():
            name, columns = path.split("/")
            yield name, columns, time_, every.get(path)

    def scaling(self, what):
        """`{name: {size: milliseconds}}`"""
        table = defaultdict(dict)
        for path, time_ in self.times.get(f"one_core_{what}", {}).items():
            name, size = path.split("/")
            table[name][int(size)] = time_
        return {name: dict(sorted(times.items())) for name, times in table.items()}


def ratio(x, y):
    return "" if x is None or y is None else f"{x / y:.1f}×"


def number(x):
    return "" if x is None else f"{x:.2f}"


def row(name, *cells):
    print(f"{name:<30}" + "".join(f"{cell:>14}" for cell in cells))


def print_estimators(rust):
    row("milliseconds, this crate", "one core", "all cores", "copy", "/ copy")
    for name, columns, one_core, all_cores in rust.estimators():
        copy = rust.times.get("copy", {}).get(columns)
        row(name, *map(number, (one_core, all_cores, copy)), ratio(one_core, copy))
    print()


def print_torch(torch_times, ours, heading):
    """Beside each time, how many times as long it is as this crate's on one core."""
    print(heading)
    row("", *["loop"] * 2, *["vectorised"] * 2, "numpy")
    threads = ["1 thread", f"{every_core()} threads"]
    row("milliseconds", *threads, *threads, "1 thread")
    for name, forms in torch_times.items():
        cells = []
        for form, count in ("loop", 2), ("vectorised", 2), ("numpy", 1):
            times = forms.get(form, [None] * count)
            cells += ["" if time_ is None else f"{time_:.1f} {ratio(time_, ours.get(name)):>6}" for time_ in times]
        row(name, *cells)
    print()


def print_scaling(rust):
    for what, unit in ("tokens", "512 responses"), ("group_size", "1,024 responses of 3,072 tokens"):
        table = rust.scaling(what)
        if not table:
            continue
        sizes = list(next(iter(table.values())))
        row(f"by {what.replace('_', ' ')}", *sizes)
        for name, times in table.items():
            tokens = {size: 512 * size if what == "tokens" else ROWS * TOKENS for size in sizes}
            row(name, *(f"{1e6 * times[size] / tokens[size]:.3f}" for size in sizes))
        print(f"nanoseconds per token, {unit}, one core\n")


def print_rest(rust):
    row("milliseconds, one core", "time")
    for group in ["construction", "copy", "copy_over"]:
        for path, time_ in rust.times.get(group, {}).items():
            row(f"{group} {path}", number(time_))
    print()


def measured_apart(environment):
    """In a process of its own: the allocator reads its settings at the start."""
    command = [sys.executable, __file__, "--measure"]
    done = subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--criterion", type=pathlib.Path, metavar="DIRECTORY")
    parser.add_argument("--dump", type=pathlib.Path, metavar="DIRECTORY")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        json.dump(measure(), sys.stdout)
        return
    check(options.dump)
    states = {
        f"PyTorch {torch.__version__} as it comes": measured_apart({}),
        "PyTorch with an allocator that keeps freed memory (MALLOC_MMAP_THRESHOLD_)": measured_apart(KEEP_MEMORY),
    }
    rust = Criterion(options.criterion) if options.criterion else None
    if rust:
        print_estimators(rust)
    ours = {name: one_core for name, _, one_core, _ in rust.estimators()} if rust else {}
    for heading, times in states.items():
        print_torch(times, ours, heading)
    if rust:
        print_scaling(rust)
        print_rest(rust)


if __name__ == "__main__":
    main()
