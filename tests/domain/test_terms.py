from __future__ import annotations

import pytest

from dashify.domain.terms import document_terms, query_terms, words


def shared(question: str, text: str) -> int:
    return len(set(query_terms(question)[0]) & set(document_terms(text)[0]))


@pytest.mark.parametrize(("question", "text"), [
    ("restarts", "It restarted twice."), ("cafe", "Das Café"), ("CAFÉ", "cafe"),
    ("REDIS_URL", "Set DASHIFY_REDIS_URL."), ("dashify_redis_url", "DASHIFY_REDIS_URL=x"),
    ("1.2.3", "Since v1 there is 1.2.3"),
    ("anna@acme.test", "Write to anna@acme.test."), ("acme", "Write to anna@acme.test."), ("天気", "今日の天気"),
    ("новости", "Новость дня"), ("straße", "STRASSE"), ("ﬁle", "file"), ("don't", "Don't panic")])
def test_a_question_meets_what_it_means(question: str, text: str) -> None:
    assert shared(question, text) >= 1


@pytest.mark.parametrize(("question", "text"), [("plane", "train"), ("", "text"), ("!?", "text"), ("天", "地")])
def test_a_question_does_not_meet_what_it_does_not_mean(question: str, text: str) -> None:
    assert shared(question, text) == 0


def test_what_only_holds_a_question_together_is_not_looked_for_unless_there_is_nothing_else() -> None:
    assert shared("How much may a hotel cost?", "How may we do a thing that is as much?") == 0
    assert shared("Wie teuer darf das Hotel sein?", "Das Hotel ist gut.") == 1
    assert shared("who are we", "This is who we are.") == 3


def test_what_is_said_more_often_counts_more_but_not_without_end() -> None:
    def value(text: str) -> float:
        indices, values = document_terms(text)
        return values[indices.index(query_terms("tea")[0][0])]

    once, thrice, often = value("tea x"), value("tea tea tea x"), value("tea " * 100)
    assert once < thrice
    assert often < 3 * once
    assert value("tea " + "and other things " * 100) < once


def test_terms_are_whole_numbers_of_32_bits_each_once_in_order() -> None:
    indices, values = document_terms("a b c a " * 50 + "x" * 10_000 + " 字" * 100)
    assert indices == sorted(set(indices))
    assert all(0 <= index < 2**32 for index in indices)
    assert len(indices) == len(values)
    assert document_terms("") == ([], [])


def test_words_come_in_order_with_the_parts_of_a_compound() -> None:
    said = "The DASHIFY_LOG settings, 東京都"
    assert list(words(said)) == ["the", "dashify_log", "dashifi", "log", "set", "東京", "京都"]
