// A gallery's own script: the language goes along from page to page in the address.
"use strict";
(() => {
  const root = document.documentElement;
  const known = ["en", "zh"];
  const asked = new URLSearchParams(location.search).get("lang");
  const wished = [asked, ...navigator.languages.map((name) => name.slice(0, 2))].find((name) => known.includes(name));
  function carry() {
    for (const link of document.querySelectorAll("a[data-page]")) {
      link.search = `?lang=${root.lang}`;
    }
  }
  if (wished) {
    root.lang = wished;
    const title = document.querySelector("h1");
    document.title = (title.querySelector(`[data-in=${wished}]`) ?? title).textContent;
  }
  carry();
  new MutationObserver(carry).observe(root, { attributeFilter: ["lang"] });
})();
