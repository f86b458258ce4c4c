"""Checkpoints in the published layout: what is taken, what is left out and said so, and that nothing in them is run."""

from __future__ import annotations

import os

import pytest
import torch

from climbench.errors import ModelError
from climbench.models.climax import ClimaX
from climbench.models.climax_checkpoint import read_checkpoint
from tests.models import small_climates

WIDTH = 8
SIZES = {"patch": 4, "width": WIDTH, "depth": 1, "heads": 2}


def published(rows=2, seed=1, prefix="net.", var="var"):
    """The tensors of a checkpoint with three variables of its own, as the original names them."""
    drawn = torch.Generator().manual_seed(seed)

    def tensor(*shape):
        return torch.randn(*shape, generator=drawn)

    block = {
        "norm1.weight": (WIDTH,),
        "norm1.bias": (WIDTH,),
        "attn.qkv.weight": (3 * WIDTH, WIDTH),
        "attn.qkv.bias": (3 * WIDTH,),
        "attn.proj.weight": (WIDTH, WIDTH),
        "attn.proj.bias": (WIDTH,),
        "norm2.weight": (WIDTH,),
        "norm2.bias": (WIDTH,),
        "mlp.fc1.weight": (4 * WIDTH, WIDTH),
        "mlp.fc1.bias": (4 * WIDTH,),
        "mlp.fc2.weight": (WIDTH, 4 * WIDTH),
        "mlp.fc2.bias": (WIDTH,),
    }
    shapes = {
        **{f"token_embeds.{n}.proj.weight": (WIDTH, 1, 4, 4) for n in range(3)},
        **{f"token_embeds.{n}.proj.bias": (WIDTH,) for n in range(3)},
        f"{var}_embed": (1, 3, WIDTH),
        f"{var}_query": (1, 1, WIDTH),
        f"{var}_agg.in_proj_weight": (3 * WIDTH, WIDTH),
        f"{var}_agg.in_proj_bias": (3 * WIDTH,),
        f"{var}_agg.out_proj.weight": (WIDTH, WIDTH),
        f"{var}_agg.out_proj.bias": (WIDTH,),
        "pos_embed": (1, 2 * rows * rows, WIDTH),
        "lead_time_embed.weight": (WIDTH, 1),
        "lead_time_embed.bias": (WIDTH,),
        **{f"blocks.0.{name}": shape for name, shape in block.items()},
        **{f"blocks.1.{name}": shape for name, shape in block.items()},
        "norm.weight": (WIDTH,),
        "norm.bias": (WIDTH,),
        "head.0.weight": (WIDTH, WIDTH),
    }
    return {prefix + name: tensor(*shape) for name, shape in shapes.items()}


def started(path):
    emulator = ClimaX(**SIZES, checkpoint=str(path))
    network = emulator.network(small_climates.inputs("ssp126"), 1)
    emulator.start(network)
    return emulator, network.state_dict()


@pytest.mark.parametrize(
    ("prefix", "var", "wrap"),
    [
        ("net.", "var", lambda tensors: {"state_dict": tensors, "epoch": 3, "hyper_parameters": {"lr": 0.1}}),
        ("", "var", lambda tensors: tensors),
        ("net.", "channel", lambda tensors: {"state_dict": tensors}),
    ],
)
def test_tensors_that_fit_are_taken(tmp_path, prefix, var, wrap):
    tensors = published(prefix=prefix, var=var)
    torch.save(wrap(tensors), tmp_path / "climax.ckpt")
    _, state = started(tmp_path / "climax.ckpt")
    for name in ("blocks.0.attn.qkv.weight", "blocks.0.mlp.fc2.bias", "norm.weight"):
        assert torch.equal(state[name], tensors[prefix + name])
    assert torch.equal(state["var_query"], tensors[f"{prefix}{var}_query"])
    assert torch.equal(state["var_agg.in_proj_weight"], tensors[f"{prefix}{var}_agg.in_proj_weight"])


def test_what_does_not_fit_is_said(tmp_path):
    torch.save({"state_dict": published()}, tmp_path / "climax.ckpt")
    emulator, _ = started(tmp_path / "climax.ckpt")
    report = emulator.chosen["checkpoint"]
    patches = [f"token_embeds.{n}.proj.{kind}" for n in range(3) for kind in ("weight", "bias")]
    second = [name.removeprefix("net.") for name in published() if "blocks.1." in name]
    assert report["left_out"] == sorted([*patches, *second, "var_embed", "lead_time_embed.weight", "head.0.weight"])
    assert report["used"] == 1 + 4 + 1 + 12 + 2 + 1 - 1


def test_the_embedding_of_no_lead_time_is_a_part_of_that_of_the_place(tmp_path):
    tensors = published()
    torch.save(tensors, tmp_path / "climax.ckpt")
    _, state = started(tmp_path / "climax.ckpt")
    expected = tensors["net.pos_embed"] + tensors["net.lead_time_embed.bias"]
    torch.testing.assert_close(state["pos_embed"], expected)


def test_places_of_another_grid_are_interpolated(tmp_path):
    """From 1 x 2 patches, whose embeddings are 0 and 1, to 2 x 4: rows alike, between the two linearly."""
    tensors = published(rows=1)
    tensors["net.pos_embed"] = torch.stack([torch.zeros(WIDTH), torch.ones(WIDTH)])[None]
    tensors["net.lead_time_embed.bias"] = torch.zeros(WIDTH)
    torch.save(tensors, tmp_path / "climax.ckpt")
    _, state = started(tmp_path / "climax.ckpt")
    along = torch.tensor([0.0, 0.25, 0.75, 1.0]).repeat(2)
    torch.testing.assert_close(state["pos_embed"][0], along[:, None].expand(8, WIDTH))


class Dangerous:
    def __reduce__(self):
        return os.mkdir, ("was-run",)


def test_nothing_in_a_checkpoint_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": published(), "callbacks": Dangerous()}, tmp_path / "climax.ckpt")
    with pytest.raises(ModelError, match="holds more than tensors and plain content, which is not loaded"):
        read_checkpoint(tmp_path / "climax.ckpt")
    assert not (tmp_path / "was-run").exists()


def test_files_that_are_no_checkpoints(tmp_path):
    with pytest.raises(ModelError, match=r"There is no checkpoint .*gone\.ckpt"):
        read_checkpoint(tmp_path / "gone.ckpt")
    (tmp_path / "text.ckpt").write_text("nonsense")
    with pytest.raises(ModelError, match=r"text\.ckpt (is no checkpoint that torch can read|holds more than tensors)"):
        read_checkpoint(tmp_path / "text.ckpt")
    torch.save({"epoch": 3}, tmp_path / "empty.ckpt")
    with pytest.raises(ModelError, match="holds no tensors by name"):
        read_checkpoint(tmp_path / "empty.ckpt")
    torch.save({"other.weight": torch.zeros(3)}, tmp_path / "other.ckpt")
    with pytest.raises(ModelError, match=r"No tensor of .* fits the network; they are: other\.weight\."):
        started(tmp_path / "other.ckpt")


def test_a_fitted_emulator_is_loaded_without_the_checkpoint(tmp_path):
    torch.save(published(), tmp_path / "climax.ckpt")
    emulator = ClimaX(**SIZES, checkpoint=str(tmp_path / "climax.ckpt"), epochs=1)
    emulator.fit(small_climates.training(), seed=0)
    assert emulator.chosen["checkpoint"]["used"] == 20
    emulator.save(tmp_path / "fitted")
    (tmp_path / "climax.ckpt").unlink()
    forcing = small_climates.inputs("ssp245")
    loaded = ClimaX.load(tmp_path / "fitted")
    assert loaded.predict(forcing, seed=0).identical(emulator.predict(forcing, seed=0))
