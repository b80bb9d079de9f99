// Asks the model about a task, and shows the answer.

import { addressOf, ask, byId, duration, element, send, setText } from "./dom.js";
import { isMedia, readLabelConfig, sampleData } from "./label_config.js";
import { plainView } from "./result.js";

/** The project of label configs that are pasted. */
const OWN_PROJECT = "dashboard";
let hasEditor = false;
let refusal = "";
let listed = "";
let taskId = null;

/** Shows which projects there are, and what can be asked of Label Studio. */
export function showTry(state) {
  hasEditor = state.has_editor;
  refusal = state.label_studio;
  byId("try-plain-label").hidden = !hasEditor;
  byId("try-load").disabled = byId("try-task-id").disabled = Boolean(refusal);
  byId("try-label-studio").title = refusal ?? "";
  const projects = state.projects.map(({ project }) => project).filter((project) => project !== OWN_PROJECT);
  if (JSON.stringify(projects) === listed) return;
  listed = JSON.stringify(projects);
  const select = byId("try-project"), chosen = select.value;
  select.replaceChildren(element("option", { value: "" }, "(pasted below)"),
    ...projects.map((project) => element("option", { value: project }, `project ${project}`)));
  select.value = projects.includes(chosen) ? chosen : "";
}

/** Opens the form with the label config of a project. */
export async function tryProject(project) {
  location.hash = "try";
  byId("try-project").value = project;
  await loadProject();
  byId("try-task").focus();
}

/** Connects the form. */
export function prepareTry() {
  byId("try-project").addEventListener("change", () => shownErrors(loadProject));
  byId("try-config").addEventListener("input", () => { byId("try-project").value = ""; });
  byId("try-config").addEventListener("change", () => shownErrors(proposeData));
  byId("try-task").addEventListener("input", () => { taskId = null; });
  byId("try-file").addEventListener("change", () => shownErrors(loadFile));
  byId("try-load").addEventListener("click", () => shownErrors(loadTask));
  byId("try-form").addEventListener("submit", (event) => {
    event.preventDefault();
    shownErrors(predict);
  });
}

async function shownErrors(run) {
  const status = byId("try-status");
  status.className = "";
  try {
    await run();
  } catch (error) {
    status.className = "error";
    setText(status, error.message);
  }
}

async function loadProject() {
  const project = byId("try-project").value;
  if (!project) return;
  const { label_config } = await ask(`dashboard/label-config?project=${encodeURIComponent(project)}`);
  byId("try-config").value = label_config;
  proposeData();
}

/** Fills in the fields that a label config asks for, if the form has no data yet. */
function proposeData() {
  const { objects } = readLabelConfig(byId("try-config").value);
  const task = byId("try-task");
  if (!task.value.trim()) task.value = JSON.stringify(sampleData(objects), null, 2);
}

async function loadFile() {
  const file = byId("try-file").files[0];
  if (!file) return;
  const { objects } = readLabelConfig(byId("try-config").value);
  const object = objects.find((one) => isMedia(one) === !file.type.startsWith("text/")) ?? objects[0];
  if (!object) throw new Error("the label config has no tag whose value starts with $");
  const reader = new FileReader();
  const read = new Promise((resolve, reject) => {
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error("the file cannot be read"));
  });
  if (isMedia(object)) reader.readAsDataURL(file);
  else reader.readAsText(file);
  const data = { ...currentData(objects), [object.field]: await read };
  byId("try-task").value = JSON.stringify(data, null, 2);
  taskId = null;
  setText(byId("try-status"), `${file.name} is the task's ${object.field}`);
}

async function loadTask() {
  const id = byId("try-task-id").value.trim();
  if (!/^\d+$/.test(id)) throw new Error("give the number of a task");
  const task = await ask(`dashboard/task?task=${id}`);
  byId("try-task").value = JSON.stringify(task.data, null, 2);
  taskId = task.id;
}

/** The data in the form: an object, or a text for the first object tag. */
function currentData(objects) {
  const text = byId("try-task").value;
  try {
    const data = JSON.parse(text);
    if (data && typeof data === "object" && !Array.isArray(data)) return data.data && typeof data.data === "object" ? data.data : data;
  } catch { /* a plain text */ }
  if (!text.trim()) return sampleData(objects);
  return { ...sampleData(objects), [objects[0]?.field ?? "text"]: text };
}

async function predict() {
  const label_config = byId("try-config").value;
  const config = readLabelConfig(label_config);
  const data = currentData(config.objects);
  const project = byId("try-project").value || OWN_PROJECT;
  const button = byId("try-predict");
  button.disabled = true;
  setText(byId("try-status"), "the model is asked ...");
  const started = performance.now();
  try {
    const task = { id: taskId ?? 1, data };
    const { results } = await send("predict", { tasks: [task], project, label_config, params: {} });
    setText(byId("try-status"), `answered in ${duration((performance.now() - started) / 1000)}`);
    showAnswer(config, label_config, data, [results[0] ?? []].flat());
  } finally {
    button.disabled = false;
  }
}

function showAnswer(config, text, data, predictions) {
  const first = predictions[0];
  const regions = Array.isArray(first?.result) ? first.result : [];
  const about = [typeof first?.model_version === "string" && `model version ${first.model_version}`, typeof first?.score === "number" && `score ${first.score.toFixed(3)}`, `${regions.length} regions`];
  const summary = first?.error ? element("p", { class: "error" }, JSON.stringify(first.error)) : element("p", {}, about.filter(Boolean).join(", "));
  const shown = Object.fromEntries(Object.entries(data).map(([field, value]) => {
    const isFile = config.objects.some((object) => object.field === field && isMedia(object));
    if (!isFile) return [field, value];
    return [field, Array.isArray(value) ? value.map(mediaAddress) : mediaAddress(value)];
  }));
  const view = hasEditor && !byId("try-plain").checked
    ? editorView({ config: text, data: shown, predictions })
    : plainView(config, data, regions, mediaAddress);
  byId("try-result").replaceChildren(summary, view,
    element("details", {}, element("summary", {}, "JSON"), element("pre", { tabindex: 0 }, JSON.stringify(predictions, null, 2))));
}

/** Label Studio's editor, in a frame that has its own policy. */
function editorView(message) {
  const frame = element("iframe", { src: addressOf("dashboard/editor.html"), title: "the answer in Label Studio's editor" });
  const deliver = (event) => {
    if (event.source !== frame.contentWindow || event.origin !== location.origin) return;
    if (event.data === "ready") frame.contentWindow.postMessage(message, location.origin);
    else setText(byId("try-status"), String(event.data));
    if (event.data !== "ready") removeEventListener("message", deliver);
  };
  addEventListener("message", deliver);
  return frame;
}

/** An address that a browser may load: files of Label Studio come through the backend. */
function mediaAddress(value) {
  if (typeof value !== "string" || /^(https?:|data:|blob:)/i.test(value)) return value;
  const isReference = /^(\/|[a-z0-9-]+:\/\/)/i.test(value);
  if (!isReference || refusal) return /^[a-z]+:/i.test(value) ? "" : value;
  const query = new URLSearchParams({ url: value, ...(taskId === null ? {} : { task: taskId }) });
  return addressOf(`dashboard/media?${query}`);
}
