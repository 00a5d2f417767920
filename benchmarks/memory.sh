#!/bin/sh
# Planned against measured peak memory of a training step, over shapes, with adapters and without; each in a process of
# its own. The plan is right where the last column is within 0.85 and 1.15.
#
#     sh benchmarks/memory.sh            # shapes that take seconds to minutes
#     sh benchmarks/memory.sh half       # 0.5B too: minutes, and 4 GB
set -eu
cd "$(dirname "$0")/.."
cargo build -q -p prime-train --example memory
small="vocab=1000 prompt=20 steps=2 threads=2 rl.lr=1e-4 model.hidden_size=256 model.intermediate_size=704 \
model.num_hidden_layers=8 model.num_attention_heads=8 model.num_key_value_heads=2"
run() {
    name=$1
    shift
    printf '%-44s' "$name"
    target/debug/examples/memory "$@" | tail -1
}
for rank in 16 0; do
    # shellcheck disable=SC2086
    run "8x256, 8 responses of 64, rank $rank" $small sampling.max_new_tokens=64 lora.rank=$rank
    # shellcheck disable=SC2086
    run "8x256, 4 rows of 150 at once, rank $rank" $small sampling.max_new_tokens=150 rl.prompts_per_step=1 \
        rl.micro_batch_size=4 prm.micro_batch_size=4 lora.rank=$rank
    # shellcheck disable=SC2086
    run "8x256, four optimiser steps, rank $rank" $small sampling.max_new_tokens=64 rl.epochs_per_step=2 \
        rl.mini_batch_size=4 lora.rank=$rank
    # shellcheck disable=SC2086
    run "8x256, vocabulary 20000 untied, rank $rank" $small vocab=20000 model.tie_word_embeddings=false \
        sampling.max_new_tokens=64 lora.rank=$rank
done
# shellcheck disable=SC2086
run "8x256, q and v only" $small sampling.max_new_tokens=150 rl.prompts_per_step=1 rl.micro_batch_size=4 \
    prm.micro_batch_size=4 'lora.target_modules=["q_proj", "v_proj"]'
for rank in 16 0; do
    # shellcheck disable=SC2086
    run "8x256, 8 responses of 64, bfloat16, rank $rank" $small sampling.max_new_tokens=64 lora.rank=$rank \
        model.compute_dtype=bfloat16
done
if [ "${1:-}" = half ]; then
    run "0.5B, 8 responses of 256, rank 16"
fi
