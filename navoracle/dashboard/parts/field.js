// One field of a form with its label: a choice, or text that is sent when typing pauses.
import { h } from "vue";

export default {
  props: { label: String, value: String, options: Array },
  emits: ["value"],
  data() {
    return { waiting: null };
  },
  methods: {
    send(text, pause) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.$emit("value", text), pause);
    },
  },
  render() {
    const field = this.options
      ? h(
          "select",
          { value: this.value, onChange: (event) => this.send(event.target.value, 0) },
          this.options.map(([value, text]) => h("option", { value }, text)),
        )
      : h("input", { type: "search", value: this.value, onInput: (event) => this.send(event.target.value, 200) });
    return h("label", { class: "field" }, [h("span", this.label), field]);
  },
};
