"""Training: a linear problem with a known answer, stopping, runaway losses, interruption, and what is left behind."""

from __future__ import annotations

import random
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from climbench.errors import ModelError
from climbench.models.training.fitting import train
from climbench.models.training.losses import mean_square
from climbench.models.training.settings import TrainingSettings
from climbench.models.training.trainer import cores, reproducible

TRUTH = torch.tensor([[2.0, -1.0, 0.5]])


def samples(count=24, seed=0, truth=TRUTH):
    x = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))
    return TensorDataset(x, x @ truth.T)


def linear(seed=0):
    with reproducible(seed):
        return torch.nn.Linear(3, 1, bias=False)


def trained(network, data=None, *, settings=None, **options):
    chosen = {"epochs": 5, "batch_size": 8, "optimiser": "adam", "learning_rate": 0.1, **(settings or {})}
    made = TrainingSettings(**chosen)
    kw = {"loss": mean_square, "validation_loss": mean_square, "seed": 0, "epochs": made.epochs, **options}
    return train(network, data or samples(), made, **kw)


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "rmsprop"])
def test_a_linear_problem_is_learned_to_its_answer(optimiser):
    network = linear()
    trained(network, settings={"optimiser": optimiser, "epochs": 80, "schedule": "cosine"})
    torch.testing.assert_close(network.weight.detach(), TRUTH, atol=2e-3, rtol=0.0)


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones():
    weights = []
    for seed in (3, 3, 4):
        network = linear()
        trained(network, seed=seed)
        weights.append(network.weight.detach().numpy().tobytes())
    assert weights[0] == weights[1] != weights[2]


def test_the_validation_loss_is_that_over_all_windows_however_batches_fall():
    network, held = linear(), samples(11, seed=9)
    result = trained(network, validation=held, epochs=2)
    assert len(result.curve) == 2
    with torch.no_grad():
        by_hand = ((network(held.tensors[0]) - held.tensors[1]) ** 2).mean().item()
    assert result.curve[-1] == pytest.approx(by_hand, rel=1e-5)


def test_validation_that_gets_worse_stops_training_and_the_best_weights_are_kept():
    """Validation wants the opposite of training: the first epoch is the best."""
    network, held = linear(), samples(8, seed=5, truth=-TRUTH)
    result = trained(network, validation=held, stop_early=True, epochs=20, settings={"patience": 3})
    assert result.epochs == 1
    assert len(result.curve) == 4
    with torch.no_grad():
        kept = mean_square(network(held.tensors[0]), held.tensors[1]).item()
    assert kept == pytest.approx(result.curve[0], rel=1e-5)


def test_without_patience_validation_decides_nothing():
    held = samples(8, seed=5, truth=-TRUTH)
    result = trained(linear(), validation=held, stop_early=True, epochs=6, settings={"patience": None})
    assert (result.epochs, len(result.curve)) == (6, 6)


def test_training_that_runs_away_is_said_so():
    with pytest.raises(ModelError, match=r"Training diverged in epoch \d+: .*Lower learning_rate \(it is 1e\+30\)"):
        trained(linear(), settings={"learning_rate": 1e30, "epochs": 3})


def test_a_norm_of_the_gradient_can_be_bounded():
    """Adam's first step is as long as the learning rate, unless the gradient is far below its epsilon of 1e-8."""
    steps = []
    for clip in (None, 1e-12):
        network = linear()
        before = network.weight.detach().clone()
        trained(network, epochs=1, settings={"gradient_clip": clip, "batch_size": 24})
        steps.append((network.weight.detach() - before).abs().max().item())
    assert steps[0] == pytest.approx(0.1, rel=1e-3)
    assert steps[1] < 1e-4


def test_embeddings_do_not_decay():
    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.pos_embed = torch.nn.Parameter(torch.ones(1))
            self.other = torch.nn.Parameter(torch.ones(1))

        def forward(self, x):
            return 0.0 * (self.pos_embed + self.other) * x[:, :1]

    network = Two()
    trained(network, epochs=1, settings={"optimiser": "adamw", "weight_decay": 0.5, "batch_size": 24})
    assert network.pos_embed.item() == 1.0
    assert network.other.item() == pytest.approx(1.0 - 0.1 * 0.5)


def test_epochs_are_told():
    told = []
    trained(linear(), epochs=3, progress=told.append)
    assert told == [1, 2, 3]


def test_an_interruption_reaches_the_caller_and_can_be_made_again():
    class Interrupted(torch.nn.Linear):
        def forward(self, _):
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trained(Interrupted(3, 1))
    assert signal.getsignal(signal.SIGINT) is before


def test_nothing_is_left_behind(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(7)
    states = torch.random.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    threads = torch.get_num_threads()
    trained(linear(), validation=samples(4))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states[1:]
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(("asked", "cores", "taken"), [(1, 4, 1), (3, 4, 3), (3, 2, 2), (None, 2, 2), (None, 1, 1)])
def test_torch_takes_the_threads_it_is_told_and_no_more_than_there_are_cores(monkeypatch, asked, cores, taken):
    monkeypatch.setattr("climbench.models.training.trainer.cores", lambda: cores)
    before = torch.get_num_threads()
    with reproducible(0, asked):
        assert torch.get_num_threads() == taken
    assert torch.get_num_threads() == before


def test_a_process_may_use_a_core_at_least():
    assert cores() >= 1


def test_threads_that_train_at_once_give_the_bytes_of_one_after_the_other():
    def weights(seed):
        network = linear(seed)
        trained(network, seed=seed)
        return network.weight.detach().numpy().tobytes()

    alone = [weights(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(weights, range(4))) == alone


def test_an_exit_of_the_networks_own_stays_what_it_is():
    class Leaving(torch.nn.Linear):
        def forward(self, _):
            raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        trained(Leaving(3, 1))
