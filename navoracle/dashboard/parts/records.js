// A table of records. Every cell is text: nothing that comes from outside is ever markup.
import { h } from "vue";

function cell(value, column, act) {
  const found = value !== null && typeof value === "object" ? value : { text: value };
  const inner = [];
  if (found.tone) inner.push(h("span", { class: `tone tone-${found.tone}` }, found.text));
  else if (found.href) inner.push(h("a", { href: found.href }, found.text));
  else if (found.action) {
    inner.push(h("button", { type: "button", "aria-label": found.title, onClick: () => act(found.action) }, found.text));
  } else if (found.since) inner.push(h("span", { "data-since": found.since }, found.text));
  else inner.push(String(found.text ?? ""));
  if (found.note) inner.push(h("span", { class: "note" }, ` ${found.note}`));
  return h(
    column.head ? "th" : "td",
    {
      scope: column.head ? "row" : undefined,
      class: [column.kind === "text" ? "" : column.kind, found.unknown ? "unknown" : ""],
      "data-label": column.label,
      title: found.action ? undefined : found.title,
    },
    [h("span", { class: "cell" }, inner)],
  );
}

export default {
  props: { columns: Array, rows: Array, caption: String, sort: String, descending: Boolean, empty: String },
  emits: ["sort", "act"],
  methods: {
    heading(column) {
      const is_sorted = column.sortable && this.sort === column.key;
      const label = column.sortable
        ? h("button", { type: "button", onClick: () => this.$emit("sort", column.key) }, [
            column.label,
            h("span", { "aria-hidden": "true" }, is_sorted ? (this.descending ? " ▼" : " ▲") : ""),
          ])
        : column.label;
      return h(
        "th",
        {
          scope: "col",
          class: column.kind === "number" ? "number" : "",
          "aria-sort": is_sorted ? (this.descending ? "descending" : "ascending") : undefined,
        },
        [label],
      );
    },
  },
  render() {
    const columns = this.columns ?? [];
    const rows = this.rows ?? [];
    return h("div", { class: "records", tabindex: 0, role: "region", "aria-label": this.caption }, [
      h("table", [
        h("caption", { class: "visually-hidden" }, this.caption),
        h("thead", [h("tr", columns.map(this.heading))]),
        h(
          "tbody",
          rows.length > 0
            ? rows.map((row, at) =>
                h(
                  "tr",
                  { key: row.key ?? at },
                  columns.map((column) => cell(row[column.key], column, (key) => this.$emit("act", key))),
                ),
              )
            : [h("tr", [h("td", { colspan: columns.length, class: "unknown" }, this.empty)])],
        ),
      ]),
    ]);
  },
};
