"""What retrieval is measured on: this repository's documents and Debian's manual pages, with questions about both."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.steps import StepFailed

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ROOT / "bench" / "questions.tsv"
MANUALS = Path("/usr/share/man")
_LEAST, _MOST = 1_500, 60_000  # bytes of a manual page: neither a stub nor a book
_WORDS_OF_A_QUESTION = 4
_OF_A_FAMILY = 3
_REQUEST = re.compile(r"[.']\s*(\S*)\s*(.*)")
_ESCAPE = re.compile(r"\\f(?:\[[^]]*\]|\(..|.)|\\s[-+]?\d|\\[&/,|^%]|\\\".*")
_SIGNS = {r"\-": "-", r"\e": "\\", r"\(bu": "•", r"\(aq": "'", r"\(dq": '"', r"\(em": "—", r"\(co": "©", "\\ ": " ",
          r"\(lq": "“", r"\(rq": "”", r"\(oq": "'", r"\(cq": "'", r"\(en": "-", r"\(ha": "^", r"\(ti": "~"}


@dataclass(frozen=True, slots=True)
class Text:
    """A document of the corpus."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and where its answer is: between `start` and `end` of the text `name`, or anywhere in it (0, 0)."""

    asked: str
    name: str
    start: int = 0
    end: int = 0


def own_documents() -> list[Text]:
    """Read the repository's own documents."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [_own(file) for file in files]


def held_out_questions(texts: list[Text]) -> list[Question]:
    """Read the questions that were written by hand about our own documents, and find their answers there.

    Raises:
        StepFailed: a document does not hold an answer any more, word for word and once.
    """
    by_name = {text.name: text.text for text in texts}
    found = []
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        asked, name, quote = line.split("\t")
        if by_name.get(name, "").count(quote) != 1:
            raise StepFailed(f"bench/questions.tsv: {name} does not say {quote!r} (once): change the line of {asked!r}")
        start = by_name[name].index(quote)
        found.append(Question(asked, name, start, start + len(quote)))
    return found


def manuals(most: int) -> tuple[list[Text], list[Question]]:
    """Read up to `most` manual pages, spread over all there are; the one line that sums up a page becomes a question,
    and is left out of the page. Where nothing is installed there are none."""
    families: Counter[str] = Counter()
    files = []
    for file in sorted(MANUALS.glob("man[1578]/*.gz")):
        families[family := re.split("[-_.]", file.name)[0]] += 1
        # Pages of one program are much alike, and some programs have thousands.
        if families[family] <= _OF_A_FAMILY and not file.is_symlink() and _LEAST < file.stat().st_size < _MOST:
            files.append(file)
    texts, questions, seen = [], [], set()
    for file in files[::max(1, len(files) // max(1, most * 2))] if most > 0 else ():
        title, summary, body = _read_manual(file)
        if len(texts) < most and len(summary.split()) >= _WORDS_OF_A_QUESTION and summary not in seen and body:
            seen.add(summary)
            texts.append(Text(file.stem, title, body))
            questions.append(Question(summary, file.stem))
    return texts, questions


def _own(file: Path) -> Text:
    text = file.read_text(encoding="utf-8")
    first = text.partition("\n")[0].lstrip("# ").strip()
    return Text(file.relative_to(ROOT).as_posix(), first, text)


def _read_manual(file: Path) -> tuple[str, str, str]:
    """Give a manual page's title, its one-line summary, and the rest as Markdown."""
    with gzip.open(file, "rt", encoding="utf-8", errors="replace") as source:
        lines = list(_plain(source.read()))
    summary, body, inside = "", [], False
    for line in lines:
        if line.startswith("## "):
            inside = line[3:].strip().upper() == "NAME"
        if not inside:
            body.append(line)
        elif " - " in line and not summary:
            summary = line.partition(" - ")[2].strip(" .")
    return file.name.partition(".")[0], summary, "\n".join(body).strip()


def _plain(source: str) -> Iterator[str]:
    """Read the source of a manual page as far as it matters here: headings, paragraphs, text."""
    for line in source.splitlines():
        if not line.startswith((".", "'")):
            yield _unescaped(line)
            continue
        found = _REQUEST.match(line)
        request, rest = (found[1], found[2]) if found else ("", "")
        if request in ("SH", "Sh", "SS", "Ss"):
            yield ""
            yield f"{'##' if request in ('SH', 'Sh') else '###'} " + _unescaped(rest).strip('" ')
        elif request in ("PP", "P", "LP", "Pp", "TP", "IP", "sp", "It"):
            yield "\n" + _unescaped(rest if request in ("IP", "It") else "").strip('" ')
        elif request in ("B", "I", "BR", "BI", "IR", "RB", "RI", "IB", "Nm", "Nd", "Fl", "Ar", "Xr", "Pa"):
            yield ("- " if request == "Nd" else "") + _unescaped(rest).replace('"', "")


def _unescaped(text: str) -> str:
    for sign, plain in _SIGNS.items():
        text = text.replace(sign, plain)
    return _ESCAPE.sub("", text)
