"""`worker.py assistant`, but passages are found by their words, without an index: what is tried are the models."""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import sys

import worker
from dashify.jobs import assistant
from dashify.services import grounding
from tests.services.asking import find_by_words

if __name__ == "__main__":
    assistant.MAX_ANSWER_TOKENS = 40  # a small model does not know when to stop
    grounding.find_passages = find_by_words
    sys.exit(worker.main(["assistant"]))
