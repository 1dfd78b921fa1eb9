"""Reads a GGUF that export.py wrote back into a checkpoint, so that a stretch can go on from the weights that ship.

    python import_gguf.py --gguf starter.gguf --out RUN/last.pt

What the optimizers had gathered is not in a GGUF: they begin anew, which costs some hundred steps. From Q8_0 the weights come back as they are used, rounded.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch

from model import Shape, Starter, checkpoint


def shape_of(reader: gguf.GGUFReader) -> Shape:
    def field(name):
        return reader.fields[f"qwen3moe.{name}"].contents()

    return Shape(
        vocabulary=len(reader.fields["tokenizer.ggml.tokens"].data), layers=field("block_count"), width=field("embedding_length"), heads=field("attention.head_count"),
        kv_heads=field("attention.head_count_kv"), head_width=field("attention.key_length"), experts=field("expert_count"), experts_used=field("expert_used_count"),
        expert_width=field("expert_feed_forward_length"), rope_base=field("rope.freq_base"), epsilon=round(field("attention.layer_norm_rms_epsilon"), 12), context=field("context_length"))


def weights_of(reader: gguf.GGUFReader, layers: int):
    tensors = {t.name: t for t in reader.tensors}

    def read(name):
        return torch.from_numpy(np.array(gguf.quants.dequantize(tensors[name].data, tensors[name].tensor_type), np.float32))

    weights = {"embedding.weight": read("token_embd.weight"), "norm.weight": read("output_norm.weight")}
    for i in range(layers):
        for ours, theirs in NAMES.items():
            weights[f"blocks.{i}.{ours}"] = read(f"blk.{i}.{theirs}.weight")
    return weights


NAMES = {
    "attention.q.weight": "attn_q", "attention.k.weight": "attn_k", "attention.v.weight": "attn_v", "attention.o.weight": "attn_output",
    "attention.q_norm.weight": "attn_q_norm", "attention.k_norm.weight": "attn_k_norm", "attention_norm.weight": "attn_norm", "moe_norm.weight": "ffn_norm",
    "moe.router.weight": "ffn_gate_inp", "moe.gate": "ffn_gate_exps", "moe.up": "ffn_up_exps", "moe.down": "ffn_down_exps",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--step", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0.0, help="with --step and --tokens: how far its training had come, as the log says")
    args = parser.parse_args()
    reader = gguf.GGUFReader(args.gguf)
    model = Starter(shape_of(reader))
    model.load_state_dict(weights_of(reader, model.s.layers))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**checkpoint(model), "step": args.step, "seen": args.tokens, "used_s": round(args.minutes * 60), "epoch": 0}, args.out)
    print(f"{args.out}: {json.dumps(model.s.__dict__)}")


if __name__ == "__main__":
    main()
