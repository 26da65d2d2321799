"""`worker.py assistant`, but passages are found by their words, and the model takes its time over each sentence."""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import sys
import time

import worker
from dashify.resources import Resources
from dashify.services import grounding
from tests.services.asking import Models, find_by_words

SENTENCES = [f"Room {number} of the office is for team {number}." for number in range(1, 9)]
PAUSE_SECONDS = 0.4


def slow_models() -> Models:
    made = Models()
    for sentence in SENTENCES:
        made.script += [f"{sentence[:-1]} [1].", lambda: time.sleep(PAUSE_SECONDS)]
    return made


if __name__ == "__main__":
    grounding.find_passages = find_by_words
    Resources.models = property(lambda self: slow_models())  # type: ignore[assignment]
    sys.exit(worker.main(["assistant"]))
