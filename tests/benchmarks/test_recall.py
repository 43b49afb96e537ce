from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.benchmarks.__main__ import main
from tests.benchmarks.conversations import Conversation, read
from tests.benchmarks.recall_quality import MEASURES, bm25, grep, measure
from tests.support.git_repository import Repository
from tests.support.real_model import require_real_model

CONVERSATION = {
    "id": "1",
    "sessions": [
        {
            "n": 1,
            "date": "1:56 pm on 8 May, 2023",
            "turns": [
                {"speaker": "Ann", "dia_id": "D1:1", "text": "I bought a canoe."},
                {"speaker": "Ben", "dia_id": "D1:2", "text": "Which colour?"},
                {"speaker": "Ann", "dia_id": "D1:3", "text": "Red. It was on sale."},
            ],
        },
        {
            "n": 2,
            "date": "9:00 am on 9 May, 2023",
            "turns": [{"speaker": "Ben", "dia_id": "D2:1", "text": "My sister visits on Friday."}],
        },
    ],
    "qa": [
        {"question": "What did Ann buy, a canoe?", "evidence": ["D1:1", "D1:3"], "category": 1},
        {"question": "Who visits Ben?", "evidence": ["D2:1", "D9:9; D2"], "category": 1},
        {"question": "Nobody knows", "evidence": ["D"], "category": 5},
    ],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([CONVERSATION]))
    return path


@pytest.fixture
def conversation(data: Path) -> Conversation:
    (conversation,) = read(data)
    return conversation


def test_malformed_evidence_is_left_out_and_counted(conversation: Conversation) -> None:
    assert [question.evidence for question in conversation.questions] == [
        {"D1:1", "D1:3"},
        {"D2:1"},
    ]
    assert (conversation.malformed, conversation.unanswerable) == (2, 1)


def test_a_turn_knows_the_one_before_it_in_its_session(conversation: Conversation) -> None:
    assert [turn.before for turn in conversation.turns] == [
        "",
        "Ann: I bought a canoe.",
        "Ben: Which colour?",
        "",
    ]


def test_measures(conversation: Conversation) -> None:
    figures = measure(conversation, conversation.questions, lambda _: ["D1:2", "D1:1", "D2:1"])
    assert dict(zip(MEASURES, figures.each[0], strict=True)) == {
        "turn R@10": 0.5,
        "any turn": 1,
        "session R@10": 1,
        "any session": 1,
        "MRR": 0.5,
    }
    assert figures.each[1].tolist() == [1, 1, 1, 1, pytest.approx(1 / 3)]


def test_who_finds_nothing_gets_nothing(conversation: Conversation) -> None:
    assert not measure(conversation, conversation.questions, lambda _: []).each.any()


def test_contestants_find_words(conversation: Conversation) -> None:
    assert grep(conversation)("the canoe on sale")[0] == "D1:3"
    assert bm25(conversation)("canoes")[0] == "D1:1"


@pytest.mark.model
def test_runs_beside_peers(data: Path) -> None:
    require_real_model()
    result = CliRunner().invoke(main, ["recall-peers", "--data", str(data)])
    assert result.exit_code == 0, result.output
    assert "2 questions; left out: 2 malformed evidence ids, 1 questions" in result.stdout
    assert result.stdout.count("heimdall") == 2


@pytest.mark.model
def test_varies(data: Path) -> None:
    result = CliRunner().invoke(main, ["recall-peers", "--data", str(data), "--vary"])
    assert result.exit_code == 0, result.output
    assert "meaning alone" in result.stdout


@pytest.mark.model
def test_tunes(data: Path) -> None:
    content = [CONVERSATION, CONVERSATION | {"id": "2"}]
    data.write_text(json.dumps(content))
    result = CliRunner().invoke(main, ["recall-peers", "--data", str(data), "--tune"])
    assert result.exit_code == 0, result.output
    assert "without 1: meaning" in result.stdout


@pytest.mark.model
def test_evaluates_all_sets_and_keeps_what_it_loaded(tmp_path: Path) -> None:
    require_real_model()
    repository = Repository.make(tmp_path / "repositories" / "o+n")
    readme = "# Canoes\n\nA canoe is red because the shop had no blue one.\n"
    head = repository.commit("Paint the canoe red", README_md=readme)
    data = tmp_path / "data"
    data.mkdir()
    asked = {
        "repository": "o/n",
        "question": "why is the canoe red",
        "accepted": [{"source": "README", "text": "no blue(?i)"}],
    }
    decision = {"repository": "o/n", "text": "Paddles are wooden.", "question": "which paddles"}
    contents = {
        "locomo-dev.json": [CONVERSATION],
        "repositories-dev.json": {
            "heads": {"o/n": head},
            "questions": [asked],
            "stored": [decision],
        },
        "issues-dev.json": [
            {"repository": "o/n", "head": head, "statement": "Canoe is not red", "fix": [head]}
        ],
    }
    for name, content in contents.items():
        (data / name).write_text(json.dumps(content))
    command = ["recall", "--data", str(data), "--cache", str(tmp_path / "cache")]
    first = CliRunner().invoke(main, [*command, "--repositories", str(tmp_path / "repositories")])
    assert first.exit_code == 0, first.output
    assert "/ 1 / 1 of 1" in first.stdout
    assert "o/n: ranks of stored decisions: 1\n" in first.stdout
    assert "issues to commits, titles: R@10 1.000, MRR 1.000" in first.stdout
    assert CliRunner().invoke(main, command).stdout == first.stdout


@pytest.mark.model
def test_speed_runs() -> None:
    result = CliRunner().invoke(main, ["recall-speed", "--memories", "300", "--rounds", "1"])
    assert result.exit_code == 0, result.output
    assert "300" in result.stdout
