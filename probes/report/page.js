// The report's own script: charts, the language, and a record as a file. It reads JSON that stands in the page.
"use strict";
(() => {
  const root = document.documentElement;
  const quiet = {
    labelColor: "currentColor", titleColor: "currentColor", domainColor: "currentColor", tickColor: "currentColor",
    gridColor: "currentColor", gridOpacity: 0.12, domainOpacity: 0.4, tickOpacity: 0.4, titleFontWeight: "normal",
  };
  const config = {
    background: "transparent", font: getComputedStyle(document.body).fontFamily, axis: quiet,
    legend: { labelColor: "currentColor", titleColor: "currentColor", titleFontWeight: "normal" },
    title: { color: "currentColor", subtitleColor: "currentColor" }, view: { stroke: null },
    text: { color: "currentColor" },
  };
  // A chart has its data with it: whatever else it asks for, it is not given.
  const refuse = () => Promise.reject(new Error("nothing is loaded"));
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
  const options = {
    mode: "vega-lite", ast: true, renderer: "svg", actions: false, defaultStyle: false, hover: false,
    logLevel: 1, // errors alone
    tooltip: { disableDefaultStyle: true }, config, loader,
  };
  const drawn = new Map();

  async function draw(place) {
    drawn.get(place)?.finalize();
    const specs = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    drawn.set(place, await vegaEmbed(place, specs[root.lang], options));
  }

  let turn = Promise.resolve();
  function drawAll() {
    for (const place of document.querySelectorAll("[data-chart]")) {
      turn = turn.then(() => draw(place)).catch((fault) => {
        place.textContent = String(fault);
      });
    }
  }

  const language = document.getElementById("language");
  language.hidden = false;
  language.addEventListener("click", () => {
    root.lang = root.lang === "en" ? "zh" : "en";
    const title = document.querySelector("h1");
    document.title = (title.querySelector(`[data-in=${root.lang}]`) ?? title).textContent;
    drawAll();
  });

  /* A large record is compressed; it is unpacked by the browser itself, without a request. */
  const jsonOf = async (record) => {
    if (record.type !== "application/gzip") return record.textContent;
    const bytes = Uint8Array.from(atob(record.textContent), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };

  for (const button of document.querySelectorAll("[data-save]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const record = button.closest("section").querySelector("script.crux-record");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([await jsonOf(record)], { type: "application/json" }));
      link.download = `crux-record-${button.dataset.save}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
  drawAll();
})();
