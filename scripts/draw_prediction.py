"""Sends an image to a running backend and draws the regions that it returns.

The images in the READMEs are made by it.

The image travels inside the task, so that the backend needs no Label Studio. Needs Pillow.

usage: scripts/draw_prediction.py IMAGE LABEL_CONFIG OUTPUT [--backend URL] [--context FILE]
"""

import argparse
import base64
import json
import mimetypes
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

Point = tuple[float, float]
COLOURS = ["#ff4d4f", "#1890ff", "#52c41a", "#faad14", "#722ed1", "#13c2c2"]
MASK_ALPHA = 110


def main() -> int:
    """Draws the first prediction."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("image", type=Path)
    parser.add_argument(
        "label_config",
        type=Path,
        help="file with the label config, which shows the image as $image",
    )
    parser.add_argument("output", type=Path, help="image to write: .jpg or .png")
    parser.add_argument("--backend", default="http://127.0.0.1:9090", help="address of the backend")
    parser.add_argument("--context", type=Path, help="file with the JSON of an interactive context")
    parser.add_argument("--width", type=int, default=640, help="width of the image in pixels")
    args = parser.parse_args()

    label_config = args.label_config.read_text(encoding="utf-8")
    context = json.loads(args.context.read_text(encoding="utf-8")) if args.context else None
    regions = predict(args.backend, args.image, label_config, context)
    with Image.open(args.image) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image = image.resize((args.width, round(image.height * args.width / image.width)))
    colours = colours_of(label_config)
    for region in regions:
        image = draw(image, region, colours)
    image.save(args.output, quality=85, optimize=True)
    print(f"{len(regions)} regions, {args.output.stat().st_size} bytes in {args.output}")
    return 0 if regions else 1


def predict(
    backend: str, image: Path, label_config: str, context: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Returns the regions of the image."""
    kind = mimetypes.guess_type(image.name)[0] or "image/png"
    url = f"data:{kind};base64,{base64.b64encode(image.read_bytes()).decode()}"
    body: dict[str, Any] = {
        "tasks": [{"id": 1, "data": {"image": url}}],
        "project": "1",
        "label_config": label_config,
        "params": {"context": context} if context else {},
    }
    request = urllib.request.Request(
        f"{backend}/predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=100) as response:
        result: list[dict[str, Any]] = json.load(response)["results"][0]["result"]
    return result


def colours_of(label_config: str) -> dict[str, str]:
    """Returns the colour of each label: that of the label config, else by order."""
    tags = re.findall(r"<Label\b[^>]*>", label_config)
    values = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in tags]
    return {
        value["value"]: value.get("background", COLOURS[idx % len(COLOURS)])
        for idx, value in enumerate(values)
        if "value" in value
    }


def draw(image: Image.Image, region: dict[str, Any], colours: dict[str, str]) -> Image.Image:
    """Returns the image with one region on it."""
    value = region["value"]
    label = ", ".join(next((names for key, names in value.items() if key.endswith("labels")), []))
    colour = colours.get(label, COLOURS[0])
    scale_x, scale_y = image.width / 100, image.height / 100
    if "rle" in value:
        size = (region["original_width"], region["original_height"])
        mask = Image.frombytes("L", size, decoded_mask(value["rle"], size[0] * size[1])).resize(
            image.size
        )
        tint = Image.new("RGB", image.size, colour)
        weight = mask.point([round(level * MASK_ALPHA / 255) for level in range(256)])
        image = Image.composite(tint, image, weight)
        box = mask.getbbox() or (0, 0, 0, 0)
        corner: Point = (box[0], box[1])
        canvas = ImageDraw.Draw(image)
    else:
        canvas = ImageDraw.Draw(image)
        if "points" in value:
            points = [(x * scale_x, y * scale_y) for x, y in value["points"]]
            canvas.polygon(points, outline=colour, width=3)
        else:
            x, y = value["x"] * scale_x, value["y"] * scale_y
            points = [(x, y)]
            if "height" in value:
                points.append((x + value["width"] * scale_x, y + value["height"] * scale_y))
                canvas.rectangle([*points[0], *points[1]], outline=colour, width=3)
            else:
                canvas.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
        corner = (min(x for x, _ in points), min(y for _, y in points))
    write_label(canvas, corner, f"{label} {region.get('score', value.get('score', 0)):.2f}", colour)
    return image


def write_label(canvas: ImageDraw.ImageDraw, corner: Point, text: str, colour: str) -> None:
    """Writes a label above a region, on its colour."""
    font = ImageFont.load_default(size=16)
    left, top, right, bottom = canvas.textbbox(corner, text, font=font, anchor="lb")
    move = max(0, 4 - top)
    canvas.rectangle([left, top + move - 2, right + 8, bottom + move + 2], fill=colour)
    canvas.text((left + 4, bottom + move), text, fill="white", font=font, anchor="lb")


def decoded_mask(rle: list[int], n_pixels: int) -> bytes:
    """Decodes the RLE of a brush: a stream of bits with RGBA values, of which alpha is the mask."""
    bits = "".join(f"{byte:08b}" for byte in rle)
    position = 0

    def take(n_bits: int) -> int:
        nonlocal position
        position += n_bits
        return int(bits[position - n_bits : position], 2)

    n_values, word_size = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    values = bytearray()
    while len(values) < n_values:
        is_run = take(1)
        length = take(sizes[take(2)]) + 1
        if is_run:
            values += bytes([take(word_size)]) * length
        else:
            values += bytes(take(word_size) for _ in range(length))
    return bytes(values[3 : 4 * n_pixels : 4])


if __name__ == "__main__":
    sys.exit(main())
