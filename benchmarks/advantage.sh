#!/usr/bin/env bash
# The estimators in Rust on one core, then on all, then the same work in PyTorch and numpy, and one table of it all.
# Fails if the two sides' advantages differ. PYTHON names an interpreter with torch and numpy (default: python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
dump=$(mktemp -d)
trap 'rm -rf "$dump"' EXIT
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
rm -rf "$target"/criterion/{one_core,all_cores}* "$target"/criterion/{construction,copy,copy_over}

bench() {
    cargo bench --package prime-advantage --bench estimators "$@"
}
bench
bench --features rayon
bench -- --dump "$dump"
"${PYTHON:-python3}" benchmarks/advantage_torch.py --criterion "$target/criterion" --dump "$dump"
