/* Where the database runs: in a worker, so that a query that computes for ever can be stopped.

   From file:// no worker may be made of a file, and no script can be read as text. But functions know
   their own text, so the worker is made of those that the page has. Where a browser refuses even that,
   the database runs in the page. */
(function () {
  "use strict";

  const sql = window.registaSql;

  /* Runs in the worker: answers {id, call, args} with {id, value} or {id, error}. */
  function serve(database, initSqlJs) {
    const calls = { open: (views) => database.open(initSqlJs, views) };
    onmessage = async ({ data: { id, call, args } }) => {
      try {
        const value = await (calls[call] || database[call].bind(database))(...args);
        postMessage({ id, value });
      } catch (error) {
        postMessage({ id, error: error.message });
      }
    };
    postMessage({ id: 0 });
  }

  function source() {
    const parts = sql.parts.map((part) => `(${part})(registaSql);`);
    return [
      `const registaSql = { QueryError: ${sql.QueryError} };`,
      "var initSqlJsPromise;",
      ...parts,
      `(${serve})(new registaSql.Database(), ${initSqlJs});`,
    ].join("\n");
  }

  /** A worker with the database; `ask` calls it, `stop` ends it at once. */
  class Remote {
    constructor() {
      this.canStop = true;
      this.waiting = new Map();
      this.ids = 0;
      const address = URL.createObjectURL(new Blob([source()], { type: "text/javascript" }));
      this.begun = new Promise((resolve, reject) => this.waiting.set(0, { resolve, reject }));
      this.worker = new Worker(address);
      this.worker.onmessage = ({ data }) => this.answered(data);
      this.worker.onerror = (event) => this.end(new Error(event.message || "there is no worker"));
      this.begun.catch(() => {}).then(() => URL.revokeObjectURL(address));
    }

    ask(call, ...args) {
      const id = ++this.ids;
      return new Promise((resolve, reject) => {
        if (this.ended) throw this.ended;
        this.waiting.set(id, { resolve, reject });
        this.worker.postMessage({ id, call, args });
      });
    }

    answered({ id, value, error }) {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    }

    stop() {
      this.end(new sql.QueryError("It was stopped."));
    }

    end(error) {
      this.ended = error;
      this.worker.terminate();
      this.waiting.forEach(({ reject }) => reject(error));
      this.waiting.clear();
    }
  }

  /** The database in the page itself: nothing can stop a call of it. */
  class Local {
    constructor() {
      this.canStop = false;
      this.database = new sql.Database();
    }

    async ask(call, ...args) {
      return call === "open" ? this.database.open(initSqlJs, ...args) : this.database[call](...args);
    }
  }

  /** Return a new database with views, where the browser lets it run. */
  async function openDatabase(views) {
    let made;
    try {
      made = new Remote();
      await made.begun;
    } catch (error) {
      if (error instanceof sql.QueryError) throw error;
      made = new Local();
    }
    await made.ask("open", views);
    return made;
  }

  Object.assign(sql, { openDatabase });
})();
