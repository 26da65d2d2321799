"""HTML: what a reader of the page reads, as Markdown-like text. By an HTML5 parser, and without recursion."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from dashify.reading.plain import decoded
from dashify.reading.writing import Writer

_DROPPED = ("title, script, style, noscript, template, nav, iframe, object, svg, canvas, select, button, textarea, "
            "[hidden], [aria-hidden=true], [style*='display:none' i], [style*='display: none' i], "
            "[style*='visibility:hidden' i], [style*='visibility: hidden' i]")
_BLOCKS = frozenset({"p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "figure",
                     "figcaption", "dl", "form", "fieldset", "address", "details", "summary", "hr", "body", "html",
                     "caption", "h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"ul", "ol", "menu"})
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{2,40})""", re.IGNORECASE)


def read(data: bytes) -> tuple[str, str]:
    """Give the page's title and its text."""
    declared = _CHARSET.search(data[:2048])
    page = decoded(data, declared.group(1).decode("ascii") if declared else "")
    try:
        tree = LexborHTMLParser(page)
    except SelectolaxError as error:  # anything is HTML, so that this can only be memory
        raise MemoryError from error
    title = tree.css_first("head title")
    named = title.text(strip=True) if title is not None else ""
    dropped = {node.mem_id for node in tree.css(_DROPPED)}
    return named, _write(tree.root, dropped)


def _write(root: LexborNode | None, dropped: set[int]) -> str:
    writer = Writer()
    # Each node is entered, and left when all in it is written.
    stack: list[tuple[LexborNode, bool]] = [(root, False)] if root is not None else []
    while stack:
        node, leaving = stack.pop()
        tag = node.tag or ""
        if leaving:
            _leave(writer, tag)
        elif tag == "-text":
            writer.say(node.text_content or "")
        elif node.mem_id not in dropped:
            _enter(writer, tag)
            stack.append((node, True))
            stack += [(child, False) for child in reversed(list(node.iter(include_text=True)))]
    return writer.text()


def _enter(writer: Writer, tag: str) -> None:
    if tag in _BLOCKS:
        writer.part(2)
        if tag[0] == "h" and tag[1:].isdigit():
            writer.prefix("#" * int(tag[1:]) + " ")
    elif tag in _LISTS:
        writer.enter_list()
    elif tag == "li":
        writer.item()
    elif tag in ("br", "dt", "dd", "option"):
        writer.part(1)
    elif tag == "pre":
        writer.enter_preformatted()
    elif tag == "table":
        writer.enter_table()
    elif tag == "tr":
        writer.row()
    elif tag in ("td", "th"):
        writer.enter_cell()


def _leave(writer: Writer, tag: str) -> None:
    if tag in _BLOCKS:
        writer.part(2)
    elif tag in _LISTS:
        writer.leave_list()
    elif tag in ("li", "dt", "dd", "option"):
        writer.part(1)
    elif tag == "pre":
        writer.leave_preformatted()
    elif tag == "table":
        writer.leave_table()
    elif tag in ("td", "th"):
        writer.leave_cell()
