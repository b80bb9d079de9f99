// Trainings: rows that stay in place, so that the keyboard's focus does, too.

import { ask, byId, duration, element, setText } from "./dom.js";

const rows = new Map();
let shownLog = null;

/** Shows the jobs, and the log of one of them. */
export async function showJobs(jobs) {
  byId("jobs-empty").hidden = jobs.length > 0;
  byId("jobs").hidden = jobs.length === 0;
  const body = byId("jobs").tBodies[0];
  const known = new Set(jobs.map((job) => job.id));
  for (const [id, row] of rows) {
    if (known.has(id)) continue;
    row.line.remove();
    rows.delete(id);
  }
  jobs.forEach((job, idx) => {
    const row = rows.get(job.id) ?? newRow(job.id);
    rows.set(job.id, row);
    update(row, job);
    if (body.children[idx] !== row.line) body.insertBefore(row.line, body.children[idx] ?? null);
  });
  if (shownLog !== null) await showLog(shownLog).catch(() => {});
}

function newRow(id) {
  const cell = () => element("td");
  const row = {
    project: cell(), kind: cell(), time: cell(),
    state: element("span", { class: "pill" }),
    bar: element("progress", { max: 1, "aria-label": `progress of job ${id}` }),
    message: element("span", { class: "soft" }),
    log: element("button", { type: "button", click: () => openLog(id) }, "Log"),
    cancel: element("button", { type: "button", click: () => change(id, `jobs/${id}`, "DELETE") }, "Cancel"),
    retry: element("button", { type: "button", click: () => change(id, `jobs/${id}/retry`, "POST") }, "Retry"),
  };
  row.line = element("tr", {}, element("td", {}, id), row.project, row.kind, element("td", {}, row.state),
    element("td", {}, row.bar, " ", row.message), row.time,
    element("td", {}, row.log, " ", row.cancel, " ", row.retry));
  return row;
}

function update(row, job) {
  const isWaiting = job.state === "pending", isRunning = job.state === "running";
  const attempts = job.attempts > 1 ? `, attempt ${job.attempts} of ${job.max_attempts}` : "";
  setText(row.project, job.project);
  setText(row.kind, job.kind);
  setText(row.state, isRunning && job.cancel ? "cancelling" : job.state);
  row.state.className = `pill ${job.state}`;
  row.bar.hidden = !isRunning;
  if (isRunning && job.progress !== null) row.bar.value = job.progress;
  else row.bar.removeAttribute("value");
  const share = isRunning && job.progress !== null ? `${Math.round(job.progress * 100)} % ` : "";
  setText(row.message, `${share}${job.error ?? job.message ?? ""}${attempts}`);
  row.message.className = job.error ? "error" : "soft";
  const end = job.ended_at ?? Date.now() / 1000;
  setText(row.time, isWaiting || !job.started_at ? "" : duration(Math.max(0, end - job.started_at)));
  row.cancel.hidden = !(isWaiting || isRunning);
  row.retry.hidden = isWaiting || isRunning;
}

async function change(id, path, method) {
  const { message } = rows.get(id);
  try {
    await ask(path, { method });
  } catch (error) {
    message.className = "error";
    setText(message, error.message);
  }
}

async function openLog(id) {
  shownLog = id;
  byId("job-log").hidden = false;
  setText(byId("job-log-title"), `Log of job ${id}`);
  setText(byId("job-log-text"), "");
  await showLog(id).catch((error) => setText(byId("job-log-text"), error.message));
  byId("job-log-text").focus();
}

async function showLog(id) {
  const { log } = await ask(`jobs/${id}/log`);
  const text = byId("job-log-text");
  const isAtEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 30;
  setText(text, log || "(no lines)");
  if (isAtEnd) text.scrollTop = text.scrollHeight;
}

byId("job-log-close").addEventListener("click", () => {
  byId("job-log").hidden = true;
  rows.get(shownLog)?.log.focus();
  shownLog = null;
});
