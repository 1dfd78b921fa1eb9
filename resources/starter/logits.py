"""Writes PyTorch's logits [n, V] of a checkpoint for a token sequence, raw little-endian f32: what the engine's `cli logits` is compared with.

    python logits.py --checkpoint final.pt --tokens 1,2,3 --out F.f32
"""

import argparse
from pathlib import Path

import torch

from model import Starter, read_checkpoint


def logits(checkpoint: Path, tokens):
    shape, weights = read_checkpoint(checkpoint)
    model = Starter(shape).eval()
    model.load_state_dict(weights)
    with torch.no_grad():
        hidden, _ = model(torch.tensor([tokens]))
        return model.logits(hidden)[0].float().numpy()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    logits(args.checkpoint, [int(t) for t in args.tokens.split(",")]).astype("<f4").tofile(args.out)
