"""Writes the token files of a training run: same seed, same bytes (the hash is printed and kept in data.json).

    python build.py --out DIR --conversations N [--seed 11] [--simple-reading 0.4] [--shares '{"reading": 9, …}'] [--relations '{"iso": 3, …}'] [--cut 0.75]
"""

import argparse
import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from conversation import TASKS, encode_sharing, told_apart
from data import facts, reading
from mixture import FIXED_ANSWERS, SHARES, conversation


def build(out: Path, n: int, seed: int, cut: float):
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    decided = told_apart(tokenizer, FIXED_ANSWERS)
    rng = random.Random(seed)
    ids, weights, branches, starts, tasks, count = [], [], [], [0], [], Counter()
    for _ in range(n):
        sample = conversation(rng)
        length = decided.get(sample.turns[-1].answer, 0)
        a, w, b = encode_sharing(tokenizer, sample, length if cut and length and rng.random() < cut else 0)
        ids.append(np.array(a, np.uint16))
        weights.append(np.array(w, np.uint8))
        branches.append(np.array(b, np.uint8))
        starts.append(starts[-1] + len(a))
        tasks.append(TASKS.index(sample.task))
        count[sample.task] += len(a)
    arrays = {"ids.u16": np.concatenate(ids), "weights.u8": np.concatenate(weights), "branches.u8": np.concatenate(branches),
              "starts.i64": np.array(starts, np.int64), "tasks.u8": np.array(tasks, np.uint8)}
    digest = hashlib.sha256()
    for name, array in arrays.items():
        array.tofile(out / name)
        digest.update(array.tobytes())
    (out / "shape.json").write_text(json.dumps({"vocabulary": tokenizer.get_vocab_size()}))
    summary = {"seed": seed, "conversations": n, "tokens": starts[-1], "answerTokens": int((arrays["weights.u8"] > 0).sum()), "tokensByTask": dict(count), "sha256": digest.hexdigest()}
    (out / "data.json").write_text(json.dumps(summary, indent=2))
    return summary


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--conversations", type=int, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--simple-reading", type=float, default=reading.SIMPLE_SHARE, help="share of short passages in the reading task")
    parser.add_argument("--shares", type=json.loads, default={}, help="JSON: shares of conversations by task, instead of those of mixture.py")
    parser.add_argument("--relations", type=json.loads, default={}, help="JSON: how many times as often these relations of facts come")
    parser.add_argument("--cut", type=float, default=0.0, help="share of the fixed answers of which only the tokens that tell them apart are learned: more questions for the same tokens")
    args = parser.parse_args()
    if unknown := args.shares.keys() - SHARES.keys():
        parser.error(f"--shares has {', '.join(sorted(unknown))}, but the tasks are {', '.join(SHARES)}")
    if unknown := args.relations.keys() - facts.RELATIONS.keys():
        parser.error(f"--relations has {', '.join(sorted(unknown))}, but the relations are {', '.join(facts.RELATIONS)}")
    SHARES.update(args.shares)
    facts.WEIGHTS.update(args.relations)
    reading.SIMPLE_SHARE = args.simple_reading
    print(json.dumps(build(args.out, args.conversations, args.seed, args.cut), indent=2))
