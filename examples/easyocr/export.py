"""Turns checkpoints of EasyOCR into the ONNX files that the backend runs.

    pip install torch onnx easyocr
    python export.py en models          # writes models/craft.onnx and models/english_g2.onnx
    python export.py mn,en models       # writes models/craft.onnx and models/cyrillic_g2.onnx

The library fetches the checkpoints; --checkpoints FOLDER names a folder that has the .pth files.
"""

import argparse
from pathlib import Path
from typing import Any

import easyocr
import onnx
import torch
from easyocr.config import recognition_models
from torch import nn

OPSET = 17


class HeatMaps(nn.Module):
    """CRAFT without its features, which boxes do not need."""

    def __init__(self, craft: nn.Module) -> None:
        super().__init__()
        self.craft = craft

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """1 x 3 x height x width to 1 x height/2 x width/2 x 2."""
        maps: torch.Tensor = self.craft(image)[0]
        return maps


class MeanOfRows(nn.Module):
    """What the recogniser's adaptive pooling does, for any width."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """N x width x channels x height to N x width x channels x 1."""
        return features.mean(3, keepdim=True)


class Recogniser(nn.Module):
    """A recogniser without its second input, which it does not use."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        model.AdaptiveAvgPool = MeanOfRows()
        self.model = model

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """N x 1 x 64 x width to N x time x classes."""
        scores: torch.Tensor = self.model(image, None)
        return scores


def export_detector(craft: nn.Module, path: Path, is_plain: bool = False) -> None:
    """Writes the detector; the height and the width of its input are free. A plain network has its
    weights as they are in the checkpoint.
    """
    sides = {2: "height", 3: "width"}
    torch.onnx.export(
        HeatMaps(craft).eval(),
        torch.zeros(1, 3, 64, 96),
        str(path),
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": sides, "output": {1: "half_height", 2: "half_width"}},
        opset_version=OPSET,
        dynamo=False,
        **training(is_plain),
    )


def export_recogniser(
    model: nn.Module, path: Path, name: str, characters: str, is_plain: bool = False
) -> None:
    """Writes a recogniser with its name and its characters; batch and width are free."""
    torch.onnx.export(
        Recogniser(model).eval(),
        torch.zeros(2, 1, 64, 128),
        str(path),
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch", 3: "width"}, "output": {0: "batch", 1: "time"}},
        opset_version=OPSET,
        dynamo=False,
        **training(is_plain),
    )
    exported = onnx.load(str(path))
    for key, value in {"name": name, "characters": characters}.items():
        exported.metadata_props.add(key=key, value=value)
    onnx.save(exported, str(path))


def training(is_plain: bool) -> dict[str, Any]:
    """Options of an export: a plain one neither folds constants nor fuses layers."""
    if not is_plain:
        return {}
    mode = torch.onnx.TrainingMode.PRESERVE
    return {"do_constant_folding": False, "training": mode}


def model_name(characters: str) -> str:
    """The name of the library's recogniser with these characters."""
    models = {**recognition_models["gen1"], **recognition_models["gen2"]}
    names = (name for name, model in models.items() if model["characters"] == characters)
    return str(next(names))


def main() -> None:
    """Writes the detector and the recogniser for some languages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("languages", help="as in LANG_LIST, such as en or mn,en")
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--checkpoints", type=Path, help="folder with the .pth files")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    reader = easyocr.Reader(
        args.languages.split(","),
        gpu=False,
        quantize=False,
        model_storage_directory=str(args.checkpoints) if args.checkpoints else None,
    )
    name = model_name(reader.character)
    export_detector(reader.detector, args.folder / "craft.onnx")
    export_recogniser(reader.recognizer, args.folder / f"{name}.onnx", name, reader.character)
    print(f"wrote {args.folder / 'craft.onnx'} and {args.folder / f'{name}.onnx'}")


if __name__ == "__main__":
    main()
