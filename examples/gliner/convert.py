"""Converts a GLiNER model to what the backend reads: safetensors, or an export to ONNX.

Run once, with the Python library gliner:

    pip install gliner onnx
    python convert.py urchade/gliner_medium-v2.1 models/gliner
    python convert.py urchade/gliner_medium-v2.1 models/gliner-onnx --onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gliner import GLiNER


def main() -> None:
    """Writes the folder of the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="name on the hub, or a folder")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--onnx", action="store_true", help="export to ONNX: cannot be trained")
    args = parser.parse_args()
    model = GLiNER.from_pretrained(args.model)
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.onnx:
        model.export_to_onnx(args.folder, onnx_filename="model.onnx")
    model.save_pretrained(args.folder, safe_serialization=True)
    if args.onnx:
        # The folder would count as one with weights to train.
        (args.folder / "model.safetensors").unlink()


if __name__ == "__main__":
    main()
