/* What DuckDB's SQL has and SQLite's has not: words that we must refuse, types, units, and texts. */
(function () {
  "use strict";

  const { QueryError } = window.registaSql;
  const FULL = "This console speaks SQLite's SQL and much of DuckDB's; the command regista sql runs all of DuckDB's.";

  // words that begin no expression
  const RESERVED = new Set(
    (
      "SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET UNION ALL INTERSECT EXCEPT DISTINCT AS ON " +
      "USING JOIN LEFT RIGHT FULL INNER OUTER CROSS NATURAL AND OR NOT IN IS LIKE ILIKE GLOB BETWEEN " +
      "ASC DESC NULLS WHEN THEN ELSE END WITH VALUES WINDOW PARTITION EXISTS QUALIFY ESCAPE COLLATE " +
      "OVER FILTER"
    ).split(" ")
  );

  // what ends an ORDER BY, and a SELECT list that was moved
  const CLAUSES = new Set(
    "WHERE GROUP HAVING WINDOW QUALIFY ORDER LIMIT OFFSET UNION INTERSECT EXCEPT".split(" ")
  );

  // words that are refused, where another word stands after or before them
  const REFUSED = {
    QUALIFY: {
      why:
        "QUALIFY is DuckDB's. Name the window function as a column in a subquery and filter outside: " +
        "SELECT * FROM (SELECT …, row_number() OVER (…) AS k FROM …) WHERE k = 1.",
    },
    SEMI: { after: "JOIN", why: "SEMI JOIN is DuckDB's. Use WHERE EXISTS (SELECT …)." },
    ANTI: { after: "JOIN", why: "ANTI JOIN is DuckDB's. Use WHERE NOT EXISTS (SELECT …)." },
    ASOF: { after: "JOIN", why: "ASOF JOIN is DuckDB's. Keep the latest row with row_number()." },
    PIVOT: { after: "(", why: "PIVOT is DuckDB's. Use an aggregate with FILTER (WHERE …) per column." },
    UNPIVOT: { after: "(", why: "UNPIVOT is DuckDB's. Use UNION ALL." },
    EXCLUDE: { before: "*", why: "* EXCLUDE (…) is DuckDB's. Name the columns." },
    SIMILAR: { after: "TO", why: "SIMILAR TO is DuckDB's. Use regexp_matches(text, pattern)." },
  };

  const STARTS = new Set(["SELECT", "WITH", "FROM", "VALUES"]);

  const FIXED = "This page only reads: a query begins with SELECT, WITH, FROM or VALUES.";

  const UNITS = { second: 1, minute: 60, hour: 3600, day: 86400, week: 604800, millisecond: 0.001 };

  function refuse(message) {
    throw new QueryError(`${message} ${FULL}`);
  }

  function seconds(count, unit) {
    const size = UNITS[unit.toLowerCase().replace(/s$/, "")];
    if (size === undefined) {
      refuse(`An interval in ${unit} is not known here: its length is not fixed. Use days.`);
    }
    return count === null ? size : count * size;
  }

  /* Intervals are numbers of seconds, so that they compare, add up and sort. */
  function intervalText(text) {
    const parts = [...text.matchAll(/([-+]?\d+(?:\.\d+)?)\s*([a-z]+)/gi)];
    const rest = text.replace(/([-+]?\d+(?:\.\d+)?)\s*([a-z]+)/gi, "").trim();
    if (!parts.length || rest) refuse(`INTERVAL '${text}' is not understood.`);
    return parts.reduce((sum, part) => sum + seconds(Number(part[1]), part[2]), 0);
  }

  const TEXT = new Set(["VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR"]);
  const WHOLE = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|INT[1248]?|INT(8|16|32|64)|LONG|SHORT|SIGNED)$/;
  const REAL = new Set(["DOUBLE", "FLOAT", "FLOAT4", "FLOAT8", "REAL"]);
  const TIMES = /^(TIMESTAMP(_S|_MS|_US|_NS|TZ)?|DATETIME)$/;

  /** Return SQLite's words for a cast of an expression to one of DuckDB's types. */
  function cast(expression, type, args, lenient) {
    const flag = lenient ? 1 : 0;
    if (TEXT.has(type)) return `CAST(${expression} AS TEXT)`;
    if (WHOLE.test(type)) return window.registaSql.wholeCall("regista_int", `${expression}, ${flag}`);
    if (REAL.has(type)) return `regista_real(${expression}, ${flag})`;
    if (type === "DECIMAL" || type === "NUMERIC") {
      return `round(regista_real(${expression}, ${flag}), ${args.length ? args[1] || 0 : 3})`;
    }
    if (type === "BOOLEAN" || type === "BOOL") return `regista_bool(${expression}, ${flag})`;
    if (type === "DATE") return `regista_date(${expression}, ${flag})`;
    if (TIMES.test(type)) return `regista_timestamp(${expression}, ${flag})`;
    if (type === "JSON") return expression;
    return refuse(`There is no cast to ${type} here.`);
  }

  // functions of the same meaning by another name
  const FUNCTIONS = Object.assign(Object.create(null), {
    now: "regista_now",
    today: "regista_today",
    random: "regista_random",
    strftime: "regista_strftime",
    if: "iif",
    len: "length",
    prefix: "starts_with",
    suffix: "ends_with",
    datediff: "date_diff",
    datetrunc: "date_trunc",
    datepart: "date_part",
    countif: "count_if",
    bool_or: "max",
    bool_and: "min",
    any_value: "min",
    max_by: "arg_max",
    min_by: "arg_min",
    stddev_samp: "stddev",
    var_samp: "variance",
    json_extract_string: "json_extract",
    listagg: "string_agg",
    left: "regista_left",
    right: "regista_right",
  });

  Object.assign(window.registaSql, {
    FULL, RESERVED, CLAUSES, REFUSED, STARTS, FIXED, FUNCTIONS, refuse, seconds, intervalText, cast,
  });
})();
