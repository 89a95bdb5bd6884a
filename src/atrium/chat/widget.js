/* The chat of a chatbot, in a page of anybody's: <script src="https://HOST/widget.js" data-key="KEY" async></script>
   It needs nothing of the page: its styles and its elements are its own, and it works under a policy that allows this host as
   script-src and connect-src. What is said is put in as text, never as HTML. */
(() => {
  "use strict";
  const script = document.currentScript;
  const key = script?.dataset.key ?? "";
  const base = new URL("api/v1/widget", new URL(".", script?.src || location.href));
  const kept = `chat ${key}`;
  const RETRIES = [1000, 2000, 4000, 8000, 15000];
  const STYLE = `
    :host { all: initial; --b: #3451b2; --on: #fff; --bg: #fff; --text: #1c2330; --soft: #5a6372; --line: #cfd5de; --sunk: #f1f3f7; --bad: #b3261e;
      position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; color-scheme: light dark;
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    @media (prefers-color-scheme: dark) { :host { --bg: #181c23; --text: #eef1f6; --soft: #aab3c1; --line: #3a4250; --sunk: #242a34; --bad: #ff9d94; } }
    * { box-sizing: border-box; margin: 0; }
    button, input, textarea { font: inherit; color: inherit; }
    button { cursor: pointer; border: 0; border-radius: 8px; padding: 8px 14px; background: var(--b); color: var(--on); }
    button:disabled { cursor: default; opacity: .6; }
    :focus-visible { outline: 3px solid var(--b); outline-offset: 2px; box-shadow: 0 0 0 2px var(--bg); }
    .open { border-radius: 28px; padding: 13px 20px; font-weight: 600; box-shadow: 0 4px 16px #0004; }
    .panel { display: flex; flex-direction: column; width: 380px; max-width: calc(100vw - 24px); height: 560px; max-height: calc(100vh - 40px);
      background: var(--bg); color: var(--text); border: 1px solid var(--line); border-radius: 14px; box-shadow: 0 8px 32px #0005; overflow: hidden; }
    [hidden] { display: none !important; }
    header { display: flex; align-items: center; gap: 8px; padding: 12px 10px 12px 16px; background: var(--b); color: var(--on); }
    h2 { flex: 1; font-size: 16px; font-weight: 600; overflow-wrap: anywhere; }
    header button { padding: 2px 10px; font-size: 20px; line-height: 1.4; }
    header button:focus-visible { outline-color: var(--on); box-shadow: none; }
    .log { flex: 1; overflow-y: auto; padding: 16px; }
    .said { width: fit-content; max-width: 88%; margin: 0 0 12px; padding: 9px 13px; border-radius: 12px; background: var(--sunk); white-space: pre-wrap;
      overflow-wrap: anywhere; }
    .mine { margin-left: auto; background: var(--b); color: var(--on); }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    details { margin-top: 8px; font-size: 13px; white-space: normal; }
    summary { cursor: pointer; }
    ol { padding-left: 20px; }
    a { color: inherit; }
    blockquote { color: var(--soft); }
    .note { padding: 0 16px 8px; font-size: 14px; color: var(--soft); }
    .bad { color: var(--bad); }
    form { display: grid; gap: 8px; padding: 12px 16px; border-top: 1px solid var(--line); }
    .say { grid-template-columns: 1fr auto; align-items: end; }
    label { font-size: 14px; }
    input, textarea { width: 100%; padding: 8px 10px; border: 1px solid var(--soft); border-radius: 8px; background: var(--bg); resize: none; }
    @media (max-width: 480px) { :host { right: 12px; bottom: 12px; } .panel { height: calc(100vh - 24px); } }
    @media (prefers-reduced-motion: no-preference) { .panel { animation: up .16s ease-out; } @keyframes up { from { opacity: 0; transform: translateY(12px); } } }
  `;

  class Refused extends Error {
    constructor(status, problem, seconds) {
      super(problem.detail || "That did not work.");
      Object.assign(this, { status, code: problem.code, seconds });
    }
  }

  const make = (name, attributes = {}, ...inside) => {
    const element = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    element.append(...inside);
    return element;
  };
  const wait = (ms) => new Promise((done) => {
    const over = () => { clearTimeout(timer); removeEventListener("online", over); done(); };
    const timer = setTimeout(over, ms);
    addEventListener("online", over);
  });

  // What the browser keeps for this tab: who the visitor is, and where they were.
  let state = {};
  try { state = JSON.parse(sessionStorage.getItem(kept)) ?? {}; } catch { /* the page may not keep anything */ }
  const keep = (values) => {
    Object.assign(state, values);
    try { sessionStorage.setItem(kept, JSON.stringify(state)); } catch { /* as above */ }
  };

  /** One call. The key stands in every address: what a browser asks before it calls carries nothing else that says whose page this is. */
  const call = async (method, path, { body, token, query = {}, id } = {}) => {
    const url = new URL(base + path);
    for (const [name, value] of Object.entries({ key, ...query })) url.searchParams.set(name, value);
    const headers = {};
    if (body) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    if (id) headers["Idempotency-Key"] = id;
    const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, said, Number(answer.headers.get("retry-after")) || 0);
    return said;
  };

  const visit = async () => {
    const opened = await call("POST", "/sessions", { body: { token: state.token ?? null } });
    if (opened.id !== state.visitor) keep({ conversation: null });
    keep({ token: opened.token, visitor: opened.id });
  };

  /** A call of the visitor's: with another session where theirs is over, and again where the connection was lost. */
  const asVisitor = async (method, path, options, told) => {
    for (let lost = 0, anew = 0; ; ) {
      try {
        if (!state.token) await visit();
        return await call(method, path, { ...options, token: state.token });
      } catch (error) {
        if (error.code === "visit_ended" && !anew++) { await visit(); continue; }
        if (error.code === "invalid_credential" && !anew++) { keep({ token: null, conversation: null }); continue; }
        const again = error instanceof Refused ? error.status >= 500 : true;
        if (!again || lost >= RETRIES.length) throw error;
        told("The connection was lost. Trying again…");
        await wait(RETRIES[lost++]);
      }
    }
  };

  const inWords = (error) => {
    if (!(error instanceof Refused)) return "There is no connection. Check yours, then send it again.";
    if (error.code === "quota_exceeded") return "This chat has answered as much as it may for now. Leave your email, and somebody will answer you.";
    if (error.status === 429) return `That was a lot at once. You can write again in ${error.seconds || 60} seconds.`;
    if (["key_disabled", "key_revoked", "origin_not_allowed", "not_found"].includes(error.code)) return "This chat is switched off.";
    if (error.status >= 500) return "Something went wrong on our side. Send it again in a while.";
    return error.message;
  };

  const onColor = (color) => {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
  };

  const build = (config) => {
    const host = make("div", { "data-chat-widget": "" });
    const root = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch { root.append(make("style", {}, STYLE)); }
    if (/^#[0-9a-f]{6}$/i.test(config.color)) {
      host.style.setProperty("--b", config.color);
      host.style.setProperty("--on", onColor(config.color));
    }

    const open = make("button", { class: "open", type: "button", "aria-expanded": "false", "aria-haspopup": "dialog" }, `Chat with ${config.name}`);
    const close = make("button", { type: "button", "aria-label": "Close the chat" }, "×");
    const log = make("div", { class: "log", role: "log", tabindex: "0", "aria-label": "What was said" });
    const note = make("p", { class: "note", role: "status" });
    const text = make("textarea", { id: "text", rows: "2", maxlength: "4000", required: "", placeholder: "Write a message" });
    const send = make("button", {}, "Send");
    const say = make("form", { class: "say" }, make("div", {}, make("label", { class: "unseen", for: "text" }, "Your message"), text), send);
    const email = make("input", { id: "email", type: "email", required: "", maxlength: "254", autocomplete: "email" });
    const leave = make("form", { hidden: "" }, make("label", { for: "email" }, "Leave your email, and somebody will answer you"), email, make("button", {}, "Leave my email"));
    const panel = make("div", { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: "" },
      make("header", {}, make("h2", { id: "title" }, config.name), close), log, note, leave, say);
    root.append(open, panel);

    const tell = (words, bad = false) => { note.textContent = words; note.className = bad ? "note bad" : "note"; };
    const cited = ({ number, source_name, place, url, quote }) => {
      const name = place && place !== source_name ? `${source_name}, ${place}` : source_name;
      const safe = /^https?:\/\//i.test(url ?? "");
      const title = safe ? make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, name) : name;
      return make("li", { value: number }, title, make("blockquote", {}, quote));
    };
    const show = (message) => {
      const mine = message.author === "visitor";
      const said = make("div", { class: mine ? "said mine" : "said" }, make("span", { class: "unseen" }, mine ? "You said: " : `${config.name} said: `), message.body);
      const citations = message.citations ?? [];
      if (citations.length) said.append(make("details", {}, make("summary", {}, citations.length === 1 ? "1 source" : `${citations.length} sources`), make("ol", {}, ...citations.map(cited))));
      log.append(said);
      if (message.found === false) leave.hidden = false;
      log.scrollTop = log.scrollHeight;
      return said;
    };
    const fail = (error) => {
      tell(inWords(error), true);
      if (error.code === "quota_exceeded") leave.hidden = false;
      if (error.status === 429 && error.code !== "quota_exceeded") {
        send.disabled = true;
        setTimeout(() => { send.disabled = false; tell("You can write again."); }, (error.seconds || 60) * 1000);
      }
    };

    say.addEventListener("submit", async (event) => {
      event.preventDefault();
      const body = text.value.trim();
      if (!body || send.disabled) return;
      send.disabled = true;
      tell("Looking for an answer…");
      const mine = show({ author: "visitor", body });
      text.value = "";
      let failed = null;
      try {
        // Sent again with the same id, a message is said once.
        const options = { body: { body, conversation_id: state.conversation ?? null }, id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
        const answer = await asVisitor("POST", "/messages", options, tell);
        keep({ conversation: answer.conversation_id });
        tell("");
        show(answer);
      } catch (error) {
        failed = error;
        mine.remove();
        text.value ||= body;
      }
      send.disabled = false;
      if (failed) fail(failed);
      text.focus();
    });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); say.requestSubmit(); }
    });
    leave.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        await asVisitor("POST", "/leads", { body: { email: email.value.trim(), conversation_id: state.conversation ?? null }, id: crypto.randomUUID?.() }, tell);
        leave.hidden = true;
        tell("Thank you. Somebody will write to you.");
        text.focus();
      } catch (error) { fail(error); }
    });

    let began = false;
    const begin = async () => {
      began = true;
      show({ author: "chatbot", body: config.greeting });
      if (!state.token || !state.conversation) return;
      try {
        for (const message of (await asVisitor("GET", "/messages", { query: { conversation_id: state.conversation } }, tell)).data) show(message);
        tell("");
      } catch (error) { keep({ conversation: null }); if (error.status !== 404) fail(error); }
    };
    const turn = (shown) => {
      panel.hidden = !shown;
      open.hidden = shown;
      open.setAttribute("aria-expanded", String(shown));
      if (shown && !began) begin();
      (shown ? text : open).focus();
    };
    open.addEventListener("click", () => turn(true));
    close.addEventListener("click", () => turn(false));
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); turn(false); } });
    document.body.append(host);
  };

  const start = async () => {
    if (!key) { console.warn("Chat: the script has no data-key."); return; }
    if (document.querySelector("[data-chat-widget]")) return;
    for (const ms of [0, ...RETRIES]) {
      await wait(ms);
      try { return build(await call("GET", "")); } catch (error) {
        if (error instanceof Refused && error.status < 500) { console.warn(`Chat: ${error.message}`); return; }
      }
    }
    console.warn("Chat: there is no answer. Is this page's origin among the allowed ones of the embed code?");
  };
  if (document.body) start(); else addEventListener("DOMContentLoaded", start);
})();
