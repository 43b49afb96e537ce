"""How a pinned model is run, as its manifest entry says, and a name for the embedding space that this gives.

An entry has one set of files and, under `graphs`, a way to run them for each variant that it
serves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from heimdall.models import receipts
from heimdall.models.locate import locate
from heimdall.models.package import heimdall

_OTHER_PRECISION = ("coreml",)
"""Devices that compute in half precision."""


class Graph(NamedTuple):
    """A graph over a model's files.

    Attributes:
        path: of the ONNX file, relative to the set's directory.
        devices: those of `core.config.DEVICES` that it is for; empty: all.
        computes_weights: whether it makes what it multiplies with out of what is stored, when it is
            loaded.
        least_cosine: of its vectors with those of the original weights; None: equal to within
            rounding in float32.
        same_vectors_as: sha256 of the earlier file whose vectors it gives, with other outputs
            beside; None: of none.
        stands_in_for: the variant with whose vectors its own are compared, and in whose place it
            embeds single texts more quickly, where nearness does; None: none.
        bulk_on: features of processors on which it does so with many texts, too; one suffices.
    """

    path: str
    devices: tuple[str, ...] = ()
    computes_weights: bool = False
    least_cosine: float | None = None
    same_vectors_as: str | None = None
    stands_in_for: str | None = None
    bulk_on: tuple[str, ...] = ()


class PinnedVariant(NamedTuple):
    """A model in one variant, as the manifest has it.

    Attributes:
        variant: its name.
        entry: the entry that serves it, plain JSON.
        pins: sha256 and size of each of its files, by path.
        graphs: the entry's graphs, by variant; empty where it does not say.
    """

    variant: str
    entry: dict[str, Any]
    pins: dict[str, list[Any]]
    graphs: dict[str, Graph]

    @property
    def graph(self) -> Graph | None:
        """The graph that computes in this variant; None where the manifest does not say."""
        return self.graphs.get(self.variant)

    @property
    def stand_in(self) -> Graph | None:
        """The graph that stands in for this variant's; None where there is none."""
        graphs = self.graphs.values()
        return next((graph for graph in graphs if graph.stands_in_for == self.variant), None)

    def embedding_space(self, device: str, long_texts: str) -> str:
        """A short text that is the same as long as a text gets the same vector, to within rounding in float32.

        A graph that stands in for another is near enough to have that one's space; one that gives an
        earlier one's vectors has that one's. It follows from the digests of the files that have a
        part in it, so no file is read.

        Args:
            device: one of `core.config.DEVICES`. Those that compute in float32 as a CPU does get
                the same space.
            long_texts: one of `core.config.LONG_TEXTS`.
        """
        from hashlib import sha256  # loads OpenSSL, which no start of the engine needs

        # Other variants' graphs have no part in these vectors: a new one must not make them stale.
        variant = (self.graph and self.graph.stands_in_for) or self.variant
        used = self.graphs.get(variant)
        unused = {graph.path for graph in self.graphs.values()} - {used and used.path}
        digests = {path: digest for path, (digest, _) in self.pins.items() if path not in unused}
        if used and used.same_vectors_as:
            digests[used.path] = used.same_vectors_as
        pins = "\n".join(f"{path} {digest}" for path, digest in sorted(digests.items()))
        digest = sha256(pins.encode()).hexdigest()[:16]
        others = [device] * (device in _OTHER_PRECISION) + [long_texts] * (long_texts != "cut")
        return "/".join([self.entry["name"], variant, digest, *others])


def pinned_variant(model: str, variant: str | None) -> PinnedVariant | None:
    """What the installed manifest says of the model in that variant, on this machine.

    Args:
        model: its name.
        variant: None for the one that `$HEIMDALL_MODEL_VARIANT` names, else the default.

    Returns:
        None where no such model is pinned, or where the manifest can't be read: using the model
        tells what is wrong then.
    """
    entry = locate(None, model, variant).entry
    if entry is None:
        return None
    try:
        graphs = {name: _graph(graph) for name, graph in entry.get("graphs", {}).items()}
        return PinnedVariant(heimdall().variant(variant), entry, receipts.pins(entry), graphs)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def pinned_graph(model: str, variant: str | None) -> Graph | None:
    """The graph of `pinned_variant`."""
    pinned = pinned_variant(model, variant)
    return pinned.graph if pinned else None


def _graph(said: dict[str, Any]) -> Graph:
    return Graph(
        said["path"],
        tuple(said.get("devices", ())),
        said.get("computes_weights", False),
        said.get("least_cosine"),
        said.get("same_vectors_as"),
        said.get("stands_in_for"),
        tuple(said.get("bulk_on", ())),
    )
