// Any two versions of an entry, side by side: facts, scores, parameters, files, texts.
"use strict";
(() => {
  const data = window.registaCompare;
  const chooser = document.querySelector("[data-compare]");
  const [one, other] = ["one", "other"].map((key) => chooser.querySelector(`[name=${key}]`));
  const result = document.querySelector("[data-compare-result]");
  const byNumber = new Map(data.versions.map((version) => [String(version.n), version]));

  const make = (tag, text = "", className = "") => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const signed = (value) => {
    const text = Number(value.toPrecision(6)).toString();
    return value > 0 ? `+${text}` : text.replace("-", "−");
  };
  const table = (titles, rows, right = []) => {
    const made = document.createElement("table");
    const head = made.createTHead().insertRow();
    titles.forEach((title, index) => {
      const header = make("th", title, right.includes(index) ? "right" : "");
      header.scope = "col";
      head.append(header);
    });
    const body = made.createTBody();
    for (const cells of rows) {
      const line = body.insertRow();
      cells.forEach((cell, index) => {
        const made = document.createElement(index ? "td" : "th");
        if (!index) made.scope = "row";
        if (right.includes(index)) made.className = "right";
        made.append(cell);
        line.append(made);
      });
    }
    const scroll = make("div", "", "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", titles[0]);
    scroll.append(made);
    return scroll;
  };
  const section = (title, content) => [make("h2", title), content];
  const none = (text) => make("p", text, "empty");

  const verdict = (before, after, higher) => {
    const difference = after[0] - before[0];
    if (difference === 0) return ["same", difference];
    const gain = higher === false ? -difference : difference;
    if (before[1] !== null && after[1] !== null) {
      // 95 % of a normal distribution; the two runs taken as independent
      const spread = 1.959963984540054 * Math.hypot(before[1], after[1]);
      if (Math.abs(difference) <= spread) return ["unclear", difference];
    }
    return [gain > 0 ? "better" : "worse", difference];
  };
  const scores = (a, b) => {
    const rows = [];
    data.metrics.forEach(([suite, task, metric, higher], index) => {
      const [before, after] = [a.scores[index], b.scores[index]];
      if (!before && !after) return;
      const name = [suite, task, metric].filter(Boolean).join(" / ");
      const [word, difference] = before && after ? verdict(before, after, higher) : ["", null];
      rows.push([
        name,
        before ? String(before[0]) : "",
        after ? String(after[0]) : "",
        difference === null ? "" : signed(difference),
        word ? make("span", word, `pill ${word}`) : "",
      ]);
    });
    return rows.length
      ? table(["Score", `v${a.n}`, `v${b.n}`, "Difference", "Says"], rows, [1, 2, 3])
      : none("Neither was evaluated.");
  };
  const differing = (title, before, after, show) => {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    const rows = keys
      .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
      .map((key) => [key, key in before ? show(before[key]) : "–", key in after ? show(after[key]) : "–"]);
    return rows.length ? (a, b) => table([title, `v${a.n}`, `v${b.n}`], rows) : () => none("No difference.");
  };
  // the longest common subsequence of lines; texts of prompts are short
  const lines = (before, after) => {
    const [a, b] = [before.split("\n"), after.split("\n")];
    if (a.length * b.length > 4e6) return [["place", "They are too long to compare here."]];
    const size = b.length + 1;
    const best = new Uint32Array((a.length + 1) * size);
    for (let i = a.length - 1; i >= 0; i--) {
      for (let j = b.length - 1; j >= 0; j--) {
        best[i * size + j] = a[i] === b[j]
          ? best[(i + 1) * size + j + 1] + 1
          : Math.max(best[(i + 1) * size + j], best[i * size + j + 1]);
      }
    }
    const made = [];
    let [i, j] = [0, 0];
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) {
        made.push(["same", ` ${a[i]}`]);
        i++;
        j++;
      } else if (j >= b.length || (i < a.length && best[(i + 1) * size + j] >= best[i * size + j + 1])) {
        made.push(["removed", `-${a[i++]}`]);
      } else {
        made.push(["added", `+${b[j++]}`]);
      }
    }
    return made;
  };
  const texts = (a, b) => {
    const names = [...new Set([...Object.keys(a.texts), ...Object.keys(b.texts)])].sort();
    return names.flatMap((name) => {
      const [before, after] = [a.texts[name] ?? "", b.texts[name] ?? ""];
      if (before === after) return [make("h3", name), none("The same.")];
      const box = make("pre", "", "diff");
      box.tabIndex = 0;
      box.append(...lines(before, after).map(([kind, text]) => make("span", text, kind)));
      return [make("h3", name), box];
    });
  };
  const facts = (a, b) => {
    const row = (title, of) => [title, of(a), of(b)];
    const link = (version) => {
      const made = make("a", `v${version.n}${version.label ? ` (${version.label})` : ""}`);
      made.href = version.page;
      return made;
    };
    return table(["Fact", `v${a.n}`, `v${b.n}`], [
      row("Version", link),
      row("Status", (v) => v.status),
      row("In", (v) => v.stages.join(", ") || "no stage"),
      row("Registered", (v) => `${v.time.slice(0, 16).replace("T", " ")} UTC, by ${v.by}`),
      row("Digest", (v) => v.digest.slice(0, 12)),
    ]);
  };
  const show = () => {
    const [a, b] = [byNumber.get(one.value), byNumber.get(other.value)];
    result.replaceChildren(
      ...section("Facts", facts(a, b)),
      ...section("Scores", scores(a, b)),
      ...(Object.keys(a.texts).length + Object.keys(b.texts).length
        ? [make("h2", "Texts"), ...texts(a, b)]
        : []),
      ...section("Parameters", differing("Parameter", a.params, b.params, String)(a, b)),
      ...section("Files", differing("File", a.files, b.files, (f) => `${f[1]}, ${f[0].toLocaleString("en")} bytes`)(a, b)),
    );
    history.replaceState(null, "", `#${one.value}..${other.value}`);
  };
  for (const select of [one, other]) {
    select.append(
      ...data.versions.map((version) => {
        const stages = version.stages.length ? `, in ${version.stages.join(", ")}` : "";
        const option = make("option", `v${version.n}${version.label ? ` ${version.label}` : ""}${stages}`);
        option.value = String(version.n);
        return option;
      }),
    );
    select.addEventListener("change", show);
  }
  chooser.querySelector("[data-swap]").addEventListener("click", () => {
    [one.value, other.value] = [other.value, one.value];
    show();
  });
  const asked = /^#(\d+)\.\.(\d+)$/.exec(location.hash);
  const known = asked && byNumber.has(asked[1]) && byNumber.has(asked[2]);
  one.value = known ? asked[1] : chooser.dataset.defaultOne;
  other.value = known ? asked[2] : chooser.dataset.defaultOther;
  chooser.hidden = false;
  show();
})();
