"""Trains the starter model on the token file that build.py wrote. CPU, bf16 autocast, f32 master weights.

    python train.py --data DIR --out DIR [--minutes M | --steps N] [--resume] [--workers 2 --worker I --meet DIR]

Batches hold whole conversations of similar length (no packing, so no attention across documents); questions over the same passages are
branches of one conversation, which share what comes before them and do not see each other: three times the answers per token. The loss is on answer tokens, weighted by
the file, and with a small share on what precedes them: names that come again in a question teach copying, which answers alone teach slowly.
Load balance is over the whole mixed batch, not per sequence (per sequence would kill specialisation), with a router z-loss. Matrices are
trained by Muon (orthogonalised momentum; Jordan et al. 2024), the rest by AdamW. Checkpoints every ten minutes.
"""

import argparse
import ctypes
import json
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from model import Shape, Starter, checkpoint
from together import Together

BALANCE, Z_LOSS = 0.03, 1e-3
PROMPT_SAMPLE = 0.25  # of the tokens before an answer, those whose loss is taken: the head is a third of the work of a token
MEETING_S = 120  # how long workers train between two meetings


class Muon(torch.optim.Optimizer):
    """Momentum whose update is replaced by its nearest orthogonal matrix (five Newton-Schulz steps). Takes [m, n] and stacks [E, m, n]."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(buffer, group["momentum"]))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * max(1.0, p.shape[-2] / p.shape[-1]) ** 0.5)


def orthogonal(g, steps=5):
    x = g.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (x.flatten(-2).norm(dim=-1)[..., None, None] + 1e-7)
    for _ in range(steps):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return (x.mT if tall else x).float()


class Data:
    """Conversations, drawn in an order fixed by the seed."""

    def __init__(self, folder: Path):
        self.ids = np.memmap(folder / "ids.u16", np.uint16, "r")
        self.weights = np.memmap(folder / "weights.u8", np.uint8, "r")
        self.branches = np.memmap(folder / "branches.u8", np.uint8, "r")
        self.starts = np.fromfile(folder / "starts.i64", np.int64)
        self.lengths = np.diff(self.starts)

    def batches(self, seed: int, tokens: int, longest: int, worker: int = 0, workers: int = 1):
        """Yields lists of conversation indices, of this worker's share; each list is about `tokens` padded tokens of similar length."""
        rng = np.random.default_rng(seed)
        usable = np.flatnonzero(self.lengths <= longest)
        order = rng.permutation(usable)[worker::workers]
        pool = 4096
        for first in range(0, len(order), pool):
            part = order[first : first + pool]
            part = part[np.argsort(self.lengths[part] + rng.random(len(part)), kind="stable")]
            groups, group, width = [], [], 0
            for i in part:
                width = max(width, int(self.lengths[i]))
                if group and width * (len(group) + 1) > tokens:
                    groups.append(group)
                    group, width = [], int(self.lengths[i])
                group.append(int(i))
            if group:
                groups.append(group)
            for g in rng.permutation(len(groups)):
                yield groups[g]

    def tensors(self, indices):
        width = int(max(self.lengths[i] for i in indices))
        ids = np.zeros((len(indices), width), np.int64)
        weights = np.zeros((len(indices), width), np.float32)
        branches = np.zeros((len(indices), width), np.int64)
        for row, i in enumerate(indices):
            a, b = self.starts[i], self.starts[i + 1]
            branches[row, : b - a] = self.branches[a:b]
            ids[row, : b - a] = self.ids[a:b]
            weights[row, : b - a] = self.weights[a:b]
        return torch.from_numpy(ids), torch.from_numpy(weights), torch.from_numpy(branches)


def losses(model, ids, weights, branches):
    """Answer loss, prompt loss, load balance (summed over layers: 1 each when even), router z-loss (their mean) of a batch; ids, weights and branches [B, T]."""
    padding = (weights.flip(1) > 0).float().argmax(1)  # the answer ends each conversation
    real = torch.arange(ids.shape[1] - 1)[None] < (ids.shape[1] - 1 - padding)[:, None]
    before, after = branches[:, :-1], branches[:, 1:]
    told = real & ((after == before) | (before == 0))  # the last token of a branch says nothing about the next branch
    told &= (weights[:, 1:] > 0) | (torch.rand(real.shape) < PROMPT_SAMPLE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden, routing = model(ids[:, :-1], before)
        logits = model.logits(hidden[told])
    weight = weights[:, 1:][told]
    each = F.cross_entropy(logits.float(), ids[:, 1:][told], reduction="none")
    answer = (each * weight).sum() / weight.sum()
    prompt = each[weight == 0].mean()
    real = real.reshape(-1)
    balance, z = 0.0, 0.0
    for router_logits, probabilities, experts in routing:
        n = router_logits.shape[-1]
        load = torch.bincount(experts[real].reshape(-1), minlength=n).float()
        balance = balance + n * ((load / load.sum()) * probabilities[real].mean(0)).sum()
        z = z + router_logits[real].logsumexp(-1).square().mean()
    return answer, prompt, balance, z / len(routing)


def keep_memory():
    """Has glibc keep freed memory, where it is the C library: handing large tensors back to the system and taking them again, page by page,
    took two fifths of a step (2.4 s became 1.4 for 6,000 tokens on one core)."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "gnu_get_libc_version"):
        trim_threshold, top_pad, mmap_max = -1, -2, -4
        for option, value in ((trim_threshold, 2**31 - 1), (top_pad, 2**28), (mmap_max, 0)):
            libc.mallopt(option, value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--batch-tokens", type=int, default=6144)
    parser.add_argument("--lr", type=float, default=0.02, help="Muon; AdamW takes a fixed share of it")
    parser.add_argument("--prompt", type=float, default=0.3, help="weight of the loss on what precedes answers, beside 1 for answers")
    parser.add_argument("--longest", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: one beside other work (threads wait for each other), all cores on an idle machine")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--stretch", action="store_true", help="with --resume: the rate rises to --lr and falls again over what is left of --minutes")
    parser.add_argument("--workers", type=int, default=1, help="processes that train side by side, one a core, all with the same --data, --seed and --meet and an --out of their own; they resume from the same last.pt")
    parser.add_argument("--worker", type=int, default=0, help="which of them this is, from 0")
    parser.add_argument("--meet", type=Path, help="an empty folder where they meet")
    parser.add_argument("--shape", type=json.loads, default={})
    args = parser.parse_args()
    if args.workers > 1 and (args.meet is None or not args.minutes):
        parser.error("--workers needs --meet, where they meet, and --minutes, by which they know when")
    keep_memory()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads or 1)
    data = Data(args.data)
    saved = torch.load(args.out / "last.pt", weights_only=True) if args.resume and (args.out / "last.pt").exists() else {}
    shape = Shape(**json.loads(saved["shape"])) if saved else Shape(**{**json.loads((args.data / "shape.json").read_text()), **args.shape})
    model = Starter(shape)
    matrices = [p for n, p in model.named_parameters() if p.ndim >= 2 and "embedding" not in n and "router" not in n]
    taken = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in taken]
    optimizers = [Muon(matrices, args.lr, weight_decay=0.01), torch.optim.AdamW(rest, lr=args.lr * 0.15, betas=(0.9, 0.95), weight_decay=0.0)]
    rates = [[g["lr"] for g in o.param_groups] for o in optimizers]
    step, seen, used_s, epoch, stretch_s = 0, 0, 0.0, 0, 0.0
    if saved:
        model.load_state_dict(saved["model"])
        for o, s in zip(optimizers, saved.get("optimizers", ())):  # import_gguf.py knows of none
            o.load_state_dict(s)
        step, seen, used_s, epoch = saved["step"], saved["seen"], saved["used_s"], saved["epoch"] + 1
        stretch_s = used_s if args.stretch else saved.get("stretch_s", 0.0)
    began_at = -100 if saved.get("optimizers") else step  # optimizers that begin anew are warmed up
    log = open(args.out / "log.jsonl", "a")
    together = Together(args.meet, args.worker, args.workers) if args.workers > 1 else None
    met_seen = seen

    def save(name):
        torch.save({**checkpoint(model), "optimizers": [o.state_dict() for o in optimizers], "step": step, "seen": seen, "used_s": used_s,
                    "stretch_s": stretch_s, "epoch": epoch}, args.out / (name + ".part"))
        (args.out / (name + ".part")).replace(args.out / name)

    def progress():
        return step / args.steps if args.steps else (used_s - stretch_s) / (args.minutes * 60 - stretch_s)

    def due():
        """How many meetings there should have been by now; the same for all workers at the end."""
        return int(min(1, progress()) * (args.minutes * 60 - stretch_s) / MEETING_S)

    def meet():
        nonlocal seen, met_seen
        moments = [s[name] for o in optimizers for s in o.state.values() for name in ("momentum", "exp_avg", "exp_avg_sq") if name in s]
        seen = met_seen = met_seen + together.average([*model.parameters(), *moments], seen - met_seen)

    last_save, average, met = time.monotonic(), None, due() if together else 0
    print(f"seed {args.seed}, {sum(p.numel() for p in model.parameters())} parameters, {len(data.lengths)} conversations", flush=True)
    while progress() < 1:
        for indices in data.batches(args.seed * 1000 + epoch, args.batch_tokens, args.longest, args.worker, args.workers):
            began = time.monotonic()
            if args.threads == 0 and step % 10 == 0:
                others = os.getloadavg()[0] - torch.get_num_threads()
                torch.set_num_threads(max(1, min(os.cpu_count(), round(os.cpu_count() - max(0.0, others)))))
            p = progress()
            if p >= 1:
                break
            scale = min(1.0, (step - began_at + 1) / 100) * (1.0 if p < 0.4 else 0.02 + 0.98 * (1 - p) / 0.6)
            for o, base in zip(optimizers, rates):
                for g, lr in zip(o.param_groups, base):
                    g["lr"] = lr * scale
            ids, weights, branches = data.tensors(indices)
            answer, prompt, balance, z = losses(model, ids, weights, branches)
            (answer + args.prompt * prompt + BALANCE * balance + Z_LOSS * z).backward()
            torch.nn.utils.clip_grad_norm_(rest, 1.0)
            for o in optimizers:
                o.step()
                o.zero_grad(set_to_none=True)
            step, seen = step + 1, seen + ids.numel()
            used_s += time.monotonic() - began
            average = answer.item() if average is None else 0.98 * average + 0.02 * answer.item()
            if step % 50 == 0 or step == 1:
                row = dict(step=step, tokens=seen, loss=round(average, 4), prompt=round(prompt.item(), 4), balance=round(balance.item() / shape.layers, 4), z=round(z.item(), 3),
                           tokens_per_s=round(seen / used_s), minutes=round(used_s / 60, 2), lr=round(scale * args.lr, 5))
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(row, flush=True)
            if not math.isfinite(answer.item()):
                raise SystemExit(f"the loss is {answer.item()} at step {step}")
            if together and due() > met:
                met += 1
                meet()
            if time.monotonic() - last_save > 600:
                save("last.pt")
                last_save = time.monotonic()
        epoch += 1
    if together:
        meet()
    save("last.pt")
    torch.save(checkpoint(model), args.out / "final.pt")


if __name__ == "__main__":
    main()
