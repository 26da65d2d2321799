"""Documents, search and the assistant in a real browser: with every server and worker that they need in production."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from dashify.local.servers import running_models, running_qdrant
from dashify.settings import Settings
from tests.browser.conftest import PLAIN_HOST, working
from tests.browser.test_web_app import accept, message, say, sign_up
from tests.system.kit import Instance, until

Open = Callable[..., Page]
Pair = tuple[Instance, Instance]
PATIENCE_MS = 60_000
# The rocket is one code point and two UTF-16 units: an offset that counts the other ones marks the wrong words.
MANUAL = """# Canteen 🚀

Lunch is served from noon until two. The *kitchen* closes on Fridays at one.

## Parking

Bicycles go behind the house.
"""


@pytest.fixture(scope="module")
def knowing(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings with an index and an embedding host of this module's own."""
    qdrant_folder, models_folder = tmp_path_factory.mktemp("qdrant"), tmp_path_factory.mktemp("models")
    with running_qdrant(qdrant_folder) as qdrant, running_models(models_folder) as models:
        yield replace(settings, mongodb_database="dashify_browser_knowledge", qdrant_url=qdrant.url,
                      embedding_url=models.url)


@pytest.fixture(scope="module")
def instance(knowing: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that reaches the index."""
    started = Instance(knowing, "api-1", tmp_path_factory.mktemp("instance"))
    until(started.ready, 30, f"{started.url} ready")
    yield started
    started.end()


@pytest.fixture(scope="module")
def workers(knowing: Settings) -> Iterator[None]:
    """Workers that read and index documents, and that answer."""
    with working(knowing, "indexer"), working(knowing, "assistant"):
        yield


def write(page: Page, title: str, text: str, who: str = "Everybody") -> None:
    """Write a document as a version of its own, and stay on its page."""
    begin(page, title, who)
    page.get_by_test_id("document-text").fill(text)
    save(page)


def begin(page: Page, title: str, who: str = "Everybody") -> None:
    page.get_by_role("link", name="Documents", exact=True).click()
    page.get_by_test_id("new-document").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill(title)
    dialog.get_by_label(who).check()
    dialog.get_by_role("button", name="Begin to write").click()


def save(page: Page) -> None:
    page.get_by_test_id("save-document").click()
    expect(page.get_by_test_id("edit-document")).to_be_visible()


def edited(page: Page, text: str) -> None:
    page.get_by_test_id("document-text").fill(text)
    expect(page.get_by_test_id("saving-state")).to_contain_text("Saved as a draft")


def mark(page: Page) -> Locator:
    return page.locator("mark")


def test_what_one_writes_is_kept_as_a_draft_and_versions_are_compared_and_restored(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    write(alice, "Holidays", "Everybody has twenty days.\n\n<script>alert(1)</script> ![x](https://elsewhere.example/x.png)")
    expect(alice.get_by_text("<script>alert(1)</script>")).to_be_visible()
    assert alice.locator("article img").count() == 0
    alice.get_by_test_id("edit-document").click()
    edited(alice, "Everybody has thirty days.")
    alice.reload()
    expect(alice.get_by_test_id("document-text")).to_have_value("Everybody has thirty days.")
    alice.get_by_test_id("leave-editor").click()
    expect(alice.get_by_test_id("draft-note")).to_be_visible()
    expect(alice.get_by_text("Everybody has twenty days.")).to_be_visible()
    alice.get_by_role("button", name="Go on writing").click()
    save(alice)
    alice.get_by_role("link", name="What changed in version 3").click()
    difference = alice.get_by_test_id("difference")
    expect(difference.locator("del").first).to_have_text("twenty")
    expect(difference.locator("ins").first).to_have_text("thirty")
    alice.get_by_test_id("restore").click()
    expect(alice.get_by_text("Everybody has twenty days.")).to_be_visible()
    expect(alice.get_by_test_id("versions").get_by_role("listitem")).to_have_count(4)


def test_two_who_write_at_once_see_both_texts_and_choose(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    bob = accept(open_page, alice, pair[1].url, "Bob")
    write(alice, "Travel", "Take the train.")
    bob.goto(re.sub(r"^http://[^/]+", pair[1].url, alice.url))
    bob.get_by_test_id("edit-document").click()
    bob.get_by_test_id("document-text").fill("Take the night train.")
    alice.get_by_test_id("edit-document").click()
    alice.get_by_test_id("document-text").fill("Take the bus.")
    save(alice)
    bob.get_by_test_id("save-document").click()
    conflict = bob.get_by_test_id("conflict")
    expect(conflict).to_contain_text("Alice saved version 3 while you were writing.")
    conflict.get_by_role("button", name="Show the differences").click()
    expect(conflict.get_by_test_id("difference")).to_contain_text("night train")
    conflict.get_by_test_id("keep-mine").click()
    expect(conflict).to_have_count(0)
    save(bob)
    expect(bob.get_by_text("Take the night train.")).to_be_visible()
    expect(alice.get_by_text("Take the night train.")).to_be_visible()
    alice.get_by_test_id("document-menu").click()
    alice.get_by_test_id("delete-document").click()
    alice.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bob.get_by_text("This document is not here, or not for you to read.")).to_be_visible()


def test_an_uploaded_file_answers_a_question_and_shows_the_sentence(
    open_page: Open, instance: Instance, workers: None, tmp_path: Path,
) -> None:
    (tmp_path / "canteen.md").write_text(MANUAL)
    (tmp_path / "tool.exe").write_bytes(b"MZ\0\1" * 200)
    alice = open_page(instance.url)
    sign_up(alice)
    alice.get_by_role("link", name="Documents", exact=True).click()
    with alice.expect_file_chooser() as chooser:
        alice.get_by_test_id("upload-button").click()
    chooser.value.set_files([tmp_path / "canteen.md", tmp_path / "tool.exe"])
    alice.get_by_role("dialog").get_by_label("Everybody").check()
    alice.get_by_test_id("send-files").click()
    expect(alice.get_by_test_id("upload").filter(has_text="tool.exe")).to_contain_text("Only Markdown, text, HTML, PDF")
    row = alice.get_by_test_id("document-row").filter(has_text="Canteen")
    expect(row).to_have_attribute("data-status", "ready", timeout=PATIENCE_MS)

    alice.get_by_role("link", name="Assistant", exact=True).click()
    alice.get_by_test_id("question").fill("When is lunch served?")
    alice.keyboard.press("Enter")
    answer = alice.get_by_test_id("answer")
    expect(answer).to_have_attribute("data-status", "done", timeout=PATIENCE_MS)
    expect(answer).to_contain_text("from noon until two")
    answer.get_by_test_id("citation").first.click()
    panel = alice.get_by_test_id("source-panel")
    expect(panel).to_contain_text("Lunch is served from noon until two.")
    panel.get_by_test_id("open-source").click()
    expect(mark(alice)).to_have_text("Lunch is served from noon until two.")
    alice.go_back()
    expect(answer).to_contain_text("from noon until two")

    alice.keyboard.press("Control+k")
    alice.get_by_test_id("switcher-field").fill("bicycles")
    option = alice.get_by_role("option").filter(has_text="behind the house")
    expect(option.locator("mark")).to_have_text("Bicycles")
    option.click()
    expect(mark(alice).first).to_be_visible()
    expect(alice).to_have_url(re.compile(r"version=1&start=\d+&end=\d+"))


def test_the_assistant_answers_in_a_channel_only_from_what_everybody_there_may_read(
    open_page: Open, instance: Instance, workers: None,
) -> None:
    alice = open_page(instance.url)
    sign_up(alice)
    write(alice, "Secret plan", "The launch is planned for the ninth of May.", "Only me")
    write(alice, "Office rules", "The office opens at seven in the morning.")
    alice.get_by_role("link", name="Documents", exact=True).click()
    for title in ("Secret plan", "Office rules"):
        expect(alice.get_by_test_id("document-row").filter(has_text=title)).to_have_attribute(
            "data-status", "ready", timeout=PATIENCE_MS)
    alice.locator("[data-channel-name=general]").click()
    composer = alice.get_by_test_id("composer")
    composer.press_sequentially("/as")
    composer.press("Tab")
    composer.press_sequentially("When does the office open?")
    expect(alice.get_by_test_id("ask-hint")).to_be_visible()
    composer.press("Enter")
    reply = alice.get_by_role("article", name=re.compile("^Assistant, "))
    expect(reply).to_contain_text("opens at seven", timeout=PATIENCE_MS)
    reply.get_by_test_id("citation").first.click()
    expect(alice.get_by_test_id("source-panel")).to_contain_text("The office opens at seven in the morning.")
    alice.keyboard.press("Escape")
    # Alice could read the plan, but she is not the only one who reads the channel.
    composer.fill("@assistant When is the launch planned?")
    composer.press("Enter")
    expect(reply.nth(1)).to_contain_text("nothing", timeout=PATIENCE_MS)
    expect(reply.nth(1)).not_to_contain_text("May")


def test_the_page_works_at_an_address_that_is_neither_https_nor_localhost(open_page: Open, pair: Pair) -> None:
    port = pair[0].url.rsplit(":", 1)[1]
    alice = open_page(f"http://{PLAIN_HOST}:{port}")
    assert alice.evaluate("window.isSecureContext") is False
    sign_up(alice)
    alice.get_by_role("button", name="Invite your team").click()
    alice.get_by_role("dialog").get_by_label("Email").fill("bob@elsewhere.test")
    alice.get_by_role("button", name="Create invitation").click()
    alice.get_by_role("button", name="Copy link").click()
    expect(alice.get_by_role("button", name="Copied")).to_be_visible()
    alice.keyboard.press("Escape")
    say(alice, "Hello from the office's own network")
    expect(message(alice, "office's own")).to_have_attribute("data-state", "sent")
    write(alice, "Holidays", "Everybody has twenty days.")
    alice.get_by_test_id("document-menu").click()
    alice.get_by_text("Copy the link").click()
    expect(alice.get_by_text("The link is copied.")).to_be_visible()
