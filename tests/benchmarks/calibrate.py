"""What `release/fast_graph.json` holds, found out anew: `python -m tests.benchmarks.calibrate FILE …`.

Run by a Python that has torch and safetensors, on texts of the kind that the model is used for. Which columns of what GELU gives
are multiplied apart follows from the largest numbers met. Scales and moves of the other columns are learned: in place of
rounding, noise as large as a step is added to inputs and weights, and by its gradient they go where vectors lie nearest to the
exact ones. What only looks at one matrix at a time ("SmoothQuant") leaves half as much error again (docs/quantisation.md).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

_SHARE = 0.7
"""How much of a column's width its scale begins with, instead of in the weights (as SmoothQuant's alpha)."""
_APART = 4
"""Columns of a layer that are multiplied in float32."""
_TOKENS = 1400
"""In a batch, padding included."""
_LEAST_GELU = 0.17
_HEADS = 12
_EPSILON = 1e-12

Batch = tuple[torch.Tensor, torch.Tensor]
"""Token ids and mask, each of shape (texts, tokens)."""
Multiply = Callable[[list[str], torch.Tensor], list[torch.Tensor]]
"""Matrices' prefixes and rows to the products."""


class Model:
    """The encoder in torch, with a choice of how to multiply."""

    def __init__(self, directory: Path) -> None:
        self.weights = load_file(directory / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer" / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(256)
        self.layers = 1 + max(
            int(name.split(".")[2]) for name in self.weights if name.startswith("encoder.layer.")
        )

    def batches(self, texts: Sequence[str]) -> list[Batch]:
        """Texts of like length together, in a random order that is always the same."""
        rows = sorted(
            (encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))), key=len
        )
        batches = []
        while rows:
            count = max(1, _TOKENS // len(rows[-1]))
            rows, taken = rows[:-count], rows[-count:]
            ids = torch.nn.utils.rnn.pad_sequence(
                [torch.tensor(row) for row in taken], batch_first=True
            )
            lengths = torch.tensor([len(row) for row in taken])
            batches.append((ids, (torch.arange(ids.shape[1]) < lengths[:, None]).float()))
        random.Random(5).shuffle(batches)
        return batches

    def embed(self, batch: Batch, multiply: Multiply) -> torch.Tensor:
        """Unit vectors, shape (texts, width)."""
        ids, mask = batch
        tables = {
            kind: self.weights[f"embeddings.{kind}_embeddings.weight"]
            for kind in ("word", "position", "token_type")
        }
        states = tables["word"][ids] + tables["position"][: ids.shape[1]] + tables["token_type"][0]
        states = self._norm("embeddings", states).flatten(0, 1)
        for layer in (f"encoder.layer.{index}" for index in range(self.layers)):
            parts = multiply(
                [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")], states
            )
            query, key, value = (
                part.reshape(*ids.shape, _HEADS, -1).transpose(1, 2) for part in parts
            )
            hidden = ((1 - mask) * -1e9)[:, None, None]
            context = functional.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
            rows = context.transpose(1, 2).flatten(2).flatten(0, 1)
            (attended,) = multiply([f"{layer}.attention.output.dense"], rows)
            states = self._norm(f"{layer}.attention.output", attended + states)
            (raised,) = multiply([f"{layer}.intermediate.dense"], states)
            (lowered,) = multiply([f"{layer}.output.dense"], functional.gelu(raised))
            states = self._norm(f"{layer}.output", lowered + states)
        sums = (states.unflatten(0, ids.shape) * mask[:, :, None]).sum(1)
        return functional.normalize(sums / mask.sum(1, keepdim=True))

    def exact(self, prefixes: list[str], rows: torch.Tensor) -> list[torch.Tensor]:
        """Products in float32."""
        return [functional.linear(rows, *self.matrix(prefix)) for prefix in prefixes]

    def matrix(self, prefix: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias."""
        return self.weights[f"{prefix}.weight"], self.weights[f"{prefix}.bias"]

    def _norm(self, prefix: str, rows: torch.Tensor) -> torch.Tensor:
        scale, shift = self.matrix(f"{prefix}.LayerNorm")
        return functional.layer_norm(rows, scale.shape, scale, shift, _EPSILON)


class Columns:
    """What is measured and learned of columns.

    Attributes:
        logarithms: by group, of the scales, base e.
        moves: by group.
        apart: by matrix.
    """

    def __init__(self, model: Model, batches: Sequence[Batch]) -> None:
        self._model = model
        largest: dict[str, torch.Tensor] = {}
        sums: dict[str, torch.Tensor] = {}
        strongest: dict[str, torch.Tensor] = {}
        count = 0.0

        def look(prefixes: list[str], rows: torch.Tensor) -> list[torch.Tensor]:
            key = group(prefixes[0])
            real = rows[mask.flatten() > 0]
            largest[key] = torch.maximum(largest.get(key, torch.zeros(())), real.abs().amax(0))
            sums[key] = sums.get(key, torch.zeros(())) + real.sum(0)
            strongest[key] = torch.stack(
                [model.matrix(prefix)[0].abs().amax(0) for prefix in prefixes]
            ).amax(0)
            return model.exact(prefixes, rows)

        with torch.no_grad():
            for batch in batches:
                mask = batch[1]
                count += float(mask.sum())
                model.embed(batch, look)
        self.apart = {
            key: sorted(torch.argsort(-numbers * strongest[key])[:_APART].tolist())
            for key, numbers in largest.items()
            if is_after_gelu(key)
        }
        moved = [key for key in largest if key.endswith((".self", ".intermediate.dense"))]
        self.logarithms = {
            key: _SHARE * largest[key].log() - (1 - _SHARE) * strongest[key].log() for key in moved
        }
        self.moves = {key: sums[key] / count for key in moved}
        for parameter in self.parameters():
            parameter.requires_grad_()

    def parameters(self) -> Iterator[torch.Tensor]:
        """What is learned."""
        yield from self.logarithms.values()
        yield from self.moves.values()

    def noisy(self, prefixes: list[str], rows: torch.Tensor) -> list[torch.Tensor]:
        """Products with noise in place of rounding."""
        weights, biases = zip(*map(self._model.matrix, prefixes), strict=True)
        key = group(prefixes[0])
        if key in self.apart:
            kept = torch.ones(rows.shape[1])
            kept[self.apart[key]] = 0
            step = ((rows + _LEAST_GELU) * kept).amax(1, keepdim=True) / 255
            rest = weights[0] * kept
            product = functional.linear(
                with_noise(rows, step * kept), with_noise(rest, weight_step(rest) * kept), biases[0]
            )
            return [product + functional.linear(rows * (1 - kept), weights[0])]
        if key in self.moves:
            scale = (self.logarithms[key] - self.logarithms[key].mean()).exp()
            biases = tuple(
                bias + weight @ self.moves[key]
                for weight, bias in zip(weights, biases, strict=True)
            )
            rows, weights = (
                (rows - self.moves[key]) / scale,
                tuple(weight * scale for weight in weights),
            )
        rows = with_noise(rows, rows.abs().amax(1, keepdim=True) / 127)
        return [
            functional.linear(rows, with_noise(weight, weight_step(weight)), bias)
            for weight, bias in zip(weights, biases, strict=True)
        ]

    def document(self) -> Mapping[str, object]:
        """The content of `fast_graph.json`."""
        quarters = {
            key: 4 * (logarithm - logarithm.mean()) / torch.tensor(2.0).log()
            for key, logarithm in self.logarithms.items()
        }
        return {
            "quarter_octaves": {key: whole(numbers, 31) for key, numbers in quarters.items()},
            "eighths": {key: whole(8 * numbers, 127) for key, numbers in self.moves.items()},
            "apart": self.apart,
        }


def group(prefix: str) -> str:
    """What columns are scaled and moved for, as in release/fast_graph.py."""
    return prefix.rpartition(".")[0] if ".self." in prefix else prefix


def is_after_gelu(prefix: str) -> bool:
    """Whether the matrix is a layer's last one."""
    return prefix.endswith(".output.dense") and ".attention." not in prefix


def with_noise(numbers: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """Numbers as wrong, on the average, as if they were rounded to steps."""
    return numbers + step * (torch.rand_like(numbers) - 0.5)


def weight_step(weight: torch.Tensor) -> torch.Tensor:
    """Each row's step, as in release/fast_graph.py: neither a number nor two neighbours come to more than 127."""
    pairs = weight.unflatten(1, (-1, 2)).sum(2)
    return torch.maximum(weight.abs().amax(1), pairs.abs().amax(1))[:, None] / 127


def whole(numbers: torch.Tensor, most: int) -> str:
    """Whole numbers, none of them larger than `most`."""
    return " ".join(str(int(number)) for number in numbers.detach().round().clamp(-most, most))


def learn(model: Model, columns: Columns, batches: Sequence[Batch], steps: int) -> None:
    """Move the columns' parameters to where the noise does least."""
    logarithms, moves = (
        {"params": [*columns.logarithms.values()], "lr": 0.04},
        {"params": [*columns.moves.values()], "lr": 0.02},
    )
    optimizer = torch.optim.Adam([logarithms, moves], betas=(0.9, 0.98))
    recent: list[float] = []
    for step in range(steps):
        if step == int(steps * 0.6):
            for parameters in optimizer.param_groups:
                parameters["lr"] /= 3
        batch = batches[step % len(batches)]
        with torch.no_grad():
            exact = model.embed(batch, model.exact)
        error = (1 - (model.embed(batch, columns.noisy) * exact).sum(1)).mean()
        optimizer.zero_grad()
        error.log().backward()
        optimizer.step()
        recent.append(error.item())
        if len(recent) == 20:
            click.echo(f"step {step + 1}: mean cosine {1 - sum(recent) / 20:.5f}", err=True)
            recent.clear()


def read_texts(files: Sequence[Path]) -> list[str]:
    """Paragraphs of files, in a random order that is always the same."""
    whole_text = "\n\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    parts = [part.strip() for part in re.split(r"\n\s*\n", whole_text)]
    texts = [part for part in dict.fromkeys(parts) if 20 < len(part) < 3000]
    random.Random(3).shuffle(texts)
    return texts


@click.command()
@click.argument(
    "files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1, required=True
)
@click.option(
    "--steps", type=click.IntRange(1), default=330, show_default=True, help="Batches to learn from."
)
@click.option(
    "--models",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="cognitive_memory/data/models",
    show_default=True,
)
def main(files: tuple[Path, ...], steps: int, models: Path) -> None:
    """Print what the paragraphs of FILES give."""
    torch.manual_seed(1)
    model = Model(models)
    batches = model.batches(read_texts(files))
    columns = Columns(model, batches[:60])
    learn(model, columns, batches, steps)
    click.echo(json.dumps(columns.document(), indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
