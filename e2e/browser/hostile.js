// Gives hostile texts to all views of the dashboard, in all places where they show texts.
const [hostile, done] = arguments;
(async () => {
  const { readLabelConfig } = await import(new URL("dashboard/label_config.js", document.baseURI));
  const { plainView } = await import(new URL("dashboard/result.js", document.baseURI));
  const { showJobs } = await import(new URL("dashboard/jobs.js", document.baseURI));
  const { showProjects } = await import(new URL("dashboard/projects.js", document.baseURI));
  const quoted = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
    .replaceAll("\u0000", "");
  for (const text of hostile) {
    const config = readLabelConfig(`<View><Image name="i" value="$i"/><Text name="t" value="$t"/>
      <Labels name="l" toName="t"><Label value="${quoted(text)}" background="${quoted(text)}"/></Labels></View>`);
    const regions = [
      { from_name: text, to_name: "t", type: "labels", value: { start: 0, end: 3, labels: [text], text } },
      { from_name: text, to_name: "i", type: text, value: { x: text, y: 1, width: text, height: 2, rotation: text, labels: [text] } },
      { from_name: text, to_name: "i", type: "polygonlabels", value: { points: [[text, text]], polygonlabels: [text] } },
      { from_name: text, to_name: "i", type: "brushlabels", original_width: 4, original_height: 4, value: { rle: [text], brushlabels: [text] } },
      { from_name: { toString: text }, to_name: text, value: text }, null,
    ];
    document.body.append(plainView(config, { i: text, t: text }, regions, (value) => value));
    document.body.append(plainView({ objects: [{ name: "t", kind: "Audio", field: "i" }, { name: "v", kind: "Video", field: "i" }], colours: new Map() }, { i: text }, [], (value) => value));
  }
  const jobs = hostile.map((text, idx) => ({ id: `${idx}${text}`, project: text, kind: text, state: text, message: text, error: text,
    attempts: 2, max_attempts: text, progress: 0.5, started_at: 1, ended_at: 2, cancel: true }));
  await showJobs(jobs);
  await showProjects(hostile.map((text) => ({ project: text, model_version: text })), jobs);
  done("shown");
})().catch((error) => done(String(error.stack)));
