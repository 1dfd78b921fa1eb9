"""The starter model in PyTorch: a qwen3moe transformer (q/k norm, RoPE by halves, softmax top-k routing, renormalised).

Shapes: B sequences, T tokens, D width, H heads, G key/value heads, E experts, K used, F expert width, V vocabulary.
Follows what the engine computes (gpu/architectures/qwen3moe.ts), so that the export needs no conversion of weights.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from attention import TiledAttention


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 4096
    layers: int = 6
    width: int = 256
    heads: int = 10
    kv_heads: int = 5
    head_width: int = 32
    experts: int = 16
    experts_used: int = 2
    expert_width: int = 128
    rope_base: float = 1000000.0
    epsilon: float = 1e-6
    context: int = 2048


class RmsNorm(nn.Module):
    def __init__(self, width: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        x = x.float()
        return x * (x.square().mean(-1, keepdim=True) + self.epsilon).rsqrt() * self.weight


def rope(x, cos, sin):
    """x [B, heads, T, head_width], pairs (i, i + half)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


def unseen(branches):
    """What the attention scores get added, [T, T] or, with branches [B, T], [B, 1, 1, T, T]: -inf where a token (row) does not see another
    (column). A token sees those before it that are in branch 0 or in its own."""
    t = branches.shape[1]
    ahead = torch.full((t, t), -torch.inf).triu(1)
    if not branches.any():
        return ahead
    other = (branches[:, None, :] != 0) & (branches[:, None, :] != branches[:, :, None])
    return ahead.masked_fill(other, -torch.inf)[:, None, None]


def places(branches):
    """Positions [B, T]: those of branch 0 from the start, those of every other branch after branch 0."""
    t = torch.arange(branches.shape[1]).expand_as(branches)
    shared = (branches != 0).float().argmax(1, keepdim=True)  # padding is 0 as well
    begins = torch.ones_like(branches, dtype=torch.bool)
    begins[:, 1:] = branches[:, 1:] != branches[:, :-1]
    first = torch.where(begins, t, 0).cummax(1).values
    return torch.where(branches == 0, t, shared + t - first)


class Attention(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.s = s
        self.q = nn.Linear(s.width, s.heads * s.head_width, bias=False)
        self.k = nn.Linear(s.width, s.kv_heads * s.head_width, bias=False)
        self.v = nn.Linear(s.width, s.kv_heads * s.head_width, bias=False)
        self.o = nn.Linear(s.heads * s.head_width, s.width, bias=False)
        self.q_norm = RmsNorm(s.head_width, s.epsilon)
        self.k_norm = RmsNorm(s.head_width, s.epsilon)

    def forward(self, x, cos, sin, unseen):
        s, (b, t, _) = self.s, x.shape
        q = self.q_norm(self.q(x).view(b, t, s.heads, s.head_width)).transpose(1, 2)
        k = self.k_norm(self.k(x).view(b, t, s.kv_heads, s.head_width)).transpose(1, 2)
        v = self.v(x).view(b, t, s.kv_heads, s.head_width).transpose(1, 2)
        q, k = rope(q, cos, sin).to(v.dtype), rope(k, cos, sin).to(v.dtype)
        y = TiledAttention.apply(q, k, v, unseen)
        return self.o(y.transpose(1, 2).reshape(b, t, -1))


class Moe(nn.Module):
    """Router in f32; each expert's tokens are gathered, multiplied and scattered back. No capacity limit, nothing is dropped."""

    def __init__(self, s: Shape):
        super().__init__()
        self.s = s
        self.router = nn.Linear(s.width, s.experts, bias=False)
        scale = s.width**-0.5
        self.gate = nn.Parameter(torch.randn(s.experts, s.expert_width, s.width) * scale)
        self.up = nn.Parameter(torch.randn(s.experts, s.expert_width, s.width) * scale)
        self.down = nn.Parameter(torch.randn(s.experts, s.width, s.expert_width) * s.expert_width**-0.5)

    def forward(self, x):
        s, shape = self.s, x.shape
        x = x.reshape(-1, s.width)
        with torch.autocast("cpu", enabled=False):
            logits = F.linear(x.float(), self.router.weight.float())
        probabilities = logits.softmax(-1)
        weights, chosen = probabilities.topk(s.experts_used, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        order = chosen.reshape(-1).argsort(stable=True)
        token = order // s.experts_used
        counts = torch.bincount(chosen.reshape(-1), minlength=s.experts)
        gathered = x[token].to(torch.bfloat16) if torch.is_autocast_cpu_enabled() else x[token]
        pieces = gathered.split(counts.tolist())
        outputs = []
        # unbind, not indexing: the gradient of an indexed parameter is a full-size tensor of zeros per expert
        gate_up = torch.cat((self.gate, self.up), 1).to(gathered.dtype)
        for rows, widen, down in zip(pieces, gate_up.unbind(0), self.down.to(gathered.dtype).unbind(0)):
            gate, up = F.linear(rows, widen).chunk(2, dim=-1)
            outputs.append(F.linear(F.silu(gate) * up, down))
        mixed = torch.cat(outputs).float() * weights.reshape(-1)[order].unsqueeze(1)
        out = torch.zeros_like(x, dtype=torch.float32).index_add(0, token, mixed)
        return out.view(shape), logits, probabilities, chosen


class Block(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.attention_norm, self.attention = RmsNorm(s.width, s.epsilon), Attention(s)
        self.moe_norm, self.moe = RmsNorm(s.width, s.epsilon), Moe(s)

    def forward(self, x, cos, sin, unseen):
        x = x + self.attention(self.attention_norm(x), cos, sin, unseen)
        out, logits, probabilities, chosen = self.moe(self.moe_norm(x))
        return x + out, logits, probabilities, chosen


class Starter(nn.Module):
    def __init__(self, s: Shape):
        super().__init__()
        self.s = s
        self.embedding = nn.Embedding(s.vocabulary, s.width)
        self.blocks = nn.ModuleList(Block(s) for _ in range(s.layers))
        self.norm = RmsNorm(s.width, s.epsilon)
        nn.init.normal_(self.embedding.weight, std=0.02)
        frequency = s.rope_base ** (-torch.arange(0, s.head_width, 2).float() / s.head_width)
        angle = torch.arange(s.context).float()[:, None] * frequency
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, branches=None):
        """ids, branches [B, T] (none: one branch) -> hidden [B, T, D] and the routing of each layer."""
        branches = torch.zeros_like(ids) if branches is None else branches
        x = self.embedding(ids)
        position = places(branches)[:, None]
        cos, sin, hidden_from = self.cos[position], self.sin[position], unseen(branches)
        routing = []
        for block in self.blocks:
            x, logits, probabilities, chosen = block(x, cos, sin, hidden_from)
            routing.append((logits, probabilities, chosen))
        return self.norm(x), routing

    def logits(self, hidden):
        return F.linear(hidden, self.embedding.weight)


def checkpoint(model: Starter):
    """What a checkpoint holds of the model. The shape is text: old versions of torch.load(weights_only) take no Python floats."""
    return {"model": model.state_dict(), "shape": json.dumps(model.s.__dict__)}


def read_checkpoint(path: Path):
    """Returns (Shape, state dict)."""
    saved = torch.load(path, weights_only=True)
    return Shape(**json.loads(saved["shape"])), saved["model"]
