"""Writes a checkpoint as GGUF (architecture qwen3moe), F32 or Q8_0; norms and routers stay F32.

    python export.py --checkpoint final.pt --tokenizer tokenizer.json --out starter.gguf [--type q8_0|f32]
"""

import argparse
import json
from pathlib import Path

import gguf

from conversation import CITATIONS, CONTROL, END, PAD, TEMPLATE
from model import read_checkpoint


def write_tokenizer(writer: gguf.GGUFWriter, path: Path):
    data = json.loads(path.read_text(encoding="utf8"))
    vocabulary = {**data["model"]["vocab"], **{t["content"]: t["id"] for t in data["added_tokens"]}}
    tokens = [t for t, _ in sorted(vocabulary.items(), key=lambda x: x[1])]
    types = [gguf.TokenType.CONTROL if t in CONTROL else gguf.TokenType.USER_DEFINED if t in CITATIONS else gguf.TokenType.NORMAL for t in tokens]
    merges = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(vocabulary[END])
    writer.add_eos_token_id(vocabulary[END])
    writer.add_pad_token_id(vocabulary[PAD])
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    return len(tokens)


def export(checkpoint: Path, tokenizer: Path, out: Path, kind: str):
    s, w = read_checkpoint(checkpoint)
    writer = gguf.GGUFWriter(str(out), "qwen3moe")
    writer.add_name("Conclave Starter")
    writer.add_description("A tiny demonstration model")
    writer.add_license("cc0-1.0")
    writer.add_float32("general.sampling.temp", 0.0)  # it was trained to know one answer
    writer.add_context_length(s.context)
    writer.add_embedding_length(s.width)
    writer.add_block_count(s.layers)
    writer.add_feed_forward_length(s.expert_width)
    writer.add_expert_feed_forward_length(s.expert_width)
    writer.add_head_count(s.heads)
    writer.add_head_count_kv(s.kv_heads)
    writer.add_key_length(s.head_width)
    writer.add_value_length(s.head_width)
    writer.add_rope_freq_base(s.rope_base)
    writer.add_layer_norm_rms_eps(s.epsilon)
    writer.add_expert_count(s.experts)
    writer.add_expert_used_count(s.experts_used)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if kind == "q8_0" else gguf.LlamaFileType.ALL_F32)
    assert write_tokenizer(writer, tokenizer) == s.vocabulary

    def add(name, tensor, matrix=True):
        array = tensor.float().numpy()
        if matrix and kind == "q8_0":
            writer.add_tensor(name, gguf.quants.quantize(array, gguf.GGMLQuantizationType.Q8_0), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(name, array)

    add("token_embd.weight", w["embedding.weight"])
    add("output_norm.weight", w["norm.weight"], matrix=False)
    for i in range(s.layers):
        source, target = f"blocks.{i}.", f"blk.{i}."
        for ours, theirs in (("q", "attn_q"), ("k", "attn_k"), ("v", "attn_v"), ("o", "attn_output")):
            add(f"{target}{theirs}.weight", w[f"{source}attention.{ours}.weight"])
        for ours, theirs in (("attention.q_norm", "attn_q_norm"), ("attention.k_norm", "attn_k_norm"), ("attention_norm", "attn_norm"), ("moe_norm", "ffn_norm")):
            add(f"{target}{theirs}.weight", w[f"{source}{ours}.weight"], matrix=False)
        add(f"{target}ffn_gate_inp.weight", w[f"{source}moe.router.weight"], matrix=False)
        for part in ("gate", "up", "down"):
            add(f"{target}ffn_{part}_exps.weight", w[f"{source}moe.{part}"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", choices=("q8_0", "f32"), default="q8_0")
    args = parser.parse_args()
    export(args.checkpoint, args.tokenizer, args.out, args.type)
    print(f"{args.out}: {args.out.stat().st_size} bytes")
