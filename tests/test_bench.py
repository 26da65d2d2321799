"""The load tools work and say what they found. How fast anything is depends on the machine, so it is not tested."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.bullmq import FOLDER
from bench.corpus import Question, held_out_questions, own_documents
from bench.retrieval import Score, rank, table
from bench.sockets import _take_frame
from bench.table import Row, describe_memory, judge_speed, render
from dashify.stores.vectors import Hit

ROOT = Path(__file__).resolve().parents[1]


def bench(*arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=ROOT, capture_output=True, text=True,
                          timeout=seconds, check=False)


def test_a_quick_run_measures_every_part_that_needs_no_node() -> None:
    ended = bench("--quick", "empty", "rq", "product", "memory")
    assert ended.returncode == 0, ended.stderr
    found = dict(re.findall(r"^ +(?:-|[\d.]+)  +(\S.*?)  +([\d,.]+ \(.*|-  .*)$", ended.stdout, re.MULTILINE))
    assert len(found) == 8
    for title, figures in found.items():
        assert re.match(r"[\d,.]*[1-9][\d,.]* \([\d,.]+-[\d,.]+\)", figures), title
    [versus] = [figures for title, figures in found.items() if "one at a time" in title]
    assert "SimpleWorker" in versus
    assert "MiB" in ended.stdout
    assert "BullMQ" not in ended.stdout
    assert "target" not in ended.stdout


@pytest.mark.parametrize("arguments", [["nope"], ["--rounds", "0"], ["--rounds", "many"]])
def test_what_cannot_be_measured_is_refused(arguments: list[str]) -> None:
    ended = bench(*arguments)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_row_compares_medians_and_stays_out_of_the_table_when_nobody_measured_it() -> None:
    row = Row("speed", ours=[1_000, 3_000, 9_000], theirs=[2_000, 1_000, 1_500], peer="somebody")
    assert row.ratio == 2
    heading, line = render([row, Row("nothing")])
    assert heading.split() == ["ratio", "Dashify", "peer"]
    assert line.split() == ["2.00", "speed", "3,000", "(1,000-9,000)", "1,500", "(1,000-2,000)", "somebody"]
    assert render([Row("nothing")]) == []
    assert Row("alone", ours=[1.0]).ratio is None


def test_a_target_holds_or_is_missed() -> None:
    assert judge_speed(Row("", ours=[1.0, 2_500.0, 2_600.0])).endswith("holds")
    assert judge_speed(Row("", ours=[2_499.0, 2_400.0, 9_000.0])).endswith("MISSED")
    assert describe_memory([1, 2], [50.0, 51.0])[-1].endswith("holds")
    told, verdict = describe_memory([1, 2], [50.0, 60.0])
    assert "+10.0 MiB (+20.0%)" in told
    assert verdict.endswith("MISSED")


def test_the_peers_packages_are_pinned_and_come_from_no_named_place() -> None:
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    lock = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "://registry" not in lock


def test_every_question_by_hand_has_its_answer_in_a_document_once() -> None:
    questions = held_out_questions(own_documents())
    assert len(questions) >= 60
    assert len({question.asked for question in questions}) == len(questions)


def test_a_question_is_answered_by_a_passage_that_overlaps_its_answer() -> None:
    hits = [Hit(name, 0.0, {"source_id": name, "start": start, "end": start + 10})
            for name, start in (("other", 0), ("text", 0), ("text", 10), ("text", 20))]
    assert rank(Question("?", "text", 12, 15), hits) == 3
    assert rank(Question("?", "text", 25, 40), hits) == 4
    assert rank(Question("?", "text", 30, 40), hits) == 0
    assert rank(Question("?", "text"), hits) == 2


def test_the_table_says_whether_both_together_are_no_worse_than_either() -> None:
    def lines(both: list[int]) -> list[str]:
        scores = {"meaning": Score([1, 0, 6], [0.001] * 3), "words": Score([0, 2, 1], [0.001] * 3)}
        return table({"by hand": {**scores, "both": Score(both, [0.001] * 3)}}, judged=True)

    assert lines([1, 2, 1])[-1].endswith("holds")
    assert lines([2, 2, 2])[-1].endswith("holds")
    assert lines([0, 2, 2])[-1].endswith("MISSED")
    assert lines([1, 2, 1])[3].split()[-3:] == ["1.000", "0.833", "1.0"]


def test_retrieval_is_measured_on_servers_of_its_own() -> None:
    ended = bench("retrieval", "--quick")
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"^by hand, held out \(\d+\): both +[01]\.\d+ +[01]\.\d+ +[\d.]+$", ended.stdout, re.MULTILINE)
    assert "passages a second" in ended.stdout
    assert "target" not in ended.stdout


def test_an_event_is_heard_by_the_instances_that_need_it_and_by_all_where_all_share_a_channel() -> None:
    ended = bench("--quick", "fanout", seconds=240)
    assert ended.returncode == 0, ended.stderr
    heard = dict(re.findall(r"^(\S[a-z ]*?)  +2 .* (\d+) +-?[\d.]+$", ended.stdout, re.MULTILINE))
    # 80 events: each for sockets on one instance, on both, or on one while both listen.
    assert int(heard["apart"]) < 100
    assert int(heard["spread"]) >= 160
    assert int(heard["one channel for all"]) >= 160


def test_people_at_work_tell_how_many_an_instance_serves() -> None:
    ended = bench("--quick", "people", seconds=240)
    assert ended.returncode == 0, ended.stderr
    cost, rest, work = map(float, re.findall(r"([\d.]+) s (?:of the API|for)", ended.stdout))
    assert cost == pytest.approx(rest + work, abs=0.02)
    assert work > 0
    # An hour of somebody in all, who writes six messages: the three of the channel are told of each.
    events = int(re.findall(r"events handed to pages: (\d+)", ended.stdout)[0])
    assert events >= 6 * 3
    fleets = [list(map(float, line.replace(",", "").split())) for line in
              re.findall(r"^ +([\d,]+ +[\d.]+ +\d+)$", ended.stdout, re.MULTILINE)]
    assert len(fleets) > 2
    assert fleets == sorted(fleets)
    assert fleets[0][2] >= 2


def test_frames_are_taken_whole_however_they_come() -> None:
    data = bytearray(b"\x81\x02hi\x81\x7e\x00\x82" + b"x" * 129)
    assert _take_frame(data) == b"hi"
    assert _take_frame(data) is None
    data += b"y"
    assert _take_frame(data) == b"x" * 129 + b"y"
    assert data == b""
    assert _take_frame(bytearray(b"\x81\x7e\x00")) is None
