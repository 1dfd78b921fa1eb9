"""The mean of the weights of several checkpoints of one training (model soups; Wortsman et al. 2022, arXiv 2203.05482). A stretch begins by raising the
rate, which costs what was learned; where it ends another mixture has left another trace. Their mean is better than each at what the other lost.

    python average.py CHECKPOINT CHECKPOINT… --out FILE   (one that is given twice counts twice)

Writes a checkpoint without optimizer states, of `model` and `shape` only: for export.py and dev.py; `train.py --resume` goes on from what import_gguf.py makes of the export.
"""

import argparse
import json
from pathlib import Path

import torch

from model import Starter, checkpoint, read_checkpoint


def mean(several):
    """`several`: state dicts of equal names and shapes. The mean is summed in f64."""
    return {name: sum(weights[name].double() for weights in several).div(len(several)).to(first.dtype) for name, first in several[0].items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    read = [read_checkpoint(path) for path in args.checkpoints]
    shape = read[0][0]
    for path, (other, _) in zip(args.checkpoints, read):
        if other != shape:
            raise SystemExit(f"{path} is of another shape than {args.checkpoints[0]}: {json.dumps(other.__dict__)}, {json.dumps(shape.__dict__)}")
    model = Starter(shape)
    model.load_state_dict(mean([weights for _, weights in read]))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(checkpoint(model), args.out)


if __name__ == "__main__":
    main()
