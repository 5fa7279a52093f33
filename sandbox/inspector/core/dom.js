// @ts-check
/**
 * Turns descriptions of elements into elements, and changes only what has changed: focus, caret and scroll survive.
 * Text becomes a text node and nothing else; nothing here, or anywhere in the inspector, parses HTML.
 */

/** @typedef {Record<string, any>} Props */
/** @typedef {{tag: string, props: Props, children: VNode[], text?: string}} VNode */
/** @typedef {VNode | string | number | null | undefined | false | any[]} Child */
/** @typedef {Element & {_events?: Record<string, (event: any) => void>, _nodes?: VNode[]}} Kept */

const TEXT = "#text";
/** What is set as a property, because the attribute is only its first value. */
const PROPERTIES = new Set(["value", "checked", "selected", "disabled", "open", "indeterminate"]);
/** What is no attribute at all. */
const SPECIAL = new Set(["key", "initial", "ref", "style"]);

/**
 * Describe an element.
 * @param {string} tag @param {Props | null} [props] @param {...Child} children
 * @returns {VNode}
 */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: flat(children) };
}

/**
 * Make an element's children what is described.
 * @param {Element} parent @param {Child[]} wanted
 */
export function render(parent, wanted) {
  patchChildren(parent, flat(wanted));
}

/** @param {Child[]} children @returns {VNode[]} */
function flat(children) {
  /** @type {VNode[]} */
  const found = [];
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) found.push(...flat(child));
    else if (typeof child === "object") found.push(child);
    else found.push({ tag: TEXT, props: {}, children: [], text: String(child) });
  }
  return found;
}

/** @param {Element} parent @param {VNode[]} wanted */
function patchChildren(parent, wanted) {
  const before = /** @type {Kept} */ (parent)._nodes ?? [];
  const nodes = Array.from(parent.childNodes);
  /** @type {Map<any, number>} */
  const keyed = new Map();
  /** @type {number[]} */
  const free = [];
  before.forEach((old, at) => (old.props.key === undefined ? free.push(at) : keyed.set(old.props.key, at)));
  const used = new Set();
  const result = wanted.map((node) => {
    const at = node.props.key === undefined ? takeFree(before, free, node) : keyed.get(node.props.key);
    if (at === undefined || used.has(at) || before[at].tag !== node.tag) return create(node);
    used.add(at);
    patch(nodes[at], before[at], node);
    return nodes[at];
  });
  nodes.forEach((old, at) => {
    if (!used.has(at)) old.remove();
  });
  result.forEach((node, at) => {
    if (parent.childNodes[at] !== node) parent.insertBefore(node, parent.childNodes[at] ?? null);
  });
  /** @type {Kept} */ (parent)._nodes = wanted;
}

/** @param {VNode[]} before @param {number[]} free @param {VNode} node @returns {number | undefined} */
function takeFree(before, free, node) {
  const place = free.findIndex((at) => before[at].tag === node.tag);
  return place < 0 ? undefined : free.splice(0, place + 1)[place];
}

/** @param {VNode} node @returns {Node} */
function create(node) {
  if (node.tag === TEXT) return document.createTextNode(node.text ?? "");
  const element = document.createElement(node.tag);
  patchChildren(element, node.children);
  setProps(element, {}, node.props);
  if (node.props.initial !== undefined) setInitial(element, node.props.initial);
  node.props.ref?.(element, true);
  return element;
}

/** @param {Node} target @param {VNode} old @param {VNode} node */
function patch(target, old, node) {
  if (old === node) return;
  if (node.tag === TEXT) {
    if (old.text !== node.text) target.nodeValue = node.text ?? "";
    return;
  }
  const element = /** @type {Element} */ (target);
  patchChildren(element, node.children);
  setProps(element, old.props, node.props);
  node.props.ref?.(element, false);
}

/** @param {Element} element @param {Props} old @param {Props} props */
function setProps(element, old, props) {
  for (const name of Object.keys(old)) if (!(name in props)) setProp(element, name, undefined);
  for (const [name, value] of Object.entries(props)) {
    if (PROPERTIES.has(name) || old[name] !== value) setProp(element, name, value);
  }
}

/** @param {Element} element @param {string} name @param {any} value */
function setProp(element, name, value) {
  const any = /** @type {any} */ (element);
  if (name === "style") Object.assign(any.style, value ?? {});
  else if (SPECIAL.has(name)) return;
  else if (name.startsWith("on")) listen(/** @type {Kept} */ (element), name.slice(2), value);
  else if (PROPERTIES.has(name)) {
    const next = value ?? (name === "value" ? "" : false);
    if (any[name] !== next) any[name] = next;
  } else if (value === undefined || value === null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** @param {Kept} element @param {string} type @param {((event: any) => void) | undefined} handler */
function listen(element, type, handler) {
  const events = (element._events ??= {});
  if (!(type in events)) element.addEventListener(type, (event) => events[type]?.(event));
  events[type] = handler ?? (() => {});
}

/** @param {Element} element @param {any} value */
function setInitial(element, value) {
  const any = /** @type {any} */ (element);
  if (any.type === "checkbox" || any.type === "radio") any.checked = Boolean(value);
  else any.value = value ?? "";
}
