"""Statistics beside the libraries everybody knows: the same numbers to 1e-6, on Hillstrom and on random data.

`make peers-test` runs this where they are installed; none of them is a dependency of ours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sojourn.analytics.experiments.samples import Sample, apart, foretold
from sojourn.analytics.statistics.cuped import adjusted
from sojourn.analytics.statistics.distributions import (
    chi_square_tail,
    normal_quantile,
    normal_tail,
    t_quantile,
    t_tail,
)
from sojourn.analytics.statistics.fixed import welch
from sojourn.analytics.statistics.heterogeneity import interaction
from sojourn.analytics.statistics.interval import contrast
from sojourn.analytics.statistics.mismatch import chi_square_p, sequential_p
from sojourn.analytics.statistics.moments import joint_of, moments_of
from sojourn.analytics.statistics.multiplicity import benjamini_hochberg, holm
from sojourn.analytics.statistics.power import people_needed, power_of
from sojourn.analytics.statistics.ratio import ratio_moments
from sojourn.analytics.statistics.sequential import always_valid_p, confidence_sequence
from tests.analytics.making import shared

scipy_stats = pytest.importorskip("scipy.stats", reason="`make peers-test` makes an environment that has it")
pytest.importorskip("gbstats", reason="`make peers-test` makes an environment that has it")

SEEDS = range(20)


def close(expected: float) -> Any:
    """Compare as the plan asks: to 1e-6, of a small number relative to it."""
    return pytest.approx(float(expected), rel=1e-6, abs=1e-6)


def arms(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw two arms: shares, skewed amounts and counts, of unlike sizes and spreads."""
    random = np.random.default_rng(seed)
    n, m = random.integers(5, 3_000, 2)
    kind = seed % 3
    if kind == 0:
        return random.binomial(1, 0.3, n) * 1.0, random.binomial(1, 0.25, m) * 1.0
    if kind == 1:
        return random.lognormal(0.1, 1.2, n), random.lognormal(0.0, 0.7, m)
    return random.poisson(2.2, n) * 1.0, random.poisson(2.0, m) * 1.0


def hillstrom(arm: str, column: str) -> NDArray[np.float64]:
    """Read one arm of the e-mail experiment."""
    import duckdb

    path = shared("hillstrom/hillstrom.csv")
    rows = duckdb.execute(f"select {column}::double as x from '{path}' where segment = ?", [arm])
    return np.asarray(rows.fetchnumpy()["x"])


PAIRS: list[Any] = [
    *SEEDS,
    *((arm, metric) for arm in ("Mens", "Womens") for metric in ("visit", "conversion", "spend")),
]


def pair(which: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (treated, control): drawn, or of Hillstrom."""
    if isinstance(which, int):
        return arms(which)
    arm, metric = which
    return hillstrom(f"{arm} E-Mail", metric), hillstrom("No E-Mail", metric)


@pytest.mark.parametrize("df", [1, 2.5, 7, 30.3, 400, 42_000.7, 3e6])
def test_distributions_are_scipys(df: float) -> None:
    """Tails and quantiles, far out, too."""
    for x in (-3.0, -0.2, 0.0, 0.4, 1.0, 1.96, 5.0, 12.0):
        assert t_tail(x, df) == pytest.approx(scipy_stats.t.sf(x, df), rel=1e-8)
        assert normal_tail(x) == pytest.approx(scipy_stats.norm.sf(x), rel=1e-12)
        assert chi_square_tail(abs(x) * df, df) == pytest.approx(
            scipy_stats.chi2.sf(abs(x) * df, df), rel=1e-7, abs=1e-200
        )
    for share in (0.0001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.99999):
        assert t_quantile(share, df) == pytest.approx(scipy_stats.t.ppf(share, df), rel=1e-7, abs=1e-9)
        assert normal_quantile(share) == pytest.approx(scipy_stats.norm.ppf(share), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("which", PAIRS)
def test_welch_is_scipys(which: Any) -> None:
    """Estimate, standard error, interval, p."""
    a, b = pair(which)
    expected = scipy_stats.ttest_ind(a, b, equal_var=False)
    low, high = expected.confidence_interval(0.95)
    found = welch(moments_of(a), moments_of(b))
    assert (found.estimate, found.low, found.high) == (close(a.mean() - b.mean()), close(low), close(high))
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("which", PAIRS)
def test_fixed_and_always_valid_intervals_are_those_of_growthbook(which: Any, *, relative: bool) -> None:
    """As a difference, and as a share of the control's mean."""
    from gbstats.frequentist.tests import (
        FrequentistConfig,
        SequentialConfig,
        SequentialTwoSidedTTest,
        TwoSidedTTest,
    )
    from gbstats.models.statistics import SampleMeanStatistic

    a, b = pair(which)
    control, treated = (SampleMeanStatistic(n=len(x), sum=x.sum(), sum_squares=(x**2).sum()) for x in (b, a))
    kind = "relative" if relative else "absolute"
    fixed = TwoSidedTTest(control, treated, FrequentistConfig(difference_type=kind)).compute_result()
    found = welch(moments_of(a), moments_of(b), relative=relative)
    assert [found.estimate, found.low, found.high] == [close(x) for x in (fixed.expected, *fixed.ci)]
    for tuning in (500, 5_000):
        config = SequentialConfig(difference_type=kind, sequential_tuning_parameter=tuning)
        wanted = SequentialTwoSidedTTest(control, treated, config).compute_result()
        ours = confidence_sequence(moments_of(a), moments_of(b), 0.05, tuning, relative=relative)
        assert [ours.low, ours.high, ours.p] == [close(x) for x in (*wanted.ci, wanted.p_value)]
        if not relative:
            assert always_valid_p(moments_of(a), moments_of(b), 0.05, tuning) == close(wanted.p_value)


def frame(treated: NDArray[Any], control: NDArray[Any], **more: tuple[NDArray[Any], NDArray[Any]]) -> Any:
    """Put two arms into a frame, as tea-tasting reads it."""
    import pandas

    columns = {name: np.concatenate([b, a]) for name, (a, b) in {"y": (treated, control), **more}.items()}
    variant = np.repeat([0, 1], [len(control), len(treated)])
    return pandas.DataFrame({"variant": variant, **columns})


def with_past(seed: int) -> tuple[NDArray[np.float64], ...]:
    """Draw (treated, control, treated's past, control's past), past and outcome related."""
    random = np.random.default_rng(seed)
    n, m = random.integers(50, 3_000, 2)
    love = random.gamma(2, 1, n), random.gamma(2, 1, m)
    return (
        random.poisson(love[0] * 1.1) * 1.0, random.poisson(love[1]) * 1.0,
        random.poisson(love[0]) * 1.0, random.poisson(love[1]) * 1.0,
    )  # fmt: skip


def pasts(which: Any) -> tuple[NDArray[np.float64], ...]:
    """Draw, or take Hillstrom with the money spent in the year before."""
    if isinstance(which, int):
        return with_past(which)
    arm, _ = which
    past = hillstrom(f"{arm} E-Mail", "history"), hillstrom("No E-Mail", "history")
    return (*pair(which), *past)


@pytest.mark.parametrize("which", PAIRS)
def test_cuped_is_that_of_tea_tasting(which: Any) -> None:
    """The difference, its interval and its p after the past is taken out."""
    import tea_tasting

    a, b, past_a, past_b = pasts(which)
    data = frame(a, b, x=(past_a, past_b))
    wanted = tea_tasting.Experiment(y=tea_tasting.Mean("y", "x", use_t=True)).analyze(data)["y"]
    one, other, _ = adjusted(joint_of(a, past_a), joint_of(b, past_b))
    found = welch(one, other)
    assert found.estimate == close(wanted.effect_size)
    assert [found.low, found.high] == [close(wanted.effect_size_ci_lower), close(wanted.effect_size_ci_upper)]
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_cuped_is_that_of_growthbook(seed: int) -> None:
    """Theta over both arms, and each arm's variance."""
    from gbstats.models.statistics import (
        RegressionAdjustedStatistic,
        SampleMeanStatistic,
        compute_theta,
    )

    a, b, past_a, past_b = with_past(seed)

    def statistic(y: NDArray[Any], x: NDArray[Any], theta: float = 0.0) -> Any:
        post, pre = (SampleMeanStatistic(n=len(v), sum=v.sum(), sum_squares=(v**2).sum()) for v in (y, x))
        return RegressionAdjustedStatistic(
            n=len(y),
            post_statistic=post,
            pre_statistic=pre,
            post_pre_sum_of_products=float(x @ y),
            theta=theta,
        )

    wanted = compute_theta(statistic(b, past_b), statistic(a, past_a))
    one, other, theta = adjusted(joint_of(a, past_a), joint_of(b, past_b))
    assert theta == close(wanted)
    assert one.variance == close(statistic(a, past_a, wanted).variance)
    assert other.variance == close(statistic(b, past_b, wanted).variance)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ratio_is_that_of_tea_tasting(seed: int) -> None:
    """By moments, and by each person's part in its error, which is how reports have it."""
    import tea_tasting

    random = np.random.default_rng(seed)
    n, m = random.integers(20, 2_000, 2)
    orders = random.poisson(2, n) + 1.0, random.poisson(2.1, m) + 1.0
    money = tuple(each * random.gamma(2, 10, len(each)) for each in orders)
    data = frame(money[0], money[1], orders=orders)
    metric = tea_tasting.RatioOfMeans("y", "orders", use_t=True)
    wanted = tea_tasting.Experiment(r=metric).analyze(data)["r"]
    found = welch(*(ratio_moments(joint_of(y, x)) for y, x in zip(money, orders, strict=True)))
    assert found.estimate == close(wanted.effect_size)
    assert [found.low, found.high] == [close(wanted.effect_size_ci_lower), close(wanted.effect_size_ci_upper)]
    reported = apart(Sample(money[0], orders[0]), Sample(money[1], orders[1]))
    assert reported.variance**0.5 == close(found.standard_error)


@pytest.mark.parametrize("counts", [(21_306, 21_307, 21_387), (5_000, 5_201), (10, 12, 40, 3)])
def test_the_check_of_sample_ratios_is_chi_square(counts: tuple[int, ...]) -> None:
    """For one look."""
    shares = np.arange(1, len(counts) + 1) / sum(range(1, len(counts) + 1))
    assert chi_square_p(counts, [1.0] * len(counts)) == close(scipy_stats.chisquare(counts).pvalue)
    wanted = scipy_stats.chisquare(counts, shares * sum(counts)).pvalue
    assert chi_square_p(counts, shares.tolist()) == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_the_sequential_check_is_the_multinomial_bayes_factor() -> None:
    """Dirichlet-multinomial against multinomial, by scipy's own laws."""
    counts, shares = [480, 550, 970], np.array([0.25, 0.25, 0.5])
    n = sum(counts)
    other = scipy_stats.dirichlet_multinomial(100 * shares, n).logpmf(counts)
    same = scipy_stats.multinomial(n, shares).logpmf(counts)
    assert sequential_p(counts, shares.tolist()) == close(min(1.0, float(np.exp(same - other))))


@pytest.mark.parametrize("seed", SEEDS)
def test_corrections_are_those_of_statsmodels(seed: int) -> None:
    """Benjamini-Hochberg and Holm."""
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(seed).uniform(0, 1, seed + 1) ** 3
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


@pytest.mark.parametrize("effect", [0.2, 0.5, 1.2])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_power_is_that_of_statsmodels(effect: float, ratio: float) -> None:
    """Of t with equal deviations, and of z."""
    from statsmodels.stats.power import NormalIndPower, TTestIndPower

    for n in (12, 40, 333):
        z = NormalIndPower().power(effect, n, 0.05, ratio)
        assert power_of(effect, (1, 1), (n, n * ratio), law="normal") == close(z)
        if ratio == 1.0:  # with other sizes Welch's degrees of freedom are not Student's
            assert power_of(effect, (1, 1), (n, n)) == close(TTestIndPower().power(effect, n, 0.05))
    if ratio == 1.0:
        wanted = TTestIndPower().solve_power(effect, power=0.8, alpha=0.05)
        assert people_needed(effect, (1, 1))[0] == int(np.ceil(wanted))


@pytest.mark.parametrize("seed", SEEDS)
def test_heterogeneity_is_cochrans_q_of_statsmodels(seed: int) -> None:
    """Over the effects of groups."""
    from statsmodels.stats.meta_analysis import combine_effects

    groups = [contrast(*(moments_of(x) for x in arms(seed * 10 + i))) for i in range(2, 6)]
    wanted = combine_effects(
        *(np.array(x) for x in zip(*((g.estimate, g.variance) for g in groups), strict=True))
    )
    found = interaction(groups, alpha=0.05, tuning=5_000)
    assert (found.statistic, found.df) == (close(wanted.q), 3)
    assert found.p == close(wanted.test_homogeneity().pvalue)


def test_time_to_an_event_is_lifelines_restricted_mean() -> None:
    """Where all were seen for the whole window, the mean of min(time, window) is the area under the curve."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    random = np.random.default_rng(4)
    times = random.exponential(9.0, 500)
    seen = np.minimum(times, 7.0)
    curve = KaplanMeierFitter().fit(seen, times <= 7.0)
    assert moments_of(seen).mean == close(restricted_mean_survival_time(curve, t=7.0))


def test_a_report_takes_out_what_cuped_takes_out() -> None:
    """The samples of a report, and the moments, are two ways to one number."""
    a, b, past_a, past_b = with_past(1)
    treated, control = Sample(a, covariate=past_a), Sample(b, covariate=past_b)
    theta, centre = foretold(treated, control)
    one, other, _ = adjusted(joint_of(a, past_a), joint_of(b, past_b))
    found = apart(treated, control, theta=theta, centre=centre)
    assert (found.estimate, found.variance) == (
        close(one.mean - other.mean),
        close(contrast(one, other).variance),
    )
