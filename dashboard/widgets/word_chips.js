// Streamlit calls this on mount and again whenever Python sends new data,
// so every run must be repeatable: handlers are assigned, never added.
const instances = new WeakMap();

// So many digits, a true minus, and no sign on what rounds to nothing.
function signed(x, digits) {
  const size = Math.abs(x).toFixed(digits);
  if (Number(size) === 0) return "0";
  return (x > 0 ? "+" : "\u2212") + size;
}

// A share of a class: whole percent, and nothing where nobody is.
function percent(x) {
  return x > 0 ? Math.max(1, Math.round(100 * x)) + "\u2009%" : "";
}

// What may begin no line stays on one with what is before it.
function lined(nodes, pieces) {
  const rows = [];
  nodes.forEach((node, n) => {
    if (!pieces[n]?.[2]) rows.push([node]);
    else rows.at(-1).push(node);
  });
  return rows.map((row) => {
    if (row.length === 1) return row[0];
    const kept = document.createElement("span");
    kept.className = "kept";
    kept.append(...row);
    return kept;
  });
}

// The chips and the text between them, built anew only when the passage is another one.
function build(box, pieces) {
  const made = pieces.map(([text, unit]) => {
    const node = document.createElement(unit < 0 ? "span" : "button");
    if (unit < 0) {
      node.className = "plain";
      node.textContent = text; // textContent: a passage is never markup
      return node;
    }
    node.type = "button";
    node.className = "chip";
    for (const part of ["word", "gloss", "effect"]) {
      const child = document.createElement(part === "word" ? "span" : "small");
      child.className = part;
      node.append(child);
    }
    node.firstChild.textContent = text;
    return node;
  });
  box.replaceChildren(...lined(made, pieces));
  return made.filter((node) => node.className === "chip");
}

// The chip in the next row up or down whose middle is nearest.
function across(chips, i, step) {
  const middle = (chip) => chip.offsetLeft + chip.offsetWidth / 2;
  let row = null;
  let best = i;
  for (let k = i + step; k >= 0 && k < chips.length; k += step) {
    const top = chips[k].offsetTop;
    if (Math.abs(top - chips[i].offsetTop) < 8) continue;
    if (row === null) {
      row = top;
      best = k;
    }
    if (Math.abs(top - row) >= 8) break;
    const away = (n) => Math.abs(middle(chips[n]) - middle(chips[i]));
    if (away(k) < away(best)) best = k;
  }
  return best;
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const box = parentElement.querySelector(".passage");
  const detail = parentElement.querySelector(".detail");
  const scale = parentElement.querySelector(".scale");
  const { pieces, effects, notes, glosses, revision } = data;

  let me = instances.get(parentElement);
  if (!me) {
    me = { revision: null, removed: new Set(), focus: 0, anchor: null, text: null, chips: [] };
    instances.set(parentElement, me);
    const mine = me; // browsers have no onfocusin to assign, so these are added, once
    box.addEventListener("focusin", (event) => mine.onfocus(event));
    box.addEventListener("focusout", () => mine.onblur());
  }
  // The browser's own set wins over Python's echo of an older click, so fast clicking
  // during a slow rerun loses nothing. A new revision means that Python replaced the set.
  if (me.revision !== revision) {
    me.revision = revision;
    me.removed = new Set(data.removed);
    me.anchor = null;
  }
  const text = JSON.stringify(pieces);
  if (me.text !== text) {
    me.chips = build(box, pieces);
    me.text = text;
  }
  const chips = me.chips;
  me.focus = Math.min(me.focus, Math.max(0, chips.length - 1));

  box.lang = data.lang;
  box.setAttribute("aria-label", data.label);
  box.className = ["passage", data.look, effects ? "scored" : "", glosses ? "glossed" : ""].join(" ");
  scale.classList.toggle("shown", Boolean(effects));
  const shares = data.kind === "share";
  box.classList.toggle("shares", shares);
  scale.classList.toggle("shares", shares);
  if (effects) {
    const end = (x) => (shares ? percent(x) : signed(x, data.digits));
    scale.firstElementChild.textContent = shares ? "0\u2009%" : end(-data.scale);
    scale.lastElementChild.textContent = end(data.scale) + " " + data.scaleUnit;
  }

  const paint = () => {
    chips.forEach((chip, i) => {
      const effect = effects ? effects[i] : null;
      const share = effect === null || data.quiet[i] ? 0 : Math.max(-1, Math.min(1, effect / data.scale));
      const [, gloss, number] = chip.children;
      gloss.textContent = glosses ? glosses[i] : "";
      number.textContent = effect === null ? "" : shares ? percent(effect) : signed(effect, data.digits);
      chip.style.setProperty("--share", (share ? Math.max(0.08, Math.abs(share)) : 0).toFixed(3));
      chip.dataset.sign = share > 0 ? "up" : share < 0 ? "down" : "";
      chip.setAttribute("aria-pressed", String(me.removed.has(i)));
      chip.setAttribute("aria-disabled", String(data.disabled));
      chip.tabIndex = i === me.focus ? 0 : -1; // one Tab stop; the arrows move inside
      if (notes && notes[i]) chip.setAttribute("aria-description", notes[i]);
      else chip.removeAttribute("aria-description");
    });
  };

  const toggle = (i, range) => {
    if (data.disabled) return;
    const gone = !me.removed.has(i);
    const from = range && me.anchor !== null ? me.anchor : i;
    for (let k = Math.min(from, i); k <= Math.max(from, i); k++) {
      if (gone) me.removed.add(k);
      else me.removed.delete(k);
    }
    me.anchor = i;
    paint();
    const order = [...me.removed]; // as they were pressed
    setStateValue("selection", { revision, order, removed: [...order].sort((a, b) => a - b) });
  };

  const position = (event) => chips.indexOf(event.target.closest(".chip"));
  const tell = (i) => {
    detail.textContent = (i >= 0 && notes && notes[i]) || data.hint;
  };

  box.onclick = (event) => {
    const i = position(event);
    if (i < 0) return;
    me.focus = i;
    toggle(i, event.shiftKey);
  };
  box.onkeydown = (event) => {
    const i = position(event);
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const forward = getComputedStyle(box).direction === "rtl" ? -1 : 1;
    const to = {
      ArrowRight: () => i + forward,
      ArrowLeft: () => i - forward,
      ArrowDown: () => across(chips, i, 1),
      ArrowUp: () => across(chips, i, -1),
      Home: () => 0,
      End: () => chips.length - 1,
    }[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation(); // the page may turn its scenes by the same keys
    me.focus = Math.max(0, Math.min(chips.length - 1, to()));
    chips[i].tabIndex = -1;
    chips[me.focus].tabIndex = 0;
    chips[me.focus].focus();
  };
  box.onmouseover = (event) => tell(position(event));
  me.onfocus = (event) => tell(position(event));
  box.onmouseleave = () => tell(chips.indexOf(parentElement.activeElement ?? null));
  me.onblur = () => tell(-1);
  paint();
  tell(chips.findIndex((chip) => chip.matches(":hover")));
}
