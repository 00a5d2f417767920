#!/usr/bin/env bash
# The maths grader, then Math-Verify on the same pairs, and one table of both. The default corpus has 861 pairs and Math-Verify
# needs some 20 ms for each; arguments are an option and a corpus:
#   benchmarks/math_verify.sh [--limit ROWS] [CORPUS]
# Math-Verify goes into a virtual environment that is kept in the target folder. PYTHON names the interpreter that makes it
# (default: python3).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
limit=()
if [[ ${1:-} == --limit ]]; then
    limit=(--limit "$2")
    shift 2
fi
# Cargo starts benchmarks in another folder.
corpus=$(realpath "${1:-$root/prime-verifier/tests/corpora/math_dev.jsonl}")
cd "$root"
tsv=$(mktemp)
trap 'rm -f "$tsv"' EXIT

target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
python=$target/math_verify/bin/python
if ! "$python" -c 'import math_verify' 2>/dev/null; then
    "${PYTHON:-python3}" -m venv "$target/math_verify"
    "$python" -m pip install --quiet 'math-verify[antlr4-13-2]==0.9.0'
fi
cargo bench --package prime-verifier --bench math -- "${limit[@]}" --tsv "$tsv" "$corpus"
"$python" benchmarks/math_verify_pairs.py --corpus "$corpus" --rust "$tsv" "${limit[@]}"
