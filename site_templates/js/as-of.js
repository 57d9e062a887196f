// Stages as of a moment: the newest placement of each slot at or before it.
"use strict";
(() => {
  const { placements, folder } = window.registaAsOf;
  const chooser = document.querySelector("[data-as-of]");
  const [at, stage, name] = ["at", "stage", "name"].map((key) => chooser.querySelector(`[name=${key}]`));
  const result = document.querySelector("[data-as-of-result]");
  const MOST = 1000;

  const cell = (tag, text, href) => {
    const made = document.createElement(tag);
    if (tag === "th") made.scope = "row";
    if (href) {
      const link = document.createElement("a");
      link.href = href;
      link.textContent = text;
      made.append(link);
    } else {
      made.textContent = text;
    }
    return made;
  };
  const row = ([entry, slot, version, time, by, action, code]) => {
    const line = document.createElement("tr");
    const home = `../${folder}${code}`;
    line.append(
      cell("th", entry, `${home}/index.html`),
      cell("td", slot),
      cell("td", `v${version}`, `${home}/v/${version}.html`),
      cell("td", `${time.slice(0, 10)} ${time.slice(11, 19)}`),
      cell("td", by),
      cell("td", action),
    );
    return line;
  };
  const table = (rows) => {
    const made = document.createElement("table");
    const head = made.createTHead().insertRow();
    for (const title of ["Name", "Stage", "Version", "Since (UTC)", "By", "How"]) {
      const header = document.createElement("th");
      header.scope = "col";
      header.textContent = title;
      head.append(header);
    }
    made.createTBody().append(...rows.slice(0, MOST).map(row));
    const scroll = document.createElement("div");
    scroll.className = "scroll";
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "What was held");
    scroll.append(made);
    return scroll;
  };
  const show = () => {
    // a minute counts to its end; recorded times are UTC texts, which sort as the times do
    const moment = at.value ? `${at.value.slice(0, 16)}:59.999999Z` : chooser.dataset.end;
    const slots = new Map();
    for (const placed of placements) {
      if (placed[3] > moment) continue;
      if (stage.value && placed[1] !== stage.value) continue;
      slots.set(`${placed[0]}\n${placed[1]}`, placed);
    }
    const wanted = name.value.trim().toLowerCase();
    const rows = [...slots.values()].filter((p) => p[2] !== null && p[0].toLowerCase().includes(wanted));
    rows.sort((a, b) => (a[0] === b[0] ? 0 : a[0] < b[0] ? -1 : 1));
    const words = document.createElement("p");
    const where = stage.value || "any stage";
    words.textContent = rows.length
      ? `${rows.length} held in ${where} at ${moment.slice(0, 16).replace("T", " ")} UTC${rows.length > MOST ? `, the first ${MOST} shown` : ""}:`
      : `Nothing was held in ${where} at ${moment.slice(0, 16).replace("T", " ")} UTC.`;
    result.replaceChildren(words, ...(rows.length ? [table(rows)] : []));
    const hash = new URLSearchParams({ at: at.value, stage: stage.value, name: name.value });
    history.replaceState(null, "", `#${hash}`);
  };
  const read = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    at.value = asked.get("at") || chooser.dataset.end.slice(0, 16);
    if (asked.has("stage")) stage.value = asked.get("stage");
    name.value = asked.get("name") || "";
    show();
  };
  chooser.hidden = false;
  for (const field of [at, stage, name]) field.addEventListener("input", show);
  read();
})();
