from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from dashify.domain.names import new_id
from tests.system.kit import PASSWORD, Instance, Person

Open = Callable[..., Page]
Pair = tuple[Instance, Instance]


def sign_up(page: Page) -> str:
    email = f"alice.{new_id()}@acme.test"
    page.get_by_role("link", name=re.compile("workspace|sign up|create", re.I)).first.click()
    form = page.get_by_test_id("signup-form")
    form.get_by_label("Organization").fill("Acme")
    form.get_by_label("Your name").fill("Alice")
    form.get_by_label("Email").fill(email)
    form.get_by_role("textbox", name="Password").fill(PASSWORD)
    form.get_by_role("button", name="Create workspace").click()
    expect(page.get_by_test_id("composer")).to_be_visible()
    return email


def accept(open_page: Open, inviter: Page, url: str, name: str) -> Page:
    """Invite somebody by the page of `inviter` and join as them by a page on `url`."""
    inviter.get_by_role("button", name=re.compile("invite", re.I)).first.click()
    dialog = inviter.get_by_role("dialog")
    dialog.get_by_label("Email").fill(f"{name.lower()}.{new_id()}@joined.test")
    dialog.get_by_role("button", name=re.compile("invit", re.I)).last.click()
    shown = inviter.get_by_test_id("invite-link")
    expect(shown).to_be_visible()
    link = shown.input_value() if shown.evaluate("node => 'value' in node") else shown.inner_text()
    inviter.keyboard.press("Escape")
    guest = open_page(url + "/invite/" + link.strip().rsplit("/", 1)[1])
    form = guest.get_by_test_id("invite-accept-form")
    form.get_by_label("Your name").fill(name)
    form.get_by_role("textbox", name="Password").fill(PASSWORD)
    form.locator("button[type=submit]").click()
    expect(guest.get_by_test_id("composer")).to_be_visible()
    return guest


def say(page: Page, text: str) -> None:
    page.get_by_test_id("composer").fill(text)
    page.keyboard.press("Enter")


def message(page: Page, text: str) -> Locator:
    return page.get_by_test_id("message").filter(has_text=text)


def test_a_team_signs_up_invites_and_talks_over_two_instances(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    bob = accept(open_page, alice, pair[1].url, "Bob")
    say(alice, "Hello Bob, I am on the first instance")
    expect(message(bob, "first instance")).to_have_count(1)
    say(bob, "And I am on the second")
    expect(message(alice, "on the second")).to_have_count(1)
    for page in (alice, bob):
        for text in ("first instance", "on the second"):
            expect(message(page, text)).to_have_attribute("data-state", "sent")
        page.reload()
        expect(page.get_by_test_id("message")).to_have_count(2)


def test_a_page_goes_on_at_the_other_instance_when_its_own_hangs(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    bob = accept(open_page, alice, pair[1].url, "Bob")
    say(alice, "before")
    expect(message(bob, "before")).to_have_count(1)
    os.killpg(pair[1].process.pid, signal.SIGSTOP)
    try:
        say(alice, "while the second instance is frozen")
        expect(message(alice, "frozen")).to_have_attribute("data-state", "sent")
        expect(message(bob, "frozen")).to_have_count(1, timeout=45_000)
        say(bob, "I did not notice much")
        expect(message(alice, "notice much")).to_have_count(1)
        expect(message(bob, "notice much")).to_have_attribute("data-state", "sent")
    finally:
        os.killpg(pair[1].process.pid, signal.SIGCONT)


def test_what_was_written_without_a_connection_is_sent_once_later(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    bob = accept(open_page, alice, pair[1].url, "Bob")
    alice.context.set_offline(True)
    say(alice, "written in a tunnel")
    say(bob, "said meanwhile")
    expect(message(alice, "tunnel")).to_have_attribute("data-state", re.compile("pending|failed"))
    alice.context.set_offline(False)
    expect(message(alice, "meanwhile")).to_have_count(1, timeout=30_000)
    if message(alice, "tunnel").get_by_test_id("retry").count():
        message(alice, "tunnel").get_by_test_id("retry").click()
    expect(message(alice, "tunnel")).to_have_attribute("data-state", "sent", timeout=30_000)
    expect(message(bob, "tunnel")).to_have_count(1)


def test_a_channel_is_exported_with_progress_and_downloaded(open_page: Open, pair: Pair, reports_worker: None) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    say(alice, "=1+1 is not a formula")
    expect(message(alice, "formula")).to_have_attribute("data-state", "sent")
    alice.get_by_test_id("export-button").click()
    alice.get_by_test_id("export-csv").click()
    link = alice.get_by_test_id("export-download")
    expect(link).to_be_visible(timeout=30_000)
    with alice.expect_download() as download:
        link.click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert "'=1+1 is not a formula" in text


def test_a_session_revoked_elsewhere_ends_its_page_with_a_sentence(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    email = sign_up(alice)
    laptop = Person(pair[1].url).sign_in(email)
    laptop.ok("DELETE", "/me/sessions")
    expect(alice.get_by_test_id("signin-form")).to_be_visible()


def test_a_script_in_a_message_is_text(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    say(alice, "<img src=x onerror=\"document.title='owned'\"> **bold** [x](javascript:alert(1))")
    expect(message(alice, "<img src=x")).to_have_count(1)
    assert "owned" not in alice.title()
    assert alice.locator("a[href^='javascript']").count() == 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_the_page_fits_its_screen_and_is_readable(open_page: Open, pair: Pair, scheme: str, width: int) -> None:
    page = open_page(pair[0].url, color_scheme=scheme, viewport={"width": width, "height": 780})
    sign_up(page)
    say(page, "a long word: " + "x" * 300)
    expect(page.get_by_test_id("message")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", background)[:3]))
    assert (brightness > 600) == (scheme == "light"), background
