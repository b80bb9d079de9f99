"""Turns a SAM or MobileSAM checkpoint into the two ONNX files that the backend runs.

    pip install torch onnx onnxruntime segment-anything          # and for MobileSAM:
    pip install timm git+https://github.com/ChaoningZhang/MobileSAM
    python export.py models/sam_vit_h_4b8939.pth                 # writes
    models/sam_vit_h_4b8939.{encoder,decoder}.onnx python export.py models/mobile_sam.pt --quantize
    # the decoder with 8-bit weights

The kind of model is read from the file's name: vit_h, vit_l, vit_b or mobile_sam; --kind says it
otherwise.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import onnx
import torch
from segment_anything import sam_model_registry
from segment_anything.utils.onnx import SamOnnxModel

OPSET = 17
# Protobuf ends at two gigabytes; weights beyond go into a file beside the model.
MAX_INLINE_BYTES = 1_800_000_000


def load(checkpoint: Any, kind: str) -> Any:
    if kind == "mobile_sam":
        from mobile_sam import sam_model_registry as registry

        return registry["vit_t"](checkpoint=str(checkpoint)).eval()
    return sam_model_registry[kind](checkpoint=str(checkpoint)).eval()


def export_encoder(sam: Any, path: Any) -> None:
    side = sam.image_encoder.img_size
    pixels = torch.zeros(1, 3, side, side)
    n_bytes = sum(p.numel() * p.element_size() for p in sam.image_encoder.parameters())
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder, "encoder.onnx")
        torch.onnx.export(
            sam.image_encoder,
            pixels,
            str(exported),
            input_names=["pixel_values"],
            output_names=["image_embeddings"],
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(str(exported))
    data = path.name + ".data"
    path.with_name(data).unlink(missing_ok=True)
    onnx.save(model, str(path), save_as_external_data=n_bytes > MAX_INLINE_BYTES, location=data)


def export_decoder(sam: Any, path: Any, single_mask: bool = False) -> None:
    """All four masks by default: one for several prompts, three candidates for a click that may
    mean a part or the whole.
    """
    decoder = SamOnnxModel(sam, return_single_mask=single_mask)
    channels = sam.prompt_encoder.embed_dim
    rows, columns = sam.prompt_encoder.image_embedding_size
    inputs = {
        "image_embeddings": torch.randn(1, channels, rows, columns),
        "point_coords": torch.randint(0, sam.image_encoder.img_size, (1, 5, 2)).float(),
        "point_labels": torch.randint(0, 4, (1, 5)).float(),
        "mask_input": torch.randn(1, 1, 4 * rows, 4 * columns),
        "has_mask_input": torch.ones(1),
        "orig_im_size": torch.tensor([600.0, 1000.0]),
    }
    torch.onnx.export(
        decoder,
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=["masks", "iou_predictions", "low_res_masks"],
        dynamic_axes={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}},
        opset_version=OPSET,
        dynamo=False,
    )


def quantize(path: Any) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(str(path), str(path), weight_type=QuantType.QUInt8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--kind", choices=["vit_h", "vit_l", "vit_b", "mobile_sam"])
    parser.add_argument(
        "--single-mask", action="store_true", help="a decoder that chooses the mask itself"
    )
    parser.add_argument("--quantize", action="store_true", help="8-bit weights in the decoder")
    args = parser.parse_args()
    kinds = ["vit_h", "vit_l", "vit_b", "mobile_sam"]
    kind = args.kind or next((kind for kind in kinds if kind in args.checkpoint.stem), None)
    if kind is None:
        parser.error(f"the name {args.checkpoint.name} does not say which model it is: add --kind")
    sam = load(args.checkpoint, kind)
    encoder, decoder = (
        args.checkpoint.with_suffix(f".{part}.onnx") for part in ("encoder", "decoder")
    )
    with torch.no_grad():
        export_encoder(sam, encoder)
        export_decoder(sam, decoder, args.single_mask)
    if args.quantize:
        quantize(decoder)
    print(f"wrote {encoder} and {decoder}")


if __name__ == "__main__":
    main()
