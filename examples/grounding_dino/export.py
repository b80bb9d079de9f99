"""Exports a Grounding DINO checkpoint of transformers to ONNX, for any prompt.

A plain `torch.onnx.export` freezes what depends on the prompt it was traced with: which words
belong to one phrase. This one computes it in the graph, so that prompts of any length and number of
phrases are scored as in PyTorch.

usage: python export.py [--height 800] [--width 800] [--revision REVISION] CHECKPOINT FOLDER
       python export.py IDEA-Research/grounding-dino-tiny models/grounding-dino-tiny
needs: pip install 'torch>=2.5' 'transformers>=4.57,<5' onnx
"""

import argparse
from pathlib import Path
from typing import Any

import onnx
import torch
from transformers import AutoTokenizer, GroundingDinoForObjectDetection
from transformers.models.grounding_dino import modeling_grounding_dino as modeling

OPSET = 17
SPECIAL_TOKENS = (101, 102, 1012, 1029)  # [CLS] [SEP] . ?


def phrase_masks(input_ids: Any, special_tokens: Any = SPECIAL_TOKENS) -> Any:
    """Which tokens see each other (those of one phrase), and where in its phrase each stands;
    without loops.
    """
    special = torch.zeros_like(input_ids, dtype=torch.bool)
    for token in special_tokens:
        special = special | (input_ids == token)
    n_tokens = input_ids.shape[1]
    places = torch.arange(n_tokens, device=input_ids.device)
    special = special.to(torch.int64)
    block = special.cumsum(1) - special
    # What no separator ends, and what only the very last token ends, sees nothing but itself.
    n_ended = special.sum(1, keepdim=True) - special[:, -1:]
    is_phrase = block < n_ended
    same = (block[:, :, None] == block[:, None, :]) & is_phrase[:, :, None] & is_phrase[:, None, :]
    earlier = places[None, None, :] < places[None, :, None]
    position_ids = (same & earlier).to(torch.int64).sum(2)
    alone = places[:, None] == places[None, :]
    return same | alone[None], position_ids


def contrastive_embedding(
    self: Any, vision_hidden_state: Any, text_hidden_state: Any, text_token_mask: Any
) -> Any:
    """The scores of each query for each token, with nothing behind the last token."""
    scores = vision_hidden_state @ text_hidden_state.transpose(-1, -2)
    scores = scores.masked_fill(~text_token_mask[:, None, :], float("-inf"))
    n_missing = self.max_text_len - scores.shape[-1]
    nothing = torch.full((*scores.shape[:-1], n_missing), float("-inf"), device=scores.device)
    return torch.cat([scores, nothing], dim=-1)


class Detector(torch.nn.Module):
    """The model with its inputs in a fixed order."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        pixel_values: Any,
        pixel_mask: Any,
        input_ids: Any,
        token_type_ids: Any,
        attention_mask: Any,
    ) -> Any:
        outputs = self.model(
            pixel_values=pixel_values,
            pixel_mask=pixel_mask,
            input_ids=input_ids,
            token_type_ids=token_type_ids,
            attention_mask=attention_mask,
            return_dict=True,
        )
        return outputs.logits, outputs.pred_boxes


def export(model: Any, path: Any, height: int, width: int, n_tokens: int = 8) -> None:
    """Writes the model for images of a fixed size; the number of images and tokens may vary."""
    modeling.generate_masks_with_special_tokens_and_transfer_map = phrase_masks
    modeling.GroundingDinoContrastiveEmbedding.forward = contrastive_embedding
    model.eval()
    model.config.disable_custom_kernels = True
    ids = torch.full((2, n_tokens), 1012, dtype=torch.int64)
    inputs = {
        "pixel_values": torch.zeros(2, 3, height, width),
        "pixel_mask": torch.ones(2, height, width, dtype=torch.int64),
        "input_ids": ids,
        "token_type_ids": torch.zeros_like(ids),
        "attention_mask": torch.ones_like(ids),
    }
    tokens = {0: "batch", 1: "tokens"}
    with torch.no_grad():
        torch.onnx.export(
            Detector(model),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=["logits", "pred_boxes"],
            dynamic_axes={
                "pixel_values": {0: "batch"},
                "pixel_mask": {0: "batch"},
                "input_ids": tokens,
                "token_type_ids": tokens,
                "attention_mask": tokens,
                "logits": {0: "batch"},
                "pred_boxes": {0: "batch"},
            },
            opset_version=OPSET,
            dynamo=False,
        )
    exported = onnx.load(str(path))
    # Tells the backend that several phrases may go into one prompt.
    entry = exported.metadata_props.add()
    entry.key, entry.value = "phrase_mask", "traced"
    onnx.save(exported, str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", help="folder, or name on the hub")
    parser.add_argument("folder", type=Path, help="where model.onnx and tokenizer.json go")
    parser.add_argument("--height", type=int, default=800, help="of the images that the model sees")
    parser.add_argument("--width", type=int, default=800, help="of the images that the model sees")
    parser.add_argument("--revision", help="of the checkpoint on the hub")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(args.checkpoint, revision=args.revision)
    tokenizer.backend_tokenizer.save(str(args.folder / "tokenizer.json"))
    model = GroundingDinoForObjectDetection.from_pretrained(args.checkpoint, revision=args.revision)
    export(model, args.folder / "model.onnx", args.height, args.width)
    print(f"wrote {args.folder / 'model.onnx'} and {args.folder / 'tokenizer.json'}")


if __name__ == "__main__":
    main()
