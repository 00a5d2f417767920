#!/usr/bin/env bash
# Tests of programs per second: in the sandbox, and as plain subprocesses of the same interpreter. Arguments are the benchmark's:
#   benchmarks/code_verify.sh [--quick] [--layers] [--rounds N]
# PYTHON names the interpreter (default: the one that the grader finds).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=()
if [[ -n ${PYTHON:-} ]]; then
    python=(--python "$PYTHON")
fi
cargo bench --package prime-verifier --no-default-features --features code --bench code -- "${python[@]}" "$@"
