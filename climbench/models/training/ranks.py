"""Several processes that train one network, each on its share of every batch; gradients are averaged over them.

All ranks go through the same batches in the same order, so that what is learned does not depend on their number but for
round-off. Each reads what it takes its share of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from pytorch_lightning.strategies import DDPStrategy

Batch = dict[str, Any]
SHARE, COUNT = "share", "count"


@dataclass(frozen=True)
class Rank:
    """One of the processes.

    Attributes
    ----------
    number : int
        From 0; rank 0 is the process that the training was asked of, and the only one that writes and tells.
    count : int
        How many there are.
    """

    number: int = 0
    count: int = 1

    def share_of(self, batch: Batch) -> Batch:
        """Return this rank's samples of a batch.

        ``share`` is what their mean loss counts in the mean over ranks, so that it is the mean over samples; ``count``
        is their number. Where there are fewer samples than ranks, some have a sample that counts nothing.
        """
        size = len(batch["time"])
        first, stop = size * self.number // self.count, size * (self.number + 1) // self.count
        part = slice(first, stop) if stop > first else slice(0, 1)
        own = {name: values[part] for name, values in batch.items()}
        return {**own, SHARE: (stop - first) * self.count / size, COUNT: stop - first}

    def summed(self, *values: float) -> list[float]:
        """Return the sums over ranks of some numbers."""
        if self.count == 1:
            return list(values)
        device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
        table = torch.tensor(values, dtype=torch.float64, device=device)
        torch.distributed.all_reduce(table)
        return [float(value) for value in table]

    def trainer_options(self, accelerator: str) -> dict[str, Any]:
        """Return what Lightning's trainer is to be told."""
        if self.count == 1:
            return {"devices": 1}
        strategy = DDPStrategy(cluster_environment=Started(self), process_group_backend=backend(accelerator))
        return {"devices": self.count, "strategy": strategy, "use_distributed_sampler": False}


ALONE = Rank()


def backend(accelerator: str) -> str:
    """Return by what ranks speak to one another on a kind of device."""
    return "nccl" if accelerator == "gpu" else "gloo"


class Started(ClusterEnvironment):
    """Tells Lightning that all processes run and know each other, so that it starts none."""

    def __init__(self, rank: Rank) -> None:
        super().__init__()
        self._rank = rank

    @property
    def creates_processes_externally(self) -> bool:
        """Return that Lightning has no process to start."""
        return True

    @property
    def main_address(self) -> str:
        """Return where rank 0 is."""
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        """Return 0: the processes are connected already."""
        return 0

    @staticmethod
    def detect() -> bool:
        """Return that this is not to be found in a process' environment."""
        return False

    def world_size(self) -> int:
        """Return the number of ranks."""
        return self._rank.count

    def set_world_size(self, size: int) -> None:
        """Keep the number as it is."""

    def global_rank(self) -> int:
        """Return the rank's number."""
        return self._rank.number

    def set_global_rank(self, rank: int) -> None:
        """Keep the number as it is."""

    def local_rank(self) -> int:
        """Return the rank's number: all are on this machine."""
        return self._rank.number

    def node_rank(self) -> int:
        """Return 0: there is one machine."""
        return 0
