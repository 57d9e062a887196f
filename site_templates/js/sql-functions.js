/* Functions that SQLite lacks, or means otherwise, by DuckDB's meaning. Times are texts in UTC,
   'YYYY-MM-DD HH:MM:SS[.ffffff]', which sort and compare as times do; dates are 'YYYY-MM-DD';
   intervals are numbers of seconds. */
registaSql.part(function (sql) {
  "use strict";

  const { QueryError } = sql;
  const TIME =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/;
  const DAY = 86400000000n;

  // an error on its way through SQLite keeps only its message, so the mark tells whose it is
  const MARK = "regista: ";
  const fail = (message) => {
    throw new QueryError(MARK + message);
  };
  const number = (value) => typeof value === "number" || typeof value === "bigint";

  /* Minutes that a zone such as +02:00 is ahead of UTC. */
  function shift(zone) {
    if (!zone || zone === "Z") return 0;
    const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(":", ""));
    return zone[0] === "-" ? -minutes : minutes;
  }

  /** Return microseconds since 1970 of a time or date as text, null when it is none. */
  function micros(text) {
    const match = typeof text === "string" ? TIME.exec(text.trim()) : null;
    if (!match) return null;
    const [, year, month, day, hour, minute, second, fraction, zone] = match;
    const at = Date.UTC(year, month - 1, day, hour || 0, minute || 0, second || 0);
    const shown = new Date(at).toISOString();
    if (!shown.startsWith(`${year}-${month}-${day}`) || Number(minute || 0) > 59 || Number(second || 0) > 59) {
      return null;
    }
    return BigInt(at - shift(zone) * 60000) * 1000n + BigInt((fraction || "").padEnd(6, "0").slice(0, 6));
  }

  /** Return the text of a time given in microseconds since 1970. */
  function timeText(value) {
    const fraction = ((value % 1000000n) + 1000000n) % 1000000n;
    const at = new Date(Number((value - fraction) / 1000n));
    const text = at.toISOString().slice(0, 19).replace("T", " ");
    return fraction ? `${text}.${String(fraction).padStart(6, "0").replace(/0+$/, "")}` : text;
  }

  const parsed = (text) => micros(text) ?? fail(`This is no time: ${text}`);
  const timestamp = (text) => timeText(parsed(text));
  const date = (text) => timeText(parsed(text)).slice(0, 10);
  const isDate = (text) => text.length === 10;

  /* Time plus a number. unit: 2 an INTERVAL, 1 a number as written, 0 anything else. */
  function shifted(text, amount, unit) {
    const at = parsed(text);
    if (isDate(text) && unit === 1) return timeText(at + BigInt(amount) * DAY).slice(0, 10);
    if (unit === 1 || (isDate(text) && unit === 0)) {
      fail("To a time add an INTERVAL, such as INTERVAL 30 DAY; to a date that or a number of days.");
    }
    return timeText(at + BigInt(Math.round(amount * 1e6)));
  }

  function add(left, right, unit) {
    if (left === null || right === null) return null;
    if (number(left) && number(right)) return left + right;
    if (number(right)) return shifted(left, right, unit);
    if (number(left)) return shifted(right, left, 2);
    return fail("Two texts cannot be added; || joins them.");
  }

  function sub(left, right, unit) {
    if (left === null || right === null) return null;
    if (number(left) && number(right)) return left - right;
    if (number(right)) return shifted(left, -right, unit);
    if (number(left)) return fail("A text cannot be subtracted from a number.");
    const apart = parsed(left) - parsed(right);
    return isDate(left) && isDate(right) ? apart / DAY : Number(apart) / 1e6;
  }

  function divided(left, right) {
    if (left === null || right === null) return null;
    return number(left) && number(right) ? left / right : fail("Only numbers can be divided.");
  }

  function wholeDivided(left, right) {
    if (right === 0) return null;
    const ratio = divided(left, right);
    return ratio === null ? null : Math.trunc(ratio);
  }

  function remainder(left, right) {
    return left === null || right === null || right === 0 ? null : left % right;
  }

  /* A cast that fails is an error, and NULL from TRY_CAST. */
  const cast = (convert, what) => (value, lenient) => {
    if (value === null) return null;
    const result = convert(value);
    return result !== null || lenient ? result : fail(`${value} is no ${what}; TRY_CAST gives NULL for it.`);
  };

  const real = (value) => {
    if (number(value)) return Number(value);
    return /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(value) ? Number(value) : null;
  };
  const integer = (value) => {
    const found = real(value);
    if (found === null || !Number.isFinite(found)) return null;
    const floor = Math.floor(found);
    const odd = floor % 2 !== 0;
    const half = found - floor === 0.5;
    return half && !odd ? floor : half ? floor + 1 : Math.round(found);
  };
  const bool = (value) => {
    if (number(value)) return value ? 1 : 0;
    return { true: 1, t: 1, 1: 1, false: 0, f: 0, 0: 0 }[value.toLowerCase()] ?? null;
  };
  const asTime = (value) => (micros(value) === null ? null : timestamp(value));
  const asDate = (value) => (micros(value) === null ? null : date(value));

  const CALENDAR = { year: 4, month: 7, day: 10, hour: 13, minute: 16, second: 19 };
  const unitOf = (unit) => String(unit).toLowerCase().replace(/s$/, "");

  function truncated(unit, text) {
    if (text === null) return null;
    const full = timestamp(text);
    const name = unitOf(unit);
    const size = CALENDAR[name];
    if (size) return full.slice(0, size) + "0000-01-01 00:00:00".slice(size);
    const day = new Date(`${full.slice(0, 10)}T00:00:00Z`);
    if (name === "week") day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
    else if (name === "quarter") day.setUTCMonth(day.getUTCMonth() - (day.getUTCMonth() % 3), 1);
    else fail(`date_trunc does not know ${unit} here.`);
    return `${day.toISOString().slice(0, 10)} 00:00:00`;
  }

  function part(unit, text) {
    if (text === null) return null;
    const name = unitOf(unit);
    const full = timestamp(text);
    if (name === "epoch") return Number(parsed(text)) / 1e6;
    if (name === "quarter") return Math.ceil(Number(full.slice(5, 7)) / 3);
    if (name === "dow") return new Date(`${full.slice(0, 10)}T00:00:00Z`).getUTCDay();
    const size = CALENDAR[name] || fail(`date_part does not know ${unit} here.`);
    return Number(full.slice(size === 4 ? 0 : size - 2, size));
  }

  function apart(unit, from, to) {
    if (from === null || to === null) return null;
    const name = unitOf(unit);
    const months = (text) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7)) - 1;
    if (name === "year" || name === "month") {
      const count = months(truncated(name, to)) - months(truncated(name, from));
      return name === "year" ? count / 12 : count;
    }
    const size = { week: 7n * DAY, day: DAY, hour: DAY / 24n, minute: 60000000n, second: 1000000n }[name];
    if (!size) fail(`date_diff does not know ${unit} here.`);
    return (micros(truncated(name, to)) - micros(truncated(name, from))) / size;
  }

  function formatted(left, right) {
    if (left === null || right === null) return null;
    const [text, format] = micros(left) === null ? [right, left] : [left, right];
    const full = timestamp(text);
    const pieces = { Y: [0, 4], m: [5, 7], d: [8, 10], H: [11, 13], M: [14, 16], S: [17, 19] };
    return format.replace(/%(.)/g, (_, letter) => {
      if (letter === "%") return "%";
      return full.slice(...(pieces[letter] || fail(`strftime does not know %${letter} here.`)));
    });
  }

  /* LIKE by letters of either case. */
  function ilike(text, pattern) {
    if (text === null || pattern === null) return null;
    const source = String(pattern).replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/%/g, "[^]*").replace(/_/g, "[^]");
    return new RegExp(`^${source}$`, "iu").test(String(text)) ? 1 : 0;
  }

  const regexp = (pattern) => {
    try {
      return new RegExp(pattern, "u");
    } catch {
      return fail(`This is no pattern: ${pattern}`);
    }
  };

  /* Functions of texts, NULL when any argument is. */
  const strict = (call) =>
    Object.defineProperty((...args) => (args.includes(null) ? null : call(...args)), "length", {
      value: call.length,
    });
  const texts = {
    lower: (text) => String(text).toLowerCase(),
    upper: (text) => String(text).toUpperCase(),
    starts_with: (text, start) => (String(text).startsWith(start) ? 1 : 0),
    ends_with: (text, end) => (String(text).endsWith(end) ? 1 : 0),
    contains: (text, inner) => (String(text).includes(inner) ? 1 : 0),
    regista_left: (text, count) => [...String(text)].slice(0, count).join(""),
    regista_right: (text, count) => (count ? [...String(text)].slice(-count).join("") : ""),
    split_part: (text, by, index) => String(text).split(by).at(index > 0 ? index - 1 : index) ?? "",
    regexp_matches: (text, pattern) => (regexp(pattern).test(text) ? 1 : 0),
    regexp_extract: (text, pattern) => (regexp(pattern).exec(text) || [""])[0],
    epoch: (text) => Number(parsed(text)) / 1e6,
  };

  const extreme = (better) => (...args) =>
    args.reduce((best, value) => (value === null || (best !== null && !better(value, best)) ? best : value), null);

  const scalars = {
    regista_div: divided,
    regista_real: cast(real, "number"),
    regista_bool: cast(bool, "truth value"),
    regista_timestamp: cast(asTime, "time"),
    regista_date: cast(asDate, "date"),
    regista_now: () => timeText(BigInt(Date.now()) * 1000n),
    regista_today: () => new Date().toISOString().slice(0, 10),
    regista_random: () => Math.random(),
    regista_strftime: formatted,
    regista_ilike: ilike,
    date_trunc: truncated,
    ...Object.fromEntries(Object.entries(texts).map(([key, call]) => [key, strict(call)])),
  };

  /* Functions that may give whole numbers: SQLite gets any number from here as a float, so these
     give JSON, and the query reads it with json_extract. */
  const whole = {
    regista_add: add,
    regista_sub: sub,
    regista_idiv: wholeDivided,
    regista_mod: remainder,
    regista_int: cast(integer, "whole number"),
    date_part: part,
    date_diff: apart,
    year: (text) => part("year", text),
    month: (text) => part("month", text),
    day: (text) => part("day", text),
    hour: (text) => part("hour", text),
  };

  function json(value) {
    if (value === null || Number.isNaN(value)) return null;
    if (value === Infinity || value === -Infinity) return value > 0 ? "9e999" : "-9e999";
    return typeof value === "bigint" ? String(value) : JSON.stringify(value);
  }

  const extremes = { greatest: extreme((value, best) => value > best), least: extreme((value, best) => value < best) };
  const named = (name, args) => `json_extract(${name}(${args}), '$')`;

  Object.assign(sql, { timestamp, date, timeText, scalars, whole, extremes, json, MARK, wholeCall: named });
});
