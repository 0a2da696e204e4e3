// A signature that was made elsewhere, or by a wallet in this browser. The page never holds a key: what has the length
// of one is not sent, and is cleared.
import { h } from "vue";

const KEY = /^\s*(0x)?[0-9a-f]{64}\s*$/i;
const WORDS = /^\s*([a-z]+\s+){11,23}[a-z]+\s*$/;

export default {
  props: { request: Object },
  emits: ["signed"],
  data() {
    return { text: "", signer: "", told: "" };
  },
  methods: {
    put(text) {
      if (KEY.test(text) || WORDS.test(text)) {
        this.text = "";
        this.told =
          "That looks like a private key or its words. It was not sent, and is cleared. Never put a key into a page: " +
          "sign with the command or a wallet, and put the signature here.";
        return false;
      }
      this.text = text;
      if (text.trim()) this.told = "";
      return true;
    },
    check() {
      const text = this.text.trim();
      if (text) this.$emit("signed", { text, signer: this.signer.trim() });
      else this.told = "Put a signature in first.";
    },
    async sign() {
      this.told = "";
      try {
        const [account] = await window.ethereum.request({ method: "eth_requestAccounts" });
        const signature = await window.ethereum.request({
          method: "eth_signTypedData_v4",
          params: [account, JSON.stringify(this.request)],
        });
        this.signer = account;
        this.text = signature;
        this.check();
      } catch (error) {
        this.told = `The wallet did not sign: ${error?.message ?? error}`;
      }
    },
  },
  render() {
    return h("div", { class: "signature" }, [
      h("label", { class: "field" }, [
        h("span", "Signature (0x…), or the whole signed document"),
        h("textarea", {
          rows: 4,
          spellcheck: false,
          autocomplete: "off",
          value: this.text,
          onInput: (event) => this.put(event.target.value) || (event.target.value = ""),
        }),
      ]),
      h("label", { class: "field" }, [
        h("span", "Signer's address (only a smart account needs to say it)"),
        h("input", {
          type: "text",
          spellcheck: false,
          autocomplete: "off",
          value: this.signer,
          onInput: (event) => (this.signer = event.target.value),
        }),
      ]),
      h("div", { class: "controls" }, [
        h("button", { type: "button", onClick: this.check }, "Check the signature"),
        window.ethereum && this.request
          ? h("button", { type: "button", onClick: this.sign }, "Sign with this browser's wallet")
          : null,
      ]),
      h("p", { class: this.told ? "trouble" : "", role: "alert" }, this.told),
    ]);
  },
};
