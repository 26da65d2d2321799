"""Three organizations of four people each, whose rights change between questions: what everybody finds is computed
beforehand from the rules alone, and must be all that any way of asking shows, no more and no less.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from dashify.context import Context
from dashify.domain.accounts import Role
from dashify.domain.knowledge import Visibility
from dashify.errors import NotFound
from dashify.services import assistant, channels, chat, documents, people
from dashify.services.asking import ask
from dashify.services.documents import Place
from dashify.services.knowledge import principals_of
from dashify.services.retrieval import find_passages
from dashify.services.search import search
from tests.knowledge.conftest import Answered, Work

Refresh = Callable[[Context], Context]
STEPS = 14
TOPIC = "The quarterly figure of the gasometer is"


@dataclass
class Said:
    """A document or message with a word that is nowhere else, and the rule of who may read it."""

    word: str
    author: str
    where: str  # "private", "core" (a private channel), "organization"
    source_id: str
    is_document: bool


@dataclass
class Organization:
    """One tenant's people by name (the owner first, the guest last), and what the rules say about them."""

    people: list[Context]
    core: str
    inside: set[str]
    guests: set[str]
    said: list[Said] = field(default_factory=list)

    def may_read(self, person: Context, one: Said) -> bool:
        user_id = person.actor.user_id
        if one.where == "private":
            return user_id == one.author
        return user_id in self.inside if one.where == "core" else user_id not in self.guests


@pytest.fixture
def organizations(sign_up: Callable[..., Context], join: Callable[..., Context],
                  refreshed: Refresh) -> list[Organization]:
    made = []
    for owner, name in (("Alice", "Acme"), ("Carol", "Globex"), ("Dora", "Initech")):
        first = sign_up(owner, name)
        others = [join(first, "Bob"), join(first, "Eve"), join(first, "Gus", Role.GUEST)]
        core = str(channels.create_channel(first, "core", True, [])["id"])
        made.append(Organization([first, *others], core, {first.actor.user_id}, {others[-1].actor.user_id}))
    return made


def write_something(rng: random.Random, one: Organization, refreshed: Refresh, word: str) -> None:
    author = refreshed(rng.choice([person for person in one.people if person.actor.user_id not in one.guests]))
    user_id = author.actor.user_id
    where = rng.choice(["private", "organization", *(["core"] if user_id in one.inside else [])])
    if where == "core" and rng.random() < 0.5:
        message = chat.post_message(author, one.core, f"{TOPIC} {word}.", None, None)[0]
        one.said.append(Said(word, user_id, where, message["id"], False))
        return
    place = Place(Visibility.GROUP, one.core) if where == "core" else Place(Visibility(where))
    made = documents.create_document(author, f"Title {word}", f"{TOPIC} {word}.", place)
    one.said.append(Said(word, user_id, where, made["id"], True))


def change_rights(rng: random.Random, one: Organization, refreshed: Refresh) -> None:
    owner, other = refreshed(one.people[0]), rng.choice(one.people[1:]).actor.user_id
    what = rng.choice(["membership", "membership", "role", "visibility"])
    if what == "membership" and other in one.inside:
        channels.remove_member(owner, one.core, other)
        one.inside.discard(other)
    elif what == "membership":
        channels.add_member(owner, one.core, other)
        one.inside.add(other)
    elif what == "role":
        people.change_person(owner, other, Role.MEMBER if other in one.guests else Role.GUEST, None)
        one.guests ^= {other}
    else:
        own = [said for said in one.said if said.is_document and said.author == owner.actor.user_id]
        for said in own[:1]:
            said.where = "private" if said.where == "organization" else "organization"
            documents.change_document(owner, said.source_id, {"visibility": said.where}, None)


def shown_everywhere(ctx: Context, word: str, answered: Answered) -> list[str]:
    """Ask in every way there is; give what came of each."""
    answer_id = ask(ctx, f"What is the quarterly figure of the gasometer, is it {word}?", None, None)["id"]
    answered(ctx)
    answer = assistant.get_answer(ctx, answer_id, -1)
    listed = documents.list_documents(ctx, None, 100, folder_id=None, title=word, mine=False)
    return [str(find_passages(ctx, f"gasometer {word}", principals_of(ctx), limit=50)),
            str(search(ctx, word, None, 100, None)), str(listed),
            answer["text"].replace(f"is it {word}", "") + str(answer["citations"])]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everybody_finds_what_is_theirs_and_nothing_else_whatever_has_changed_before(
        organizations: list[Organization], refreshed: Refresh, work: Work, answered: Answered,
        seed: int) -> None:
    rng = random.Random(seed)
    for step in range(STEPS):
        one = rng.choice(organizations)
        write_something(rng, one, refreshed, f"zq{seed}x{step}y")
        work(one.people[0])
        change_rights(rng, one, refreshed)
        indexed = rng.random() < 0.5
        if indexed:
            work(one.people[0])  # else the index is behind the change: it may show less then, and never more
        asking = refreshed(rng.choice(rng.choice([one, one, rng.choice(organizations)]).people))
        said = rng.choice(one.said)
        mine = asking.actor.tenant_id == one.people[0].actor.tenant_id and one.may_read(asking, said)
        passages, results, listed, answer = shown_everywhere(asking, said.word, answered)
        for shown in (said.word in passages, said.source_id in results):
            assert shown is mine or not (shown or indexed), (step, said)
        assert (said.source_id in listed) is (mine and said.is_document), (step, said)
        if not mine:
            assert said.word not in answer, (step, said)
            assert said.source_id not in answer, (step, said)
            with pytest.raises(NotFound):
                documents.get_document(asking, said.source_id)
