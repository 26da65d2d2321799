from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashify.clients.rq_lists import Claim
from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.domain.answers import LOST, MAX_PIECES, NOTHING_FOUND, NOTHING_SHARED, WITHHELD, month_of
from dashify.domain.knowledge import ASSISTANT, Visibility
from dashify.domain.names import new_id
from dashify.errors import DashifyError, Forbidden, Invalid, NotAllowedNow, NotFound, RateLimited, Unavailable
from dashify.jobs.runner import Runner
from dashify.jobs.running import Run
from dashify.local.servers import running_redis
from dashify.resources import Resources
from dashify.services import asking, assistant, channels, chat, documents, grounding
from dashify.services.documents import Place
from dashify.settings import Settings
from tests.services.asking import OFFICE, SHARED, Death, Models, die, die_in, find_by_words, run_job, write

Join = Callable[..., Context]
Refresh = Callable[[Context], Context]
Json = dict[str, Any]
WHEN = "When does the office open?"
HONEST = "The office opens at nine [1]. Guests of the office ring at the second door [1]. "
MORE = "The office closes at six [1]."
TOLD = "The office opens at nine [1]. Guests of the office ring at the second door [2]."


@pytest.fixture(autouse=True)
def found_by_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grounding, "find_passages", find_by_words)


@pytest.fixture
def models(runner: Runner, resources: Resources) -> Iterator[Callable[..., Models]]:
    """Give a function that has the next answers written by a model."""
    def use(*script: Any, **options: Any) -> Models:
        made = Models(*script, **options)
        for place in (runner.resources, resources):
            vars(place)["models"] = made
        return made

    yield use
    for place in (runner.resources, resources):
        vars(place).pop("models", None)


@pytest.fixture
def heard(runner: Runner, resources: Resources) -> Iterator[list[tuple[str, str, Json]]]:
    """What the job and this process tell, as (room, event, payload)."""
    events: list[tuple[str, str, Json]] = []
    for place in (runner.resources, resources):
        place.publisher.attach(lambda room, event, payload: events.append((room, event, payload)), lambda control: None)
    yield events
    for place in (runner.resources, resources):
        place.publisher.attach(lambda room, event, payload: None, lambda control: None)


def ask(ctx: Context, question: str = WHEN, conversation: str | None = None, scope: str | None = None) -> str:
    return str(asking.ask(ctx, question, conversation, scope)["id"])


def answered(ctx: Context, runner: Runner, question: str = WHEN, conversation: str | None = None,
             scope: str | None = None) -> Json:
    answer_id = ask(ctx, question, conversation, scope)
    run_job(ctx, runner, answer_id)
    return assistant.get_answer(ctx, answer_id, -1)


def claim(runner: Runner, job_id: str) -> Run:
    [run], _ = runner.claim([Claim(job_id, "")], "somebody who died")
    return run


def tokens_of(heard: list[tuple[str, str, Json]]) -> list[tuple[int, str]]:
    return [(payload["index"], payload["text"]) for _, event, payload in heard if event == "assistant:token"]


def test_a_question_is_answered_from_a_document_with_its_exact_words(
        alice: Context, runner: Runner, heard: list[tuple[str, str, Json]]) -> None:
    document = write(alice)
    answer = answered(alice, runner)
    assert (answer["status"], answer["model"]) == ("done", None)
    assert answer["text"].startswith("Office: The office opens at nine. [1]")
    first = answer["citations"][0]
    assert (first["document_id"], first["version"], first["title"], first["number"]) == (document, 1, "Office", 1)
    assert OFFICE[first["start"]:first["end"]] == first["quote"] == "The office opens at nine."
    mine = [one for one in heard if one[1].startswith("assistant:")]
    assert {room for room, _, _ in mine} == {f"{alice.actor.tenant_id}:user:{alice.actor.user_id}"}
    assert tokens_of(mine) == [(one["index"], one["text"]) for one in answer["tokens"]]
    assert mine[-1][1:] == ("assistant:done", {"answer_id": answer["id"], "status": "done"})


def test_a_question_that_nothing_answers_is_told_so(alice: Context, runner: Runner, models: Callable[..., Models]
                                                    ) -> None:
    assert answered(alice, runner)["text"] == NOTHING_FOUND
    write(alice)
    answer = answered(alice, runner, "How tall is Mount Everest?")
    assert (answer["status"], answer["text"], answer["citations"]) == ("done", NOTHING_FOUND, [])
    models("Mount Everest is 8,849 meters tall, as everybody knows.")
    assert answered(alice, runner, "How tall is Mount Everest?")["text"] == NOTHING_FOUND
    models("NOTHING")
    assert answered(alice, runner)["text"] == NOTHING_FOUND


def test_replay_goes_on_after_any_piece_with_redis_and_without_it(alice: Context, runner: Runner,
                                                                  resources: Resources) -> None:
    write(alice)
    answer = answered(alice, runner, "What about the office?")
    whole = answer["tokens"]
    assert [one["index"] for one in whole] == list(range(len(whole)))
    assert len(whole) >= 3
    for after in range(-1, len(whole)):
        assert assistant.get_answer(alice, answer["id"], after)["tokens"] == whole[after + 1:]
    logged = alice.token_log.read(answer["id"], -1, len(whole))
    assert [one["text"] for one in logged or []] == [one["text"] for one in whole]
    resources.gate.run(lambda client: client.xdel(f"dashify:answer:{alice.actor.tenant_id}:{answer['id']}", "1-2"))
    assert alice.token_log.read(answer["id"], -1, len(whole)) is None  # a gap shows, and MongoDB answers
    resources.database["answers"].update_one({"_id": answer["id"]}, {"$set": {"status": "running"}})
    resources.database["jobs"].update_one({"kind": "answer_question", "payload.answer_id": answer["id"]},
                                          {"$set": {"status": "running"}})
    assert assistant.get_answer(alice, answer["id"], -1)["tokens"] == whole


def test_nobody_else_reads_stops_or_rates_my_answer_or_sees_my_conversation(
        alice: Context, bob: Context, carol: Context, runner: Runner) -> None:
    write(alice)
    answer = answered(alice, runner)
    for ctx in (bob, carol):
        for refused in (lambda c: assistant.get_answer(c, answer["id"], -1),
                        lambda c: assistant.stop_answer(c, answer["id"]),
                        lambda c: assistant.rate_answer(c, answer["id"], "up", None),
                        lambda c: assistant.get_conversation(c, answer["conversation_id"], None, 50),
                        lambda c: assistant.remove_conversation(c, answer["conversation_id"]),
                        lambda c: asking.ask(c, "And then?", answer["conversation_id"], None)):
            with pytest.raises(NotFound):
                refused(ctx)
        assert assistant.list_conversations(ctx, None, 50)["conversations"] == []
    assert assistant.get_answer(alice, answer["id"], -1)["status"] == "done"


def test_carol_is_answered_from_globex_alone(alice: Context, carol: Context, runner: Runner) -> None:
    write(alice)
    write(carol, "The office of Globex opens at ten.", "Globex")
    assert "ten" in answered(carol, runner)["text"]
    assert "nine" not in answered(carol, runner)["text"]
    assert "ten" not in answered(alice, runner)["text"]


def test_private_documents_answer_their_author_only(alice: Context, bob: Context, runner: Runner) -> None:
    write(alice, "The safe opens with 4711.", "Safe", Place())
    assert "4711" in answered(alice, runner, "How does the safe open?")["text"]
    assert answered(bob, runner, "How does the safe open?")["text"] == NOTHING_FOUND


def test_an_asker_who_lost_a_source_sees_nothing_of_it_and_neither_does_the_memory(
        alice: Context, bob: Context, runner: Runner, models: Callable[..., Models]) -> None:
    document = write(alice, "The safe opens with 4711.", "Safe")
    answer = answered(bob, runner, "How does the safe open?")
    assert "4711" in answer["text"]
    documents.change_document(alice, document, {"visibility": "private"}, None)
    seen = assistant.get_answer(bob, answer["id"], -1)
    assert (seen["text"], seen["citations"]) == (WITHHELD, [])
    assert [one["index"] for one in seen["tokens"]] == [one["index"] for one in answer["tokens"]]
    talk = assistant.get_conversation(bob, answer["conversation_id"], None, 50)
    assert "4711" not in str(talk)
    write(alice)
    pool = models(HONEST)
    answered(bob, runner, WHEN, answer["conversation_id"])
    assert "4711" not in str(pool.asked)
    documents.change_document(alice, document, {"visibility": "organization"}, None)
    answered(bob, runner, WHEN, answer["conversation_id"])
    assert "4711" in str(pool.asked[-1])


def test_a_source_that_was_edited_is_still_quoted_at_its_version_and_one_that_was_deleted_is_not(
        alice: Context, runner: Runner) -> None:
    document = write(alice)
    answer = answered(alice, runner)
    documents.change_document(alice, document, {"text": "Nobody is here."}, 1)
    assert assistant.get_answer(alice, answer["id"], -1) == answer
    documents.delete_document(alice, document)
    assert assistant.get_answer(alice, answer["id"], -1)["text"] == WITHHELD


def test_a_deleted_documents_quotes_are_forgotten(alice: Context, runner: Runner, resources: Resources) -> None:
    document = write(alice)
    answer = answered(alice, runner)
    assert len(alice.store.answers.forget_document(document)) == 1
    assert "nine" not in str(resources.database["answers"].find_one({"_id": answer["id"]}, {"question": 0}))
    assert alice.store.answers.forget_document(document) == []


def test_a_conversation_is_remembered_and_a_short_question_goes_on_from_the_last(
        alice: Context, runner: Runner, models: Callable[..., Models]) -> None:
    write(alice)
    first = answered(alice, runner)
    pool = models(MORE)
    second = answered(alice, runner, "And when close?", first["conversation_id"])
    assert second["conversation_id"] == first["conversation_id"]
    assert [one["role"] for one in pool.asked[0]] == ["system", "user", "assistant", "user"]
    assert pool.asked[0][1]["content"] == WHEN
    talk = assistant.get_conversation(alice, first["conversation_id"], None, 50)
    assert [one["question"] for one in talk["answers"]] == [WHEN, "And when close?"]
    assert talk["conversation"]["title"] == WHEN


def test_conversations_are_listed_last_asked_first_a_page_at_a_time_and_removed_with_their_answers(
        alice: Context, runner: Runner) -> None:
    answers = [answered(alice, runner, f"Question {number}?") for number in range(3)]
    answered(alice, runner, "Again?", answers[0]["conversation_id"])
    page = assistant.list_conversations(alice, None, 2)
    rest = assistant.list_conversations(alice, page["next"], 2)
    titles = [one["title"] for one in [*page["conversations"], *rest["conversations"]]]
    assert titles == ["Question 0?", "Question 2?", "Question 1?"]
    assert rest["next"] is None
    assistant.remove_conversation(alice, answers[0]["conversation_id"])
    with pytest.raises(NotFound):
        assistant.get_answer(alice, answers[0]["id"], -1)
    assert len(assistant.list_conversations(alice, None, 50)["conversations"]) == 2


def test_an_answer_is_rated_and_the_rating_taken_back(alice: Context, runner: Runner) -> None:
    answer = answered(alice, runner)
    assert answer["rating"] is None
    assert assistant.rate_answer(alice, answer["id"], "down", "Not what I meant.")["rating"] == "down"
    assert alice.store.answers.get(answer["id"])["comment"] == "Not what I meant."
    assert assistant.rate_answer(alice, answer["id"], None, None)["rating"] is None


def test_a_question_can_be_stopped_before_it_begins_and_stopping_again_changes_nothing(
        alice: Context, runner: Runner, heard: list[tuple[str, str, Json]]) -> None:
    write(alice)
    answer_id = ask(alice)
    assert [assistant.stop_answer(alice, answer_id)["status"] for _ in range(2)] == ["stopped", "stopped"]
    assert run_job(alice, runner, answer_id) == "done"
    assert assistant.get_answer(alice, answer_id, -1)["tokens"] == []
    assert [payload for _, event, payload in heard if event == "assistant:done"] == [
        {"answer_id": answer_id, "status": "stopped"}]


def test_what_is_being_written_stops_at_once_and_keeps_what_was_told(
        alice: Context, runner: Runner, models: Callable[..., Models], heard: list[tuple[str, str, Json]]) -> None:
    write(alice)
    answer_id = ask(alice)
    models(HONEST, lambda: assistant.stop_answer(alice, answer_id), "The office has a red sofa [1]. " * 3, MORE)
    run_job(alice, runner, answer_id)
    answer = assistant.get_answer(alice, answer_id, -1)
    assert answer["status"] == "stopped"
    assert answer["text"] in (TOLD, "The office opens at nine [1].")
    assert tokens_of(heard) == [(one["index"], one["text"]) for one in answer["tokens"]]


def test_a_model_answers_with_what_the_passages_bear_out_and_nothing_else(
        alice: Context, runner: Runner, models: Callable[..., Models]) -> None:
    write(alice)
    pool = models(HONEST + "Send your password to https://evil.example/x [1]. The moon is made of cheese. " + MORE)
    answer = answered(alice, runner)
    assert answer["text"] == f"{TOLD} The office closes at six [3]."
    assert [one["quote"] for one in answer["citations"]] == [
        "The office opens at nine.", "Guests of the office ring at the second door.", "The office closes at six."]
    assert (answer["model"], pool.used_model) == ("tiny", "tiny")


def test_what_a_model_makes_up_is_replaced_by_a_quote_and_its_no_is_believed(
        alice: Context, runner: Runner, models: Callable[..., Models]) -> None:
    write(alice)
    models("Offices usually open around eight thirty in most countries of the world.")
    quoted = answered(alice, runner)
    assert [one["quote"] for one in quoted["citations"]][:1] == ["The office opens at nine."]
    assert "eight" not in quoted["text"]
    assert quoted["model"] is None
    models("NOTHING")
    declined = answered(alice, runner)
    assert (declined["text"], declined["citations"]) == (NOTHING_FOUND, [])


def test_the_place_in_the_line_is_told(alice: Context, runner: Runner, models: Callable[..., Models],
                                       heard: list[tuple[str, str, Json]]) -> None:
    write(alice)
    answer_id = ask(alice)
    seen: list[Any] = []
    pool = models(lambda: seen.append(assistant.get_answer(alice, answer_id, -1).get("position")), HONEST)
    pool.positions = [3, 1]
    run_job(alice, runner, answer_id)
    assert [payload["position"] for _, event, payload in heard if event == "assistant:position"] == [3, 1]
    assert seen == [1]
    assert "position" not in assistant.get_answer(alice, answer_id, -1)


def test_a_second_run_goes_on_where_a_worker_died_in_mid_answer(
        alice: Context, runner: Runner, models: Callable[..., Models], heard: list[tuple[str, str, Json]]) -> None:
    write(alice)
    models(HONEST + MORE[:-4], die)
    answer_id = ask(alice)
    dead = die_in(alice, runner, answer_id, claim)
    before = assistant.get_answer(alice, answer_id, -1)
    assert (before["status"], before["text"]) == ("running", TOLD)
    pool = models(HONEST + MORE)  # it says again what it said, as models do
    assert run_job(alice, runner, answer_id) == "done"
    after = assistant.get_answer(alice, answer_id, -1)
    assert (after["status"], after["text"]) == ("done", f"{TOLD} The office closes at six [3].")
    assert after["tokens"][:len(before["tokens"])] == before["tokens"]
    assert tokens_of(heard) == [(index, one["text"]) for index, one in enumerate(after["tokens"])]
    assert pool.asked[0][-2]["content"] == TOLD.replace("[2]", "[1]")  # in the passages' own numbers
    assert not alice.store.answers.append(answer_id, dead.attempt, after["count"], "Late.", [], [], 0)


@pytest.mark.parametrize("made_up", ["", "Most of it is made of cheese in any country of the world."])
def test_quotes_go_on_where_a_worker_died_too(alice: Context, runner: Runner, models: Callable[..., Models],
                                              monkeypatch: pytest.MonkeyPatch, made_up: str) -> None:
    write(alice)
    models(made_up, names=("tiny",) if made_up else ())
    whole = answered(alice, runner, "What about the office?")
    answer_id = ask(alice, "What about the office?")
    add, calls = runner.resources.publisher.emit, []

    def dying(room: str, event: str, payload: Json) -> None:
        calls.append(event)
        if event == "assistant:token" and calls.count(event) == 2:
            raise Death
        add(room, event, payload)

    monkeypatch.setattr(runner.resources.publisher, "emit", dying)
    die_in(alice, runner, answer_id, claim)
    monkeypatch.undo()
    monkeypatch.setattr(grounding, "find_passages", lambda *args, **options: [])  # the index has moved on meanwhile
    models("The office opens at nine [1].")  # a model that could answer now must not go on with what was quoted
    assert assistant.get_answer(alice, answer_id, -1)["count"] == 2
    run_job(alice, runner, answer_id)
    answer = assistant.get_answer(alice, answer_id, -1)
    assert (answer["status"], answer["text"], answer["tokens"]) == ("done", whole["text"], whole["tokens"])


def test_a_run_that_was_overtaken_writes_nothing_more(alice: Context, runner: Runner, models: Callable[..., Models]
                                                      ) -> None:
    write(alice)
    answer_id = ask(alice)
    slow, overtaken = threading.Event(), threading.Event()

    def overtake() -> None:
        slow.set()
        assert overtaken.wait(10)

    models("The office opens at nine [1]. Guests of", overtake, "the office ring at the second door [1]. " + MORE)
    run = claim(runner, alice.store.answers.get(answer_id)["job_id"])
    writer = threading.Thread(target=runner.perform, args=(run,))
    writer.start()
    assert slow.wait(10)
    runner.book.put_back([run.job_id], "somebody who died")
    models(MORE)
    run_job(alice, runner, answer_id)
    done = assistant.get_answer(alice, answer_id, -1)
    overtaken.set()
    writer.join()
    assert assistant.get_answer(alice, answer_id, -1) == done
    assert done["text"] == "The office closes at six [1]."


def test_an_answer_whose_source_went_in_mid_answer_ends_with_a_reason(alice: Context, runner: Runner,
                                                                      models: Callable[..., Models]) -> None:
    document = write(alice)
    models(HONEST + MORE[:-4], die)
    answer_id = ask(alice)
    die_in(alice, runner, answer_id, claim)
    documents.delete_document(alice, document)
    models(HONEST + MORE)
    run_job(alice, runner, answer_id)
    answer = assistant.get_answer(alice, answer_id, -1)
    assert (answer["status"], answer["error"]["code"]) == ("failed", "sources_changed")


def test_models_that_are_away_are_asked_again_and_in_the_end_the_answer_says_so(
        alice: Context, runner: Runner, models: Callable[..., Models], resources: Resources,
        heard: list[tuple[str, str, Json]]) -> None:
    write(alice)
    pool = models(HONEST)
    pool.refusal = Unavailable("All models are busy. Please try again in a few minutes.", code="models_busy")
    answer_id = ask(alice)
    job_id = alice.store.answers.get(answer_id)["job_id"]
    outcomes = []
    while assistant.get_answer(alice, answer_id, -1)["status"] not in ("failed", "done"):
        resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"due_at": alice.now}})
        outcomes.append(runner.run(job_id))
    assert outcomes == ["retried"] * 3 + ["done"]
    answer = assistant.get_answer(alice, answer_id, -1)
    assert answer["error"] == {"code": "models_busy",
                               "message": "All models are busy. Please try again in a few minutes."}
    assert [payload["status"] for _, event, payload in heard if event == "assistant:done"] == ["failed"]


def test_a_bug_ends_the_answer_with_a_reason_too(alice: Context, runner: Runner, models: Callable[..., Models]) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    write(alice)
    models(HONEST, broken)
    answer = answered(alice, runner)
    assert (answer["status"], answer["error"]["code"]) == ("failed", "internal")


def test_an_answer_whose_job_is_gone_says_that_it_was_interrupted(alice: Context, resources: Resources,
                                                                 heard: list[tuple[str, str, Json]]) -> None:
    answer_id = ask(alice)
    assert assistant.get_answer(alice, answer_id, -1)["status"] == "queued"
    resources.database["jobs"].update_one({"payload.answer_id": answer_id}, {"$set": {"status": "dead"}})
    answer = assistant.get_answer(alice, answer_id, -1)
    assert (answer["status"], answer["error"]) == ("failed", LOST)
    assert [event for _, event, _ in heard if event.startswith("assistant:")] == ["assistant:done"]


def test_redis_may_go_away_in_mid_answer(settings: Settings, alice: Context, tmp_path: Path,
                                         models: Callable[..., Models]) -> None:
    write(alice)
    answer_id = ask(alice)
    with running_redis(tmp_path) as redis:
        own = Runner(replace(settings, redis_url=redis.url))
        vars(own.resources)["models"] = Models(HONEST, redis.kill, MORE)
        try:
            assert own.run(alice.store.answers.get(answer_id)["job_id"]) == "done"
            assert not own.resources.gate.available
        finally:
            own.resources.close()
    answer = assistant.get_answer(alice, answer_id, -1)
    assert (answer["status"], answer["text"]) == ("done", f"{TOLD} The office closes at six [3].")
    assert assistant.get_answer(alice, answer_id, 1)["tokens"] == answer["tokens"][2:]


def test_an_endless_model_is_cut_off(alice: Context, runner: Runner, models: Callable[..., Models]) -> None:
    facts = [f"Room {number} of the office is painted number {number}." for number in range(MAX_PIECES + 40)]
    write(alice, " ".join(facts[:30]))
    models(" ".join(f"{one[:-1]} [1]." for one in facts[:30] * 8))
    answer = answered(alice, runner, "How are the rooms of the office painted?")
    assert answer["status"] == "done"
    assert 5 < answer["count"] <= 30
    assert len(answer["text"]) < 13_000


def test_tokens_are_counted_by_month_and_a_used_up_budget_is_said(alice: Context, bob: Context, runner: Runner,
                                                                  models: Callable[..., Models]) -> None:
    write(alice)
    pool = models(HONEST + MORE)
    answered(alice, runner)
    used = assistant.get_settings(alice)["used_tokens"]
    assert used == alice.store.token_use.count(month_of(alice.now)) == 100 + len((HONEST + MORE).split(" "))
    waiting = ask(bob)
    assistant.change_settings(alice, {"monthly_tokens": used})
    with pytest.raises(NotAllowedNow) as refusal:
        ask(bob)
    assert refusal.value.code == "budget_exhausted"
    run_job(bob, runner, waiting)
    failed = assistant.get_answer(bob, waiting, -1)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "budget_exhausted")
    assistant.change_settings(alice, {"monthly_tokens": used + 50})
    answered(alice, runner)
    assert pool.most == [800, 50]
    models(names=())
    assert answered(bob, runner)["status"] == "done"  # quotes cost no tokens


def test_admins_choose_among_the_models_that_are_offered_and_it_is_on_record(
        alice: Context, bob: Context, carol: Context, runner: Runner, models: Callable[..., Models]) -> None:
    pool = models(HONEST)
    usual = {"model": None, "models": ["tiny", "large"], "monthly_tokens": None, "used_tokens": 0}
    assert assistant.get_settings(alice) == assistant.get_settings(bob) == usual
    assert assistant.change_settings(alice, {"model": "large"}) == {**usual, "model": "large"}
    with pytest.raises(Forbidden):
        assistant.change_settings(bob, {"model": "tiny"})
    with pytest.raises(Invalid):
        assistant.change_settings(alice, {"model": "http://10.0.0.1/other"})
    assert assistant.get_settings(carol)["model"] is None
    [entry] = [row for row in alice.store.audit.list_unsealed(50) if row["action"] == "assistant.changed"]
    assert (entry["actor_id"], entry["details"]) == (alice.actor.user_id, {"model": "large"})
    write(alice)
    answered(alice, runner)
    assert pool.used_model == "large"


def test_asking_too_often_is_refused(settings: Settings, alice: Context) -> None:
    tight = Resources(replace(settings, limits=replace(settings.limits, questions_per_minute=2)))
    try:
        mine = Context(tight, alice.actor)
        for _ in range(2):
            ask(mine)
        with pytest.raises(RateLimited):
            ask(mine)
        general = channels.list_channels(mine, None, 50)["channels"][0]["id"]
        with pytest.raises(RateLimited):
            chat.post_message(mine, general, "/ask once more?", None, None)
        chat.post_message(mine, general, "I have no question.", None, None)
    finally:
        tight.close()


def posted(ctx: Context, channel: str, text: str, thread: str | None = None) -> Json:
    return chat.post_message(ctx, channel, text, new_id(), thread)[0]


def replies(ctx: Context, channel: str, root: str) -> list[Json]:
    listed = chat.list_messages(ctx, channel, None, 0, 200)["messages"]
    return [one for one in listed if one["thread_id"] == root and one["author_id"] == ASSISTANT]


def answer_of(ctx: Context, resources: Resources, message: Json) -> str:
    return str(resources.database["answers"].find_one({"message_id": message["id"]})["_id"])


@pytest.mark.parametrize("text", [f"/ask {WHEN}", f"@assistant {WHEN}", f"Hey @Assistant, {WHEN}"])
def test_a_question_in_a_channel_is_answered_once_in_its_thread(
        alice: Context, bob: Context, runner: Runner, resources: Resources, general: str, text: str,
        heard: list[tuple[str, str, Json]]) -> None:
    write(alice)
    question = posted(alice, general, text)
    assert question["text"] == text
    answer_id = answer_of(alice, resources, question)
    run_job(alice, runner, answer_id)
    job_id = alice.store.answers.get(answer_id)["job_id"]
    resources.database["jobs"].update_one({"_id": job_id}, {"$set": {"status": "queued", "due_at": alice.now}})
    assert runner.run(job_id) == "done"
    [reply] = replies(bob, general, str(question["id"]))
    assert reply["client_id"] == answer_id
    assert reply["text"].startswith("Office: The office opens at nine. [1]")
    seen = assistant.get_answer(bob, answer_id, -1)
    assert seen["text"] == reply["text"]
    assert seen["citations"][0]["quote"] == "The office opens at nine."
    rooms = {room for room, event, _ in heard if event.startswith("assistant:")}
    assert rooms == {f"{alice.actor.tenant_id}:channel:{general}"}
    at_work = next(one for one in heard if one[1] == "typing")
    assert at_work == (*rooms, "typing", {"channel_id": general, "user_id": "assistant"})


@pytest.mark.parametrize("text", ["/asking for a friend", "ask me", "bob@assistant.test", "@assistants unite", "/ask",
                                  "@assistant", "an /ask in the middle"])
def test_what_is_no_question_to_the_assistant_is_only_a_message(alice: Context, resources: Resources, general: str,
                                                                text: str) -> None:
    message = posted(alice, general, text)
    assert resources.database["answers"].find_one({"message_id": message["id"]}) is None


def test_a_channel_is_told_only_what_everybody_in_it_may_read(
        alice: Context, bob: Context, join: Join, runner: Runner, resources: Resources, general: str,
        refreshed: Refresh, models: Callable[..., Models]) -> None:
    write(alice, "The safe opens with 4711.", "Safe", Place())
    question = posted(alice, general, "/ask How does the safe open?")
    run_job(alice, runner, answer_of(alice, resources, question))
    assert replies(bob, general, str(question["id"]))[0]["text"] == NOTHING_SHARED
    assert "4711" in answered(alice, runner, "How does the safe open?")["text"]
    assert answered(alice, runner, "How does the safe open?", scope=general)["text"] == NOTHING_SHARED
    write(alice, "The canteen opens at noon.", "Canteen")
    inside = channels.create_channel(alice, f"inside {new_id()}", True, [])["id"]
    alice = refreshed(alice)
    gus = join(alice, "Gus", Role.GUEST)
    channels.add_member(alice, inside, gus.actor.user_id)
    alice = refreshed(alice)
    pool = models("The canteen opens at noon [1].")
    question = posted(alice, inside, "/ask When does the canteen open?")
    run_job(alice, runner, answer_of(alice, resources, question))
    assert replies(refreshed(gus), inside, str(question["id"]))[0]["text"] == NOTHING_SHARED
    assert pool.asked == []


def test_who_may_not_see_a_channel_sees_no_answer_of_it_and_who_joined_later_sees_what_is_theirs(
        alice: Context, bob: Context, carol: Context, runner: Runner, resources: Resources, refreshed: Refresh,
        join: Join) -> None:
    inside = channels.create_channel(alice, f"inside {new_id()}", True, [])["id"]
    alice = refreshed(alice)
    write(alice, "The offsite is in May.", "Offsite")
    question = posted(alice, inside, "@assistant When is the offsite?")
    answer_id = answer_of(alice, resources, question)
    run_job(alice, runner, answer_id)
    for ctx in (bob, carol):
        with pytest.raises(NotFound):
            assistant.get_answer(ctx, answer_id, -1)
    gus = join(alice, "Gus", Role.GUEST)
    channels.add_member(alice, inside, gus.actor.user_id)
    seen = assistant.get_answer(refreshed(gus), answer_id, -1)
    assert (seen["text"], seen["citations"]) == (WITHHELD, [])
    with pytest.raises(Forbidden):
        assistant.stop_answer(refreshed(gus), answer_id)
    with pytest.raises(Forbidden):
        assistant.rate_answer(refreshed(gus), answer_id, "up", None)


def test_a_thread_is_a_conversation_and_questions_are_no_source(
        alice: Context, bob: Context, runner: Runner, resources: Resources, general: str,
        models: Callable[..., Models]) -> None:
    write(alice)
    posted(bob, general, f"@assistant {WHEN}")
    root = posted(alice, general, f"@assistant {WHEN}")
    run_job(alice, runner, answer_of(alice, resources, root))
    [reply] = replies(alice, general, str(root["id"]))
    assert "#" not in reply["text"].split(":")[0]
    pool = models(MORE)
    following = posted(bob, general, "@assistant and when does it close", str(reply["id"]))
    run_job(bob, runner, answer_of(bob, resources, following))
    assert [one["role"] for one in pool.asked[0]] == ["system", "user", "assistant", "user"]
    assert len(replies(alice, general, str(root["id"]))) == 2


def test_what_was_said_in_a_channel_is_a_source_until_it_is_deleted(alice: Context, bob: Context, runner: Runner,
                                                                    general: str) -> None:
    said = posted(bob, general, "The printer is on the third floor.")
    answer = answered(alice, runner, "Where is the printer?")
    [cited] = answer["citations"]
    assert (cited["kind"], cited["message_id"], cited["channel_id"]) == ("message", said["id"], general)
    chat.delete_message(bob, str(said["id"]))
    assert assistant.get_answer(alice, answer["id"], -1)["text"] == WITHHELD


def test_a_failed_answer_in_a_channel_says_so_there_and_a_deleted_question_gets_none(
        alice: Context, runner: Runner, resources: Resources, general: str, models: Callable[..., Models]) -> None:
    write(alice)
    models(HONEST)
    assistant.change_settings(alice, {"monthly_tokens": 0})
    question = posted(alice, general, f"/ask {WHEN}")
    run_job(alice, runner, answer_of(alice, resources, question))
    [reply] = replies(alice, general, str(question["id"]))
    assert reply["text"] == "I could not answer this. Your organization has used up its tokens for this month."
    gone = posted(alice, general, f"/ask {WHEN}")
    chat.delete_message(alice, str(gone["id"]))
    run_job(alice, runner, answer_of(alice, resources, gone))
    assert replies(alice, general, str(gone["id"])) == []


def test_somebody_who_left_is_not_answered(alice: Context, bob: Context, runner: Runner) -> None:
    from dashify.services import people

    answer_id = ask(bob)
    people.change_person(alice, bob.actor.user_id, None, False)
    run_job(bob, runner, answer_id)
    assert alice.store.answers.get(answer_id)["status"] == "failed"


def test_group_documents_answer_in_their_own_channel(alice: Context, bob: Context, runner: Runner, general: str,
                                                     refreshed: Refresh, resources: Resources) -> None:
    inside = channels.create_channel(alice, f"inside {new_id()}", True, [])["id"]
    alice = refreshed(alice)
    write(alice, "The merger closes in June.", "Merger", Place(Visibility.GROUP, inside))
    for channel, told in ((inside, "June"), (general, NOTHING_SHARED)):
        question = posted(alice, channel, "/ask When does the merger close?")
        run_job(alice, runner, answer_of(alice, resources, question))
        assert told in replies(alice, channel, str(question["id"]))[0]["text"]


def test_the_wrong_kind_of_error_is_not_swallowed(alice: Context) -> None:
    with pytest.raises(DashifyError):
        asking.ask(alice, WHEN, new_id(), None)
    with pytest.raises(DashifyError):
        asking.ask(alice, WHEN, None, new_id())
    assert SHARED.visibility is Visibility.ORGANIZATION
