from __future__ import annotations

import threading

from dashify.clients.throttle import Throttle


def test_the_first_is_done_at_once_and_the_last_of_a_burst_later() -> None:
    throttle, done, ended = Throttle(0.05), [], threading.Event()
    throttle.run("a", lambda: done.append("first"))
    assert done == ["first"]
    throttle.run("a", lambda: done.append("swallowed"))
    throttle.run("a", lambda: (done.append("last"), ended.set()))
    throttle.run("b", lambda: done.append("another subject"))
    assert done == ["first", "another subject"]
    assert ended.wait(10)
    assert done == ["first", "another subject", "last"]


def test_one_that_fails_takes_no_other_with_it_and_ends_nothing() -> None:
    throttle, ended = Throttle(0.05), threading.Event()
    for subject in ("a", "b"):
        throttle.run(subject, lambda: None)
    throttle.run("a", lambda: 1 / 0)
    throttle.run("b", ended.set)
    assert ended.wait(10)
    again = threading.Event()
    throttle.run("b", lambda: None)
    throttle.run("b", again.set)
    assert again.wait(10)
