"""How far fetching from the recorder is, and when it will be done."""

from energy_server.link.progress import Progress, followed
from energy_server.model.coverage import Span

S = 1_000_000


def test_nothing_to_do_is_no_progress() -> None:
    assert followed(None, [], importing=False, now_us=0) is None


def test_done_of_how_much_at_which_pace() -> None:
    progress = followed(None, [Span(0, 600 * S), Span(0, 400 * S)], importing=False, now_us=0)
    assert progress is not None
    assert (progress.kind, progress.done_s, progress.total_us, progress.eta_s()) == ("backfill", 0, 1_000 * S, None)
    progress.rows = 50
    assert followed(progress, [Span(0, 500 * S)], importing=False, now_us=10 * S) is progress
    assert (progress.done_s, progress.rate_per_s(), progress.eta_s()) == (500, 5.0, 10.0)
    assert progress.span == Span(0, 600 * S)
    assert followed(progress, [], importing=False, now_us=20 * S) is None


def test_what_is_wanted_on_the_way_adds_to_the_total() -> None:
    progress = Progress("first_install", 0)
    progress.update([Span(0, 100 * S)], 0)
    progress.update([Span(0, 40 * S)], S)
    progress.update([Span(0, 40 * S), Span(0, 60 * S)], 2 * S)
    assert (progress.done_s, progress.total_us) == (60, 160 * S)


def test_the_pace_is_that_of_the_last_minute() -> None:
    progress = followed(None, [Span(0, 1_000 * S)], importing=True, now_us=0)
    assert progress is not None
    assert progress.kind == "first_install"
    for second in range(0, 121, 10):
        left = 1_000 - min(second, 60) * 10
        progress.update([Span(0, left * S)], second * S)
    assert progress.eta_s() is None, "nothing came for a minute"
