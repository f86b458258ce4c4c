"""Threads of a worker share one bench: it is opened once, and each gets the training data of its own members."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from climbench.experiments.subset_runs import Bench, Setting, bench


class Named:
    """An ensemble whose training data is the name of its members."""

    def training(self, members, inputs, wanted):
        return {"members": members, "inputs": inputs, "wanted": wanted}


class Interrupted(Bench):
    """Whenever something is kept, another thread's turn comes, and it wants the data of member 2."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "_training" and value is not None and value[0][0] == (1,):
            assert self.training((2,), ("CO2",), ("tas",))["members"] == (2,)


def test_each_thread_gets_the_data_of_its_own_members():
    shared = Interrupted(None, Named(), None, None, {})
    assert shared.training((1,), ("CO2",), ("tas",))["members"] == (1,)


def test_what_was_made_last_is_not_made_again():
    shared = Bench(None, Named(), None, None, {})
    first = shared.training((1,), ("CO2",), ("tas",))
    assert shared.training((1,), ("CO2",), ("tas",)) is first
    assert shared.training((2,), ("CO2",), ("tas",)) is not first
    assert shared.training((1,), ("CO2",), ("tas",)) is not first


def test_threads_that_ask_at_once_open_it_once(monkeypatch):
    opened = []

    def slowly(of, leave_out):
        opened.append(of)
        time.sleep(0.05)
        return object()

    monkeypatch.setattr(Setting, "open", lambda self: self.task)
    monkeypatch.setattr(Bench, "of", slowly)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: bench(Setting("a task of this test"), "identity"), range(4)))
    assert opened == ["a task of this test"]
    assert len(set(map(id, found))) == 1
