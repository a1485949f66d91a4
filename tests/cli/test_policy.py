"""Policy and screens of the small case, as typed."""

PROGRAMMES = """[[programmes]]
type = "incentive"
id = "bonus"
markets = ["market"]
start = 2023-01-01
end = 2024-12-31
powertrains = ["BEV"]
currency = "EUR"
flat = 2.0
"""


def with_bonus(folder):
    text = PROGRAMMES
    (folder / "mine" / "programmes.toml").write_text(text)


def test_what_is_in_force_is_said_for_each_car_and_only_between_its_dates(keiretsu, tmp_path):
    keiretsu("new", "mine")
    with_bonus(tmp_path)
    on = keiretsu("policy", "mine", "--on", "2024-06-01", "--product", "epsilon")
    assert on.returncode == 0, on.stderr
    assert "flat eur 2" in on.stdout and "powertrains BEV" in on.stdout
    assert "Epsilon One" in on.stdout and "\N{MINUS SIGN}2" in on.stdout and "Alpha" not in on.stdout
    after = keiretsu("policy", "mine", "--on", "2025-06-01", "--product", "epsilon")
    assert after.returncode == 0, after.stderr
    assert "bonus" not in after.stdout


def test_an_unknown_market_or_car_is_refused_by_name(keiretsu):
    keiretsu("new", "mine")
    for words, said in ((("--market", "XX"), "no such market"), (("--product", "zeppelin"), "no car of that name")):
        done = keiretsu("policy", "mine", *words)
        assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_all_cars_of_the_market_under_one_seller_are_a_market_and_electric_ones_alone_need_not_be(keiretsu):
    keiretsu("new", "mine")
    every = keiretsu("concentration", "mine", "--ssnip", "market=market")
    assert every.returncode == 0, every.stderr
    assert every.stdout.split("A market")[1].split("All of the set")[0].strip().endswith("yes")


def test_a_set_that_cannot_be_read_is_refused_in_a_sentence(keiretsu):
    keiretsu("new", "mine")
    for words in ("powertrain", "colour=red", "powertrain=STEAM"):
        done = keiretsu("concentration", "mine", "--ssnip", words)
        assert done.returncode == 2 and "--ssnip" in done.stderr
