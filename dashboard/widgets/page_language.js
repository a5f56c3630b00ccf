// Streamlit speaks English alone: its own words are put into the reader's language as they appear, and the
// document says which language it is in. What a visitor or a model wrote is not looked at.
const ATTRIBUTES = ["aria-label", "title", "placeholder"];
const NOT_OURS = "[data-testid=stMarkdownContainer], [data-testid=stCode], [data-testid=stHeading], svg, table, script, style";
const OURS = "[data-testid=stFileUploader]";

const page = { said: new Map(), patterns: [], changed: new Map(), watching: null };

function learn(words) {
  page.said = new Map();
  page.patterns = [];
  for (const [english, other] of words) {
    if (!english.includes("{n}")) page.said.set(english, other);
    else {
      const parts = english.split("{n}").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      page.patterns.push([new RegExp("^" + parts.join("(.{1,80}?)") + "$"), other]);
    }
  }
}

function inOther(text) {
  const bare = text.trim();
  if (!bare || bare.length > 200) return null;
  if (page.said.has(bare)) return text.replace(bare, () => page.said.get(bare));
  for (const [pattern, other] of page.patterns) {
    const found = pattern.exec(bare);
    if (found) return other.replace("{n}", () => found[1]);
  }
  return null;
}

function remember(node, name, was, is) {
  if (!page.changed.has(node)) page.changed.set(node, new Map());
  page.changed.get(node).set(name, [was, is]);
}

function put(node) {
  if (node.nodeType === Node.TEXT_NODE) {
    const parent = node.parentElement;
    if (!parent || (parent.closest(NOT_OURS) && !parent.closest(OURS))) return;
    const other = inOther(node.nodeValue);
    if (other === null || other === node.nodeValue) return;
    remember(node, "", node.nodeValue, other);
    node.nodeValue = other;
  } else if (node.nodeType === Node.ELEMENT_NODE) {
    for (const name of ATTRIBUTES) {
      const value = node.getAttribute(name);
      const other = value && inOther(value);
      if (other === null || !other || other === value) continue;
      remember(node, name, value, other);
      node.setAttribute(name, other);
    }
  }
}

function putAll(root) {
  put(root);
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) put(walk.currentNode);
}

function takeBack() {
  for (const [node, names] of page.changed) {
    for (const [name, [was, is]] of names) {
      if (name === "" && node.nodeValue === is) node.nodeValue = was;
      if (name && node.getAttribute(name) === is) node.setAttribute(name, was);
    }
  }
  page.changed.clear();
}

function forget() {
  for (const node of page.changed.keys()) if (!node.isConnected) page.changed.delete(node);
}

// Vega calls each layer of a picture a symbol, without a name: a screen reader is told of the marks alone.
function unname(root) {
  const layers = root.querySelectorAll?.('svg.marks g[aria-roledescription$="container"]:not([aria-label])');
  for (const layer of layers ?? []) {
    layer.removeAttribute("role");
    layer.removeAttribute("aria-roledescription");
  }
}

function changes(found) {
  for (const change of found) {
    if (change.type !== "childList") put(change.target);
    else {
      change.addedNodes.forEach((node) => putAll(node));
      unname(change.target);
    }
  }
  if (page.changed.size > 500) forget();
}

// The link that jumps over the menu and the controls leads into the passage, where there is one.
function firstWord() {
  for (const node of document.querySelectorAll("[data-testid=stMain] *")) {
    const word = node.shadowRoot?.querySelector(".chip[tabindex='0']");
    if (word) return word;
  }
  return null;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-testid=stSkipToContent]")) return;
  setTimeout(() => firstWord()?.focus(), 50); // after the browser's own jump
});

export default function ({ data }) {
  document.documentElement.lang = data.lang;
  page.watching?.disconnect();
  page.watching = null;
  takeBack();
  learn(data.words);
  putAll(document.body);
  unname(document.body);
  page.watching = new MutationObserver(changes);
  page.watching.observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ATTRIBUTES,
  });
}
