/* Splits a query into tokens. Comments and white space are dropped.
   A token is {kind, text, word, from, to}: kind is word, quoted, string, number or op; word is the upper-case
   text of a word, '' for all else; text of a string is its value, of a quoted name the name; it stands at from to to. */
(function () {
  "use strict";

  const registaSql = (window.registaSql = window.registaSql || {});

  /** What is wrong with a query, in words for the person who wrote it. */
  class QueryError extends Error {}

  const parts = [];

  /** Have a function add to registaSql: here, and in the worker, which is made of the function's text. */
  function part(add) {
    parts.push(add);
    add(registaSql);
  }

  const RULES = [
    [null, /\s+|--[^\n]*|\/\*[\s\S]*?\*\//y],
    ["string", /'((?:[^']|'')*)'/y],
    ["string", /\$\$([\s\S]*?)\$\$/y],
    ["quoted", /"((?:[^"]|"")*)"/y],
    ["number", /0x[0-9a-f]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy],
    ["word", /[\p{L}_][\p{L}\p{N}_$]*/uy],
    ["op", /->>|->|::|\|\||\/\/|\*\*|<=|>=|<>|!=|==|!~|~~|[-+*/%^<>=~(),.;[\]{}:?&|@#$!]/y],
  ];

  function next(text, at) {
    for (const [kind, rule] of RULES) {
      rule.lastIndex = at;
      const match = rule.exec(text);
      if (match) return { kind, match };
    }
    throw new QueryError(
      "'\"/".includes(text[at])
        ? `A quote or a comment that begins with ${text[at]} never ends.`
        : `The query holds a character that means nothing in SQL: ${text[at]}`
    );
  }

  function token(kind, match) {
    if (kind === "string") return { kind, text: match[1].replace(/''/g, "'"), word: "" };
    if (kind === "quoted") return { kind, text: match[1].replace(/""/g, '"'), word: "" };
    if (kind === "number") return { kind, text: match[0].replace(/_/g, ""), word: "" };
    return { kind, text: match[0], word: kind === "word" ? match[0].toUpperCase() : "" };
  }

  /** Return the tokens of a query. */
  function tokens(text) {
    const found = [];
    for (let at = 0; at < text.length; ) {
      const { kind, match } = next(text, at);
      const from = at;
      at += match[0].length;
      if (kind) found.push({ ...token(kind, match), from, to: at });
    }
    return found;
  }

  Object.assign(registaSql, { QueryError, tokens, parts, part });
})();
