// The search page: entries by name, label, alias, tag or digest. The data is a script, since
// pages in a folder may not fetch.
"use strict";
(() => {
  const { entries, stage } = window.registaSearch;
  const chooser = document.querySelector("[data-search]");
  const [field, count] = [chooser.querySelector("input"), chooser.querySelector("[data-search-count]")];
  const list = document.querySelector("[data-search-result]");
  const MOST = 100;
  const rows = entries.map(([name, kind, page, held, newest, words]) => ({
    name, kind, page, held, newest, words,
    low: name.toLowerCase(),
    text: `${name} ${kind} ${words}`.toLowerCase(),
  }));

  const rank = (row, query) => {
    if (row.low === query) return 0;
    if (row.low.startsWith(query)) return 1;
    if (row.low.includes(query)) return 2;
    return 3;
  };
  const item = (row, parts) => {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = row.page;
    link.textContent = row.name;
    const about = document.createElement("span");
    about.className = "sub";
    const held = row.held === null ? `nothing in ${stage}` : `v${row.held} in ${stage}`;
    const hits = row.words.split(" ").filter((word) => parts.some((p) => word.toLowerCase().includes(p)));
    about.textContent = ` ${row.kind}, ${held}${hits.length ? `: ${hits.slice(0, 5).join(", ")}` : ""}`;
    line.append(link, about);
    return line;
  };
  const search = () => {
    const query = field.value.trim().toLowerCase();
    const parts = query.split(/\s+/).filter(Boolean);
    const found = parts.length ? rows.filter((row) => parts.every((part) => row.text.includes(part))) : [];
    found.sort((a, b) => rank(a, query) - rank(b, query) || (a.low < b.low ? -1 : 1));
    list.replaceChildren(...found.slice(0, MOST).map((row) => item(row, parts)));
    const more = found.length > MOST ? `, the first ${MOST} shown` : "";
    count.textContent = parts.length ? `${found.length} found${more}` : `${rows.length} entries`;
    const wanted = query ? `#q=${encodeURIComponent(field.value.trim())}` : "";
    if (location.hash !== wanted) history.replaceState(null, "", wanted || location.pathname);
  };
  const read = () => {
    const asked = new URLSearchParams(location.hash.slice(1)).get("q") ??
      new URLSearchParams(location.search).get("q");
    if (asked !== null) field.value = asked;
    search();
  };
  chooser.hidden = false;
  field.addEventListener("input", search);
  window.addEventListener("hashchange", read);
  read();
  field.focus();
})();
