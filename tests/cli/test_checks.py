"""`keiretsu checks`: what stands behind an equilibrium."""

from keiretsu.case import write_new_case


def test_checks_show_starting_points_maxima_and_why_utilities_are_not_projected(keiretsu, tmp_path):
    write_new_case("first", tmp_path)
    done = keiretsu("checks", "first", "--scenario", "merger", "--starts", "2")
    assert done.returncode == 0, done.stderr
    for heading in ("Starting points, merger", "Second-order conditions, merger", "At a maximum", "too few products"):
        assert heading in done.stdout


def test_an_unknown_scenario_is_refused_by_name(keiretsu, tmp_path):
    write_new_case("first", tmp_path)
    done = keiretsu("checks", "first", "--scenario", "nothing_like_it")
    assert done.returncode != 0
    assert "no such scenario" in done.stderr
