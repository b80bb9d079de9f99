// Starts Label Studio's editor from its built files, without the application around it.
// manifest.json, which scripts/get_dashboard_editor.py writes, names the files, and the numbers of
// the editor's chunks and module.

const FOLDER = "editor/";
const { nonce } = document.querySelector("script[src]");

/** Lets the editor's scripts add styles, which the policy refuses to the HTML of tasks. */
function allowStyles(page) {
  const create = page.createElement;
  page.createElement = function createElement(name, ...options) {
    const made = create.call(this, name, ...options);
    if (String(name).toLowerCase() === "style") made.nonce = nonce;
    return made;
  };
}

const loaded = (made) => new Promise((resolve, reject) => {
  made.onload = resolve;
  made.onerror = () => reject(new Error(`${made.src ?? made.href} cannot be loaded`));
  document.head.append(made);
});

const addScript = (name) => loaded(Object.assign(document.createElement("script"), { src: FOLDER + name }));
const addStyle = (name) => loaded(Object.assign(document.createElement("link"), { rel: "stylesheet", href: FOLDER + name }));

/** The editor's class. */
async function editorClass(manifest) {
  window.APP_SETTINGS = { feature_flags: {}, feature_flags_default_value: false };
  await Promise.all(manifest.styles.map(addStyle));
  await addScript(manifest.runtime);
  const queue = window[manifest.queue];
  const push = queue.push;
  // Without its third part, a chunk brings modules and starts nothing: not the application.
  queue.push = ([ids, modules]) => push([ids, modules]);
  for (const name of manifest.scripts) await addScript(name);
  queue.push = push;
  const load = await new Promise((resolve) => push([["label-studio-ml"], {}, resolve]));
  await Promise.all(manifest.chunks.map((chunk) => load.e(chunk)));
  return load(manifest.module).LabelStudio;
}

/** Shows a task with its predictions; the first one is selected. */
function show(LabelStudio, { config, data, predictions }) {
  const numbered = predictions.map((prediction, idx) => ({ ...prediction, id: idx + 1 }));
  new LabelStudio("editor", {
    config,
    task: { id: 1, data, annotations: [], predictions: numbered },
    interfaces: ["side-column"],
    user: { id: 1 },
    onLabelStudioLoad({ annotationStore }) {
      const [first] = annotationStore.predictions;
      if (first) annotationStore.selectPrediction(first.id);
      document.body.dataset.shown = "true";
    },
  });
}

async function start() {
  allowStyles(document);
  // HTML of tasks is shown in a frame, which has the policy of this page.
  document.addEventListener("load", ({ target }) => {
    if (target.contentDocument) allowStyles(target.contentDocument);
  }, true);
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.colorScheme = isDark ? "dark" : "light";
  const manifest = await (await fetch(`${FOLDER}manifest.json`)).json();
  const LabelStudio = await editorClass(manifest);
  addEventListener("message", ({ origin, source, data }) => {
    if (origin === location.origin && source === parent) show(LabelStudio, data);
  });
  parent.postMessage("ready", location.origin);
}

start().catch((error) => parent.postMessage(`the editor did not start: ${error.message}`, location.origin));
