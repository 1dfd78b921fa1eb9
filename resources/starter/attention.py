"""Attention for training on a CPU, in tiles: blocks of queries over the keys before them, so that the scores stay in the caches and what lies
ahead is never computed. Written out over whole sequences of 600 tokens, attention took half of a training step."""

import torch

ROWS = 128  # queries of a tile
TILE_BYTES = 6 << 20  # of f32 scores


class TiledAttention(torch.autograd.Function):
    """softmax(q k^T / sqrt(d) + unseen) v. q [B, H, T, d]; k, v [B, G, T, d], head h reads group h // (H / G); unseen [T, T] or [B, 1, 1, T, T] holds
    -inf where a token (row) does not see another (column), which must include all that lie ahead. Returns [B, H, T, d]."""

    @staticmethod
    def forward(ctx, q, k, v, unseen):
        (b, h, t, d), g = q.shape, k.shape[1]
        q, k, v, out, saved = q.contiguous(), k.contiguous(), v.contiguous(), torch.empty_like(q), []
        for some, rows in tiles(b, h, t):
            seen = slice(0, rows.stop)
            scores = pieces(q, some, rows, g) @ k[some, :, seen].flatten(0, 1).mT
            n, r = some.stop - some.start, rows.stop - rows.start
            mask = unseen[rows, seen] if unseen.ndim == 2 else unseen[some, :, :, rows, seen]
            p = torch.add(mask, scores.view(n, g, h // g, r, rows.stop), alpha=d**-0.5).softmax(-1).to(v.dtype).view(n * g, -1, rows.stop)
            out[some, :, rows] = (p @ v[some, :, seen].flatten(0, 1)).view(n, h, r, d)
            saved.append(p)
        ctx.save_for_backward(q, k, v, out, *saved)
        return out

    @staticmethod
    def backward(ctx, grad):
        q, k, v, out, *saved = ctx.saved_tensors
        (b, h, t, d), g = q.shape, k.shape[1]
        grad = grad.contiguous()
        dq, dk, dv = torch.empty_like(q), torch.zeros(k.shape, dtype=torch.float32), torch.zeros(v.shape, dtype=torch.float32)
        mean = (grad.float() * out.float()).sum(-1, keepdim=True)
        for (some, rows), p in zip(tiles(b, h, t), saved):
            seen, n = slice(0, rows.stop), some.stop - some.start
            keys, values = k[some, :, seen].flatten(0, 1), v[some, :, seen].flatten(0, 1)
            queries, grads = pieces(q, some, rows, g), pieces(grad, some, rows, g)
            dp = (grads @ values.mT) - pieces(mean, some, rows, g)
            ds = dp.mul_(p).to(q.dtype)
            dq[some, :, rows] = (ds @ keys).view(n, h, -1, d).mul_(d**-0.5)
            dk[some, :, seen] += (ds.mT @ queries).view(n, g, -1, d)
            dv[some, :, seen] += (p.mT @ grads).view(n, g, -1, d)
        return dq, dk.mul_(d**-0.5).to(k.dtype), dv.to(v.dtype), None


def tiles(b, h, t):
    """Pairs of slices: some sequences, some queries of them."""
    rows = min(ROWS, t)
    together = max(1, TILE_BYTES // (4 * h * rows * t))
    for first in range(0, b, together):
        for row in range(0, t, rows):
            yield slice(first, min(b, first + together)), slice(row, min(t, row + rows))


def pieces(x, some, rows, g):
    """x [B, H, T, ·] cut to a tile: [sequences · G, heads of a group · rows, ·]."""
    part = x[some, :, rows]
    return part.reshape(part.shape[0] * g, -1, x.shape[-1])
