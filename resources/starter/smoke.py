"""Trains a much smaller model for 200 steps and leaves all that the comparison with the engine needs: python smoke.py --out DIR (minutes, not hours).

Checks that the loss falls, that questions over the same passages do not see each other, that attention in tiles is attention, that workers average,
that checkpoints do, that the point of refusing moves and that an exported file can be trained on; writes final.pt, starter.gguf (F32), tokens.json and logits.f32.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from attention import TiledAttention
from average import mean
from calibrate import places, shift
from conversation import encode, encode_sharing
from data import reading
from model import Starter, read_checkpoint, unseen
from together import Together

HERE = Path(__file__).parent
SHAPE = {"layers": 2, "width": 64, "heads": 4, "kv_heads": 2, "head_width": 16, "experts": 8, "expert_width": 64}
STEPS = 200


def run(script: str, *arguments):
    subprocess.run([sys.executable, str(HERE / script), *map(str, arguments)], check=True)


def branches_are_apart(out: Path) -> float:
    """Returns the greatest difference between the hidden numbers of conversations in branches and of the same conversations alone."""
    shape, state = read_checkpoint(out / "final.pt")
    model = Starter(shape)
    model.load_state_dict(state)
    tokenizer, rng, worst = Tokenizer.from_file(str(out / "tokenizer.json")), random.Random(21), 0.0
    for _ in range(5):
        sample = reading.generate(rng)
        ids, _, branches = encode_sharing(tokenizer, sample)
        with torch.no_grad():
            together, _ = model(torch.tensor([ids]), torch.tensor([branches]))
            for number, last in enumerate(sample.endings, 1):
                alone, _ = model(torch.tensor([encode(tokenizer, replace(sample, turns=[last]))[0]]))
                mine = [i for i, branch in enumerate(branches) if branch in (0, number)]
                worst = max(worst, (together[0][mine] - alone[0]).abs().max().item())
    return worst


def tiles_differ() -> float:
    """Returns the greatest relative difference between attention in tiles and attention as it is defined, in its result and its gradients."""
    torch.manual_seed(3)
    tokens, heads, groups = 300, 6, 3
    q, k, v = (torch.randn(2, n, tokens, 16, requires_grad=True) for n in (heads, groups, groups))
    branches = torch.zeros(2, tokens, dtype=torch.long)
    branches[0, 150:200], branches[0, 200:] = 1, 2
    hidden = unseen(branches)

    def plain(q, k, v):
        k, v = (x.repeat_interleave(heads // groups, 1) for x in (k, v))
        return (q @ k.mT * 16**-0.5 + hidden[:, 0]).softmax(-1) @ v

    grad, worst = torch.randn(2, heads, tokens, 16), 0.0
    outputs = [attend(q, k, v) for attend in (lambda *x: TiledAttention.apply(*x, hidden), plain)]
    pairs = zip(*((out, *torch.autograd.grad(out, (q, k, v), grad)) for out in outputs))
    for ours, theirs in pairs:
        worst = max(worst, ((ours - theirs).norm() / theirs.norm()).item())
    return worst


def comes_back(out: Path) -> bool:
    """Whether the exported F32 file holds the checkpoint's weights and shape."""
    run("import_gguf.py", "--gguf", out / "starter.gguf", "--out", out / "imported.pt")
    (shape, weights), (again, imported) = read_checkpoint(out / "final.pt"), read_checkpoint(out / "imported.pt")
    return shape == again and weights.keys() == imported.keys() and all(weights[name].equal(imported[name]) for name in weights)


def averages(out: Path) -> bool:
    """Whether the mean of the checkpoint and of three times the checkpoint is twice the checkpoint."""
    _, weights = read_checkpoint(out / "final.pt")
    both = mean([weights, {name: 3 * tensor for name, tensor in weights.items()}])
    return all(both[name].allclose(2 * tensor, rtol=1e-6) for name, tensor in weights.items())


def refuses_sooner() -> bool:
    """Whether a logit is moved by what was asked where the last answers of two branches begin, and not elsewhere."""
    weights, branches = [0, 0, 3, 1, 0, 0, 3, 1, 0, 3, 1], [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    if places(weights, branches) != ([5, 8], [2, 6, 9]) or places(weights[:4], branches[:4]) != ([1], [2]):
        return False
    torch.manual_seed(4)
    begins, other = torch.randn(400, 16) / 4, torch.randn(400, 16)
    begins[:, 3] += 2  # what tells such places from others
    v = shift(begins, other, 2.0)
    return abs((begins.double() @ v).mean().item() - 2) < 0.5 and abs((other.double() @ v).mean().item()) < 0.2


def workers_meet(folder: Path):
    """Whether two workers leave two meetings with the mean of what they brought, weighted by their tokens, and a third one, right behind, unchanged."""
    shutil.rmtree(folder, ignore_errors=True)
    brought, tokens = [torch.zeros(3), torch.full((3,), 4.0)], (100, 300)

    def work(worker: int):
        together = Together(folder, worker, 2)
        first = together.average([brought[worker]], tokens[worker])
        brought[worker] += worker  # 3 and 4, of 100 and 300 tokens again
        return first, together.average([brought[worker]], tokens[worker]), together.average([brought[worker]], 0)

    with ThreadPoolExecutor() as pool:
        totals = list(pool.map(work, range(2)))
    return totals == [(400, 400, 0)] * 2 and all(b.tolist() == [3.75] * 3 for b in brought)


def main(out: Path):
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "tokenizer.json", out)
    run("build.py", "--out", out, "--conversations", 4000)
    (out / "log.jsonl").unlink(missing_ok=True)
    run("train.py", "--data", out, "--out", out, "--steps", STEPS, "--batch-tokens", 1024, "--longest", 128, "--threads", 2, "--shape", json.dumps(SHAPE))
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    first, last = rows[0]["loss"], rows[-1]["loss"]
    print(f"loss {first} at step {rows[0]['step']}, {last} at step {rows[-1]['step']}")
    if rows[-1]["step"] != STEPS or not last < 0.75 * first:
        raise SystemExit("the loss did not fall as it must")
    apart = branches_are_apart(out)
    print(f"questions over the same passages differ from questions alone by {apart:.1e}")
    if not apart < 1e-3:
        raise SystemExit("a branch sees another one")
    tiled = tiles_differ()
    print(f"attention in tiles differs by {tiled:.1e}")
    if not tiled < 1e-5:
        raise SystemExit("attention in tiles is another one")
    if not workers_meet(out / "meet"):
        raise SystemExit("workers do not leave a meeting with their weighted mean")
    if not averages(out):
        raise SystemExit("average.py does not give the mean of two checkpoints")
    if not refuses_sooner():
        raise SystemExit("calibrate.py does not move the logit where it must, or moves it elsewhere")
    run("export.py", "--checkpoint", out / "final.pt", "--tokenizer", out / "tokenizer.json", "--out", out / "starter.gguf", "--type", "f32")
    if not comes_back(out):
        raise SystemExit("import_gguf.py does not bring back what export.py wrote")
    tokens = [(7 * i * i + 31 * i) % 4096 for i in range(48)]
    (out / "tokens.json").write_text(json.dumps(tokens))
    run("logits.py", "--checkpoint", out / "final.pt", "--tokens", ",".join(map(str, tokens)), "--out", out / "logits.f32")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    main(parser.parse_args().out)
