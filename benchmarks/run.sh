#!/usr/bin/env bash
# The step benchmark in Rust, then in PyTorch, then their ratio. Arguments go to both:
#   benchmarks/run.sh --steps 50 --replay-batches 8 --sampled
# PYTHON names an interpreter with torch (default: python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tsv=$(mktemp)
trap 'rm -f "$tsv"' EXIT

# The profile that `cargo xtask train` runs in: optimised, and burn is built already.
cargo bench --profile dev --package prime-train --bench step -- "$@" --tsv "$tsv"
"${PYTHON:-python3}" benchmarks/torch_step.py "$@" --against "$tsv"
