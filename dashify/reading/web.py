"""HTML: what a reader of the page reads, as Markdown-like text. By an HTML5 parser, and without recursion."""

from __future__ import annotations

import re
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from dashify.reading.plain import decoded

_DROPPED = ("title, script, style, noscript, template, nav, iframe, object, svg, canvas, select, button, [hidden], "
            "[aria-hidden=true]")
_BLOCKS = frozenset({"p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "figure",
                     "figcaption", "ul", "ol", "dl", "dd", "dt", "table", "form", "fieldset", "address", "details",
                     "summary", "hr", "body", "html", "tbody", "thead", "tfoot", "caption"})
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_\-]{2,40})""", re.IGNORECASE)


def read(path: Path) -> tuple[str, str]:
    """Give the page's title and its text."""
    tree = LexborHTMLParser(_text_of(path.read_bytes()))
    title = tree.css_first("title")
    named = title.text(strip=True) if title is not None else ""
    for node in tree.css(_DROPPED):
        node.decompose()
    return named, _Writer().write(tree.root)


def _text_of(data: bytes) -> str:
    declared = _CHARSET.search(data[:2048])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode(declared.group(1).decode("ascii"), "replace")
        except LookupError:
            pass
    return decoded(data)


class _Writer:
    """Lines of text, written node by node."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._preformatted = 0

    def write(self, root: LexborNode | None) -> str:
        """Give the text under `root`: each node is entered, and left when all in it is written."""
        stack: list[tuple[LexborNode, bool]] = [(root, False)] if root is not None else []
        while stack:
            node, leaving = stack.pop()
            if leaving:
                self._leave(node.tag or "")
                continue
            if node.tag == "-text":
                self._say(node.text_content or "")
                continue
            self._enter(node.tag or "")
            stack.append((node, True))
            children = list(node.iter(include_text=True))
            stack += [(child, False) for child in reversed(children)]
        return "".join(self._pieces)

    def _say(self, text: str) -> None:
        self._pieces.append(text if self._preformatted else _SPACE.sub(" ", text))

    def _enter(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._pieces.append(f"\n\n{_HEADINGS[tag]} ")
        elif tag == "li":
            self._pieces.append("\n- ")
        elif tag in ("td", "th"):
            self._pieces.append(" | ")
        elif tag in ("tr", "br"):
            self._pieces.append("\n")
        elif tag == "pre":
            self._preformatted += 1
            self._pieces.append("\n\n```\n")
        elif tag in _BLOCKS:
            self._pieces.append("\n\n")

    def _leave(self, tag: str) -> None:
        if tag == "pre":
            self._preformatted -= 1
            self._pieces.append("\n```\n\n")
        elif tag in _HEADINGS or tag in _BLOCKS:
            self._pieces.append("\n\n")
        elif tag == "tr":
            self._pieces.append(" |")
