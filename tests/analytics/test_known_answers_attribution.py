"""Known answers: PathData, which three independent codes agree on."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from sojourn.analytics.attribution import Attribution, Paths, attribute, read_paths, score_orders
from sojourn.analytics.attribution.markov import markov
from sojourn.analytics.attribution.rates import RateGame, rate_game, shapley_values
from sojourn.analytics.attribution.tallies import measures_of, sums_of
from tests.analytics.attribution.making import ask, conversions_of
from tests.analytics.making import shared

CONVERSIONS, VALUE, NULLS = 19_785, 74_802.97158721086, 68_602
P_CONVERSION = 0.22384513559686

Known = dict[str, tuple[float, ...]]


def known(text: str) -> Known:
    """Read a table: a channel a line, and its numbers."""
    rows = [line.split() for line in text.strip().splitlines()]
    return {name: tuple(map(float, numbers)) for name, *numbers in rows}


HEURISTICS = known("""
alpha 6308 19121.272356 8447 28414.214274 7574.718594 24524.709569 7444.823759
iota 4606 19597.261277 3355 13487.974271 3857.096221 15988.988995 3944.948166
eta 3164 11909.476213 4167 16754.2038 3539.951157 13783.497051 3618.796149
beta 2831 12235.591744 989 3850.020987 2083.500145 8954.266717 1969.766179
lambda 902 3735.602165 1207 5249.949985 1035.257572 4430.316169 1046.903901
theta 1606 6652.349347 653 2799.091988 1022.801394 4295.743619 1092.744472
epsilon 99 412.301243 531 2202.612289 272.170438 1106.270065 301.050233
kappa 74 305.74325 230 1069.38425 137.964078 599.747786 147.459557
zeta 27 103.004 107 453.26075 136.55154 539.528763 88.622864
gamma 165 718.977992 92 506.013992 121.041639 569.417358 125.240911
mi 2 5.273 2 5.273 2.222222 6.081444 2.057143
delta 1 6.119 5 10.972 1.725 4.40405 2.586667
""")
"""First conversions and value, last, linear, and U conversions (section 4.1)."""

WITH_NULLS = known("""
alpha 0.558399 5344.9477 18799.1706 0.547803 5617.4539 19194.5157 0.546420 5748.0986 19409.8098
iota 0.405835 3884.6147 14978.4373 0.371594 3810.5110 14851.0590 0.360379 3791.0292 14833.7433
eta 0.349026 3340.8474 12991.7367 0.330767 3391.8582 13007.5765 0.322834 3396.0706 12982.2086
beta 0.264039 2527.3522 9687.8092 0.237910 2439.6490 9759.5909 0.228673 2405.5340 9749.2115
lambda 0.134022 1282.8472 5142.7203 0.115995 1189.4720 4861.8273 0.109391 1150.7400 4756.6927
theta 0.206010 1971.9129 7511.0485 0.185526 1902.4736 7392.0772 0.175845 1849.8126 7275.2531
epsilon 0.062639 599.5707 2348.6538 0.059913 614.3735 2395.6339 0.059264 623.4321 2431.8689
kappa 0.028663 274.3633 1136.0925 0.025942 266.0271 1132.7578 0.025119 264.2393 1135.0450
zeta 0.039811 381.0626 1468.7030 0.036475 374.0313 1440.2357 0.035207 370.3630 1421.5749
gamma 0.017880 171.1454 719.2367 0.016765 171.9182 747.0361 0.016967 178.4828 787.0609
mi 0.000180 1.7224 5.4445 0.000202 2.0732 6.1916 0.000202 2.1268 6.2623
delta 0.000482 4.6136 13.9184 0.000503 5.1591 14.4699 0.000482 5.0708 14.2405
""")
"""Removal effect, conversions and value at order 1, 2 and 3 (section 4.2)."""

WITHOUT_NULLS = known("""
alpha 0.561719 5260.0696 18520.6233 0.549094 5563.5193 19031.3280 0.547095 5716.4744 19311.7172
iota 0.416398 3899.2462 15024.4465 0.376302 3812.7575 14851.1499 0.362958 3792.4692 14833.4609
eta 0.357505 3347.7659 13004.7549 0.335475 3399.0879 13032.1874 0.325484 3400.9079 13002.7342
beta 0.276094 2585.4063 9900.6909 0.242972 2461.8313 9833.3411 0.231274 2416.5291 9782.5448
lambda 0.138344 1295.4822 5182.8726 0.117822 1193.7892 4872.3861 0.110134 1150.7684 4752.1037
theta 0.207048 1938.8461 7390.0149 0.187341 1898.1761 7370.7949 0.177631 1856.0283 7300.9183
epsilon 0.064590 604.8315 2365.1739 0.061272 620.8224 2416.9566 0.059764 624.4627 2432.2305
kappa 0.029543 276.6511 1142.3225 0.026486 268.3614 1137.9105 0.025251 263.8396 1131.8247
zeta 0.042131 394.5215 1517.8502 0.037964 384.6561 1481.0680 0.036145 377.6706 1449.7713
gamma 0.018798 176.0281 735.5972 0.017305 175.3421 757.5289 0.017130 178.9848 786.9080
mi 0.000202 1.8930 6.1261 0.000202 2.0485 6.1221 0.000202 2.1125 6.2214
delta 0.000455 4.2587 12.4984 0.000455 4.6082 12.1981 0.000455 4.7524 12.5366
""")
"""The same from converting paths only (section 4.3)."""

SHAPLEY = known("""
alpha 7627.944048 24755.419659 0.01843915 1629.7816 0.01900797
iota 3505.044048 14522.786928 0.01802597 1593.2614 0.02288975
eta 3613.655952 14054.940425 0.02118050 1872.0812 0.01829404
beta 1982.739286 8477.344598 0.02163664 1912.3977 0.01363851
lambda 987.782143 4243.451636 0.02571027 2272.4540 0.01518058
theta 1190.963095 5028.248490 0.02897969 2561.4280 0.01906987
epsilon 374.677381 1534.318657 0.02634710 2328.7407 0.01320595
kappa 159.057143 711.368550 0.02154975 1904.7175 0.00067738
zeta 199.991667 810.950427 -0.00101560 -89.7661 -0.01676135
gamma 138.185714 650.186655 0.01807477 1597.5748 -0.00696169
mi 2.666667 7.698333 0.02492758 2203.2742 -0.03968689
delta 2.292857 6.257229 -0.00001069 -0.9449 -0.05855413
""")
"""Zhao conversions and value, phi of the rate game, scaled; phi of the exact-set game (section 4.5)."""


@cache
def pathdata() -> Paths:
    """Read it, or skip."""
    return read_paths(shared("pathdata/pathdata.csv.gz"))


def numbers(answer: Attribution, name: str) -> dict[str, float]:
    """Return one number of each channel."""
    return {one.channel: getattr(one, name) for one in answer.channels}


def column(table: Known, place: int) -> dict[str, float]:
    """Return one column of a known table."""
    return {channel: row[place] for channel, row in table.items()}


def test_totals() -> None:
    """README of pathdata."""
    totals = ask(pathdata(), "first").totals
    assert (len(pathdata()), totals.conversions, totals.nulls) == (5_408, CONVERSIONS, NULLS)
    assert totals.value == pytest.approx(VALUE, abs=1e-9)


@pytest.mark.parametrize(
    ("model", "conversions", "value"),
    [("first", 0, 1), ("last", 2, 3), ("linear", 4, 5), ("u-shaped", 6, None)],
)
def test_heuristics_to_all_digits(model: str, conversions: int, value: int | None) -> None:
    """Section 4.1: two peers and an own code say the same."""
    answer = ask(pathdata(), model)
    assert conversions_of(answer) == pytest.approx(column(HEURISTICS, conversions), abs=5.1e-7)
    if value is not None:
        assert numbers(answer, "value") == pytest.approx(column(HEURISTICS, value), abs=5.1e-7)


@pytest.mark.parametrize("nulls", [True, False])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_markov_to_all_digits(order: int, nulls: bool) -> None:
    """Sections 4.2 and 4.3: effects to 6 digits, conversions and value to 4, as they are printed."""
    table = WITH_NULLS if nulls else WITHOUT_NULLS
    answer = ask(pathdata(), "markov", order=order, nulls=nulls)
    first = 3 * (order - 1)
    assert numbers(answer, "removal_effect") == pytest.approx(column(table, first), abs=5.1e-7)
    assert conversions_of(answer) == pytest.approx(column(table, first + 1), abs=5.1e-5)
    assert numbers(answer, "value") == pytest.approx(column(table, first + 2), abs=5.1e-5)


@pytest.mark.parametrize(
    ("order", "states", "transitions"), [(1, 12, 102), (2, 120, 845), (3, 933, 3_569), (4, 3_975, 7_296)]
)
def test_states_and_the_chance_of_a_conversion(order: int, states: int, transitions: int) -> None:
    """Section 4: the chance is the same at every order, to 1e-12."""
    model = markov(pathdata(), order)
    sums = sums_of(model, measures_of(pathdata()))
    assert model.size(sums) == (states, transitions)
    assert model.p_conversion(sums) == pytest.approx(CONVERSIONS / (CONVERSIONS + NULLS), abs=1e-12)
    assert model.p_conversion(sums) == pytest.approx(P_CONVERSION, abs=1e-12)


def test_shapley_to_all_digits() -> None:
    """Section 4.5: the closed form."""
    answer = ask(pathdata(), "shapley")
    assert conversions_of(answer) == pytest.approx(column(SHAPLEY, 0), abs=5.1e-7)
    assert numbers(answer, "value") == pytest.approx(column(SHAPLEY, 1), abs=5.1e-7)


def test_the_rate_game_to_all_digits() -> None:
    """Section 4.5: values and what they come to of all conversions."""
    answer = ask(pathdata(), "shapley-rate")
    assert numbers(answer, "phi") == pytest.approx(column(SHAPLEY, 2), abs=5.1e-9)
    assert conversions_of(answer) == pytest.approx(column(SHAPLEY, 3), abs=5.1e-5)


def test_shapley_values_of_the_game_of_exact_sets() -> None:
    """Section 4.5, last column: another game, the same formula."""
    model = rate_game(pathdata())
    assert isinstance(model, RateGame)
    conversions, _, journeys = sums_of(model, measures_of(pathdata()))
    worth = np.zeros(2**12)
    worth[model.coalitions] = conversions / journeys
    values = dict(zip(pathdata().channels, shapley_values(worth).tolist(), strict=True))
    assert values == pytest.approx(column(SHAPLEY, 4), abs=5.1e-9)


@pytest.mark.parametrize("model", ["markov", "shapley", "linear"])
def test_rare_channels_are_marked_and_have_wide_intervals(model: str) -> None:
    """Delta and mi have 7 conversions or fewer: an interval, never a bare number."""
    (answer,) = attribute(pathdata(), [model])
    rare = {one.channel: one for one in answer.channels if one.is_rare}
    assert rare.keys() == {"delta", "mi"}
    for one in rare.values():
        assert one.low is not None
        assert one.high is not None
        assert one.high - one.low > one.conversions


def test_the_order_is_chosen_by_what_was_held_out() -> None:
    """Section 5: a peer suggests order 4 too; of orders 1 to 4 the fourth foretells best here."""
    scores = score_orders(pathdata())
    assert [score.order for score in scores] == [1, 2, 3, 4]
    answer = ask(pathdata(), "markov", order="auto")
    assert answer.definition.parameters["order"] == 4
    assert answer.definition.parameters["orders"] == scores
