"""Moves the point from which an answer over passages is a refusal: the logit of the word that refuses, where such an answer begins, by a constant.

    python calibrate.py --checkpoint FILE --by LOGITS --out FILE [--n 1500] [--seed 5]

It is another prior of refusing (logit adjustment; Menon et al. 2021, arXiv 2007.07314), without training. The head has no bias, so one row of the
embedding changes, that of the word: by the vector v [D] that least squares finds for h·v = LOGITS where an answer over passages begins and h·v = 0
where any other answer begins or an answer goes on (h [D]: hidden states of conversations as training draws them). How far to move it, `dev.py` on the
result says; the tests have no part in it.
"""

import argparse
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer

from conversation import encode_sharing
from data.document_prompt import ABSENT
from mixture import conversation
from model import Starter, checkpoint, read_checkpoint

RIDGE = 5e-2  # of the mean square of a hidden value: a hundredth moves the logits as well, by a vector a third longer


def places(weights, branches):
    """weights and branches of encode_sharing -> (begins, other): the indices of the tokens before the first of each last answer, and before those of all
    answers that are not their first. Where earlier turns begin is in neither, as some of them are over passages too."""
    runs = [i for i in range(1, len(weights)) if weights[i] and (not weights[i - 1] or branches[i] != branches[i - 1])]
    last = {branches[i]: i for i in runs}
    begins = [i - 1 for branch, i in last.items() if branch == branches[-1] or branch]
    return begins, [i - 1 for i in range(1, len(weights)) if weights[i] and i not in runs]


def shift(over_passages, elsewhere, by: float):
    """over_passages [N, D], elsewhere [M, D] -> v [D] with h·v near `by` on the first and near 0 on the others, each side weighing as much as the other."""
    a, b = over_passages.double(), elsewhere.double()
    gram = a.T @ a / len(a) + b.T @ b / len(b)
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    return torch.linalg.solve(gram, by * a.mean(0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--by", type=float, required=True, help="logits; 1 makes a refusal e times as likely beside the rest")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=1500, help="conversations to look at")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    shape, state = read_checkpoint(args.checkpoint)
    model = Starter(shape)
    model.load_state_dict(state)
    tokenizer = Tokenizer.from_file(str(Path(__file__).parent / "tokenizer.json"))
    rng, over_passages, elsewhere = random.Random(args.seed), [], []
    for _ in range(args.n):
        sample = conversation(rng)
        ids, weights, branches = encode_sharing(tokenizer, sample)
        begins, other = places(weights, branches)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            hidden, _ = model(torch.tensor([ids]), torch.tensor([branches]))
        (over_passages if sample.task == "reading" else elsewhere).append(hidden[0, begins].float())
        elsewhere.append(hidden[0, other].float())
    over_passages, elsewhere = torch.cat(over_passages), torch.cat(elsewhere)
    v = shift(over_passages, elsewhere, args.by)
    row = model.embedding.weight.data[tokenizer.encode(ABSENT).ids[0]]
    for name, states in (("over passages", over_passages), ("elsewhere", elsewhere)):
        moved = states.double() @ v
        print(f"{name}: {len(states)} places, logit moved by {moved.mean():.3f} ± {moved.std():.3f}")
    print(f"seed {args.seed}, the row's length {row.norm():.3f}, the change's {v.norm():.3f}")
    row += v
    torch.save(checkpoint(model), args.out)


if __name__ == "__main__":
    main()
