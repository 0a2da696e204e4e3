// One field of a form with its label: a choice, or text that is sent when typing pauses.
import { h } from "vue";

const PAUSE = 60; // milliseconds without a key, after which what was typed is sent

export default {
  props: { label: String, value: String, options: Array },
  emits: ["value"],
  data() {
    return { waiting: null, text: this.value, sent: this.value };
  },
  watch: {
    value(said) {
      this.text = this.sent = said;
    },
  },
  methods: {
    send(text, pause) {
      this.text = text; // drawn again for whatever reason, the field keeps what was typed
      clearTimeout(this.waiting);
      const go = () => {
        if (text === this.sent) return;
        this.sent = text;
        this.$emit("value", text);
      };
      if (pause) this.waiting = setTimeout(go, pause);
      else go(); // before whatever is pressed next
    },
  },
  render() {
    const field = this.options
      ? h(
          "select",
          { value: this.text, onChange: (event) => this.send(event.target.value, 0) },
          this.options.map(([value, text]) => h("option", { value }, text)),
        )
      : h("input", {
          type: "search",
          value: this.text,
          onInput: (event) => this.send(event.target.value, PAUSE),
          onChange: (event) => this.send(event.target.value, 0),
        });
    return h("label", { class: "field" }, [h("span", this.label), field]);
  },
};
