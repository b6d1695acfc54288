"""The contract of `application.ports.hashing.StrengthEstimator`, held by `Zxcvbn`."""

import time

import pytest

from adapters.strength import Zxcvbn
from domain.password import BEST_SCORE, SCORED_CHARACTERS

zxcvbn = Zxcvbn()

LOOK_ALIKES = "4@8({[<369$517+|%0!2"


@pytest.mark.parametrize("password", ["", "aaaaaaaaaaaaaaaa", "password1234", "qwertyuiopasdf", "a" * 1024])
def test_what_is_guessed_soon_scores_low(password: str) -> None:
    assert zxcvbn.score(password, []) <= 1


@pytest.mark.parametrize(
    "password",
    [
        "engine of difference",
        "correct horse battery staple",
        "kq3!vTz8#pLm",
        "漢字仮名交じり文の長い例",
        "({[<!|+%$@",
    ],
)
def test_what_takes_long_to_guess_scores_high(password: str) -> None:
    assert zxcvbn.score(password, []) >= 3


def test_the_best_score_is_the_one_the_policy_knows() -> None:
    assert zxcvbn.score("vQ2mZ7xL4pR8sW1yB6nD3fG5", []) == BEST_SCORE == 4


@pytest.mark.parametrize("password", ["P@$$w0rd!", "pa$$word", "p@ssword1"])
def test_a_word_spelled_with_symbols_is_still_the_word(password: str) -> None:
    assert zxcvbn.score(password, []) <= 2


@pytest.mark.parametrize("password", ["quillfeather9", "Orsolya Quillfeather", "vadaszorsolya"])
def test_ones_own_words_are_guessed_first(password: str) -> None:
    assert zxcvbn.score(password, ["orsolya.quillfeather@vadasz.example"]) < zxcvbn.score(password, [])


def test_the_beginning_decides() -> None:
    beginning = "correct horse battery staple and more"[:SCORED_CHARACTERS]
    assert zxcvbn.score(beginning + "a" * 96, []) == zxcvbn.score(beginning, [])


@pytest.mark.parametrize(
    "password",
    [
        pytest.param(LOOK_ALIKES * 7, id="every look-alike"),
        pytest.param(LOOK_ALIKES + "password" * 15, id="look-alikes and a word"),
        pytest.param("1|7!i" * 26, id="look-alikes of several letters"),
        pytest.param("a" * 128, id="one letter"),
        pytest.param("ab" * 64, id="two letters"),
        pytest.param("19911991" * 16, id="dates"),
    ],
)
def test_no_password_takes_long(password: str) -> None:
    """Without either limit the first takes a tenth of a second, and without both of them two seconds."""

    def once() -> float:
        before = time.thread_time()
        zxcvbn.score(password, ["ada@example.com", "x" * 100_000])
        return time.thread_time() - before

    assert min(once() for _ in range(5)) < 0.02


@pytest.mark.parametrize("password", ["\x00" * 12, "\ue040\ue028", "🦊" * 20, "e\u0301" * 20, "\n\t\r  "])
def test_any_text_gets_a_score(password: str) -> None:
    assert zxcvbn.score(password, [password, "", "..."]) in range(BEST_SCORE + 1)
