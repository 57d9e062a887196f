/* Turns a query in DuckDB's SQL into one that means the same to SQLite, or says why it cannot.

   No full grammar: what is no expression is copied, token by token, but for what DuckDB has and
   SQLite has not. What would run in SQLite and silently mean something else is rewritten: division
   of integers, + and - on times, || (which binds looser in DuckDB), where NULLs sort, casts, names
   in double quotes (which SQLite takes for text when there is no such column). */
(function () {
  "use strict";

  const sql = window.registaSql;
  const { CLAUSES, REFUSED, RESERVED, refuse } = sql;

  const DATE = /^'\d{4}-\d\d-\d\d'$/;

  class Translator extends sql.Expressions {
    statement() {
      while (this.tokens.length && this.tokens[this.tokens.length - 1].text === ";") this.tokens.pop();
      if (!this.tokens.length) throw new sql.QueryError("There is no query to run.");
      let first = 0;
      while (this.is("(", first)) first++;
      const { word, text } = this.peek(first);
      if (["DESCRIBE", "SHOW", "SUMMARIZE", "EXPLAIN", "PRAGMA"].includes(word)) {
        refuse(`${word} does not work here; the tables and columns are listed on this page.`);
      }
      if (!sql.STARTS.has(word)) throw new sql.QueryError(`${sql.FIXED} This one begins with ${text}.`);
      const result = this.sequence();
      if (this.is(";")) throw new sql.QueryError("One statement at a time, please: there is a second one after ;");
      if (this.at < this.tokens.length) refuse(`There is a ${this.peek().text} too many.`);
      return result;
    }

    /* What stands between parentheses, or to END of a CASE. */
    sequence(inCase = false) {
      const arm = { out: [], from: -1, selected: false, moved: null, order: false, item: null };
      for (;;) {
        const token = this.peek();
        const closes = token.kind === "end" || token.kind === "op" && [")", "]", ";", "}"].includes(token.text);
        if (closes || (inCase && token.word === "END")) break;
        this.step(arm);
      }
      this.endArm(arm);
      return arm.out.join(" ");
    }

    step(arm) {
      const token = this.peek();
      if (token.word in REFUSED) this.refuseWord(token.word);
      if (arm.item && (this.is(",") || CLAUSES.has(token.word) || token.word === "FROM")) this.endItem(arm);
      if (arm.order && this.endsOrder()) this.endOrder(arm);
      if (this.is(",") && arm.order) this.nullsLast(arm);
      if (arm.moved !== null && CLAUSES.has(token.word)) this.endMoved(arm);
      if (["UNION", "INTERSECT", "EXCEPT"].includes(token.word)) {
        this.endArm(arm);
        arm.selected = false;
        arm.out.push(this.take().text);
        if (this.is("ALL")) arm.out.push(this.take().text);
        if (this.is("BY")) refuse("UNION BY NAME is DuckDB's.");
      } else if (token.word && RESERVED.has(token.word) && !this.callsReserved()) {
        this.keyword(arm, this.take().word);
      } else if (this.startsExpression()) {
        this.comparand(arm);
      } else {
        arm.out.push(this.take().text);
        if (this.is(",", -1) && arm.listing) this.beginItem(arm);
      }
    }

    beginItem(arm) {
      arm.item = { at: this.at, out: arm.out.length };
      arm.listing = true;
    }

    /* An expression that was rewritten, and is not named, is named as it was written. */
    endItem(arm) {
      const { at, out } = arm.item;
      arm.item = null;
      arm.listing = this.is(",");
      if (arm.out.length - out !== 1 || !/\bregista_|\bjson_extract\(/.test(arm.out[out])) return;
      const source = this.text.slice(this.tokens[at].from, this.tokens[this.at - 1].to);
      arm.out.push("AS", sql.quoteName(source.replace(/\s+/g, " ")));
    }

    /* left(…) and right(…) are functions; everywhere else these are words of a join. */
    callsReserved() {
      return (this.is("LEFT") || this.is("RIGHT")) && this.is("(", 1);
    }

    refuseWord(word) {
      const { after, before, why } = REFUSED[word];
      if ((!after || this.is(after, 1)) && (!before || this.is(before, -1))) refuse(why);
    }

    keyword(arm, word) {
      const compares = word === "FROM" && this.is("DISTINCT", -2); // IS DISTINCT FROM
      if (word === "FROM" && !compares && !arm.selected && arm.from < 0) {
        arm.from = arm.out.length;
      } else if (word === "SELECT") {
        if (arm.from >= 0) arm.moved = arm.out.length;
        arm.selected = true;
        if (this.is("DISTINCT") && this.is("ON", 1)) {
          refuse("DISTINCT ON is DuckDB's. Keep one row with row_number() in a subquery.");
        }
      }
      if ((word === "GROUP" || word === "ORDER") && this.is("BY") && this.is("ALL", 1)) {
        refuse(`${word} BY ALL is DuckDB's. Name the columns.`);
      }
      arm.out.push(word);
      const first = word === "DISTINCT" && this.is("SELECT", -2);
      if (word === "SELECT" || first) this.beginItem(arm);
      if (word === "ORDER" && this.is("BY")) {
        arm.out.push(this.take().text);
        arm.order = true;
      }
      if (((word === "FROM" && !compares) || word === "JOIN") && this.peek().kind === "string") {
        arm.out.push(this.fileTable(this.take().text));
      }
      if (word === "NULLS") arm.nulls = true;
    }

    /* FROM 'data/versions.parquet' is FROM versions. */
    fileTable(path) {
      const match = /(?:^|\/)(\w+)(?:\/\*)?\.parquet$/.exec(path);
      return match ? sql.quoteName(match[1]) : refuse(`No other file than the tables of this site can be read: ${path}.`);
    }

    endsOrder() {
      const token = this.peek();
      const frame = ["ROWS", "RANGE", "GROUPS"].includes(token.word);
      return CLAUSES.has(token.word) || (frame && ["word", "number"].includes(this.peek(1).kind));
    }

    nullsLast(arm) {
      // DuckDB sorts NULLs last both ways, SQLite takes them for the least
      if (!arm.nulls) arm.out.push("NULLS LAST");
      arm.nulls = false;
    }

    endOrder(arm) {
      this.nullsLast(arm);
      arm.order = false;
    }

    endMoved(arm) {
      arm.out.splice(arm.from, 0, ...arm.out.splice(arm.moved));
      arm.moved = null;
      arm.from = -1;
    }

    endArm(arm) {
      if (arm.item) this.endItem(arm);
      if (arm.order) this.endOrder(arm);
      if (arm.moved !== null) this.endMoved(arm);
      if (arm.from >= 0 && !arm.selected) arm.out.splice(arm.from, 0, "SELECT *");
      arm.from = -1;
    }

    startsExpression() {
      const token = this.peek();
      if (["word", "quoted", "string", "number"].includes(token.kind)) return true;
      if (["?", "$", ":"].includes(token.text)) refuse("A query here takes no parameters.");
      if (token.text === "[" || token.text === "{") refuse("Lists and structs are DuckDB's.");
      return ["(", "-", "+"].includes(token.text);
    }

    /* One side of a comparison, and ILIKE, which SQLite lacks. */
    comparand(arm) {
      const left = this.concat();
      const negated = this.is("NOT") && this.is("ILIKE", 1) ? this.take() : null;
      if (this.accept("ILIKE")) {
        arm.out.push(`${negated ? "NOT " : ""}regista_ilike(${left}, ${this.concat()})`);
        return;
      }
      if (this.is("~") || this.is("!~")) refuse("~ is DuckDB's. Use regexp_matches(text, pattern).");
      arm.out.push(DATE.test(left) ? this.dayCompared(arm.out, left) : left);
    }

    /* A day is also its midnight, which a time spells out: both are texts here. */
    dayCompared(out, day) {
      const midnight = `${day.slice(0, -1)} 00:00:00'`;
      const before = out[out.length - 1];
      const sets = { "=": "IN", "==": "IN", "<>": "NOT IN", "!=": "NOT IN" };
      if (Object.hasOwn(sets, before)) {
        out[out.length - 1] = sets[before];
        return `(${day}, ${midnight})`;
      }
      const upper = before === "AND" && out[out.length - 3] === "BETWEEN";
      return upper || before === "<=" || before === ">" ? midnight : day;
    }
  }

  /** Return a query for SQLite that means what the given one does.
      times: lower-case names of columns that hold times. */
  function translate(text, times = new Set()) {
    return new Translator(text, times).statement();
  }

  Object.assign(sql, { translate });
})();
