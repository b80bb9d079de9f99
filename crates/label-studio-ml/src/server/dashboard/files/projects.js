// Projects: their model versions and label configs.

import { ask, byId, element, moment } from "./dom.js";
import { tryProject } from "./try.js";

let shown = "";
let seenChanges = null;
let versions = [];

/** Shows projects. Versions are asked for again when a training has ended or one was activated. */
export async function showProjects(projects, jobs) {
  const ended = jobs.filter((job) => job.ended_at).length;
  const changes = JSON.stringify([ended, projects.map((project) => project.model_version)]);
  if (changes !== seenChanges) {
    seenChanges = changes;
    versions = (await ask("versions")).details ?? [];
  }
  const text = JSON.stringify([projects, versions]);
  if (text === shown) return;
  shown = text;
  const rows = projects.map(row);
  const head = element("thead", {}, element("tr", {},
    ["Project", "Model version", "Versions with files", "Label config"].map((title) => element("th", {}, title))));
  byId("projects").replaceChildren(rows.length
    ? element("table", {}, head, element("tbody", {}, rows))
    : element("p", { class: "soft" }, "None so far. Connect the backend in Label Studio, under Settings > Model."));
}

function row({ project, model_version }) {
  const own = versions.filter((version) => version.project === project).sort((a, b) => b.created_at - a.created_at);
  const text = element("pre", { hidden: true });
  const show = element("button", { type: "button", "aria-expanded": "false", click: async () => {
    text.hidden = !text.hidden;
    show.setAttribute("aria-expanded", String(!text.hidden));
    if (text.hidden) return;
    text.textContent = await ask(`dashboard/label-config?project=${encodeURIComponent(project)}`)
      .then((reply) => reply.label_config, (error) => error.message);
  } }, "Show");
  return element("tr", {},
    element("td", {}, project), element("td", {}, model_version ?? ""),
    element("td", {}, own.length ? element("ul", {}, own.map(version)) : element("span", { class: "soft" }, "none")),
    element("td", {}, show, " ", element("button", { type: "button", click: () => tryProject(project) }, "Try it"), text));
}

function version({ project, version: name, created_at, metrics, is_active, job }) {
  const about = [moment(created_at), job ? `job ${job}` : "", metrics ? JSON.stringify(metrics) : ""].filter(Boolean).join(", ");
  const state = element("span", { class: is_active ? "active" : "soft" }, is_active ? "active" : "");
  const activate = element("button", { type: "button", click: async () => {
    activate.disabled = true;
    try {
      await ask(`versions/${encodeURIComponent(name)}/activate?project=${encodeURIComponent(project)}`, { method: "POST" });
      seenChanges = null;
    } catch (error) {
      state.className = "error";
      state.textContent = error.message;
      activate.disabled = false;
    }
  } }, "Activate");
  return element("li", {}, element("strong", {}, name), " ", element("span", { class: "soft" }, about), " ", state, is_active ? null : activate);
}
