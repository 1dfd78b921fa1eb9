"""Gives a checkpoint further groups of attention heads, which change nothing until they are trained (their output weights are 0), and another base of
its rotary positions, which does change something: what the model does is learned again within a million tokens.

    python grow.py --checkpoint RUN/last.pt --out GROWN/last.pt --groups 1 --rope-base 1000000
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from model import Shape, Starter


def grown(shape: Shape, weights: dict, groups: int, rope_base: float):
    """Returns (Shape, state dict)."""
    q_rows, kv_rows = groups * shape.heads // shape.kv_heads * shape.head_width, groups * shape.head_width
    weights, scale = dict(weights), shape.width**-0.5
    for i in range(shape.layers):
        for name, rows in (("q", q_rows), ("k", kv_rows), ("v", kv_rows)):
            old = weights[f"blocks.{i}.attention.{name}.weight"]
            spread = old.std() if name == "v" else scale  # q and k are normalised
            weights[f"blocks.{i}.attention.{name}.weight"] = torch.cat((old, torch.randn(rows, shape.width) * spread))
        output = f"blocks.{i}.attention.o.weight"
        weights[output] = torch.cat((weights[output], torch.zeros(shape.width, q_rows)), 1)
    heads = shape.heads + groups * shape.heads // shape.kv_heads
    return replace(shape, heads=heads, kv_heads=shape.kv_heads + groups, rope_base=rope_base), weights


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--groups", type=int, default=0)
    parser.add_argument("--rope-base", type=float, required=True)
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    saved = torch.load(args.checkpoint, weights_only=True)
    shape, weights = grown(Shape(**json.loads(saved["shape"])), saved["model"], args.groups, args.rope_base)
    Starter(shape).load_state_dict(weights)  # says so where something does not fit
    saved.pop("optimizers", None)  # theirs are of the old shapes
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**saved, "model": weights, "shape": json.dumps(shape.__dict__)}, args.out)
    print(f"{args.out}: {sum(w.numel() for w in weights.values())} parameters, {json.dumps(shape.__dict__)}")


if __name__ == "__main__":
    main()
