"""Does what a members experiment is asked for: fits that are kept are read, the others done and kept one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from climbench.errors import RunError
from climbench.experiments import kept_results
from climbench.experiments.kept_results import Kept
from climbench.experiments.member_tables import Grid
from climbench.experiments.members_request import Asked
from climbench.experiments.sampler import member_subsets, memberseeds
from climbench.experiments.subset_runs import (
    Bench,
    Piece,
    Setting,
    emulate,
    emulate_in_closed_form,
    has_closed_form,
    work_on,
)
from climbench.experiments.truth import NAME as TRUTH
from climbench.progress import Progress

if TYPE_CHECKING:
    from distributed import Client

IN_PROCESS = "threads"


@dataclass
class Work:
    """The fits of an experiment: those that are kept are read, the others done and kept."""

    on: Bench
    setting: Setting
    identity: str
    asked: Asked
    folder: Path
    seed: int
    progress: Progress

    def do(self, scheduler: str | None) -> Grid:
        """Do everything that is asked for and not kept yet, and return all of it."""
        pieces = self._pieces()
        missing = [p for p in pieces if self._kept(p) is None]
        self._closed_forms([p for p in missing if has_closed_form(p.card, p.preset)])
        rest = [p for p in missing if not has_closed_form(p.card, p.preset)]
        if rest:
            with _client(scheduler) as client:
                if client is None:
                    self._in_process(rest)
                else:
                    self._on_cluster(rest, client)
        return self._grid(pieces)

    def _pieces(self) -> list[Piece]:
        """Return all fits, those on the same members together."""
        all_members = self.on.ensemble.members
        seeds = memberseeds(max(self.asked.draws.values()))
        return [
            Piece(card, self.asked.preset, subsets[size - 1], memberseed, self.seed + draw)
            for draw, memberseed in enumerate(seeds)
            for subsets in (member_subsets(all_members, memberseed),)
            for size in self.asked.sizes
            for card in self.asked.cards
            if draw < self.asked.draws[card.name]
        ]

    def _path(self, piece: Piece) -> Path:
        name = f"n{piece.size:03d}-memberseed{piece.memberseed}.npz"
        return self.folder / "results" / self.asked.keys[piece.card.name] / name

    def _kept(self, piece: Piece) -> Kept | None:
        return kept_results.load(self._path(piece), list(self.on.frames))

    def _closed_forms(self, pieces: Sequence[Piece]) -> None:
        for card in self.asked.cards:
            own = [p for p in pieces if p.card == card]
            if own:
                self.progress.stage(f"{card.name}: sums over members, then {len(own)} fits in closed form")
                for piece, kept in zip(own, emulate_in_closed_form(self.on, own), strict=True):
                    kept_results.save(kept, self._path(piece))

    def _in_process(self, pieces: Sequence[Piece]) -> None:
        for done, piece in enumerate(pieces):
            what = f"{piece.card.name}, {piece.size} member{'s' if piece.size > 1 else ''}"
            self.progress.step(what, done, len(pieces))
            kept_results.save(emulate(self.on, piece), self._path(piece))

    def _on_cluster(self, pieces: Sequence[Piece], client: Client) -> None:
        from distributed import as_completed

        waiting = {client.submit(work_on, self.setting, self.identity, p, pure=False, retries=2): p for p in pieces}
        try:
            for done, future in enumerate(as_completed(list(waiting))):
                piece = waiting[future]
                kept_results.save(future.result(), self._path(piece))
                self.progress.step(f"{piece.card.name} on the cluster", done + 1, len(pieces))
        finally:
            client.cancel(list(waiting))

    def _grid(self, pieces: Sequence[Piece]) -> Grid:
        """Return everything found, the known forced response last."""
        task, everyone = self.on.opened.task, self.on.ensemble.members
        kept: dict[str, dict[tuple[int, int], Kept]] = {card.name: {} for card in self.asked.cards}
        places = {(p.size, p.memberseed): [everyone.index(m) for m in p.members] for p in pieces}
        for piece in pieces:
            found = self._kept(piece)
            if found is None:
                raise RunError(f"{self._path(piece)} was written and cannot be read. Is the disk failing?")
            kept[piece.card.name][piece.size, piece.memberseed] = found
        if self.on.truth is not None:
            known = Kept({v: f.of_prediction(self.on.truth[v]) for v, f in self.on.frames.items()})
            kept[TRUTH] = dict.fromkeys(places, known)
        return Grid(self.on.frames, {v: task.units(v) for v in self.on.frames}, places, kept)


@contextmanager
def _client(scheduler: str | None) -> Iterator[Client | None]:
    """Give a cluster's client, or None where the work is done in this process."""
    if scheduler == IN_PROCESS:
        yield None
        return
    from climbench.cluster import cluster

    with cluster(scheduler) as client:
        yield client
