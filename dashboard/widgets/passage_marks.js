// Streamlit calls this on mount and again whenever Python sends new data,
// so every run must be repeatable: handlers are assigned, never added.
const instances = new WeakMap();
const SVG = "http://www.w3.org/2000/svg";

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

// The words and the text between them; what comes after the passage, the answer's place, is a word too.
function build(box, pieces, place) {
  const made = [...pieces, ...(place ? [[place, pieces.filter(([, unit]) => unit >= 0).length]] : [])].map(
    ([text, unit], n) => {
      const node = document.createElement(unit < 0 ? "span" : "button");
      node.className = unit < 0 ? "plain" : n >= pieces.length ? "word place" : "word";
      if (unit >= 0) node.type = "button";
      node.append(document.createTextNode(text)); // a passage is never markup
      if (unit >= 0) node.append(document.createElement("sub"));
      return node;
    },
  );
  box.replaceChildren(...lined(made, pieces));
  return made.filter((node) => node.tagName === "BUTTON");
}

// Arcs that can be chosen are buttons; a broad unseen line round each is what a finger meets.
function asButton(path, arc, n, data) {
  path.setAttribute("role", "button");
  path.setAttribute("aria-label", arc.label);
  path.setAttribute("aria-pressed", String(n === data.chosen));
  path.setAttribute("tabindex", n === (data.chosen ?? 0) ? "0" : "-1"); // one Tab stop; the arrows move on
  path.classList.toggle("chosen", n === data.chosen);
}

function drawArcs(box, words, arcs, data) {
  const focused = box.getRootNode().activeElement?.dataset?.n; // kept where all is drawn anew
  box.querySelector("svg")?.remove();
  if (!arcs.length) return;
  const svg = document.createElementNS(SVG, "svg");
  if (data.choosable) {
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", data.arcsLabel);
  } else svg.setAttribute("aria-hidden", "true");
  const frame = box.getBoundingClientRect();
  const top = (word) => {
    const [line] = word.getClientRects(); // none where the passage is not on show, in a closed tab for instance
    return line && [line.left - frame.left + line.width / 2, line.top - frame.top];
  };
  arcs.forEach((arc, n) => {
    if (!words[arc.reader] || !words[arc.read]) return;
    const [from, to] = [top(words[arc.read]), top(words[arc.reader])];
    if (!from || !to) return;
    const [x1, y1] = from;
    const [x2, y2] = to;
    const lift = Math.min(44, 14 + Math.abs(x2 - x1) * 0.12);
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", `M ${x1} ${y1} C ${x1} ${y1 - lift}, ${x2} ${y2 - lift}, ${x2} ${y2 - 5}`);
    path.setAttribute("class", `arc ${arc.up ? "up" : "down"}`);
    path.setAttribute("stroke-width", (1.2 + 4 * arc.strength).toFixed(2));
    path.dataset.n = n;
    const head = document.createElementNS(SVG, "path");
    const size = 4 + 2.5 * arc.strength;
    head.setAttribute("d", `M ${x2 - size} ${y2 - size - 2} L ${x2 + size} ${y2 - size - 2} L ${x2} ${y2} Z`);
    head.setAttribute("fill", arc.up ? "#e66101" : "#2c7fb8");
    if (data.choosable) {
      const broad = path.cloneNode();
      broad.setAttribute("class", "broad");
      asButton(path, arc, n, data);
      svg.append(broad);
    }
    svg.append(path, head);
  });
  box.append(svg);
  if (focused !== undefined) svg.querySelector(`.arc[data-n="${focused}"]`)?.focus();
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const box = parentElement.querySelector(".passage");
  const detail = parentElement.querySelector(".detail");
  const { pieces, place, shades, numbers, notes, arcs, pressed, removed } = data;

  let me = instances.get(parentElement);
  if (!me) {
    me = { text: null, words: [], focus: 0, presses: 0, watcher: null };
    instances.set(parentElement, me);
    const mine = me; // browsers have no onfocusin to assign, so these are added, once
    box.addEventListener("focusin", (event) => mine.onfocus(event));
    box.addEventListener("focusout", () => mine.onblur());
  }
  const text = JSON.stringify([pieces, place]);
  if (me.text !== text) {
    me.words = build(box, pieces, place);
    me.text = text;
  }
  const words = me.words;
  me.focus = Math.min(me.focus, Math.max(0, words.length - 1));
  box.lang = data.lang;
  box.setAttribute("aria-label", data.label);
  const kinds = { arched: arcs.length, pressable: data.pressable, choosable: data.choosable };
  box.className = ["passage", ...Object.keys(kinds).filter((kind) => kinds[kind])].join(" ");

  const out = new Set(removed);
  words.forEach((word, i) => {
    const share = shades ? Math.max(0, Math.min(1, shades[i] ?? 0)) : 0;
    word.style.setProperty("--share", share.toFixed(3));
    word.querySelector("sub").textContent = (numbers && numbers[i]) || "";
    word.tabIndex = i === me.focus ? 0 : -1; // one Tab stop; the arrows move inside
    word.classList.toggle("removed", out.has(i));
    const chosen = data.choosable ? arcs[data.chosen] : undefined;
    word.classList.toggle("end", chosen !== undefined && (chosen.reader === i || chosen.read === i));
    if (data.pressable) word.setAttribute("aria-pressed", String(i === pressed));
    else word.removeAttribute("aria-pressed");
    if (notes && notes[i]) word.setAttribute("aria-description", notes[i]);
    else word.removeAttribute("aria-description");
  });

  const light = (test) => {
    const lines = [...box.querySelectorAll("path.arc")];
    const on = lines.filter((line) => test(arcs[+line.dataset.n]));
    lines.forEach((line) => line.classList.toggle("on", on.includes(line)));
    box.classList.toggle("lit", on.length > 0);
  };
  const tell = (i) => {
    detail.textContent = (i >= 0 && notes && notes[i]) || data.hint;
    light((arc) => arc.reader === i || arc.read === i);
  };
  const choose = (n) => {
    me.presses += 1; // the same arc pressed again is a press again
    setStateValue("pressed", { arc: n, press: me.presses });
  };
  const arcAt = (event) => (event.target.dataset?.n === undefined ? -1 : +event.target.dataset.n);
  const tellArc = (n) => {
    detail.textContent = arcs[n].label;
    light((arc) => arc === arcs[n]);
  };
  // By key: the arrows go from arc to arc, Enter and the space bar choose.
  const onArcKey = (event, n) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return choose(n);
    }
    const lines = [...box.querySelectorAll("path.arc")];
    const at = lines.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0,
      End: lines.length - 1 }[event.key];
    if (to === undefined || !lines[to]) return;
    event.preventDefault();
    lines.forEach((line, i) => line.setAttribute("tabindex", i === to ? "0" : "-1"));
    lines[to].focus();
  };
  const position = (event) => words.indexOf(event.target.closest?.(".word"));
  box.onclick = (event) => {
    if (data.choosable && arcAt(event) >= 0) return choose(arcAt(event));
    const i = position(event);
    if (i < 0) return;
    me.focus = i;
    if (data.pressable) setStateValue("pressed", { revision: data.revision, word: i });
  };
  box.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (data.choosable && arcAt(event) >= 0) return onArcKey(event, arcAt(event));
    const i = position(event);
    if (i < 0) return;
    const forward = getComputedStyle(box).direction === "rtl" ? -1 : 1;
    const to = { ArrowRight: i + forward, ArrowLeft: i - forward, Home: 0, End: words.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    words[i].tabIndex = -1;
    me.focus = Math.max(0, Math.min(words.length - 1, to));
    words[me.focus].tabIndex = 0;
    words[me.focus].focus();
  };
  box.onmouseover = (event) => {
    const n = arcAt(event);
    return n < 0 ? tell(position(event)) : tellArc(n);
  };
  me.onfocus = (event) => (arcAt(event) < 0 ? tell(position(event)) : tellArc(arcAt(event)));
  box.onmouseleave = () => tell(words.indexOf(parentElement.activeElement ?? null));
  me.onblur = () => tell(-1);

  const redraw = () => drawArcs(box, words, arcs, data);
  me.watcher?.disconnect();
  me.watcher = new ResizeObserver(redraw); // also tells once at the start
  me.watcher.observe(box);
  document.fonts?.ready.then(redraw);
  tell(-1);
}
