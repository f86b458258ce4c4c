"""Loaders give epochs, resume in the middle of one, and share the work among processes."""

from __future__ import annotations

import pickle

import pytest

pytest.importorskip("torch", reason="streaming needs the extra 'models'")

import torch

from climbench.data.splits import Split
from climbench.data.streaming import StreamLoader, WindowStream
from climbench.errors import DataError
from tests.data.streamed import PARTS, fields, given, open_lazily, seconds, write

MEMORY = 60_000


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("stores") / "plain.zarr"
    write(path, fields())
    return path


def loader(path, *, num_workers=0, **kw):
    settings = {"batch_size": 8, "memory": MEMORY, **kw}
    return StreamLoader(WindowStream(open_lazily(path), PARTS, Split("x"), **settings), num_workers=num_workers)


def test_each_pass_is_an_epoch_of_its_own(path):
    one, same = loader(path), loader(path)
    epochs = [given(one) for _ in range(3)]
    times = [(0, 0, time) for time in seconds(open_lazily(path))[1:-1]]
    assert [sorted(epoch) for epoch in epochs] == [times] * 3
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert epochs == [given(same) for _ in range(3)]
    assert len(one) == len(list(one)) == 25


def test_asking_for_an_iterator_and_not_using_it_changes_nothing(path):
    one = loader(path)
    iter(one)
    iter(one)
    assert given(one) == given(loader(path))


def test_a_pass_that_is_broken_off_is_followed_by_the_next_epoch(path):
    one, whole = loader(path), loader(path)
    for _ in zip(range(3), one, strict=False):
        pass
    given(whole)
    assert given(one) == given(whole)


@pytest.mark.parametrize("batches", [0, 1, 10, 24, 25, 30])
def test_a_state_is_gone_on_from(path, batches):
    """30 batches are 5 into the second epoch; 25 are its beginning."""
    before, whole = loader(path), loader(path)
    expected = [sample for _ in range(2) for sample in given(whole)]
    seen = []
    for _ in range(2):
        for batch in before:
            if len(seen) == batches:
                break
            seen.append(batch)
            state = before.state_dict()
    after = loader(path)
    if seen:
        after.load_state_dict(pickle.loads(pickle.dumps(state)))
    rest = [sample for _ in range(2 if batches < 25 else 1) for sample in given(after)]
    assert given(seen) + rest == expected


def test_a_state_of_another_order_is_refused(path):
    state = loader(path, seed=1).state_dict()
    with pytest.raises(DataError, match="saved with seed=1, and this loader has seed=0"):
        loader(path).load_state_dict(state)
    with pytest.raises(DataError, match="num_workers=0, and this loader has num_workers=2"):
        loader(path, num_workers=2).load_state_dict(loader(path).state_dict())


def test_all_ranks_have_one_state(path):
    ranks = [loader(path, rank=rank, ranks=2) for rank in range(2)]
    for rank in ranks:
        next(iter(rank))
    assert ranks[0].state_dict() == ranks[1].state_dict()


def test_worker_processes_share_an_epoch_and_go_on_from_a_state(path):
    """Both of two workers read; what they give is what a single process gives for the same shards."""
    one = loader(path, num_workers=2, static=["orography"])
    first = list(one)
    assert sorted(given(first)) == [(0, 0, time) for time in seconds(open_lazily(path))[1:-1]]
    assert len(first) == len(one) == 25
    second = list(one)
    assert sorted(given(second)) == sorted(given(first)) != given(second) != given(first)
    again = loader(path, num_workers=2, static=["orography"])
    again.load_state_dict({**one.state_dict(), "epoch": 0, "batches": 7})
    rest = list(again)
    assert len(rest) == 18
    for expected, batch in zip(first[7:], rest, strict=True):
        assert all(torch.equal(expected[name], batch[name]) for name in expected)
    assert given(again) == given(second)


def test_an_error_in_a_worker_arrives(path, tmp_path):
    data = fields()
    data["t"][{"time": 100}] = float("nan")
    broken = StreamLoader(
        WindowStream(write(tmp_path / "nan.zarr", data), PARTS, Split("x"), batch_size=8, memory=MEMORY), num_workers=1
    )
    with pytest.raises(DataError, match="'t' has 12 NaN at 2001-01-26"):
        list(broken)


def test_more_workers_than_the_memory_allows_are_refused_at_once(path):
    with pytest.raises(DataError, match="for 8 workers"):
        loader(path, num_workers=8, memory=30_000)
    with pytest.raises(DataError, match="number of workers is -1"):
        loader(path, num_workers=-1)


def test_more_workers_than_batches_are_no_harm(path):
    one = loader(path, batch_size=198, num_workers=2, memory=2**20)
    assert len(one) == len(list(one)) == 1


def test_batches_are_pinned_where_asked_for(path):
    if not torch.cuda.is_available():
        pytest.skip("page-locked memory needs a CUDA device")
    stream = WindowStream(open_lazily(path), PARTS, Split("x"), batch_size=8, static=["orography"])
    for num_workers in (0, 1):
        batch = next(iter(StreamLoader(stream, num_workers=num_workers)))
        assert batch["inputs"].is_pinned()
