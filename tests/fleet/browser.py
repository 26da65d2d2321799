"""A real browser during a change of the fleet: pages loaded before, during and after it, which go on being used.

`python -m tests.fleet.browser --url http://198.18.77.10 --every 15 --to FILE` prints `running` when the first page is
open, goes on until SIGTERM, and writes what came of it. Every so often it opens a page, writes a message in it, and
later goes to parts of the web app whose files a page loads only then: by that time they may belong to a release that is
gone.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, Response, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.fleet.hosts import is_ours
from tests.system.kit import Person
from tools.test import CHROMIUM

# The parts of the web app that a page goes to, by its age in rounds, and what shows that it is there.
PARTS = {1: ("Documents", "upload-button"), 2: ("Search", "search-field"), 4: ("Assistant", "ask")}
# A page that is drawn beside ten busy hosts took up to 23 s, while no answer took more than 2 s.
WAIT_MS = 40_000


@dataclass
class Seen:
    """What the browser saw."""

    requests: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[float, str, str]] = field(default_factory=list)
    assets: set[str] = field(default_factory=set)
    pages: int = 0
    parts: int = 0
    messages: int = 0
    slowest_ms: int = 0
    began: float = field(default_factory=time.time)

    def fail(self, what: str, why: str) -> None:
        """Note that something did not work."""
        self.failures.append((round(time.time() - self.began, 2), what, why[:300]))

    def answered(self, response: Response) -> None:
        """Count an answer."""
        path = re.sub(r"^https?://[^/]+", "", response.url)
        self.requests["asset" if path.startswith("/assets/") else "other"] += 1
        if path.startswith("/assets/"):
            self.assets.add(path)
        if response.status >= 400:
            self.fail(f"{response.request.method} {path}", str(response.status))

    def broke(self, request: Request) -> None:
        """Note a request that got no answer; what a page that closes gives up is none of our business."""
        if "ERR_ABORTED" not in (request.failure or ""):
            self.fail(f"{request.method} {request.url}", request.failure or "no reason")

    def summary(self) -> dict[str, Any]:
        """Sum up in plain values."""
        return {"pages": self.pages, "parts": self.parts, "messages": self.messages, "requests": dict(self.requests),
                "assets": len(self.assets), "slowest_ms": self.slowest_ms, "failures": self.failures}


class Visitor:
    """Somebody with many pages, each in a browser that has nothing cached."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser, self._url = browser, url
        self._person = Person(url).sign_up("Visitor", "Visitors")
        self._pages: list[tuple[BrowserContext, Page]] = []
        self.seen = Seen()

    def open(self) -> tuple[BrowserContext, Page]:
        """Load the web app and write a message in it."""
        context = self._browser.new_context()
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": self._url}
                             for cookie in self._person.http.cookies])
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("response", self.seen.answered)
        page.on("requestfailed", self.seen.broke)
        page.on("pageerror", lambda error: self.seen.fail("script", str(error)))
        self._try("page", page, lambda: self._load(page))
        return context, page

    def round(self) -> None:
        """Open a page, let those that are open go on, and close the oldest."""
        self._pages.insert(0, self.open())
        for age, (_, page) in enumerate(self._pages):
            if age in PARTS:
                self.visit(page, *PARTS[age])
        for context, _ in self._pages[max(PARTS) + 1:]:
            context.close()
        del self._pages[max(PARTS) + 1:]

    def visit(self, page: Page, part: str, shows: str) -> None:
        """Go to a part of the web app."""

        def go() -> None:
            page.get_by_role("link", name=part, exact=True).click()
            expect(page.get_by_test_id(shows).first).to_be_visible(timeout=WAIT_MS)
            self.seen.parts += 1

        self._try(part, page, go)

    def _load(self, page: Page) -> None:
        page.goto(self._url)
        composer = page.get_by_test_id("composer")
        expect(composer).to_be_visible(timeout=WAIT_MS)
        self.seen.pages += 1
        text = f"page {self.seen.pages}"
        composer.fill(text)
        page.keyboard.press("Enter")
        mine = page.get_by_test_id("message").filter(has_text=re.compile(f"{text}$"))
        expect(mine).to_have_attribute("data-state", "sent", timeout=WAIT_MS)
        self.seen.messages += 1

    def _try(self, what: str, page: Page, action: Any) -> None:
        started = time.time()
        try:
            action()
        except (Error, AssertionError) as error:
            shown = page.evaluate("document.readyState + ': ' + document.body?.innerText")
            self.seen.fail(what, f"{type(error).__name__}: {str(error)[:150]} {shown!r}")
        self.seen.slowest_ms = max(self.seen.slowest_ms, round((time.time() - started) * 1000))


def main() -> int:
    """Be the visitor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--every", type=float, required=True, help="seconds from one new page to the next")
    given = parser.parse_args()
    if not is_ours(re.sub(r"^https?://|[:/].*$", "", given.url)):
        parser.error("this browser is for the hosts of the fleet's tests only")
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: over.append(number))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        visitor = Visitor(browser, given.url.rstrip("/"))
        _, old = visitor.open()
        print("running", flush=True)
        while not over:
            due = time.time() + given.every
            visitor.round()
            old.wait_for_timeout(max(100.0, (due - time.time()) * 1000))
        for part in PARTS.values():
            visitor.visit(old, *part)
        browser.close()
    given.to.write_text(json.dumps(visitor.seen.summary(), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
