"""The web app in a real browser, on two real instances. Needs Debian's Chromium and a built web app."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, expect, sync_playwright

from dashify.local.probes import free_port
from dashify.settings import Settings
from tests.system.kit import ROOT, Instance, until
from tools.test import CHROMIUM

# To a browser this is a page of some network over plain HTTP, which has fewer powers than one of this machine.
PLAIN_HOST = "dashify.test"
ARGUMENTS = [f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1", "--no-sandbox", "--disable-gpu",
             "--disable-background-networking", "--disable-sync", "--disable-component-update", "--no-first-run",
             "--disable-quic"]

PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)
FAILED = pytest.StashKey[bool]()
LAST_LINES = 40
# What the mouse did on a page, and which element each event came to: a click may reach another one than was aimed at.
MOUSE_LOG = """
window.mouseLog = [];
for (const kind of ["mousedown", "mouseup", "click"]) {
  window.addEventListener(kind, (event) => {
    const { target } = event;
    const name = target.closest?.("[data-testid]")?.dataset.testid ?? target.closest?.("[aria-label]")?.ariaLabel;
    const text = `${Math.round(performance.now())} ms ${kind} ${event.clientX},${event.clientY}`;
    window.mouseLog.push(`${text} on ${target.nodeName} ${name ?? ""}${target.isConnected ? "" : " gone"}`);
  }, { capture: true });
}
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell a test's fixtures whether it failed, so that they can say what was seen."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="module")
def pair(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Instance]]:
    """Two instances, each known to the pages of the other."""
    folder = tmp_path_factory.mktemp("instances")
    ports = [free_port(), free_port()]
    known = ",".join(f"http://127.0.0.1:{port}" for port in ports)
    instances = [Instance(settings, f"api-{number}", folder, port, DASHIFY_PUBLIC_INSTANCES=known)
                 for number, port in enumerate(ports, 1)]
    for instance in instances:
        until(instance.ready, 30, f"{instance.url} ready")
    yield instances[0], instances[1]
    for instance in instances:
        instance.end()


@contextmanager
def working(settings: Settings, queue: str) -> Iterator[None]:
    """Have a worker for `queue`, as production runs it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("DASHIFY_")}
    process = subprocess.Popen([sys.executable, "worker.py", queue], cwd=ROOT, env={**clean, **settings.to_env()})
    yield
    process.terminate()
    process.wait(40)


@pytest.fixture
def reports_worker(settings: Settings) -> Iterator[None]:
    """A worker for exports."""
    with working(settings, "reports"):
        yield


@pytest.fixture
def notifications_worker(settings: Settings) -> Iterator[None]:
    """A worker that tells people of mentions and replies."""
    with working(settings, "notifications"):
        yield


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class PageLog:
    """What a page asked for and said, and what it showed at the end: for whoever reads that its test failed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.began = monotonic()
        self.lines: list[str] = []
        page.add_init_script(MOUSE_LOG)
        page.on("request", lambda request: self.add("asks", request))
        page.on("requestfailed", lambda request: self.add("failed", request, request.failure or ""))
        page.on("response", lambda response: self.add("has", response.request, str(response.status)))
        page.on("console", lambda said: self.lines.append(f"{self.now()} console: {said.type}: {said.text}"))
        page.on("framenavigated", lambda frame: self.lines.append(f"{self.now()} is at {frame.url}"))

    def now(self) -> str:
        return f"{monotonic() - self.began:6.2f} s"

    def add(self, what: str, request: Request, more: str = "") -> None:
        self.lines.append(f"{self.now()} {what} {more} {request.method} {request.url}")

    def tell(self) -> None:
        print(f"A page at {self.page.url}, {self.now()} after it was opened; what it did last:")
        print(*self.lines[-LAST_LINES:], sep="\n")
        try:
            print("It shows:", self.page.evaluate("document.body?.innerText"), sep="\n")
            print("Its mouse:", *self.page.evaluate("window.mouseLog ?? []")[-LAST_LINES:], sep="\n")
        except Error as error:  # closed by its test, or crashed: the other pages and the logs are told all the same
            print("It shows nothing any more:", error)


def tell_of_instances(item: pytest.Function) -> None:
    """Print the ends of the logs of the instances that a test was given."""
    for given in item.funcargs.values():
        for one in given if isinstance(given, tuple) else (given,):
            if isinstance(one, Instance):
                print(f"The log of {one.url} ends:", *one.log.read_text().splitlines()[-LAST_LINES:], sep="\n")


@pytest.fixture
def open_page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Give a function that opens a page as somebody of their own (`url`, and options of a browser context)."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []
    pages: list[PageLog] = []

    def open_(url: str, **options: object) -> Page:
        # What slides in may be aimed at where it was a moment ago. Whoever tests motion asks for it.
        context = chromium.new_context(**{"reduced_motion": "reduce", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        pages.append(PageLog(page))
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
        page.goto(url)
        return page

    yield open_
    if request.node.stash.get(FAILED, False):
        for page in pages:
            page.tell()
        tell_of_instances(request.node)
    for context in contexts:
        context.close()
    assert troubles == []
