"""Math-Verify on the rows of a corpus, beside the verdicts and times of `cargo bench -p prime-verifier --bench math`.

    python math_verify_pairs.py --corpus FILE --rust TSV [--limit ROWS]

Needs `pip install 'math-verify[antlr4-13-2]==0.9.0'`. A pair's time is that of `parse` of both sides and `verify`, with
Math-Verify's own time limits; loading it is not counted, nor is a first pair that is graded beforehand. Bare answers are
put into `$\\boxed{…}$`, because Math-Verify reads nothing else as LaTeX.

Agreement is with the labels of rows that are `firm` and not `doubtful`.
"""

import argparse
import csv
import json
import logging
import statistics
import time


def rows_of(path, limit):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    return rows[:limit]


def boxed(answer):
    text = answer.strip()
    in_dollars = len(text) > 1 and text.startswith("$") and text.endswith("$")
    return text if in_dollars else f"$\\boxed{{{answer}}}$"


def texts(row):
    form = row.get("form", "answer")
    gold = row["gold"] if form == "text" else boxed(row["gold"])
    answer = boxed(row["pred"]) if form == "answer" else row["pred"]
    return gold, answer


def math_verify(rows):
    """`[(equal, microseconds)]`; an exception is "not equal", as in Math-Verify's own callers."""
    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)

    def grade(gold, answer):
        try:
            return bool(verify(parse(gold), parse(answer)))
        except Exception:
            return False

    grade(r"$\boxed{\frac{1}{2}}$", r"$\boxed{0.5}$")
    results = []
    for row in rows:
        gold, answer = texts(row)
        start = time.perf_counter()
        equal = grade(gold, answer)
        results.append((equal, 1e6 * (time.perf_counter() - start)))
    return results


def rust(path, rows):
    with open(path, encoding="utf-8", newline="") as table:
        by_row = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    results = []
    for row, own in zip(rows, by_row, strict=True):
        if own["id"] != row["id"]:
            raise SystemExit(f"row {row['id']} here is {own['id']} in {path}")
        results.append((own["equal"] == "1", float(own["microseconds"])))
    return results


def agreement(rows, results):
    """Accuracy, recall and false positive rate on the rows that have to agree."""
    counted = [
        (row["expected"], equal)
        for row, (equal, _) in zip(rows, results)
        if row.get("label_class", "firm") == "firm" and not row.get("doubtful")
    ]
    said = {True: [], False: []}
    for expected, equal in counted:
        said[expected].append(equal)
    right = sum(expected == equal for expected, equal in counted)

    def share(part, whole):
        return part / whole if whole else float("nan")

    return (
        len(counted),
        share(right, len(counted)),
        share(sum(said[True]), len(said[True])),
        share(sum(said[False]), len(said[False])),
    )


def times(results):
    microseconds = sorted(time for _, time in results)
    p99 = microseconds[min(int(0.99 * len(microseconds)), len(microseconds) - 1)]
    return statistics.median(microseconds), statistics.fmean(microseconds), p99


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--corpus", required=True)
    arguments.add_argument("--rust", required=True)
    arguments.add_argument("--limit", type=int)
    arguments = arguments.parse_args()
    rows = rows_of(arguments.corpus, arguments.limit)
    sides = {"prime-verifier": rust(arguments.rust, rows), "Math-Verify 0.9.0": math_verify(rows)}

    print(f"{arguments.corpus}: {len(rows)} pairs, one core each")
    print(f"{'':<18} {'firm':>5} {'accuracy':>9} {'recall':>7} {'false pos.':>10}"
          f" {'median µs':>10} {'mean µs':>10} {'p99 µs':>10}")
    for name, results in sides.items():
        count, accuracy, recall, false_positives = agreement(rows, results)
        median, mean, p99 = times(results)
        print(f"{name:<18} {count:>5} {accuracy:>9.4f} {recall:>7.4f} {false_positives:>10.4f}"
              f" {median:>10.1f} {mean:>10.1f} {p99:>10.1f}")
    ours, theirs = (times(results) for results in sides.values())
    for what, own, other in zip(("median", "mean", "p99"), ours, theirs):
        print(f"Math-Verify takes {other / own:.0f} times as long by {what}")


if __name__ == "__main__":
    main()
