"""Notifications, and the pages of those who look after an organization, in a real browser with real workers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_web_app import accept, message, say, sign_up
from tests.system.kit import Instance

Open = Callable[..., Page]
Pair = tuple[Instance, Instance]


def choose(page: Page, item: str) -> None:
    """Choose an item of one's own menu."""
    page.get_by_test_id("my-menu").click()
    page.get_by_role("menuitem", name=item).click()


def test_a_mention_rings_the_bell_and_leads_to_the_message(open_page: Open, pair: Pair,
                                                           notifications_worker: None) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    bob = accept(open_page, alice, pair[1].url, "Bob")
    choose(alice, "People")
    say(bob, "<img src=x> @Alice look at this")
    expect(alice.get_by_test_id("bell-count")).to_have_text("1", timeout=30_000)
    expect(alice.get_by_test_id("heard")).to_have_text("Bob mentioned you in general: <img src=x> @Alice look at this")
    alice.get_by_role("button", name="Notifications, 1 unread").click()
    alice.get_by_test_id("notification").filter(has_text="look at this").click()
    expect(message(alice, "look at this")).to_have_attribute("data-target", "true")
    expect(alice.get_by_test_id("bell-count")).to_have_count(0)
    expect(bob.get_by_test_id("bell-count")).to_have_count(0)


def test_what_is_read_on_one_page_is_read_on_another(open_page: Open, pair: Pair, notifications_worker: None) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    bob = accept(open_page, alice, pair[1].url, "Bob")
    choose(alice, "My sessions")
    second = alice.context.new_page()
    second.goto(f"{pair[1].url}/people")
    say(bob, "@Alice once")
    expect(alice.get_by_test_id("bell-count")).to_have_text("1", timeout=30_000)
    expect(second.get_by_test_id("bell-count")).to_have_text("1")
    alice.get_by_test_id("bell").click()
    alice.get_by_test_id("read-all").click()
    expect(alice.get_by_test_id("read-all")).to_have_count(0)
    expect(second.get_by_test_id("bell")).to_have_accessible_name("Notifications")


def test_who_wants_less_motion_has_a_panel_in_its_place_at_once(open_page: Open, pair: Pair) -> None:
    places = """async () => {
      const found = new Set();
      document.querySelector("[data-testid=bell]").click();
      for (let frame = 0; frame < 30; frame++) {
        await new Promise(requestAnimationFrame);
        const panel = document.querySelector("[role=dialog]");
        if (panel) found.add(panel.getBoundingClientRect().x);
      }
      return found.size;
    }"""
    for motion, least, most in (("reduce", 1, 1), ("no-preference", 2, 30)):
        page = open_page(pair[0].url, reduced_motion=motion)
        sign_up(page)
        assert least <= page.evaluate(places) <= most


def test_an_owner_sees_the_queues_and_lets_a_waiting_job_go_and_a_member_does_not(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    bob = accept(open_page, alice, pair[1].url, "Bob")
    choose(alice, "Queues")
    emails = alice.locator("[data-queue=emails]")
    expect(emails).to_contain_text("1")
    expect(alice.get_by_test_id("queue-row")).to_have_count(6)
    emails.get_by_role("link", name="Emails").click()
    alice.get_by_text("Waiting 1").click()
    job = alice.get_by_test_id("job-row").filter(has_text="Send an invitation")
    expect(job).to_contain_text("by Alice")
    job.get_by_test_id("discard-job").click()
    alice.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(job).to_have_count(0)
    bob.get_by_test_id("my-menu").click()
    expect(bob.get_by_role("menuitem", name="People")).to_be_visible()
    expect(bob.get_by_role("menuitem", name="Queues")).to_have_count(0)
    bob.goto(f"{pair[1].url}/queues")
    expect(bob.get_by_text("Only owners and admins look after this.")).to_be_visible()


def test_the_audit_log_tells_sentences_and_is_found_intact(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    accept(open_page, alice, pair[1].url, "Bob")
    choose(alice, "Audit log")
    entries = alice.get_by_test_id("audit-entry")
    expect(entries.filter(has_text="Alice founded the organization “Acme”.")).to_have_count(1)
    expect(entries.filter(has_text="Bob joined by the invitation")).to_have_count(1)
    alice.get_by_label("Who did it").first.click()
    alice.get_by_role("option", name="Bob").click()
    expect(entries.filter(has_text="Alice")).to_have_count(0)
    expect(entries.filter(has_text="Bob joined by the invitation")).to_have_count(1)
    alice.get_by_test_id("check-log").click()
    expect(alice.get_by_test_id("check-result")).to_have_attribute("data-intact", "true")


def test_a_time_zone_and_no_digest_are_kept(open_page: Open, pair: Pair) -> None:
    alice = open_page(pair[0].url, timezone_id="Asia/Tokyo")
    sign_up(alice)
    choose(alice, "My profile")
    zone = alice.get_by_role("combobox", name="Time zone")
    expect(zone).to_have_value("Asia/Tokyo")
    zone.fill("new york")
    alice.get_by_role("option", name="America/New York").click()
    alice.get_by_role("switch", name="Daily digest").uncheck()
    alice.get_by_role("button", name="Save").click()
    expect(alice.get_by_role("dialog")).to_have_count(0)
    alice.reload()
    choose(alice, "My profile")
    expect(zone).to_have_value(re.compile("New York"))
    expect(alice.get_by_role("switch", name="Daily digest")).not_to_be_checked()


@pytest.mark.parametrize(("page", "kind"), [("People", "pdf"), ("Audit log", "csv")])
def test_an_owner_takes_people_and_the_audit_log_home(open_page: Open, pair: Pair, reports_worker: None, page: str,
                                                      kind: str) -> None:
    alice = open_page(pair[0].url)
    sign_up(alice)
    choose(alice, page)
    alice.get_by_test_id("export-button").click()
    alice.get_by_test_id(f"export-{kind}").click()
    link = alice.get_by_test_id("export-download")
    expect(link).to_be_visible(timeout=60_000)
    with alice.expect_download() as download:
        link.click()
    content = download.value.path().read_bytes()
    assert content.startswith(b"%PDF") if kind == "pdf" else b"organization.created" in content
