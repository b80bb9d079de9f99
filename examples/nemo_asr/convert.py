"""Exports a NeMo model to ONNX, once, with the files that the backend reads beside it.

The model is a .nemo file, or a name that NeMo downloads:

    pip install nemo_toolkit[asr] onnx
    python convert.py stt_en_quartznet15x5 models/QuartzNet15x5Base-En
    python convert.py parakeet.nemo models/parakeet
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from nemo.collections.asr.models import ASRModel
from omegaconf import OmegaConf


def main() -> None:
    """Writes the folder of the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help=".nemo file, or a name such as stt_en_quartznet15x5")
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--ctc", action="store_true", help="of a hybrid model: the CTC decoder")
    args = parser.parse_args()
    if Path(args.model).is_file():
        model = ASRModel.restore_from(args.model, map_location="cpu")
    else:
        model = ASRModel.from_pretrained(args.model, map_location="cpu")
    model.eval()
    args.folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(model.cfg, args.folder / "model_config.yaml")
    is_ctc = args.ctc or not hasattr(model, "joint")
    if args.ctc and hasattr(model, "set_export_config"):
        model.set_export_config({"decoder_type": "ctc"})
    model.export(str(args.folder / "model.onnx"))
    write_onnx_asr(model, args.folder, is_ctc)


def write_onnx_asr(model: Any, folder: Path, is_ctc: bool) -> None:
    """Writes the two files with which onnx-asr reads the folder, too."""
    tokens = list(vocabulary(model.cfg))
    lines = [f"{token} {idx}\n" for idx, token in enumerate([*tokens, "<blk>"])]
    (folder / "vocab.txt").write_text("".join(lines), encoding="utf-8")
    durations = OmegaConf.select(model.cfg, "model_defaults.tdt_durations")
    kind = "ctc" if is_ctc else "tdt" if durations else "rnnt"
    config = {
        "model_type": f"nemo-conformer-{kind}",
        "features_size": model.cfg.preprocessor.features,
        "subsampling_factor": OmegaConf.select(model.cfg, "encoder.subsampling_factor") or 2,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def vocabulary(config: Any) -> list[str]:
    """Returns the tokens, from the place where this kind of model has them."""
    for name in ["joint.vocabulary", "decoder.vocabulary", "labels", "aux_ctc.decoder.vocabulary"]:
        tokens = OmegaConf.select(config, name)
        if tokens:
            return list(tokens)
    raise SystemExit("the model's config has no vocabulary")


if __name__ == "__main__":
    main()
