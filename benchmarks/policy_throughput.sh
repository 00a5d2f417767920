#!/usr/bin/env bash
# Tokens per second of prime-policy and of transformers on torch: sampling with a cache and training steps, at the demo's
# size and at the shape of Qwen2.5-0.5B, same weights, the two programs taking turns in one run.
#
#   python3 -m venv .venv && .venv/bin/pip install torch transformers peft
#   PYTHON=.venv/bin/python benchmarks/policy_throughput.sh
#   benchmarks/policy_throughput.sh --only demo --repetitions 20
#   benchmarks/policy_throughput.sh --processor-time                     # on a machine that does other things too
#   benchmarks/policy_throughput.sh --only '0.5B, sampling' --profile     # where torch's time goes
#
# PYTHON names an interpreter with torch, transformers and peft (default: python3). The 0.5B shape takes about 8 GB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The profile that `cargo xtask train` runs in: optimised, and burn is built already.
# Both packages, since cargo gives burn the features of what is built with it.
cargo build --profile dev --package prime-train --package prime-policy --example throughput
exec "${PYTHON:-python3}" benchmarks/policy_throughput.py target/debug/examples/throughput "$@"
