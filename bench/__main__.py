"""`python -m bench [PART…]`: measure the background jobs beside their peers, and print one table.

`python -m bench retrieval` measures something else, see `bench/retrieval.py`.

Both sides work on the same Redis, one after the other, in every round; the order changes from round to round. What
counts is the ratio of the medians: absolute figures are those of a machine and of what else it does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench import bullmq, fanout, knowledge, people, retrieval
from bench.machine import describe_machine
from bench.rounds import PARTS, Rounds, Sizes
from dashify.errors import DashifyError
from dashify.local.servers import running_mongodb, running_redis
from tools.steps import StepFailed

_ALL = (*PARTS, *knowledge.PARTS, *people.PARTS, *fanout.PARTS)


def main(arguments: list[str]) -> int:
    """Measure the parts that `arguments` choose; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(_ALL)}; all without any")
    parser.add_argument("--rounds", type=_positive, help="how often each part is measured: 5 (fanout 1), 1 if --quick")
    parser.add_argument("--quick", action="store_true", help="few jobs: to see that it works, not to learn a figure")
    options = parser.parse_args(arguments)
    unknown = [part for part in options.parts if part not in _ALL]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}, only {', '.join(_ALL)}")
    chosen = options.parts or _ALL
    parts, about_texts, about_people, about_instances = (
        [part for part in chosen if part in known] for known in (PARTS, knowledge.PARTS, people.PARTS, fanout.PARTS))
    sizes = Sizes.quick() if options.quick else Sizes()
    rounds = options.rounds or (1 if options.quick else 5)
    try:
        if parts:
            measure(parts, sizes, rounds, judged=not options.quick)
        knowledge.main(about_texts, quick=options.quick)
        people.main(about_people, quick=options.quick)
        fanout.main(about_instances, quick=options.quick, rounds=options.rounds)
    except (StepFailed, DashifyError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def measure(parts: list[str], sizes: Sizes, rounds: int, *, judged: bool) -> None:
    """Run the parts on servers of their own and print the table; say whether targets hold where `judged`."""
    if "peer" in parts:
        bullmq.install()
    with tempfile.TemporaryDirectory(prefix="dashify-bench-") as name:
        folder = Path(name)
        with running_redis(folder / "redis") as redis, running_mongodb(folder / "mongodb") as mongodb:
            machine = describe_machine(redis.url)
            with Rounds(redis.url, mongodb.url, folder, sizes) as measured:
                for number in range(1, rounds + 1):
                    measured.go_once(parts, backwards=number % 2 == 0, title=f"round {number} of {rounds}")
                if "memory" in parts:
                    measured.measure_memory()
    print(f"Background jobs: rounds {rounds}, medians (least-most), jobs a second where nothing else is said",
          machine, "", *measured.report(judged=judged), sep="\n", flush=True)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(retrieval.main(sys.argv[2:]) if sys.argv[1:2] == ["retrieval"] else main(sys.argv[1:]))
