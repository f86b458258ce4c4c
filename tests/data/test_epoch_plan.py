"""The order of an epoch: every window once, every piece once, the right steps in hand, in memory that does not grow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from climbench.data.epoch_plan import EpochPlan
from climbench.data.window_order import Shard, Track, WindowOrder
from climbench.errors import DataError


def steady(times, offsets, members=1):
    return Track(np.arange(-min(0, *offsets), times - max(0, *offsets)), times, members)


def order(times=400, offsets=(0, 1), **kw):
    given = {"piece": 10, "pieces": 6, "places": 3, "batch_size": 8, "seed": 1, **kw}
    return WindowOrder((steady(times, offsets),), offsets, **given)


def shards(ranks, workers):
    return [Shard(rank, ranks, worker, workers) for rank in range(ranks) for worker in range(workers)]


def carry_out(plan, offsets):
    """Follow a plan with labels in place of fields; return the windows given, the reads made and the most held."""
    slots, windows, reads, most = {}, [], [], 0
    for block in plan.blocks():
        held = [slots[slot] for slot in block.kept.tolist()]
        for read in block.reads:
            assert read.slot == len(held)
            held += [(read.track, time) for time in range(read.start, read.stop)]
            reads.append((read.track, read.start, read.stop))
        assert len(held) == block.size
        slots, most = dict(enumerate(held)), max(most, block.size)
        for track, position, member, steps in zip(
            block.track.tolist(), block.position.tolist(), block.member.tolist(), block.slots.tolist(), strict=True
        ):
            assert [slots[slot] for slot in steps] == [(track, position + offset) for offset in offsets]
            windows.append((track, position, member))
    return windows, reads, most


@st.composite
def orders(draw):
    offsets = tuple(sorted(draw(st.sets(st.integers(-4, 15), min_size=1, max_size=4))))
    tracks = []
    for _ in range(draw(st.integers(1, 3))):
        full = steady(draw(st.integers(30, 150)), offsets, draw(st.integers(1, 3)))
        stay = draw(st.sampled_from([1, 2, 5]))
        starts = full.starts[(full.starts // stay) % draw(st.sampled_from([1, 2, 4])) == 0]
        tracks.append(Track(starts, full.times, full.members))
    return WindowOrder(
        tuple(tracks),
        offsets,
        piece=draw(st.integers(1, 40)),
        pieces=draw(st.integers(1, 8)),
        places=draw(st.integers(1, 8)),
        batch_size=draw(st.integers(2, 9)),
        seed=draw(st.integers(0, 5)),
        shuffle=draw(st.booleans()),
    )


@given(orders(), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3))
def test_every_window_is_given_once_over_all_ranks_and_workers(order, ranks, workers, epoch):
    assume(order.samples >= ranks * order.batch_size)
    given = []
    for shard in shards(ranks, workers):
        plan = EpochPlan(order, epoch, shard)
        windows, _, most = carry_out(plan, order.offsets)
        assert len(windows) == plan.sizes.sum()
        assert most == plan.live_steps
        given += windows
    expected = [
        (number, position, member)
        for number, track in enumerate(order.tracks)
        for position in track.starts.tolist()
        for member in range(track.members)
    ]
    assert sorted(given) == expected


@given(orders(), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3))
def test_a_shard_reads_each_piece_once_and_only_what_its_windows_need(order, ranks, workers, epoch):
    assume(order.samples >= ranks * order.batch_size)
    for shard in shards(ranks, workers):
        windows, reads, _ = carry_out(EpochPlan(order, epoch, shard), order.offsets)
        read = [(track, time) for track, start, stop in reads for time in range(start, stop)]
        assert len(set(read)) == len(read)
        pieces = [(t, p) for t, a, b in reads for p in range(a // order.piece, (b - 1) // order.piece + 1)]
        assert len(set(pieces)) == len(pieces)
        used = {(track, (p + o) // order.piece) for track, p, _ in windows for o in order.offsets}
        assert set(pieces) == used


@given(orders(), st.integers(1, 5), st.integers(1, 3))
def test_all_ranks_give_the_same_number_of_batches_of_nearly_one_size(order, ranks, workers):
    assume(order.samples >= ranks * order.batch_size)
    counts = set()
    for rank in range(ranks):
        sizes = [order.batch_sizes(Shard(rank, ranks, worker, workers)) for worker in range(workers)]
        counts.add(sum(part.size for part in sizes))
        together = np.concatenate(sizes)
        assert together.max() <= order.batch_size
        assert together.min() >= 1
        assert together.max() - together.min() <= 1
    assert counts == {order.batches(ranks)}


@given(orders(), st.integers(0, 3), st.data())
def test_resuming_gives_the_rest_of_the_epoch_and_reads_no_more_than_it_needs(order, epoch, data):
    assume(order.samples >= order.batch_size)
    whole = EpochPlan(order, epoch)
    skip = data.draw(st.integers(0, whole.sizes.size))
    rest = EpochPlan(order, epoch, skip=skip)
    windows, reads, _ = carry_out(rest, order.offsets)
    assert windows == carry_out(whole, order.offsets)[0][int(whole.sizes[:skip].sum()) :]
    assert rest.sizes.tolist() == whole.sizes[skip:].tolist()
    pieces = {(t, p) for t, a, b in reads for p in range(a // order.piece, (b - 1) // order.piece + 1)}
    assert pieces == {(t, (p + o) // order.piece) for t, p, _ in windows for o in order.offsets}


@pytest.mark.parametrize("offsets", [(0, 1), (-1, 0, 1, 2), (0, 20)])
def test_what_is_held_is_bounded_whatever_the_length(offsets):
    span = offsets[-1] - offsets[0]
    for times in (1000, 10_000):
        plan = EpochPlan(order(times, offsets))
        assert 60 <= plan.live_steps <= 6 * 10 + 2 * 3 * span


def test_the_same_seed_gives_the_same_order_and_another_epoch_another():
    windows = [carry_out(EpochPlan(order(seed=seed), epoch), (0, 1))[0] for seed, epoch in ((1, 0), (1, 0), (1, 1))]
    assert windows[0] == windows[1]
    assert windows[0] != windows[2]
    assert carry_out(EpochPlan(order(seed=2)), (0, 1))[0] != windows[0]


def test_which_windows_share_a_block_differs_between_epochs():
    def partners(epoch):
        return {frozenset(zip(b.track, b.position, strict=True)) for b in EpochPlan(order(), epoch).blocks()}

    assert not partners(0) & partners(1)


def test_the_places_that_are_read_first_turn_from_epoch_to_epoch():
    """With borders that stay, only the first 6 of 13 or 14 pieces of each place could be in the first block."""
    first = [next(EpochPlan(order(), epoch).blocks()).reads for epoch in range(20)]
    assert len({piece for reads in first for r in reads for piece in range(r.start // 10, r.stop // 10)}) > 30


def test_without_shuffling_time_goes_forward():
    positions = [position for _, position, _ in carry_out(EpochPlan(order(shuffle=False)), (0, 1))[0]]
    assert positions == list(range(399))


def test_a_block_is_drawn_from_distant_places():
    """Three cursors on 40 pieces: most blocks mix windows that are further apart than a third of the period."""
    blocks = list(EpochPlan(order()).blocks())
    assert np.mean([np.ptp(block.position) > 400 / 3 for block in blocks]) > 0.8


def test_a_block_that_holds_everything_shuffles_completely():
    """The ranks of neighbours in the given order are uncorrelated: |r| < 4 / sqrt(n) for n = 1999."""
    plan = EpochPlan(order(2000, pieces=200))
    positions = np.array([position for _, position, _ in carry_out(plan, (0, 1))[0]])
    assert plan.n_blocks == 1
    assert abs(np.corrcoef(positions[:-1], positions[1:])[0, 1]) < 4 / np.sqrt(positions.size)


def test_a_rank_without_a_sample_is_refused():
    with pytest.raises(DataError, match=r"4 windows.*leave some of the 5 ranks without a sample"):
        order(5, batch_size=1).batches(5)


def test_fewer_windows_than_a_batch_are_refused():
    with pytest.raises(DataError, match=r"The 7 windows.*fewer than one batch of 8; lower"):
        order(8).batches()
    with pytest.raises(DataError, match=r"fewer than one batch of 8 on each of 2 ranks"):
        order(16).batches(2)


def test_batches_of_one_that_ranks_cannot_share_evenly_are_refused_or_left_out():
    uneven = {"times": 12, "batch_size": 1}
    with pytest.raises(DataError, match=r"11 windows.*unequal numbers of batches.*leaves out 1 windows"):
        order(**uneven).batches(2)
    left = set()
    for epoch in range(20):
        plans = [EpochPlan(order(**uneven, drop_uneven=True), epoch, shard) for shard in shards(2, 1)]
        assert [plan.sizes.tolist() for plan in plans] == [[1] * 5] * 2
        given = [position for plan in plans for _, position, _ in carry_out(plan, (0, 1))[0]]
        assert len(set(given)) == len(given) == 10
        left |= set(range(11)) - set(given)
    assert len(left) > 3
