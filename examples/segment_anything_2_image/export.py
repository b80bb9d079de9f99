"""Turns a SAM 2 or SAM 2.1 checkpoint into the two ONNX files that the backend runs.

    pip install torch torchvision onnx hydra-core iopath omegaconf portalocker && pip install
    --no-deps sam2 python export.py checkpoints/sam2.1_hiera_large.pt     # writes
    checkpoints/sam2.1_hiera_large.{encoder,decoder}.onnx

The config is read from the file's name; --config says it otherwise
(configs/sam2.1/sam2.1_hiera_l.yaml). The files keep the contract of samexporter.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

OPSET = 17
SIZES = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}


class Encoder(nn.Module):
    """From a normalised square image to the three maps that the decoder wants."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Any) -> Any:
        features = self.model.forward_image(image)
        _, maps, _, sizes = self.model._prepare_backbone_features(features)
        if self.model.directly_add_no_mem_embed:
            maps[-1] = maps[-1] + self.model.no_mem_embed
        fine, middle, coarse = (
            m.permute(1, 2, 0).reshape(1, -1, *size) for m, size in zip(maps, sizes)
        )
        return fine, middle, coarse


class Decoder(nn.Module):
    """From the maps and points in the square to three masks; adds the padding point itself."""

    def __init__(self, model: Any, adds_padding: bool = True) -> None:
        super().__init__()
        self.prompts = model.sam_prompt_encoder
        self.decoder = model.sam_mask_decoder
        self.side = model.image_size
        self.adds_padding = adds_padding

    def embed(self, points: Any, labels: Any) -> Any:
        if self.adds_padding:
            points = torch.cat([points, torch.zeros_like(points[:, :1])], dim=1)
            labels = torch.cat([labels, -torch.ones_like(labels[:, :1])], dim=1)
        embedded = self.prompts.pe_layer._pe_encoding((points + 0.5) / self.side)
        labels = labels.unsqueeze(-1)
        embedded = embedded * (labels != -1) + self.prompts.not_a_point_embed.weight * (
            labels == -1
        )
        for idx, weights in enumerate(self.prompts.point_embeddings):
            embedded = embedded + weights.weight * (labels == idx)
        return embedded

    def forward(
        self,
        image_embed: Any,
        high_res_feats_0: Any,
        high_res_feats_1: Any,
        points: Any,
        labels: Any,
        mask: Any,
        has_mask: Any,
    ) -> Any:
        has_mask = has_mask.reshape(-1, 1, 1, 1)
        dense = self.prompts.no_mask_embed.weight.reshape(1, -1, 1, 1) * (1 - has_mask)
        dense = dense + self.prompts.mask_downscaling(mask) * has_mask
        masks, scores, _, _ = self.decoder.predict_masks(
            image_embeddings=image_embed,
            image_pe=self.prompts.get_dense_pe(),
            sparse_prompt_embeddings=self.embed(points, labels),
            dense_prompt_embeddings=dense,
            repeat_image=False,
            high_res_features=[high_res_feats_0, high_res_feats_1],
        )
        return masks[:, 1:].clamp(-32, 32), scores[:, 1:]


def example_maps(model: Any) -> Any:
    with torch.no_grad():
        return Encoder(model)(torch.zeros(1, 3, model.image_size, model.image_size))


def export_encoder(model: Any, path: Any) -> None:
    torch.onnx.export(
        Encoder(model),
        torch.zeros(1, 3, model.image_size, model.image_size),
        str(path),
        input_names=["image"],
        output_names=["high_res_feats_0", "high_res_feats_1", "image_embed"],
        opset_version=OPSET,
        dynamo=False,
    )


def export_decoder(model: Any, path: Any) -> None:
    fine, middle, coarse = example_maps(model)
    side = 4 * coarse.shape[-1]
    inputs = {
        "image_embed": coarse,
        "high_res_feats_0": fine,
        "high_res_feats_1": middle,
        "point_coords": torch.rand(1, 4, 2) * model.image_size,
        "point_labels": torch.tensor([[2.0, 3.0, 1.0, 0.0]]),
        "mask_input": torch.zeros(1, 1, side, side),
        "has_mask_input": torch.zeros(1),
    }
    torch.onnx.export(
        Decoder(model),
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=["masks", "iou_predictions"],
        dynamic_axes={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}},
        opset_version=OPSET,
        dynamo=False,
    )


def config_of(checkpoint: Any) -> Any:
    found = re.fullmatch(r"sam2(\.1)?_hiera_(tiny|small|base_plus|large)", checkpoint.stem)
    if not found:
        raise SystemExit(f"the name {checkpoint.name} does not say which model it is: add --config")
    generation, size = f"sam2{found[1] or ''}", SIZES[found[2]]
    return f"configs/{generation}/{generation}_hiera_{size}.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--config")
    args = parser.parse_args()
    from sam2.build_sam import build_sam2

    model = build_sam2(
        args.config or config_of(args.checkpoint), str(args.checkpoint), device="cpu"
    )
    encoder, decoder = (
        args.checkpoint.with_suffix(f".{part}.onnx") for part in ("encoder", "decoder")
    )
    with torch.no_grad():
        export_encoder(model, encoder)
        export_decoder(model, decoder)
    print(f"wrote {encoder} and {decoder}")


if __name__ == "__main__":
    main()
