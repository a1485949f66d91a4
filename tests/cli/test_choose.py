"""Commands about decisions, as typed, on the first case."""

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("alliances", "mine", "-p", "Alpha"), "coalition of one"),
        (("alliances", "mine", "-p", "Alpha", "-p", "Nobody"), "unknown partner"),
        (("alliances", "mine", "--savings", "some"), "not a choice"),
        (("alliances", "mine", "-p", "Alpha", "-p", "Beta", "--draws", "12"), "equal parts"),
        (("timing", "mine", "-s", "none"), "no such scenario"),
        (("timing", "mine", "--rate", "0.1"), "each maker's own rate"),
        (("alliances", "mine", "-p", "Alpha", "-p", "Beta", "--rate", "0.1"), "each maker's own rate"),
        (("whatmustbetrue", "mine"), "no terms of a stake"),
        (("choose", "mine"), "nobody is named who chooses"),
    ],
)
def test_a_question_that_cannot_be_asked_is_answered_in_a_sentence(keiretsu, words, said):
    keiretsu("new", "mine")
    done = keiretsu(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_alliances_open_with_a_sentence_and_show_coalitions_splits_and_seatings(keiretsu):
    keiretsu("new", "mine")
    done = keiretsu("alliances", "mine", "-p", "Alpha", "-p", "Beta", "--years", "alike", "--savings", "by-volume", "--pricing", "joint")
    assert done.returncode == 0, done.stderr
    assert "together gain" in done.stdout and "What each coalition is worth" in done.stdout and "nobody would leave" in done.stdout
