// A chart: options of ECharts as data alone. Colours that are named after a variable of the style sheet ("--line") are
// looked up here, and again when the page changes between light and dark.
import { h } from "vue";

function resolved(value, style) {
  if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  if (Array.isArray(value)) return value.map((each) => resolved(each, style));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each, style)]));
  }
  return value;
}

export default {
  props: { options: Object, enable3d: Boolean, renderer: String, theme: String },
  async mounted() {
    const { echarts } = await import("nicegui-echart"); // the largest file of all: the page stands before it is there
    if (!this.$el?.isConnected) return;
    this.chart = echarts.init(this.$el, null, { renderer: "canvas" });
    this.sizes = new ResizeObserver(() => this.chart.resize());
    this.sizes.observe(this.$el);
    this.modes = new MutationObserver(() => this.draw(true));
    this.modes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.draw(true);
  },
  beforeUnmount() {
    this.sizes?.disconnect();
    this.modes?.disconnect();
    this.chart?.dispose();
  },
  methods: {
    draw(anew) {
      if (!this.chart) return;
      const options = resolved(this.options, getComputedStyle(document.body));
      options.animation = anew && !matchMedia("(prefers-reduced-motion: reduce)").matches ? options.animation : false;
      this.chart.setOption(options, { notMerge: true });
    },
    update_chart() {
      this.draw(false);
    },
  },
  render() {
    return h("div");
  },
};
