"""Trains the byte-level BPE tokenizer (4096 entries, single digits, all 256 bytes) on generated conversations, docs and word lists.

    python tokenizer.py --out DIR [--seed 7]
"""

import argparse
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from conversation import CITATIONS, CONTROL
from data import facts
from mixture import conversation

VOCABULARY = 4096


def corpus(seed: int, n: int = 60000):
    rng = random.Random(seed)
    for _ in range(n):
        for turn in conversation(rng).turns:
            yield turn.user
            yield turn.answer
    for pairs, _, _ in facts.RELATIONS.values():  # every name of the tables often enough to get short tokens
        for k, v in pairs:
            for _ in range(6):
                yield f" {k}"
                yield f" {v}"
    root = Path(__file__).resolve().parents[2]
    for page in sorted([*root.glob("*.md"), *root.glob("docs/*.md")]):
        yield page.read_text(encoding="utf8")


def train(seed: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(c, special=True, normalized=False) for c in CONTROL] + [AddedToken(c, special=False, normalized=False) for c in CITATIONS]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - len(special), initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), min_frequency=2, show_progress=False)
    tokenizer.train_from_iterator(corpus(seed), trainer)
    tokenizer.add_tokens([t for t in special if not t.special])
    tokenizer.add_special_tokens([t for t in special if t.special])
    return tokenizer


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = train(args.seed)
    assert tokenizer.get_vocab_size() == VOCABULARY, tokenizer.get_vocab_size()
    tokenizer.save(str(args.out / "tokenizer.json"))
    print(f"seed {args.seed}: {tokenizer.get_vocab_size()} tokens")
