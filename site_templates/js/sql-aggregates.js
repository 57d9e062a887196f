/* Aggregates that DuckDB has and SQLite lacks. NULLs do not count. */
registaSql.part(function (sql) {
  "use strict";

  const values = (finish) => ({
    init: () => [],
    step: (state, value) => {
      if (value !== null) state.push(value);
      return state;
    },
    finalize: (state) => (state.length ? finish(state) : null),
  });

  /* Between the two nearest values, in proportion. */
  function quantile(sorted, share) {
    const place = (sorted.length - 1) * share;
    const low = Math.floor(place);
    const high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
  }

  const ordered = (found) => found.slice().sort((a, b) => a - b);

  function spread(found, less) {
    if (found.length <= less) return null;
    const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
    return found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (found.length - less);
  }

  const root = (value) => (value === null ? null : Math.sqrt(value));

  const best = (better) => ({
    init: () => null,
    step: (state, value, by) =>
      value !== null && by !== null && (state === null || better(by, state.by)) ? { value, by } : state,
    finalize: (state) => (state === null ? null : sql.json(state.value)),
  });

  function mode(found) {
    const counts = new Map();
    found.forEach((value) => counts.set(value, (counts.get(value) || 0) + 1));
    return [...counts].reduce((most, pair) => (pair[1] > most[1] ? pair : most))[0];
  }

  sql.aggregates = {
    median: values((found) => quantile(ordered(found), 0.5)),
    quantile_cont: {
      init: () => ({ found: [], share: 0.5 }),
      step: (state, value, share) => {
        if (value !== null) state.found.push(value);
        return { found: state.found, share };
      },
      finalize: (state) => (state.found.length ? quantile(ordered(state.found), state.share) : null),
    },
    variance: values((found) => spread(found, 1)),
    var_pop: values((found) => spread(found, 0)),
    stddev: values((found) => root(spread(found, 1))),
    stddev_pop: values((found) => root(spread(found, 0))),
  };

  // these give one of the values, as JSON, so that whole numbers stay whole
  sql.held = {
    mode: values((found) => sql.json(mode(found))),
    arg_max: best((by, held) => by > held),
    arg_min: best((by, held) => by < held),
  };
});
