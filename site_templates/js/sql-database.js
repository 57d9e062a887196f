/* The console's database: SQLite in memory with our functions and views. It knows nothing of the page,
   since it mostly runs in a worker. What is wrong with a query is thrown marked as ours. */
registaSql.part(function (sql) {
  "use strict";

  const MAX_SECONDS = 20;

  function addFunctions(db) {
    const add = (name, call, arity) =>
      db.create_function(name, Object.defineProperty((...args) => call(...args), "length", { value: arity }));
    for (const [name, call] of Object.entries(sql.scalars)) add(name, call, call.length);
    const inJson = (call) => (...args) => sql.json(call(...args));
    for (const [name, call] of Object.entries(sql.whole)) add(name, inJson(call), call.length);
    for (const [name, call] of Object.entries(sql.extremes)) {
      for (let arity = 1; arity <= 8; arity++) add(name, inJson(call), arity);
    }
    const aggregates = { ...sql.aggregates, ...sql.held };
    for (const [name, steps] of Object.entries(aggregates)) db.create_aggregate(name, steps);
  }

  class Database {
    async open(initSqlJs, views) {
      const library = await initSqlJs({ useOldExtensionFunctions: false });
      this.db = new library.Database();
      this.db.run("PRAGMA case_sensitive_like = ON"); // as in DuckDB
      addFunctions(this.db);
      for (const [name, text] of Object.entries(views)) this.db.run(`CREATE VIEW ${name} AS ${text}`);
    }

    /** Begin a table of some columns, {name, type} each, which `insert` fills and `end` keeps, or drops. */
    create(name, columns) {
      const defined = columns.map((column) => `"${column.name}" ${column.type}`);
      this.db.run("BEGIN");
      this.db.run(`CREATE TABLE "${name}" (${defined.join(", ")})`);
      this.filling = this.db.prepare(`INSERT INTO "${name}" VALUES (${columns.map(() => "?").join(", ")})`);
    }

    insert(rows) {
      rows.forEach((row) => this.filling.run(row));
    }

    end(isWhole) {
      this.filling.free();
      this.db.run(isWhole ? "COMMIT" : "ROLLBACK");
    }

    /** Return {columns, rows, more}: at most `most` rows, more says whether there are others. */
    query(text, most) {
      const statement = this.db.prepare(text);
      try {
        const columns = statement.getColumnNames();
        const rows = [];
        const until = Date.now() + MAX_SECONDS * 1000;
        while (statement.step()) {
          if (rows.length === most) return { columns, rows, more: true };
          rows.push(statement.get());
          if (Date.now() > until) {
            const far = `Stopped after ${MAX_SECONDS} s with ${rows.length} rows.`;
            throw new Error(`${sql.MARK}${far} Add a LIMIT, or run it with regista sql.`);
          }
        }
        return { columns, rows, more: false };
      } finally {
        statement.free();
      }
    }
  }

  Object.assign(sql, { Database });
});
