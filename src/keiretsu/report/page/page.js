"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  for (const table of content.tables) {
    const texts = table.columns.flatMap((column, j) => (column.kind === "text" ? [j] : []));
    for (const row of table.rows) for (const j of texts) if (typeof row[j] === "number") row[j] = content.words[row[j]];
  }
  const tables = new Map(content.tables.map((t) => [t.id, t]));
  const figures = new Map(content.figures.map((f) => [f.id, f]));
  const FIRST_ROWS = 60;

  const show = (column, value) => {
    if (value === null || value === "") return column.kind === "text" ? "" : "not known";
    if (column.kind === "text" || typeof value === "string") return value;
    const number = value * column.scale;
    const text = Math.abs(number).toLocaleString("en-GB", { minimumFractionDigits: column.digits, maximumFractionDigits: column.digits });
    const sign = !/[1-9]/.test(text) ? "" : number < 0 ? "\u2212" : column.signed ? "+" : "";
    return sign + text;
  };
  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  const AMOUNT = /^[+\u2212]?[\d,]+(\.\d+)?( \u00b1 [\d,.]+)?( to [\u2212]?[\d,.]+)?$|^not known$|^not defined$|^not in the model$|^none is enough$|^$/; // words that are figures: "+5 \u00b1 3"
  const wordClass = (said) => (said.length <= 16 ? "short" : /\S{40}/.test(said) ? "words link" : said.length > 70 ? "words long" : "words");

  function drawTable(host) {
    const table = tables.get(host.dataset.table);
    let order = null, descending = false, words = "", all = false;
    const rows = table.rows.map((cells, k) => ({ cells, marked: table.marked.includes(k), k }));
    const search = make("input", { type: "search", placeholder: "Search this table", ariaLabel: `Search: ${table.title}` });
    const save = make("button", { type: "button", textContent: "Download CSV" });
    const count = make("span", { className: "count" });
    const head = make("tr"), body = make("tbody");
    const more = make("button", { type: "button", textContent: "Show all rows" });
    const said = (v) => String(v ?? "");
    const figures = table.columns.map((column, j) => column.kind === "text" && rows.some((r) => said(r.cells[j]).includes("\u00b1") || (column.unit && /\d/.test(said(r.cells[j])))) && rows.every((r) => AMOUNT.test(said(r.cells[j]))));
    const leading = (v) => parseFloat(said(v).replaceAll(",", "").replace("\u2212", "-"));
    const marks = table.columns.map((column, j) => {
      const arrow = make("span", { className: "arrow" });
      const button = make("button", { type: "button", title: "Sort" }, column.label, arrow);
      button.onclick = () => { descending = order === j ? !descending : column.kind === "number"; order = j; fill(); };
      head.append(make("th", { className: column.kind === "number" || figures[j] ? "n" : "" }, button, make("small", { textContent: column.unit })));
      return arrow;
    });
    const chosen = () => {
      const found = words ? rows.filter((r) => r.cells.some((c, j) => show(table.columns[j], c).toString().toLowerCase().includes(words))) : rows.slice();
      if (order !== null) {
        const text = table.columns[order].kind === "text";
        found.sort((a, b) => {
          const x = a.cells[order], y = b.cells[order];
          const odd = (v) => v === null || (!text && typeof v === "string"); // not known, new: always last
          if (odd(x) || odd(y)) return odd(x) - odd(y) || a.k - b.k;
          const way = figures[order] ? leading(x) - leading(y) : text ? String(x).localeCompare(String(y), "en", { numeric: true }) : x - y;
          return (descending ? -way : way) || a.k - b.k;
        });
      }
      return found;
    };
    function fill() {
      const found = chosen(), shown = all ? found : found.slice(0, FIRST_ROWS);
      body.replaceChildren(...shown.map((row) => {
        const line = make("tr", { className: row.marked ? "marked" : "" });
        row.cells.forEach((value, j) => {
          const column = table.columns[j], said = show(column, value);
          const zero = !/[1-9]/.test(said);
          const style = figures[j] ? "n" : column.kind === "text" ? wordClass(said) : "n" + (value === null ? " none" : column.signed && !zero ? (value > 0 ? " up" : " down") : "");
          line.append(make("td", { className: style, textContent: said }));
        });
        return line;
      }));
      marks.forEach((arrow, j) => { arrow.textContent = order === j ? (descending ? " \u25be" : " \u25b4") : ""; });
      count.textContent = `${shown.length.toLocaleString("en-GB")} of ${rows.length.toLocaleString("en-GB")} rows`;
      more.hidden = shown.length === found.length;
    }
    search.oninput = () => { words = search.value.trim().toLowerCase(); fill(); };
    more.onclick = () => { all = true; fill(); };
    save.onclick = () => {
      const quote = (x) => (x === null ? "" : /[",\n]/.test(String(x)) ? `"${String(x).replaceAll('"', '""')}"` : String(x));
      const titles = table.columns.map((c) => quote(c.unit ? `${c.label} (${c.unit})` : c.label));
      const lines = chosen().map((r) => r.cells.map((v, j) => quote(typeof v === "number" && table.columns[j].kind === "number" ? v * table.columns[j].scale : v)).join(","));
      const link = make("a", { href: URL.createObjectURL(new Blob(["\ufeff" + [titles.join(","), ...lines].join("\n") + "\n"], { type: "text/csv" })), download: `${table.id}.csv` });
      link.click();
      URL.revokeObjectURL(link.href);
    };
    const bar = make("div", { className: "bar" });
    if (rows.length > 12) bar.append(search);
    bar.append(save, count, more);
    host.replaceChildren(bar, make("div", { className: "scroll", tabIndex: 0 }, make("table", {}, make("thead", {}, head), body)));
    fill();
  }

  function drawFigure(host) {
    const figure = figures.get(host.dataset.figure);
    const layout = structuredClone(figure.layout);
    layout.font.family = getComputedStyle(document.body).fontFamily;
    const narrow = host.clientWidth < 520;
    if (narrow) {
      layout.font.size = 11;
      if (layout.yaxis) layout.yaxis.tickfont = { size: 10 };
    }
    Plotly.newPlot(host, figure.data, layout, { displayModeBar: false, responsive: true });
  }

  const draw = (host) => {
    if (host.dataset.drawn || host.offsetParent === null) return;
    host.dataset.drawn = "yes";
    if (host.dataset.table) drawTable(host); else drawFigure(host);
  };
  const hosts = document.querySelectorAll("[data-table], [data-figure]");
  const watcher = new IntersectionObserver((seen) => seen.forEach((s) => s.isIntersecting && draw(s.target)), { rootMargin: "1200px" });
  hosts.forEach((host) => watcher.observe(host));
  document.querySelectorAll("details.behind").forEach((d) => d.addEventListener("toggle", () => d.open && d.querySelectorAll("[data-table]").forEach(draw)));
  window.addEventListener("beforeprint", () => hosts.forEach(draw));

  const pickers = document.querySelectorAll("select.scenario");
  pickers.forEach((picker) => picker.addEventListener("change", () => {
    const before = picker.getBoundingClientRect().top;
    pickers.forEach((other) => { other.value = picker.value; });
    document.querySelectorAll("[data-scenario]").forEach((block) => { block.hidden = block.dataset.scenario !== picker.value; });
    document.querySelectorAll(".headline tr[data-row]").forEach((row) => row.classList.toggle("shown", row.dataset.row === picker.value));
    hosts.forEach((host) => { if (host.getBoundingClientRect().top < innerHeight + 1200) draw(host); });
    window.scrollBy({ top: picker.getBoundingClientRect().top - before, behavior: "instant" });
  }));

  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const reader = new IntersectionObserver((seen) => seen.forEach((s) => {
    if (!s.isIntersecting) return;
    links.forEach((a) => a.classList.remove("here"));
    links.get(s.target.id)?.classList.add("here");
  }), { rootMargin: "-10% 0px -80% 0px" });
  document.querySelectorAll("section").forEach((section) => reader.observe(section));
  if (innerWidth < 900) document.querySelector(".contents details").open = false;
})();
