"""rq-dashboard as a SuperAdmin sees it, with jobs that carry scripts: its pages work, and no script of theirs runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from redis import Redis
from rq import Queue, Worker
from rq.executions import Execution
from rq.results import Result
from rq.serializers import JSONSerializer

from dashify.context import Platform
from dashify.services.superadmins import set_superadmin
from dashify.settings import Settings
from tests.system.kit import Instance, Person

EVIL = "<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script><b>bold</b>"
Open = Callable[..., Page]


@pytest.fixture
def evil(settings: Settings) -> Iterator[str]:
    """A failed job whose every text is a script, and a worker with one in hand."""
    client = Redis.from_url(settings.redis_url)
    queue: Any = Queue("emails", connection=client, serializer=JSONSerializer)
    job = queue.enqueue_call("dashify.nothing", args=(EVIL,), job_id="evil-1", description=EVIL, meta={EVIL: EVIL})
    queue.remove(job)
    job.set_status("failed")
    # What other tests left dead would fill the page.
    client.delete(queue.failed_job_registry.key)
    queue.failed_job_registry.add(job, ttl=1000)
    Result.create_failure(job, 1000, EVIL)
    worker: Any = Worker([queue], name="evil-worker", connection=client, serializer=JSONSerializer)
    worker.register_birth()
    with client.pipeline() as pipe:
        Execution.create(job, 600, pipe, worker_name=worker.name)
        pipe.execute()
    yield job.id
    worker.register_death()
    client.delete("rq:worker:evil-worker:executions")
    job.delete()
    client.close()


@pytest.fixture
def cookies(pair: tuple[Instance, Instance], platform: Platform) -> list[Any]:
    """The cookies of a SuperAdmin."""
    person = Person(pair[0].url).sign_up("Root", "Platform")
    set_superadmin(platform, person.user["email"], True)
    return [{"name": cookie.name, "value": cookie.value or "", "url": pair[0].url} for cookie in person.http.cookies]


def test_every_page_of_the_dashboard_works_and_no_text_of_a_job_runs(open_page: Open, cookies: list[Any], evil: str,
                                                                     pair: tuple[Instance, Instance]) -> None:
    root = open_page(pair[0].url)
    root.context.add_cookies(cookies)
    root.goto(f"{pair[0].url}/platform/rq")
    row = root.locator("tr[data-role=queue]").filter(has_text="emails")
    expect(row).to_have_count(1)
    row.locator("a").nth(5).click()
    job = root.locator("tr[data-role=job]").filter(has_text="evil-1")
    expect(job).to_have_count(1)
    expect(job.locator(".description")).to_contain_text("img src=x onerror=")
    expect(root.locator("#requeue-all-btn")).to_be_hidden()
    expect(root.locator("#rq-instances-row")).to_be_hidden()
    job.get_by_role("link", name=evil).click()
    expect(root.locator(".exc_info")).to_contain_text(EVIL)
    expect(root.locator(".description-scroll")).to_have_text(EVIL)
    expect(root.locator("#job-data")).to_contain_text("failed")
    expect(root.locator("#job-data").locator("img, b, script")).to_have_count(0)
    expect(root.locator("#requeue-job-btn")).to_be_hidden()
    root.get_by_role("link", name="Workers").click()
    worker = root.locator("tr[data-role=worker]").filter(has_text="evil-worker")
    expect(worker).to_contain_text("dashify.nothing")
    root.get_by_role("link", name="Jobs", exact=True).click()
    expect(root.locator("#select-queue")).to_have_value("emails")
    root.wait_for_load_state()  # until its scripts, which come last, listen to the choice
    root.locator("#select-registry").select_option("failed")
    expect(root.locator("tr[data-role=job]").filter(has_text="evil-1")).to_have_count(1)
    assert root.evaluate("window.owned") is None


def test_a_script_that_got_into_a_page_would_not_run_either(chromium: Browser, cookies: list[Any],
                                                            pair: tuple[Instance, Instance]) -> None:
    context = chromium.new_context()
    context.add_cookies(cookies)
    root = context.new_page()
    root.goto(f"{pair[0].url}/platform/rq/0/view/queues")
    harmless = root.evaluate("""async () => {
        const box = document.createElement("div");
        box.innerHTML = '<img src="x" onerror="window.owned = 1">';
        document.body.append(box);
        const script = document.createElement("script");
        script.textContent = "window.owned = 2";
        document.body.append(script);
        await new Promise(done => box.firstChild.addEventListener("error", () => setTimeout(done, 50)));
        return window.owned === undefined;
    }""")
    assert harmless
    context.close()
