/* The engine: a database, filled from the published Parquet files, each when first asked for.

   Over http a file is fetched. From file:// a browser refuses that, so the same bytes come from a
   classic script beside the file, which sets registaParquet[table] to their base64. */
(function () {
  "use strict";

  const sql = window.registaSql;
  const { QueryError } = sql;
  const FETCHABLE = location.protocol !== "file:";

  const type = (columnType) => ({ DOUBLE: "REAL", VARCHAR: "TEXT", TIMESTAMP: "TEXT" })[columnType] || "INTEGER";

  const PARSERS = {
    timestampFromMilliseconds: (value) => sql.timeText(BigInt(value) * 1000n),
    timestampFromMicroseconds: (value) => sql.timeText(BigInt(value)),
    timestampFromNanoseconds: (value) => sql.timeText(BigInt(value) / 1000n),
  };

  const COMPRESSORS = {
    SNAPPY: (input, length) => {
      const output = new Uint8Array(length);
      hyparquet.snappyUncompress(input, output);
      return output;
    },
    ZSTD: (input, length) => hyparquet.zstdDecompress(input, new Uint8Array(length)),
  };

  function bind(value) {
    if (typeof value === "boolean") return value ? 1 : 0;
    return value === undefined ? null : value;
  }

  /** A database of the published tables.
      tables: {name, file, bytes, rows, script: whether it can be had from file://, columns} each;
      file is relative to the page. A table of more rows than rowLimit is not loaded.
      tell(message) is called before each wait. */
  class Engine {
    constructor(tables, rowLimit, tell) {
      this.tables = new Map(tables.map((table) => [table.name, table]));
      this.rowLimit = rowLimit;
      this.tell = tell;
      this.loaded = new Set();
      this.times = new Set(["since", "until"]);
      for (const { columns } of tables) {
        columns.filter((column) => column.type === "TIMESTAMP").forEach((column) => this.times.add(column.name));
      }
    }

    async open() {
      if (!this.db) {
        await this.tell("Starting SQLite…");
        this.db = await sql.openDatabase(sql.views);
      }
      return this.db;
    }

    /** Whether what runs now could be stopped. */
    get canStop() {
      return Boolean(this.db && this.db.canStop);
    }

    /** End what runs, which fails, and forget all tables. */
    stop() {
      const { db } = this;
      if (!this.canStop) return;
      this.db = null;
      this.loaded.clear();
      db.stop();
      this.abandon(new QueryError("Stopped. Tables are loaded anew when they are next asked for."));
    }

    /** Return {columns, rows, more}: at most `most` rows, more says whether there are others.
        Fails with a QueryError, in words for the person who asked. */
    query(text, most) {
      const stopped = new Promise((_, reject) => (this.abandon = reject));
      return Promise.race([this.answer(text, most), stopped]);
    }

    async answer(text, most) {
      try {
        const translated = sql.translate(text, this.times);
        const db = await this.open();
        for (const name of sql.tablesOf(this.namesIn(text))) await this.load(db, name);
        await this.tell("Running…");
        return await db.ask("query", translated, most);
      } catch (error) {
        const own = error instanceof QueryError;
        throw new QueryError(own ? error.message.replace(sql.MARK, "") : explain(error.message, this.names()));
      }
    }

    names() {
      return [...this.tables.keys(), ...Object.keys(sql.views)];
    }

    /* Tables and views that a query may read: too many do no harm. */
    namesIn(text) {
      const found = sql.tokens(text).flatMap((token) => {
        const file = token.kind === "string" && /(\w+)(?:\/\*)?\.parquet$/.exec(token.text);
        return file ? file[1] : ["word", "quoted"].includes(token.kind) ? token.text.toLowerCase() : [];
      });
      const known = new Set(this.names());
      return new Set(found.filter((name) => known.has(name)));
    }

    async load(db, name) {
      if (this.loaded.has(name)) return;
      const table = this.tables.get(name);
      if (!table) throw new QueryError(`The table ${name}, which this needs, is not published on this site.`);
      if (table.rows > this.rowLimit) throw new QueryError(this.tooLarge(table));
      await this.tell(`Loading ${name}…`);
      const bytes = FETCHABLE ? await this.fetched(table) : await this.scripted(table);
      await db.ask("create", name, table.columns.map((column) => ({ name: column.name, type: type(column.type) })));
      try {
        await this.insert(db, table, bytes);
        await db.ask("end", true);
      } catch (error) {
        if (error instanceof QueryError) throw error;
        await db.ask("end", false);
        throw new QueryError(`${table.file} cannot be read: ${error.message}.`);
      }
      this.loaded.add(name);
    }

    tooLarge(table) {
      return (
        `${table.name} has ${table.rows} rows, too many for a browser. ` +
        `Run the query with regista sql, or on the file itself: duckdb -c "… FROM '${table.file}'".`
      );
    }

    async fetched(table) {
      try {
        const response = await fetch(table.file);
        if (response.ok) return await response.arrayBuffer();
        throw new Error(`the server answered ${response.status}`);
      } catch (error) {
        throw new QueryError(`${table.file} cannot be loaded: ${error.message}.`);
      }
    }

    async scripted(table) {
      if (!table.script) {
        throw new QueryError(
          `${table.name} is too large to be read from a folder (${table.bytes} bytes). Serve the folder over http, ` +
            `with regista site serve or python -m http.server, or run the query with regista sql.`
        );
      }
      await new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = `${table.file}.js`;
        script.onload = resolve;
        script.onerror = () => reject(new QueryError(`${table.file}.js cannot be loaded.`));
        document.head.append(script);
      });
      const carried = window.registaParquet || {};
      if (!carried[table.name]) throw new QueryError(`${table.file}.js does not hold ${table.name}.`);
      const text = atob(carried[table.name]);
      delete carried[table.name];
      return Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
    }

    async insert(db, table, buffer) {
      const columns = table.columns.map((column) => column.name);
      const file = { byteLength: buffer.byteLength, slice: async (from, to) => buffer.slice(from, to) };
      const metadata = await hyparquet.parquetMetadataAsync(file);
      let rowStart = 0;
      for (const group of metadata.row_groups) {
        if (rowStart) await this.tell(`Loading ${table.name}, ${rowStart} of ${table.rows} rows…`);
        const rowEnd = rowStart + Number(group.num_rows);
        let read = [];
        await hyparquet.parquetRead({
          file, metadata, compressors: COMPRESSORS, columns, rowStart, rowEnd, parsers: PARSERS,
          onComplete: (rows) => (read = rows.map((row) => row.map(bind))),
        });
        await db.ask("insert", read);
        rowStart = rowEnd;
      }
    }
  }

  /** Say in plain words what SQLite complains of. */
  function explain(message, names) {
    const [, what] = /(?:no such \w+: |near "|function )([^"\s(]*|[^"]*)/.exec(message) || [];
    if (message.startsWith(sql.MARK)) return message.slice(sql.MARK.length);
    if (message.startsWith("no such table")) {
      return `There is no table or view ${what}. There are: ${names.join(", ")}.`;
    }
    if (message.startsWith("no such column")) {
      return (
        `There is no column ${what}. The columns of each table are listed on this page; ` +
        "a text stands in 'single quotes'."
      );
    }
    if (message.startsWith("no such function")) return `There is no function ${what} here. ${sql.FULL}`;
    if (message.startsWith("near")) return `The query cannot be read at ${what || "a parenthesis"}. ${sql.FULL}`;
    return `SQLite says: ${message}. ${sql.FULL}`;
  }

  Object.assign(sql, { Engine });
})();
