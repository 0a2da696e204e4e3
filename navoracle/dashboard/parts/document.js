// A document as it is, to be copied or saved.
import { h } from "vue";

export default {
  props: { label: String, file: String, text: String },
  data() {
    return { told: "" };
  },
  methods: {
    async copy() {
      try {
        await navigator.clipboard.writeText(this.text);
        this.told = "Copied.";
      } catch {
        getSelection().selectAllChildren(this.$refs.text);
        this.told = "It is selected: copy it with the keyboard.";
      }
    },
    save() {
      const address = URL.createObjectURL(new Blob([this.text], { type: "application/json" }));
      const link = Object.assign(document.createElement("a"), { href: address, download: this.file });
      link.click();
      URL.revokeObjectURL(address);
      this.told = `Saved as ${this.file}.`;
    },
  },
  render() {
    return h("div", { class: "document" }, [
      h("pre", { ref: "text", tabindex: 0, role: "region", "aria-label": this.label }, this.text),
      h("div", { class: "controls" }, [
        h("button", { type: "button", "aria-label": `Copy ${this.label}`, onClick: this.copy }, "Copy"),
        this.file
          ? h("button", { type: "button", "aria-label": `Save ${this.label}`, onClick: this.save }, "Save as a file")
          : null,
        h("span", { class: "note", role: "status" }, this.told),
      ]),
    ]);
  },
};
