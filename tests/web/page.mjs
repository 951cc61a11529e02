// Runs the web page of a server without a browser: a document that is just large enough for it, and requests that go to the
// server. Prints JSON: which paths were asked, what each element says, which links and buttons there are, the trouble.
//
//   node tests/web/page.mjs http://127.0.0.1:8081 '#taskmanagers/t1' [CODE to run before the last refresh]
const [base, hash, code] = process.argv.slice(2);

class Node {
  constructor(tag) {
    Object.assign(this, {tag, children: [], attributes: {}, dataset: {}, hidden: false, value: '', files: [], checked: false, own: ''});
  }
  get textContent() { return this.own + this.children.map(child => child.textContent ?? String(child)).join(''); }
  set textContent(text) { this.children = []; this.own = String(text); }
  get hash() { return this.attributes.href ?? ''; }
  append(...more) {
    for (const one of more) {
      if (one === null || one === undefined) throw new Error('nothing is appended to ' + this.tag);
      this.children.push(one);
    }
    if (this.tag === 'select' && !this.value && this.children.length) this.value = this.children[0].value;
  }
  replaceChildren(...more) { this.own = ''; this.children = []; this.value = ''; this.append(...more); }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  removeAttribute(name) { delete this.attributes[name]; }
  all() { return [this, ...this.children.flatMap(child => child instanceof Node ? child.all() : [])]; }
  set innerHTML(text) { throw new Error('what comes from a job is put in as HTML: ' + text); }
}

const page = await (await fetch(base + '/')).text();
const byId = new Map();
for (const [, tag, id] of page.matchAll(/<(\w+)[^>]*\bid="([^"]+)"/g)) byId.set(id, new Node(tag));
for (const [, href] of page.matchAll(/<a href="([^"]*)"/g)) {
  const link = new Node('a');
  link.attributes.href = href === '#' ? '' : href;
  byId.get('nav').append(link);
}
const asked = [];
let waiting = 0, pending = null;
const world = {
  document: {
    hidden: false,
    getElementById: id => byId.get(id) ?? (() => { throw new Error('there is no element ' + id); })(),
    createElement: tag => new Node(tag),
    createElementNS: (_, tag) => new Node(tag),
    addEventListener: () => {},
  },
  location: {hash},
  addEventListener: () => {},
  confirm: () => true,
  alert: text => { throw new Error(text); },
  setTimeout: then => { pending = then; return 1; },
  clearTimeout: () => { pending = null; },
  DOMParser: class { parseFromString(html) { return {body: {textContent: html.replace(/<[^>]*>/g, ' ')}}; } },
  fetch: async (path, options) => {
    asked.push([options?.method ?? 'GET', '/' + path]);
    ++waiting;
    try {
      return await fetch(base + '/' + path, options);
    } finally {
      --waiting;
    }
  },
};
const script = page.slice(page.indexOf('<script>') + 8, page.indexOf('</script>'));
const run = new Function(...Object.keys(world), script + '\nreturn {tick, at, choose: id => { chosenVertex = id; }};');
const {tick, at, choose} = run(...Object.values(world));

// Until the page waits for its next refresh.
async function settled() {
  while (waiting || !pending) await new Promise(then => setTimeout(then, 10));
  pending = null;
}
await settled();
if (code) {
  await new Function('at', 'choose', 'byId', 'return (async () => {' + code + '})()')(at, choose, byId);
  tick();
  await settled();
}
const said = Object.fromEntries([...byId].map(([id, node]) => [id, {hidden: node.hidden, text: node.textContent}]));
const nodes = [...byId.values()].flatMap(node => node.all());
console.log(JSON.stringify({asked, said, hash: world.location.hash,
                            shapes: nodes.filter(node => ['rect', 'path'].includes(node.tag)).length}));
process.exit(0);
