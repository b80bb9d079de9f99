#!/usr/bin/env python3
"""Converts a sequence tagger of Flair to files that can be read without Flair, once:

    pip install flair==0.15.1
    python3 convert.py NAME FOLDER

NAME is a name of Flair's such as `ner-multi`, a name on the Hugging Face hub, or a file. Flair's
own files are pickles, which can run code: convert only taggers that you trust.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from flair.embeddings import FlairEmbeddings, StackedEmbeddings, WordEmbeddings
from flair.models import SequenceTagger
from safetensors.torch import save_file

FORMAT = 1
Tensors = dict[str, torch.Tensor]


def convert(tagger: SequenceTagger, folder: Path) -> None:
    """Writes `flair.json` and `model.safetensors`."""
    if tagger.use_rnn and tagger.rnn_type != "LSTM":
        raise SystemExit(f"the tagger has a {tagger.rnn_type}; only an LSTM is supported")
    own = ("rnn.", "linear.", "crf.", "embedding2nn.")
    tensors: Tensors = {
        name: value for name, value in tagger.state_dict().items() if name.startswith(own)
    }
    stack = tagger.embeddings
    parts = stack.embeddings if isinstance(stack, StackedEmbeddings) else [stack]
    # Flair puts the vectors of a token together in the order of their names.
    parts = sorted(parts, key=lambda part: part.name)
    embeddings = []
    for idx, part in enumerate(parts):
        description, own_tensors = embedding(part)
        embeddings.append(description)
        tensors |= {f"embeddings.{idx}.{name}": value for name, value in own_tensors.items()}
    description = {
        "format": FORMAT,
        "label_type": tagger.label_type,
        "tags": tagger.label_dictionary.get_items(),
        "embeddings": embeddings,
        "rnn_layers": tagger.rnn.num_layers if tagger.use_rnn else 0,
        "bidirectional": bool(tagger.bidirectional),
        "reproject": bool(tagger.reproject_embeddings),
        "use_crf": bool(tagger.use_crf),
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(description, ensure_ascii=False, indent=1)
    (folder / "flair.json").write_text(text + "\n", encoding="utf-8")
    tensors = {name: value.detach().cpu().float().contiguous() for name, value in tensors.items()}
    save_file(tensors, folder / "model.safetensors")


def embedding(part: torch.nn.Module) -> tuple[dict[str, Any], Tensors]:
    """Returns what embeds tokens: its description, and its tensors."""
    if isinstance(part, FlairEmbeddings):
        return characters(part)
    if isinstance(part, WordEmbeddings):
        if part.layer_norm is not None:
            raise SystemExit("stable word embeddings are not supported")
        words = sorted(part.vocab, key=part.vocab.__getitem__)
        return {"kind": "words", "words": words}, {"weight": part.embedding.weight}
    kind = type(part).__name__
    raise SystemExit(f"{kind} is not supported; FlairEmbeddings and WordEmbeddings are")


def characters(part: FlairEmbeddings) -> tuple[dict[str, Any], Tensors]:
    """Returns a language model of characters."""
    model = part.lm
    if model.recurrent_type.upper() != "LSTM":
        raise SystemExit(f"a language model is a {model.recurrent_type}; only LSTM is supported")
    description = {
        "kind": "characters",
        "is_forward": model.is_forward_lm,
        "layers": model.nlayers,
        "characters": model.dictionary.get_items(),
        "start_marker": model.__dict__.get("document_delimiter", "\n"),
        "with_whitespace": part.with_whitespace,
        "tokenized": part.tokenized_lm,
        "is_lower": part.is_lower,
    }
    needed = ("encoder.", "rnn.", "proj.")
    tensors = {name: value for name, value in model.state_dict().items() if name.startswith(needed)}
    return description, tensors


def main() -> None:
    """Converts the tagger that is named on the command line."""
    parser = argparse.ArgumentParser(description="Convert a sequence tagger of Flair")
    parser.add_argument("name", help="name of Flair's, name on the hub, or file")
    parser.add_argument("folder", type=Path, help="where to write flair.json and model.safetensors")
    args = parser.parse_args()
    convert(SequenceTagger.load(args.name), args.folder)


if __name__ == "__main__":
    main()
