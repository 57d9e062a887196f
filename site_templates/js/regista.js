// What every page gains from scripts: copy buttons, sorting, what is overdue today, finding.
// Each page holds all its facts without it. Classic script: modules do not load from a folder.
"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Copy buttons stand hidden in the page until they can work.
  const told = document.createElement("span");
  told.className = "unseen";
  told.setAttribute("role", "status");
  (document.querySelector("footer") || document.body).append(told);
  const copy = (button) => {
    const text = button.parentElement.querySelector("code").textContent;
    const done = () => {
      button.textContent = "Copied";
      told.textContent = "Copied";
      setTimeout(() => {
        button.textContent = "Copy";
        told.textContent = "";
      }, 1500);
    };
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text).then(done, () => fallback(text, done));
    } else {
      fallback(text, done);
    }
  };
  const fallback = (text, done) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    if (document.execCommand("copy")) done();
    area.remove();
  };
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }

  // Sorting by a column, a second time the other way. Numbers sort as numbers, times as times.
  const keyOf = (row, index) => {
    const cell = row.cells[index];
    const time = cell.querySelector("time");
    const text = time ? time.dateTime : cell.textContent.trim();
    const number = Number(text.replace(/^v|[,\s−]/g, (c) => (c === "−" ? "-" : "")));
    return text !== "" && !Number.isNaN(number) ? number : text.toLowerCase();
  };
  const compare = (a, b) => {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? -1 : 1;
  };
  const sort = (table, index, header) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    const rows = all("tbody > tr", table).map((row) => [keyOf(row, index), row]);
    rows.sort((a, b) => (down ? -compare(a[0], b[0]) : compare(a[0], b[0])));
    table.tBodies[0].append(...rows.map((pair) => pair[1]));
    for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  for (const table of all("table[data-sortable]")) {
    if (table.tBodies[0].rows.length < 2) continue;
    all("thead th", table).forEach((header, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sort(table, index, header));
    });
  }

  // Pages carry dates; what is overdue depends on today.
  const now = new Date();
  for (const item of all("[data-due]")) {
    if (new Date(item.dataset.due) >= now) continue;
    item.classList.add("overdue");
    item.append(` (${item.dataset.word || "overdue"})`);
  }
  const units = [[31536e3, "year"], [2592e3, "month"], [86400, "day"], [3600, "hour"], [60, "minute"]];
  for (const item of all("time")) {
    const seconds = (now - new Date(item.dateTime)) / 1000;
    const unit = units.find(([size]) => Math.abs(seconds) >= size);
    if (!unit) continue;
    const count = Math.floor(Math.abs(seconds) / unit[0]);
    const words = `${count} ${unit[1]}${count === 1 ? "" : "s"}`;
    item.title = `${seconds > 0 ? `${words} ago` : `in ${words}`} (${item.dateTime})`;
  }

  // The field in the masthead leads to the search page; `/` leads to the field.
  for (const form of all("[data-find]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const field = form.querySelector("input");
      location.href = `${field.dataset.root}search.html#q=${encodeURIComponent(field.value)}`;
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|textarea|select)$/i.test(event.target.tagName);
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = document.querySelector("[data-find] input, [data-search] input");
    if (!field) return;
    event.preventDefault();
    field.focus();
  });

  // The audit log, filtered in place; rows without JavaScript are all there.
  for (const chooser of all("[data-filter]")) {
    const rows = all("table.audit > tbody > tr");
    const [text, kind] = [chooser.querySelector("input"), chooser.querySelector("select")];
    const count = chooser.querySelector("[data-filter-count]");
    const filter = () => {
      const wanted = text.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const fits = !kind.value || all("[data-event]", row).some((e) => e.dataset.event === kind.value);
        row.hidden = !fits || !row.textContent.toLowerCase().includes(wanted);
        shown += !row.hidden;
      }
      count.textContent = wanted || kind.value ? `${shown} of ${rows.length} commits on this page` : "";
    };
    chooser.hidden = false;
    text.addEventListener("input", filter);
    kind.addEventListener("change", filter);
  }
})();
