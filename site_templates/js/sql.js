/* The SQL console's page: query in, table out, and the query in the address, so that it can be
   shared: sql.html#q=SELECT%20… runs when it is opened. */
(function () {
  "use strict";

  const sql = window.registaSql;
  const SHOWN = 1000;
  const KEPT = 200000; // rows of a CSV file
  const get = (id) => document.getElementById(id);
  const query = get("sql-query");
  let result = null;
  let queue = Promise.resolve();

  const tables = [...document.querySelectorAll("[data-table]")].map((element) => ({
    name: element.dataset.table,
    file: element.dataset.file,
    bytes: Number(element.dataset.bytes),
    rows: Number(element.dataset.rows),
    script: "script" in element.dataset,
    columns: [...element.querySelectorAll("[data-column]")].map((row) => ({
      name: row.dataset.column,
      type: row.dataset.type,
    })),
  }));

  async function tell(message) {
    get("sql-status").textContent = message;
    // let the browser paint it before the work begins
    await new Promise((resolve) => setTimeout(resolve));
  }

  const engine = new sql.Engine(tables, Number(get("sql-console").dataset.rowLimit), tell);
  const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

  function cell(value) {
    const element = document.createElement("td");
    if (value === null) {
      element.className = "sql-null";
      element.textContent = "NULL";
    } else {
      if (typeof value !== "string") element.className = "sql-number";
      element.textContent = String(value);
    }
    return element;
  }

  function table({ columns, rows }) {
    const element = document.createElement("table");
    const numbers = columns.map((_, index) => {
      const known = rows.map((row) => row[index]).filter((value) => value !== null);
      return known.length > 0 && known.every((value) => typeof value !== "string");
    });
    const head = element.createTHead().insertRow();
    columns.forEach((column, index) => {
      const title = document.createElement("th");
      title.scope = "col";
      title.textContent = column;
      if (numbers[index]) title.className = "sql-number";
      head.append(title);
    });
    const body = element.createTBody();
    for (const row of rows.slice(0, SHOWN)) body.insertRow().append(...row.map(cell));
    return element;
  }

  function summary({ rows, more }, milliseconds) {
    const found = more ? `More than ${count(KEPT, "row")}` : count(rows.length, "row");
    const cut = rows.length > SHOWN ? `; the first ${SHOWN.toLocaleString("en")} are shown` : "";
    const kept = more ? `, the CSV file holds the first ${KEPT.toLocaleString("en")}` : "";
    return `${found} in ${(milliseconds / 1000).toFixed(2)} s${cut}${kept}.`;
  }

  function show(found, error) {
    result = found;
    get("sql-error").hidden = !error;
    get("sql-error").textContent = error || "";
    get("sql-csv").disabled = !found;
    get("sql-result").hidden = !found || found.rows.length === 0;
    get("sql-result").replaceChildren(...(found && found.rows.length ? [table(found)] : []));
  }

  async function run(text) {
    const began = performance.now();
    const watch = setInterval(() => (get("sql-stop").disabled = !engine.canStop), 200);
    try {
      const found = await engine.query(text, KEPT);
      show(found, null);
      await tell(summary(found, performance.now() - began));
    } catch (error) {
      show(null, error instanceof sql.QueryError ? error.message : `The console failed: ${error.message}.`);
      await tell("");
    } finally {
      clearInterval(watch);
      get("sql-stop").disabled = true;
    }
  }

  function enqueue(text) {
    queue = queue.then(() => run(text));
    return queue;
  }

  function shared() {
    const match = /^#q=(.*)$/s.exec(location.hash);
    if (!match) return null;
    try {
      return decodeURIComponent(match[1]);
    } catch {
      return match[1];
    }
  }

  const hashOf = (text) => `#q=${encodeURIComponent(text)}`;

  /* The address follows the query, so that back and forward go through the queries. */
  function ask(text) {
    query.value = text;
    if (location.hash === hashOf(text)) enqueue(text);
    else location.hash = hashOf(text);
  }

  function follow() {
    const text = shared();
    if (text === null) return;
    query.value = text;
    get("sql-link").disabled = false;
    get("sql-link").textContent = "Copy link";
    enqueue(text);
  }

  async function copyLink() {
    try {
      await navigator.clipboard.writeText(location.href);
      get("sql-link").textContent = "Copied";
    } catch {
      await tell("The browser does not let this page copy: take the link from the address bar.");
    }
  }

  function field(value) {
    if (value === null) return "";
    const text = String(value);
    return text === "" || /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  }

  function downloadCsv() {
    const lines = [result.columns, ...result.rows].map((row) => row.map(field).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
    link.download = "regista.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  function start() {
    get("sql-console").hidden = false;
    for (const button of document.querySelectorAll("button[data-query]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        ask(button.dataset.query);
        get("sql-console").scrollIntoView({ block: "start" });
      });
    }
    get("sql-run").addEventListener("click", () => ask(query.value));
    get("sql-stop").addEventListener("click", () => engine.stop());
    get("sql-link").addEventListener("click", copyLink);
    get("sql-csv").addEventListener("click", downloadCsv);
    query.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        ask(query.value);
      }
    });
    window.addEventListener("hashchange", follow);
    const first = document.querySelector("button[data-query]");
    if (shared() === null && first) query.value = first.dataset.query;
    follow();
  }

  // for tests and for the browser's own console
  sql.engine = engine;
  start();
})();
