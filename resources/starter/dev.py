"""Greedy answers of a checkpoint that are right word for word, by task and kind, on conversations of a seed that training did not draw.

    python dev.py --checkpoint FILE [--n 200] [--seed 99]

The phrasings are those of training: this says whether a task is learned, not how it carries over (tests/starter/evaluate.ts says that), but for the domains of
passages that were kept back for it (reading_domains.KEPT_BACK), full passages of which come last: choose by those, and leave the held-out sets for the end. It is
cheap because an answer is right exactly if every token of it is the likeliest behind the right ones: one run, no generation."""

import argparse
import random
from collections import defaultdict
from pathlib import Path

import torch
from tokenizers import Tokenizer

from conversation import encode_sharing
from data import reading, reading_domains as R
from data.document_prompt import DOCUMENT_SYSTEM_PROMPT
from mixture import GENERATORS
from model import Starter, read_checkpoint


def right(model, tokenizer, samples, batch_tokens: int = 8192):
    """Yields (sample, last turn, whether its answer is right) for each question of each sample."""
    encoded = sorted(((*encode_sharing(tokenizer, s), s) for s in samples), key=lambda e: len(e[0]))
    while encoded:
        width = len(encoded[0][0])
        part = encoded[: max(1, batch_tokens // (2 * width))]
        encoded = encoded[len(part) :]
        width = max(len(e[0]) for e in part)
        ids, weights, branches = (torch.tensor([e[k] + [0] * (width - len(e[0])) for e in part]) for k in range(3))
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            hidden, _ = model(ids, branches)
            best = model.logits(hidden).argmax(-1)
        wrong = (best[:, :-1] != ids[:, 1:]) & (weights[:, 1:] > 0)
        for row, (*_, sample) in enumerate(part):
            for number, last in enumerate(sample.endings, 1 if sample.instead else 0):
                yield sample, last, not wrong[row][branches[row, 1:] == number].any()


def generate_kept_back(rng):
    sample = reading.generate(rng, R.KEPT_BACK)
    sample.system = DOCUMENT_SYSTEM_PROMPT
    return sample


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=99)
    args = parser.parse_args()
    torch.set_num_threads(1)
    shape, state = read_checkpoint(args.checkpoint)
    model = Starter(shape)
    model.load_state_dict(state)
    tokenizer = Tokenizer.from_file(str(Path(__file__).parent / "tokenizer.json"))
    rng, count = random.Random(args.seed), defaultdict(lambda: [0, 0])
    print(f"seed {args.seed}")
    for task, generate in GENERATORS.items():
        for simple in (1.0, 0.0) if task == "reading" else (None,):
            reading.SIMPLE_SHARE = reading.SIMPLE_SHARE if simple is None else simple
            for sample, last, ok in right(model, tokenizer, [generate(rng) for _ in range(args.n)]):
                kind = sample.facts.get("kind", "") if task in ("arithmetic", "refusal") else ""
                if task == "reading":
                    kind = f"{'short' if simple else 'long'}, {'absent' if last.answer == reading.ABSENT else 'present'}"
                count[f"{task} {kind}".strip()][0] += ok
                count[f"{task} {kind}".strip()][1] += 1
    reading.SIMPLE_SHARE = 0.0
    R.DOMAINS.update(R.KEPT_BACK)
    for _, last, ok in right(model, tokenizer, [generate_kept_back(rng) for _ in range(args.n)]):
        kind = "absent" if last.answer == reading.ABSENT else "present, in digits" if any(c.isdigit() for c in last.heavy[0]) else "present, in words"
        count[f"reading kept back, {kind}"][0] += ok
        count[f"reading kept back, {kind}"][1] += 1
    for name, (good, n) in count.items():
        print(f"{name:34} {good:5} of {n:5}  {100 * good / n:5.1f} %")


if __name__ == "__main__":
    main()
