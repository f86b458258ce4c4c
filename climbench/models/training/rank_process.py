"""The process of a rank: ``python -m climbench.models.training.rank_process``, with its job on standard input."""

from __future__ import annotations

import pickle
import sys

from torch.distributed import TCPStore  # type: ignore[attr-defined]  # public, and not in its stubs

from climbench.models.training.rank_processes import HOST, READY, connected


def main() -> None:
    """Do what the process that started this one says, connected with it."""
    work, rank, port, kind = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    with connected(rank, TCPStore(HOST, port, rank.count, is_master=False), kind):
        work(rank)


if __name__ == "__main__":
    main()
