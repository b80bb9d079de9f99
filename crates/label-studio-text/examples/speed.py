"""Makes a random Llama of 336 million parameters, or measures PyTorch on it.

    python speed.py make FOLDER [bfloat16]
    OMP_NUM_THREADS=1 python speed.py run FOLDER [bfloat16]

With transformers 4.57.6 and torch 2.5.1; copy any tokenizer.json into the folder for `speed.rs`.
"""

from __future__ import annotations

import sys
import time

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

N_PROMPT = 128
N_NEW = 64
N_TOGETHER = 8
N_STEPS = 8


def make(folder: str, kind: torch.dtype) -> None:
    """Writes the model."""
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=1024,
        intermediate_size=2816,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=4,
        max_position_embeddings=2048,
        eos_token_id=[],
    )
    torch.manual_seed(1)
    LlamaForCausalLM(config).to(kind).save_pretrained(folder)


def seconds(model: LlamaForCausalLM, ids: torch.Tensor, n_steps: int) -> tuple[float, float]:
    """Returns the time for the prompts, and for that many steps behind them."""
    with torch.inference_mode():
        start = time.perf_counter()
        out = model(ids, use_cache=True, logits_to_keep=1)
        middle = time.perf_counter()
        for _ in range(n_steps):
            token = out.logits[:, -1:].argmax(-1)
            out = model(token, past_key_values=out.past_key_values, use_cache=True)
        return middle - start, time.perf_counter() - middle


def run(folder: str, kind: torch.dtype) -> None:
    """Prints tokens per second."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind).eval()
    ids = torch.randint(3, 31000, (N_TOGETHER, N_PROMPT))
    seconds(model, ids[:1], 2)
    prompt, new = seconds(model, ids[:1], N_NEW)
    _, together = seconds(model, ids, N_STEPS)
    print(
        f"tokens/s: prompt {N_PROMPT / prompt:.0f}, generation {N_NEW / new:.1f}, "
        f"of {N_TOGETHER} together {N_TOGETHER * N_STEPS / together:.1f}"
    )


if __name__ == "__main__":
    command, path, *rest = sys.argv[1:]
    number = torch.bfloat16 if rest == ["bfloat16"] else torch.float32
    {"make": make, "run": run}[command](path, number)
