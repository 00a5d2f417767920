"""The work of `cargo bench -p prime-train --bench step` in eager PyTorch: seconds per phase of one PRIME step.

    python torch_step.py [--steps N] [--replay-batches N] [--sampled] [--micro-batch ROWS] [--against FILE]

Same model (Qwen2 shape: RMSNorm, rotary positions, biases on q, k and v, SwiGLU, tied head), same sizes, same number of
forward passes, backward passes and optimiser steps. Needs `pip install torch`. `--against` takes the file that the cargo
benchmark wrote with `--tsv` and prints how many times longer each phase takes here.
"""

import argparse
import copy
import os
import random
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

# The sizes of prime-train/benches/step.rs.
VOCAB, HIDDEN, INNER, LAYERS, HEADS = 18, 64, 128, 2, 4
HEAD_DIM = HIDDEN // HEADS
PROMPT, RESPONSE = 38, 36
PROMPTS, K = 8, 4
ROWS = PROMPTS * K
POLICY_EPOCHS = 4
REPLAY_STEPS, REPLAY_BATCH = 50, 64
UNMEASURED = 4
BETA, PROCESS_COEF, CLIP = 0.3, 1 / 0.3, 0.2


def rotary(positions):
    """cos and sin, `[positions, HEAD_DIM / 2]`."""
    frequencies = 10_000.0 ** (-torch.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    angles = positions[:, None] * frequencies
    return angles.cos(), angles.sin()


def turn(x, cos, sin):
    """Rotates `[rows, heads, time, HEAD_DIM]` in half-split pairs."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(HIDDEN, 1e-6), nn.RMSNorm(HIDDEN, 1e-6)
        self.qkv = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.out = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.gate_up = nn.Linear(HIDDEN, 2 * INNER, bias=False)
        self.down = nn.Linear(INNER, HIDDEN, bias=False)

    def forward(self, x, cos, sin, cache=None, at=None):
        """`cache` is filled from position `at` on; without it, attention is over `x` alone."""
        rows, time_, _ = x.shape
        qkv = self.qkv(self.norm1(x)).view(rows, time_, 3, HEADS, HEAD_DIM).permute(2, 0, 3, 1, 4)
        q, k, v = turn(qkv[0], cos, sin), turn(qkv[1], cos, sin), qkv[2]
        if cache is not None:
            end = at + time_
            cache[0][:, :, at:end], cache[1][:, :, at:end] = k, v
            if at > 0:
                k, v = cache[0][:, :, :end], cache[1][:, :, :end]
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=time_ > 1)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, time_, HIDDEN))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, HIDDEN)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(HIDDEN, 1e-6)
        cos, sin = rotary(torch.arange(PROMPT + RESPONSE))
        self.register_buffer("cos", cos)
        self.register_buffer("sin", sin)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0.0, 0.08)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def head(self, x):
        return self.norm(x) @ self.embedding.weight.T

    def response_logits(self, sequences):
        """`[rows, PROMPT + RESPONSE]` ids to `[rows, RESPONSE, VOCAB]`: the predictions of the response's tokens."""
        x = self.embedding(sequences[:, :-1])
        for block in self.blocks:
            x = block(x, self.cos[: x.shape[1]], self.sin[: x.shape[1]])
        return self.head(x[:, PROMPT - 1 :])

    def log_probs(self, sequences):
        """`[rows, RESPONSE]`"""
        log_softmax = self.response_logits(sequences).log_softmax(-1)
        return log_softmax.gather(-1, sequences[:, PROMPT:, None]).squeeze(-1)


@torch.inference_mode()
def sample(model, prompts):
    """K responses to each prompt, with their log-probs; each prompt is read once."""
    shape = (ROWS, HEADS, PROMPT + RESPONSE, HEAD_DIM)
    caches = [(torch.empty(shape), torch.empty(shape)) for _ in model.blocks]
    x = model.embedding(prompts)
    for block, cache in zip(model.blocks, caches):
        own = [half[:PROMPTS] for half in cache]
        x = block(x, model.cos[:PROMPT], model.sin[:PROMPT], own, 0)
        for half in cache:
            half[:, :, :PROMPT] = half[:PROMPTS, :, :PROMPT].repeat_interleave(K, 0)
    logits = model.head(x[:, -1]).repeat_interleave(K, 0)
    tokens, log_probs = [], []
    for at in range(PROMPT, PROMPT + RESPONSE):
        log_softmax = logits.log_softmax(-1)
        token = torch.multinomial(log_softmax.exp(), 1)
        tokens.append(token)
        log_probs.append(log_softmax.gather(1, token))
        if at + 1 == PROMPT + RESPONSE:
            break
        x = model.embedding(token)
        for block, cache in zip(model.blocks, caches):
            x = block(x, model.cos[at : at + 1], model.sin[at : at + 1], cache, at)
        logits = model.head(x[:, 0])
    responses = torch.cat(tokens, 1)
    return torch.cat((prompts.repeat_interleave(K, 0), responses), 1), torch.cat(log_probs, 1)


PIECES = ["<pad>", "<bos>", "<eos>", "<unk>", *"0123456789+*=,"]


def verify(sequences, truths):
    """1 with at least ten right answers of a list, else 0."""
    outcomes = []
    for row, ids in enumerate(sequences[:, PROMPT:].tolist()):
        answers = "".join(PIECES[i] for i in ids).split("<eos>")[0].split(",")
        truth = truths[row // K].split(",")
        right = sum(a == t for a, t in zip(answers, truth))
        outcomes.append(float(len(answers) <= len(truth) and right >= 10))
    return torch.tensor(outcomes)


class Trainer:
    def __init__(self, micro_batch, all_actions, replay_batches):
        torch.manual_seed(0)
        self.random = random.Random(0)
        self.micro_batch, self.all_actions, self.replay_batches = micro_batch, all_actions, replay_batches
        self.policy, self.prm, self.reference = Decoder(), Decoder(), Decoder()
        for model in (self.prm, self.reference):
            model.load_state_dict(self.policy.state_dict())
        adamw = dict(weight_decay=0.0, fused=True)
        self.policy_optimizer = torch.optim.AdamW(self.policy.parameters(), lr=1e-4, betas=(0.9, 0.99), **adamw)
        self.prm_optimizer = torch.optim.AdamW(self.prm.parameters(), lr=1e-3, betas=(0.9, 0.999), **adamw)
        self.replay = []
        self.truths = [",".join(f"{self.random.randrange(100):02}" for _ in range(12)) for _ in range(PROMPTS)]

    def optimize(self, model, optimizer, clip, rows, loss):
        """One optimiser step; `loss(rows)` is that part of the mean over `len(rows)`."""
        optimizer.zero_grad(set_to_none=True)
        for part in rows.split(self.micro_batch or len(rows)):
            loss(part).backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()

    def prm_phase(self, sequences, old_log_probs, outcomes):
        """Token rewards by the PRM as it was, and its update on replayed rollouts."""
        with torch.no_grad():
            reference_sums = self.reference.log_probs(sequences).sum(1)
            rewards = BETA * (self.prm.log_probs(sequences) - old_log_probs)
        self.replay = [*self.replay, (sequences, reference_sums, outcomes)][-REPLAY_STEPS:]
        everything = [torch.cat(column) for column in zip(*self.replay)]
        deck = []
        for _ in range(self.replay_batches):
            chosen = []
            while len(chosen) < min(REPLAY_BATCH, len(everything[0])):
                if not deck:
                    deck = list(range(len(everything[0])))
                    self.random.shuffle(deck)
                chosen.append(deck.pop())
            ids, sums, labels = (column[chosen] for column in everything)

            def loss(rows):
                logits = BETA * (self.prm.log_probs(ids[rows]).sum(1) - sums[rows])
                return F.binary_cross_entropy_with_logits(logits, labels[rows], reduction="sum") / len(ids)

            self.optimize(self.prm, self.prm_optimizer, 10.0, torch.arange(len(ids)), loss)
        return rewards

    def advantages(self, outcomes, rewards):
        """Leave-one-out outcomes, plus the process reward of each token."""
        grouped = outcomes.view(PROMPTS, K)
        outcome = (grouped - (grouped.sum(1, keepdim=True) - grouped) / (K - 1)).view(ROWS, 1)
        return outcome.expand(ROWS, RESPONSE) if self.all_actions else outcome + PROCESS_COEF * rewards

    def all_action_loss(self, logits, ids, acting):
        """The clipped surrogate summed over the vocabulary, as prime-policy's `AllActions`."""
        with torch.no_grad():
            old = acting.response_logits(ids).log_softmax(-1)
            reward = self.prm.response_logits(ids).log_softmax(-1) - old
            advantage = PROCESS_COEF * BETA * (reward - (old.exp() * reward).sum(-1, keepdim=True))
        ratio = (logits.log_softmax(-1) - old).exp()
        gain = torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage)
        return -(old.exp() * gain).sum(-1)

    def policy_phase(self, sequences, old_log_probs, advantages):
        acting = copy.deepcopy(self.policy) if self.all_actions else None
        for _ in range(POLICY_EPOCHS):

            def loss(rows):
                ids, advantage = sequences[rows], advantages[rows]
                logits = self.policy.response_logits(ids)
                log_probs = logits.log_softmax(-1).gather(-1, ids[:, PROMPT:, None]).squeeze(-1)
                ratio = (log_probs - old_log_probs[rows]).clamp(-20, 20).exp()
                per_token = -torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage)
                if acting is not None:
                    per_token = per_token + self.all_action_loss(logits, ids, acting)
                return per_token.sum() / (ROWS * RESPONSE)

            self.optimize(self.policy, self.policy_optimizer, 1.0, torch.randperm(ROWS), loss)

    def step(self):
        """Seconds by phase."""
        prompts = torch.randint(4, VOCAB, (PROMPTS, PROMPT))
        clock = [time.perf_counter()]
        sequences, old_log_probs = sample(self.policy, prompts)
        # Tensors made under inference mode cannot take part in a graph.
        sequences, old_log_probs = sequences.clone(), old_log_probs.clone()
        clock.append(time.perf_counter())
        outcomes = verify(sequences, self.truths)
        clock.append(time.perf_counter())
        rewards = self.prm_phase(sequences, old_log_probs, outcomes)
        clock.append(time.perf_counter())
        advantages = self.advantages(outcomes, rewards)
        clock.append(time.perf_counter())
        self.policy_phase(sequences, old_log_probs, advantages)
        clock.append(time.perf_counter())
        names = ["sampling", "verifying", "PRM", "advantages", "policy"]
        seconds = {name: b - a for name, a, b in zip(names, clock, clock[1:])}
        return seconds | {"whole step": clock[-1] - clock[0]}


def measure(threads, steps, **work):
    """Medians by row of the table."""
    torch.set_num_threads(threads)
    trainer = Trainer(**work)
    for _ in range(UNMEASURED):
        trainer.step()
    measured = [trainer.step() for _ in range(steps)]
    rows = {name: statistics.median(step[name] for step in measured) for name in measured[0]}
    rows["response length"] = RESPONSE
    rows["sampled tokens/s"] = ROWS * RESPONSE / rows["sampling"]
    trained = work["replay_batches"] * REPLAY_BATCH + POLICY_EPOCHS * ROWS
    rows["trained tokens/s"] = trained * (PROMPT + RESPONSE) / (rows["PRM"] + rows["policy"])
    return rows


def read_tsv(path):
    """`{(row, threads): value}`"""
    with open(path, encoding="utf-8") as lines:
        fields = [line.rstrip("\n").split("\t") for line in lines]
    return {(name, int(threads)): float(value) for name, threads, value in fields}


def print_table(columns, cell):
    threads = sorted(columns)
    print(f"{'threads':<22}" + "".join(f"{t:>12}" for t in threads))
    for name in columns[threads[0]]:
        print(f"{name:<22}" + "".join(f"{cell(name, t):>12}" for t in threads))
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--replay-batches", type=int, default=4)
    parser.add_argument("--sampled", action="store_true", help="credit for the sampled tokens only")
    parser.add_argument("--micro-batch", type=int, default=0, help="rows a forward pass; 0 = the whole mini-batch")
    parser.add_argument("--against", metavar="FILE")
    options = parser.parse_args()

    every_core = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    work = dict(
        micro_batch=options.micro_batch, all_actions=not options.sampled, replay_batches=options.replay_batches
    )
    columns = {threads: measure(threads, options.steps, **work) for threads in sorted({1, every_core})}

    def cell(name, threads):
        value = columns[threads][name]
        return f"{value:.0f}" if "tokens/s" in name else f"{value:.1f}" if name == "response length" else f"{value:.4f}"

    print(f"PyTorch {torch.__version__}: seconds a step, median of {options.steps} steps; tokens per second\n")
    print_table(columns, cell)
    if options.against:
        rust = read_tsv(options.against)

        def ratio(name, threads):
            if (name, threads) not in rust or name == "response length":
                return "–"
            ours, here = rust[name, threads], columns[threads][name]
            return f"{(ours / here if 'tokens/s' in name else here / ours):.2f}×"

        print("how many times faster the Rust step is\n")
        print_table(columns, ratio)


if __name__ == "__main__":
    main()
