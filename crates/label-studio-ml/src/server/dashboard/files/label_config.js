// Reads what the page needs of a label config. Parsed XML runs nothing, and none of it is shown as HTML.

const SAMPLES = { Text: "The food was good, but the waiter was slow.", HyperText: "<b>The food</b> was good.", Paragraphs: [{ author: "A", text: "Hello!" }] };
const MEDIA = ["Image", "Audio", "AudioPlus", "Video", "Pdf", "PDF", "HyperText"];

/** Controls, objects and colours of a label config; an error when it is not XML. */
export function readLabelConfig(text) {
  const tree = new DOMParser().parseFromString(text, "text/xml");
  if (tree.querySelector("parsererror")) throw new Error("the label config is not valid XML");
  const tags = [...tree.querySelectorAll("*")];
  const objects = tags.filter((tag) => tag.getAttribute("name") && /^\$[\w-]+/.test(tag.getAttribute("value") ?? ""))
    .map((tag) => ({ name: tag.getAttribute("name"), kind: tag.tagName, field: tag.getAttribute("value").slice(1).split(/[.[]/)[0] }));
  const controls = tags.filter((tag) => tag.getAttribute("toName"))
    .map((tag) => ({ name: tag.getAttribute("name"), kind: tag.tagName }));
  const colours = new Map();
  for (const tag of tags) {
    const [label, colour] = [tag.getAttribute("value"), tag.getAttribute("background")];
    if (label && colour && CSS.supports("color", colour)) colours.set(label, colour);
  }
  return { objects, controls, colours };
}

/** Whether an object's data is the address of a file. */
export const isMedia = (object) => MEDIA.includes(object.kind);

/** Data to begin with. */
export const sampleData = (objects) => Object.fromEntries(objects.map((object) => [object.field, SAMPLES[object.kind] ?? ""]));
