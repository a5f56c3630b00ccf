// Streamlit calls this on mount and again whenever Python sends new data,
// so every run must be repeatable: handlers are assigned, never added.
const instances = new WeakMap();

function card(text, number, place, count) {
  const item = document.createElement("li");
  item.className = "card";
  item.draggable = true;
  item.dataset.number = number;
  const mark = document.createElement("b");
  mark.textContent = number + 1;
  const words = document.createElement("span");
  words.textContent = text; // a passage is never markup
  item.append(mark, words);
  for (const [sign, step, off] of [["▲", -1, place === 0], ["▼", 1, place === count - 1]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.dataset.step = step;
    button.disabled = off;
    button.setAttribute("aria-label", `${number + 1} ${sign}`);
    item.append(button);
  }
  return item;
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const box = parentElement.querySelector(".cards");
  const detail = parentElement.querySelector(".detail");
  let me = instances.get(parentElement);
  if (!me) {
    me = { revision: null, order: [], text: null, dragged: null };
    instances.set(parentElement, me);
  }
  // The browser's own order wins over Python's echo of an older one.
  if (me.revision !== data.revision || me.text !== JSON.stringify(data.texts)) {
    me.revision = data.revision;
    me.text = JSON.stringify(data.texts);
    me.order = [...data.order];
  }
  box.lang = data.lang;
  box.setAttribute("aria-label", data.label);
  detail.textContent = data.hint;

  const draw = (focus) => {
    const cards = me.order.map((n, place) => card(data.texts[n], n, place, me.order.length));
    box.replaceChildren(...cards);
    if (focus) box.querySelector(`[data-number="${focus.number}"] [data-step="${focus.step}"]:not(:disabled)`)?.focus();
  };
  const put = (number, place, focus) => {
    const at = me.order.indexOf(number);
    if (at < 0 || place < 0 || place >= me.order.length || place === at) return;
    me.order.splice(at, 1);
    me.order.splice(place, 0, number);
    draw(focus);
    setStateValue("moved", { revision: data.revision, order: [...me.order] });
  };
  const over = (event) => event.target.closest?.(".card");
  box.onclick = (event) => {
    const step = Number(event.target.dataset?.step || 0);
    if (!step) return;
    const number = Number(over(event).dataset.number);
    put(number, me.order.indexOf(number) + step, { number, step });
  };
  box.ondragstart = (event) => {
    me.dragged = Number(over(event)?.dataset.number);
    event.dataTransfer.effectAllowed = "move";
    over(event)?.classList.add("dragged");
  };
  box.ondragover = (event) => {
    if (me.dragged === null) return;
    event.preventDefault();
    box.querySelectorAll(".target").forEach((item) => item.classList.remove("target"));
    over(event)?.classList.add("target");
  };
  box.ondrop = (event) => {
    event.preventDefault();
    const onto = over(event);
    if (me.dragged !== null && onto) put(me.dragged, me.order.indexOf(Number(onto.dataset.number)));
    me.dragged = null;
  };
  box.ondragend = () => {
    me.dragged = null;
    box.querySelectorAll(".dragged, .target").forEach((item) => item.classList.remove("dragged", "target"));
  };
  draw();
}
