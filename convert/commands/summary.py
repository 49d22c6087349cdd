"""What `python -m convert tflite` says of the file that it made."""

from __future__ import annotations

from pathlib import Path

from convert.card import Card, card_path
from convert.graph import Graph, Tensor
from edge_runtime.illumination import NO_ILLUMINATION

__all__ = ["print_summary"]


def print_summary(out: Path, card: Card, graph: Graph, what: str = "faces") -> None:
    """What was made; `what` calibrated it."""
    print(f"{out}: {card.kind}, {card.size_bytes:,} bytes")
    operators = ", ".join(
        f"{count} {name}" for name, count in sorted(card.operators.items(), key=lambda item: -item[1])
    )
    print(f"  {sum(card.operators.values())} operators: {operators}")
    print(f"  input {_shown(graph.input)}")
    for output in sorted(graph.outputs, key=lambda tensor: [-side for side in tensor.shape]):
        print(f"  output {_shown(output)}")
    if card.kept:
        print(f"  {len(card.kept)} tensors kept in float32")
    if card.calibration is not None:
        table = card.calibration
        print(f"  calibrated on {table['count']} {table['split']} {what} of {table['source']}, seed {table['seed']}")
        if table.get("passed_over"):
            print(f"  {table['passed_over']} training faces passed over: they stand in another split too")
    if card.stability is not None:
        stable = card.stability
        print(f"  other calibration faces: the same answer for {stable['agreement']:.1%} of {stable['faces']} faces")
    if card.illumination != NO_ILLUMINATION:
        print(f"  illumination {card.illumination}, as in training")
    print(f"  card {card_path(out)}")


def _shown(tensor: Tensor) -> str:
    shape = " × ".join(str(side) for side in tensor.shape)
    if tensor.scale == 0:
        return f"{tensor.dtype} {shape}, not quantized"
    return f"{tensor.dtype} {shape}, scale {tensor.scale:.6g}, zero point {tensor.zero_point}"
