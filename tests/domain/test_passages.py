from __future__ import annotations

import random

import pytest

from dashify.domain.passages import cut, sentences, tokens

HANDBOOK = """# Travel

Book early. Ask Dr. Meyer first, e.g. by mail! Is it over 500 km? Then fly.

## Hotels

- up to 120 euros
- breakfast incl. coffee

| City | Euro |
|------|------|
| Bonn | 90 |

```
# no heading
run --all
```

# Empty

## Also empty
"""


def said(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_sentences_end_where_people_end_them() -> None:
    assert said("Ask Dr. Meyer, e.g. by mail! Is 3.5 km far? No. J. Doe knows... maybe.\nNext line.") == [
        "Ask Dr. Meyer, e.g. by mail!", "Is 3.5 km far?", "No. J. Doe knows... maybe.", "Next line."]
    assert said("今日は晴れ。明日は雨！ そうですか？はい。") == ["今日は晴れ。", "明日は雨！", "そうですか？", "はい。"]
    assert said('He said "Stop." Then he left.') == ['He said "Stop."', "Then he left."]
    assert said("One\n\nTwo\n- a\n- b\n| x | y |") == ["One", "Two", "- a", "- b", "| x | y |"]


def test_a_passage_stays_under_its_heading_and_names_the_path_to_it() -> None:
    found = [(one.heading, HANDBOOK[one.start:one.end]) for one in cut(HANDBOOK)]
    assert found[0] == ("Travel", "Book early. Ask Dr. Meyer first, e.g. by mail! Is it over 500 km? Then fly.")
    assert found[1][0] == "Travel > Hotels"
    assert "# no heading\nrun --all" in found[1][1]
    assert found[2:] == [("", "# Empty"), ("Empty", "## Also empty")]
    assert [one.ordinal for one in cut(HANDBOOK)] == [0, 1, 2, 3]


def test_a_long_text_is_cut_into_passages_of_bounded_length_at_ends_of_sentences() -> None:
    text = " ".join(f"Sentence number {number} says something about the plan." for number in range(500))
    found = cut(text)
    assert len(found) > 20
    for one in found:
        assert tokens(text[one.start:one.end]) <= 230
        assert text[one.start:one.end].startswith("Sentence")
        assert text[one.start:one.end].endswith(".")


@pytest.mark.parametrize("text", [
    "", " \n\t\n", "x", "a" * 50_000, "字" * 20_000, "word " * 20_000, "# \n#a\n#\n", "```\n# x\n", "# a\n" * 5_000,
    "\n".join("#" * (n % 6 + 1) + f" h{n}" for n in range(3_000)), "." * 20_000, "| a | b |\n" * 5_000,
    "a\u0301" * 5_000, "🚂 " * 5_000, "- x\n" * 5_000, " " * 100_000 + "x", "?! " * 20_000,
    ".\"" * 20_000, "\n" * 50_000 + "x", "\n " * 50_000, "1. " * 10_000, "。" * 10_000, "`" * 10_000])
def test_whatever_the_text_its_passages_cover_it_in_order(text: str) -> None:
    hold(text)


def test_random_texts_are_covered_too() -> None:
    chance = random.Random(3)
    signs = "aB .!?\n\n#-|`字。é🚂\u00a0\u200b1)"
    for _ in range(200):
        hold("".join(chance.choice(signs) for _ in range(chance.randrange(400))))


def hold(text: str) -> None:
    place, kept = 0, []
    for number, one in enumerate(cut(text)):
        assert one.ordinal == number
        assert place <= one.start < one.end <= len(text)
        assert tokens(text[one.start:one.end]) <= 231
        assert text[one.start:one.end] == text[one.start:one.end].strip()
        kept.append(text[one.start:one.end])
        place = one.end
    if text.strip() and "#" not in text:
        assert "".join("".join(kept).split()) == "".join(text.split())
    place = 0
    for start, end in sentences(text):
        assert place <= start < end
        place = end
