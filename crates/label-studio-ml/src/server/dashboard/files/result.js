// A plain view of a prediction, without Label Studio's editor: shapes over an image, marks in a text,
// and a list of everything.

import { decodeMask } from "./brush_rle.js";
import { drawn, element } from "./dom.js";

const COLOURS = ["#d92d20", "#1570ef", "#039855", "#dc6803", "#7a5af8", "#c11574", "#0e9384", "#667085"];
const MAX_MASK_BYTES = 4 * 64e6;
const LABELS = ["rectanglelabels", "polygonlabels", "ellipselabels", "keypointlabels", "brushlabels", "labels", "hypertextlabels", "paragraphlabels", "timeserieslabels", "timelinelabels", "videorectangle", "choices", "taxonomy", "text"];

/** Shows the regions of a prediction. `media` turns a task's value into an address that a browser may load. */
export function plainView({ objects, colours }, data, regions, media) {
  const colourOf = colourPicker(colours);
  const parts = objects.map((object) => {
    const own = regions.filter((region) => region?.to_name === object.name && region.value);
    const value = data[object.field];
    if (object.kind === "Image") return imageView(media([value].flat()[0]), own, colourOf);
    if (object.kind === "Audio" || object.kind === "AudioPlus") return element("audio", { controls: true, src: media(value) });
    if (object.kind === "Video") return element("video", { controls: true, width: 480, src: media(value) });
    if (typeof value === "string") return textView(value, own, colourOf);
    return element("pre", {}, JSON.stringify(value, null, 1) ?? "");
  });
  return element("div", {}, parts, regionList(regions));
}

function colourPicker(colours) {
  const given = new Map(colours);
  return (label) => {
    if (!given.has(label)) given.set(label, COLOURS[given.size % COLOURS.length]);
    return given.get(label);
  };
}

/** The labels, choices or texts of a region. */
export function labelsOf(region) {
  const value = region?.value ?? {};
  const key = [region?.type, ...LABELS].find((name) => value[name] !== undefined);
  const labels = [key === undefined ? [] : value[key]].flat(3);
  return labels.map(asText);
}

/** Any JSON as text. Converting an object could run into a `toString` that the model chose. */
const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value) ?? "");

function regionList(regions) {
  const line = (region) => {
    const { start, end, text } = region?.value ?? {};
    const place = [text && typeof text === "string" ? `"${text}"` : "", start !== undefined ? `${asText(start)} to ${asText(end)}` : ""].filter(Boolean).join(", ");
    const score = typeof region?.score === "number" ? ` score ${region.score.toFixed(3)}` : "";
    const value = labelsOf(region).join(", ") || JSON.stringify(region?.value ?? region);
    return element("li", {}, element("strong", {}, asText(region?.from_name ?? region?.type ?? "?")), `: ${value} `,
      element("span", { class: "soft" }, `${place}${score}`));
  };
  return element("ol", { class: "regions" }, regions.map(line));
}

function imageView(address, regions, colourOf) {
  const image = element("img", { src: address, alt: "the task's image" });
  const stage = element("div", { class: "stage" }, image);
  const draw = () => {
    const width = image.naturalWidth || 100, height = image.naturalHeight || 100;
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const region of regions) {
      const colour = colourOf(labelsOf(region)[0] ?? region.from_name);
      const mask = Array.isArray(region.value.rle) ? maskOf(region, colour) : null;
      if (mask) stage.append(mask);
      const shape = shapeOf(region.value, width, height);
      if (!shape) continue;
      const text = drawn("text", { x: shape.x, y: shape.y - height / 120, "font-size": Math.max(height, width) / 50 }, labelsOf(region).join(", "));
      const group = drawn("g", {}, shape.drawing, text);
      group.style.setProperty("--colour", colour);
      svg.append(group);
    }
    stage.append(svg);
  };
  image.addEventListener("load", draw, { once: true });
  image.addEventListener("error", () => stage.append(element("p", { class: "error" }, "the browser cannot load the image")), { once: true });
  return stage;
}

/** A drawing of a region, whose value is in percent of the image. */
function shapeOf(value, width, height) {
  const [x, y] = [number(value.x) * width / 100, number(value.y) * height / 100];
  const turn = number(value.rotation) ? `rotate(${number(value.rotation)} ${x} ${y})` : null;
  const common = { class: "region", transform: turn };
  if (Array.isArray(value.points)) {
    const points = value.points.filter(Array.isArray).map((point) => [number(point[0]) * width / 100, number(point[1]) * height / 100]);
    if (!points.length) return null;
    return { x: points[0][0], y: points[0][1], drawing: drawn("polygon", { class: "region", points: points.map((point) => point.join()).join(" ") }) };
  }
  if (value.x === undefined) return null;
  if (value.radiusX !== undefined) {
    const [rx, ry] = [number(value.radiusX) * width / 100, number(value.radiusY) * height / 100];
    return { x: x - rx, y: y - ry, drawing: drawn("ellipse", { ...common, cx: x, cy: y, rx: Math.max(0, rx), ry: Math.max(0, ry) }) };
  }
  if (value.height === undefined) return { x, y, drawing: drawn("circle", { class: "region", cx: x, cy: y, r: Math.max(width, height) / 150 }) };
  const [w, h] = [number(value.width) * width / 100, number(value.height) * height / 100];
  return { x, y, drawing: drawn("rect", { ...common, x, y, width: Math.max(0, w), height: Math.max(0, h) }) };
}

const number = (value) => (Number.isFinite(value) ? value : 0);

function maskOf(region, colour) {
  const { original_width: width, original_height: height } = region;
  const isSize = (n) => Number.isInteger(n) && n > 0 && n <= 16384;
  if (!isSize(width) || !isSize(height) || width * height * 4 > MAX_MASK_BYTES) return null;
  const canvas = element("canvas", { width, height });
  const pen = canvas.getContext("2d");
  const mask = decodeMask(region.value.rle, width * height * 4);
  pen.fillStyle = colour;
  pen.fillRect(0, 0, width, height);
  const image = pen.getImageData(0, 0, width, height);
  for (let at = 3; at < image.data.length; at += 4) image.data[at] = (mask[at] ?? 0) / 2;
  pen.putImageData(image, 0, 0);
  return canvas;
}

/** A text with its regions marked. Offsets count characters, not UTF-16 units. */
function textView(text, regions, colourOf) {
  const characters = Array.from(text);
  const spans = regions.filter(({ value }) => Number.isInteger(value.start) && Number.isInteger(value.end) && value.start < value.end)
    .sort((a, b) => a.value.start - b.value.start);
  const view = element("div", { class: "spans" });
  let at = 0;
  for (const region of spans) {
    const { start, end } = region.value;
    if (start < at) continue; // Regions that overlap are in the list only.
    const marked = element("mark", {}, characters.slice(start, end).join(""), element("small", {}, labelsOf(region).join(", ")));
    marked.style.setProperty("--colour", colourOf(labelsOf(region)[0] ?? region.from_name));
    view.append(characters.slice(at, start).join(""), marked);
    at = end;
  }
  view.append(characters.slice(at).join(""));
  return view;
}
