/* Expressions of a query in DuckDB's SQL, rewritten for SQLite: parsed by DuckDB's precedence, down
   to where the dialects differ. What stands in parentheses is sql-translate.js's. */
(function () {
  "use strict";

  const sql = window.registaSql;
  const { FUNCTIONS, refuse } = sql;
  const COMPARE = new Set(["=", "==", "<>", "!=", "<", "<=", ">", ">="]);
  const NOTHING = { kind: "end", text: "", word: "" };
  const ISO_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?$/;

  const string = (text) => `'${text.replace(/'/g, "''")}'`;
  const name = (text) => "`" + text.replace(/`/g, "``") + "`";

  /* A node is {text} with literal: a number as written, interval: a number of seconds. */
  class Expressions {
    constructor(text, times) {
      this.text = text;
      this.tokens = sql.tokens(text);
      this.times = times;
      this.at = 0;
    }

    peek(ahead = 0) {
      return this.tokens[this.at + ahead] || NOTHING;
    }

    is(text, ahead = 0) {
      const token = this.peek(ahead);
      return token.word ? token.word === text : token.kind === "op" && token.text === text;
    }

    take() {
      return this.tokens[this.at++] || NOTHING;
    }

    accept(text) {
      return this.is(text) ? this.take() : null;
    }

    expect(text) {
      return this.accept(text) || refuse(`Expected ${text} before ${this.peek().text || "the end"}.`);
    }

    concat() {
      let left = this.additive().text;
      while (this.is("||") || this.is("->") || this.is("->>")) {
        const op = this.take().text;
        left = `(${left} ${op} ${this.additive().text})`;
      }
      return left;
    }

    additive() {
      let left = this.multiplied();
      while (this.is("+") || this.is("-")) {
        const op = this.take().text === "+" ? "add" : "sub";
        const right = this.multiplied();
        const unit = right.interval ? 2 : right.literal ? 1 : 0;
        const lead = left.interval && op === "add" ? [right, left, 2] : [left, right, unit];
        const both = left.interval && right.interval;
        const args = `${lead[0].text}, ${lead[1].text}, ${lead[2]}`;
        left = { text: sql.wholeCall(`regista_${op}`, args), interval: both };
      }
      return left;
    }

    multiplied() {
      let left = this.signed();
      for (;;) {
        const op = ["*", "/", "//", "%"].find((text) => this.is(text));
        if (!op) return left;
        this.take();
        const right = this.signed();
        left = { text: this.product(op, left.text, right.text), interval: left.interval || right.interval };
      }
    }

    product(op, left, right) {
      if (op === "*") return `(${left} * ${right})`;
      if (op === "/") return `regista_div(${left}, ${right})`;
      return sql.wholeCall(op === "%" ? "regista_mod" : "regista_idiv", `${left}, ${right}`);
    }

    signed() {
      const sign = this.accept("-") || this.accept("+");
      if (!sign) return this.power();
      const operand = this.signed();
      return { ...operand, text: `(${sign.text} ${operand.text})` };
    }

    power() {
      let left = this.postfix();
      while (this.is("**") || this.is("^")) {
        this.take();
        left = { text: `pow(${left.text}, ${this.postfix().text})` };
      }
      return left;
    }

    postfix() {
      let node = this.primary();
      for (;;) {
        if (this.accept("::")) {
          const [type, args] = this.type();
          node = { text: sql.cast(node.text, type, args, false) };
        } else if (this.is("[")) {
          node = { text: this.slice(node.text) };
        } else {
          return node;
        }
      }
    }

    type() {
      const token = this.take();
      const args = [];
      if (token.word === "DOUBLE") this.accept("PRECISION");
      if (this.accept("(")) {
        for (; !this.is(")") && this.peek().kind === "number"; this.accept(",")) args.push(this.take().text);
        this.expect(")");
      }
      if (this.accept("WITH") || this.accept("WITHOUT")) ["TIME", "ZONE"].forEach((word) => this.expect(word));
      if (this.is("[")) refuse("Lists are DuckDB's.");
      return [token.word || token.text, args];
    }

    /* Texts are cut with [from:to]; both ends count. */
    slice(text) {
      this.expect("[");
      const from = this.peek().kind === "number" ? this.take().text : "1";
      if (!this.accept(":")) refuse("Lists are DuckDB's; a text is cut with [from:to].");
      const to = this.peek().kind === "number" ? this.take().text : null;
      this.expect("]");
      return to === null ? `substr(${text}, ${from})` : `substr(${text}, ${from}, ${Math.max(0, to - from + 1)})`;
    }

    primary() {
      const before = this.peek(-1);
      const token = this.take();
      if (token.kind === "number") return { text: token.text, literal: true };
      if (token.kind === "string") return { text: this.literal(token.text, before) };
      if (token.text === "(" && token.kind === "op") {
        const inner = this.sequence();
        this.expect(")");
        return { text: `(${inner})` };
      }
      if (token.kind === "word") {
        const special = this.special(token.word);
        if (special) return special;
      } else if (token.kind !== "quoted") {
        refuse(`${token.text || "The end of the query"} stands where a value should.`);
      }
      if (this.is("(") && token.kind === "word") return { text: this.call(token) };
      return { text: this.path(token) };
    }

    literal(text, before) {
      const compared = COMPARE.has(before.text) || COMPARE.has(this.peek().text) ||
        ["BETWEEN", "AND"].includes(before.word) || this.is("BETWEEN");
      return string(compared && ISO_TIME.test(text) ? sql.timestamp(text) : text);
    }

    path(token) {
      let text = token.kind === "quoted" ? name(token.text) : token.text;
      while (this.is(".")) {
        this.take();
        const part = this.take();
        text += part.kind === "quoted" ? `.${name(part.text)}` : `.${part.text}`;
        if (this.is("(")) refuse("A function is called as f(x) here, not as x.f().");
      }
      return text;
    }

    special(word) {
      if (word === "CASE") {
        const inner = this.sequence(true);
        this.expect("END");
        return { text: `CASE ${inner} END` };
      }
      if ((word === "CAST" || word === "TRY_CAST") && this.is("(")) return this.castCall(word);
      if (word === "EXTRACT" && this.is("(")) return this.extract();
      const counts = ["string", "number"].includes(this.peek().kind) || this.is("(");
      if (word === "INTERVAL" && counts) return this.interval();
      if (this.peek().kind === "string" && (word === "DATE" || word === "TIMESTAMP" || word === "TIMESTAMPTZ")) {
        const text = this.take().text;
        return { text: string(word === "DATE" ? sql.date(text) : sql.timestamp(text)) };
      }
      if (this.peek().kind === "string" && word === "E") refuse("E'…' is DuckDB's.");
      if ((word === "MAP" || word === "ARRAY") && (this.is("{") || this.is("["))) refuse(`${word} is DuckDB's.`);
      return null;
    }

    castCall(word) {
      this.expect("(");
      const value = this.concat();
      this.expect("AS");
      const [type, args] = this.type();
      this.expect(")");
      return { text: sql.cast(value, type, args, word === "TRY_CAST") };
    }

    extract() {
      this.expect("(");
      const part = this.take().text;
      this.expect("FROM");
      const value = this.concat();
      this.expect(")");
      return { text: sql.wholeCall("date_part", `${string(part)}, ${value}`) };
    }

    interval() {
      const token = this.peek();
      if (token.kind === "op") {
        const inner = this.primary().text;
        return { text: `(${inner} * ${sql.seconds(null, this.take().text)})`, interval: true };
      }
      this.take();
      const counts = token.kind === "number" || /^[-+]?\d+(\.\d+)?$/.test(token.text.trim());
      const size = counts ? sql.seconds(Number(token.text), this.take().text) : sql.intervalText(token.text);
      return { text: String(size), interval: true };
    }

    call(token) {
      const lower = token.text.toLowerCase();
      const named = FUNCTIONS[lower] || lower;
      this.expect("(");
      if (/^(avg|sum)$/.test(lower) && this.times.has(this.peek().text.toLowerCase()) && this.is(")", 1)) {
        refuse(`${token.text} of a time does not work here.`);
      }
      if (lower === "format") refuse("format is DuckDB's. Use printf, or || and round.");
      const args = this.sequence();
      this.expect(")");
      const text = named === "count_if" ? `count(CASE WHEN ${args} THEN 1 END)` : `${named}(${args})`;
      const full = text + this.filter() + this.over();
      const whole = [sql.whole, sql.extremes, sql.held].some((known) => Object.hasOwn(known, named));
      return whole ? `json_extract(${full}, '$')` : full;
    }

    filter() {
      if (!this.is("FILTER") || !this.is("(", 1)) return "";
      this.at += 2;
      this.accept("WHERE"); // DuckDB lets it be left out
      const inner = this.sequence();
      this.expect(")");
      return ` FILTER (WHERE ${inner})`;
    }

    over() {
      if (!this.accept("OVER")) return "";
      if (!this.accept("(")) return ` OVER ${this.path(this.take())}`;
      const inner = this.sequence();
      this.expect(")");
      return ` OVER (${inner})`;
    }
  }

  Object.assign(sql, { Expressions, quoteName: name });
})();
