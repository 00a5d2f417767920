"""Training steps and sampling of prime-policy beside transformers on torch: same weights, same cores, taking turns.

    python policy_throughput.py THROUGHPUT_BINARY [--repetitions N] [--threads N] [--only TEXT] [--profile] [--processor-time]

Called by policy_throughput.sh. For each shape a folder with random weights is written by `transformers` and read by both.
Before anything is timed, both score the same sequences, and the run fails if their mean log-probs differ. The two
programs then run the same work in turns, so that a busy machine slows both alike; one turn each is not counted.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Qwen2Config
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()

SHAPES = {
    "demo": dict(
        vocab_size=18, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4
    ),
    "0.5B": dict(
        vocab_size=151_936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2
    ),
}
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

# shape, name, what, rows, prompt, tokens after it, rows a thread takes at once (0: all, in one call), required ratio
WORK = [
    ("demo", "sampling, 32 rows", "sample", 32, 38, 36, 16, 10.0),
    ("demo", "sampling, 128 rows", "sample", 128, 38, 36, 64, 10.0),
    ("demo", "training, 32 rows", "train", 32, 38, 36, 16, 1.0),
    ("demo", "training, 128 rows", "train", 128, 38, 36, 64, 1.0),
    ("0.5B", "sampling, 8 rows", "sample", 8, 32, 64, 0, 1.5),
    ("0.5B", "training, LoRA r=16, 2 rows", "lora", 2, 64, 192, 0, 1.0),
    ("0.5B", "training, LoRA r=16, 4 rows", "lora", 4, 64, 192, 0, 1.0),
]


class Rust:
    """The other program, which does one order after another."""

    def __init__(self, binary, folder, threads):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [binary, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def processor_time(self):
        """Seconds of processor time of all its threads: Linux's CPU clock of a process by its number."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def order(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the Rust side ended during {words}")
        return float(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Torch:
    """The same work in transformers, in its recommended form."""

    def __init__(self, folder, adapters):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
        self.vocab = self.model.config.vocab_size
        if adapters:
            config = LoraConfig(r=16, lora_alpha=32, target_modules=TARGETS, task_type="CAUSAL_LM")
            self.model = get_peft_model(self.model, config)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=1e-5, weight_decay=0.0, fused=True)
        self.trained = trained

    def rows(self, rows, length):
        return torch.tensor([[(row * 131 + at * 31 + 7) % self.vocab for at in range(length)] for row in range(rows)])

    def log_probs(self, rows, prompt, response):
        ids = self.rows(rows, prompt + response)
        logits = self.model(input_ids=ids[:, :-1], logits_to_keep=response, use_cache=False).logits
        return -torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, prompt:].flatten(), reduction="mean")

    def score(self, rows, prompt, response):
        with torch.inference_mode():
            return self.log_probs(rows, prompt, response).item()

    def sample(self, rows, prompt, new):
        ids = self.rows(rows, prompt)
        start = time.perf_counter()
        out = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=0, max_new_tokens=new, pad_token_id=0
        )
        seconds = time.perf_counter() - start
        assert out.shape == (rows, prompt + new)
        return seconds

    def train(self, rows, prompt, response):
        self.model.train()
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        (-self.log_probs(rows, prompt, response)).backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        seconds = time.perf_counter() - start
        self.model.eval()
        return seconds


def write_folder(shape, folder):
    config = Qwen2Config(
        **SHAPES[shape], tie_word_embeddings=True, eos_token_id=None, bos_token_id=None, pad_token_id=None, initializer_range=0.02
    )
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.generation_config.eos_token_id = None
    model.save_pretrained(folder, max_shard_size="50GB")


def measure(binary, folder, work, options):
    """Seconds of each repetition, here and there."""
    _, name, what, rows, prompt, tokens, chunk, _ = work
    rust, here = Rust(binary, folder, options.threads), Torch(folder, adapters=what == "lora")
    with contextlib.ExitStack() as ending:
        ending.callback(rust.end)
        scores = rust.order("score", min(rows, 2), prompt, tokens), here.score(min(rows, 2), prompt, tokens)
        if abs(scores[0] - scores[1]) > 1e-4 * abs(scores[1]):
            sys.exit(f"{name}: mean log-prob {scores[0]} in Rust, {scores[1]} in torch: these are not the same weights")
        if what == "lora":
            rust.order("adapters", 16)
        order = "sample" if what == "sample" else "train"
        chunked = (chunk, options.threads) if chunk and options.threads > 1 else (rows, 1)
        seconds = [], []
        for turn in range(options.repetitions + 1):
            clocks = [rust.processor_time()]
            times = [rust.order(order, rows, prompt, tokens, *chunked)]
            clocks += [rust.processor_time(), time.process_time()]
            times.append(getattr(here, order)(rows, prompt, tokens))
            clocks.append(time.process_time())
            if options.processor_time:
                times = [clocks[1] - clocks[0], clocks[3] - clocks[2]]
            if turn > 0:
                for kept, value in zip(seconds, times):
                    kept.append(value)
        return seconds


def profile(folder, work):
    """Where torch's time goes."""
    _, _, what, rows, prompt, tokens, _, _ = work
    here = Torch(folder, adapters=what == "lora")
    run = here.sample if what == "sample" else here.train
    run(rows, prompt, tokens)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        run(rows, prompt, tokens)
    print(profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=15))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="seconds of processor time instead of elapsed ones, for a machine that does other things too; with one thread each, "
        "because threads that wait for one another may spin",
    )
    parser.add_argument("--tokens", type=int, help="tokens after the prompt, instead of each line's own number")
    parser.add_argument("--rows", type=int, help="rows, instead of each line's own number")
    parser.add_argument("--only", default="", help="the lines whose shape and name contain this")
    parser.add_argument("--profile", action="store_true", help="torch's own profile of the chosen lines instead")
    parser.add_argument("--require", action="store_true", help="fail if a ratio is below what is required")
    options = parser.parse_args()
    if options.processor_time:
        options.threads = 1
    torch.set_num_threads(options.threads)

    chosen = [work for work in WORK if options.only in f"{work[0]}, {work[1]}"]
    if not chosen:
        sys.exit(f"--only {options.only!r} chooses none of: " + "; ".join(f"{w[0]}, {w[1]}" for w in WORK))
    clock = "processor time" if options.processor_time else "elapsed time"
    print(f"torch {torch.__version__}, {options.threads} thread(s) each, {options.repetitions} repetitions in turns, {clock}\n")
    print(f"{'':<34}{'Rust, tokens/s':>26}{'torch, tokens/s':>26}{'ratio':>8}{'of pairs':>16}{'required':>10}")
    short = []
    with tempfile.TemporaryDirectory() as root:
        for shape, name, what, rows, prompt, tokens, chunk, required in chosen:
            rows, tokens = options.rows or rows, options.tokens or tokens
            work = shape, name, what, rows, prompt, tokens, chunk, required
            folder = pathlib.Path(root, shape)
            if not folder.exists():
                write_folder(shape, folder)
            if options.profile:
                profile(folder, work)
                continue
            count = rows * tokens if what == "sample" else rows * (prompt + tokens)
            ours, theirs = measure(options.binary, folder, work, options)
            ratio = statistics.median(theirs) / statistics.median(ours)
            pairs = [b / a for a, b in zip(ours, theirs)]

            def rate(seconds):
                low, high = count / max(seconds), count / min(seconds)
                return f"{count / statistics.median(seconds):.0f} ({low:.0f}–{high:.0f})"

            spread = f"{min(pairs):.2f}–{max(pairs):.2f}"
            print(f"{shape + ', ' + name:<34}{rate(ours):>26}{rate(theirs):>26}{ratio:>7.2f}×{spread:>16}{required:>9.1f}×", flush=True)
            if ratio < required:
                short.append(f"{shape}, {name}")
    if options.require and short:
        sys.exit("below what is required: " + "; ".join(short))


if __name__ == "__main__":
    main()
