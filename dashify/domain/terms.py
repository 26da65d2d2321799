"""The words of a text as sparse vectors, for BM25: normalized, stemmed where the script says how, hashed to 32 bits.

What becomes of a word depends on that word alone, so a question's words meet those of a text in whatever language.
The index knows how rare each word is; what is worked out here is how much one text is about it.
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

import Stemmer

from dashify.domain.stopwords import COMMON_WORDS

Terms = tuple[list[int], list[float]]
"""Indices, each once and rising, and their values."""

_SATURATION, _BY_LENGTH = 1.2, 0.75  # BM25's k1 and b
_USUAL_WORDS = 120.0
_LONGEST_WORD = 64
_LONGEST_WHOLE = 128
_DENSE = "\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
_DENSE_RUN = re.compile(f"[{_DENSE}]+")
# A whole is what people write without a space: a name of a setting, a version, an address, a path.
_WHOLE = re.compile(rf"[^\W{_DENSE}]+(?:[.@:/+\-'\u2019&#][^\W{_DENSE}]+)*|[{_DENSE}]+")
_PART = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_local = threading.local()


def document_terms(text: str) -> Terms:
    """Give a text's words and how much it is about each: often said counts more, and less in a long text."""
    counts = Counter(words(text))
    norm = _SATURATION * (1 - _BY_LENGTH + _BY_LENGTH * counts.total() / _USUAL_WORDS)
    return _sorted({word: count * (_SATURATION + 1) / (count + norm) for word, count in counts.items()})


def query_terms(text: str) -> Terms:
    """Give a question's words, each as important as the others, without those that only hold it together."""
    asked = list(words(text))
    telling = [word for word in asked if word not in common_words()]
    return _sorted(dict.fromkeys(telling or asked, 1.0))


def words(text: str) -> Iterator[str]:
    """Give the normalized words of a text in order: parts of a compound after the compound, pairs of dense signs."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    for found in _WHOLE.finditer(folded):
        whole = found.group()
        if _DENSE_RUN.fullmatch(whole):
            yield from (whole,) if len(whole) == 1 else (whole[at:at + 2] for at in range(len(whole) - 1))
            continue
        parts = _PART.findall(whole)
        if len(parts) > 1 and len(whole) <= _LONGEST_WHOLE:
            yield whole
        yield from (_stemmed(part[:_LONGEST_WORD]) for part in parts)


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Give the words that only hold a question together, normalized as all words are."""
    return frozenset(words(COMMON_WORDS))


@lru_cache(maxsize=100_000)
def _stemmed(word: str) -> str:
    plain = "".join(one for one in unicodedata.normalize("NFD", word) if not unicodedata.combining(one))
    if plain.isascii():
        return str(_stemmer("english").stemWord(plain)) if plain.isalpha() else plain
    if _CYRILLIC.search(plain):
        return str(_stemmer("russian").stemWord(plain))
    return plain


def _stemmer(language: str) -> Stemmer.Stemmer:
    # One for each thread: it keeps what it works on in itself.
    held = vars(_local).get(language)
    if held is None:
        held = Stemmer.Stemmer(language, 0)
        setattr(_local, language, held)
    return held


def _sorted(values: dict[str, float]) -> Terms:
    by_index: dict[int, float] = {}
    for word, value in values.items():
        index = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=4).digest(), "big")
        by_index[index] = max(value, by_index.get(index, 0.0))
    indices = sorted(by_index)
    return indices, [round(by_index[index], 4) for index in indices]
