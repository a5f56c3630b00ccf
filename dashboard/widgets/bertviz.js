// Hands BertViz's code its two libraries without require.js, its weights unpacked, and no line too faint to see.
window.require = { config: function () {} };
window.requirejs = function (names, ready) {
  ready.apply(null, names.map(function (name) { return { jquery: window.jQuery, d3: window.d3 }[name]; }));
};
window.attention = (function () {
  const given = JSON.parse(document.getElementById("weights").textContent);
  const bytes = Uint8Array.from(atob(given.bytes), (c) => c.charCodeAt(0));
  let at = 0;
  const attn = given.include_layers.map(() => given.heads_sent.map(() => given.labels.map((_, row) =>
    given.labels.map((_, column) => (given.whole || column <= row ? bytes[at++] / 255 : 0)))));
  const text = { name: null, attn, left_text: given.labels, right_text: given.labels };
  const row = document.getElementById("numbers"); // over the coloured squares: which heads they are
  for (const head of row ? given.include_heads : []) {
    row.append(Object.assign(document.createElement("span"), { textContent: head }));
  }
  window.visible = function (weight) {
    return weight >= given.faint
      ? this.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "line")) : null;
  };
  return { ...given, attention: [text] };
})();
