"use strict";
// The page shows what the agent says. It decides nothing and keeps nothing but the running session's id.

const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const LANGUAGE = document.documentElement.lang;
const HEADERS = { "Content-Type": "application/json", "X-Agent-Client": "teller-page", "Accept-Language": LANGUAGE };
const STEPS = ["opening", "waiting_for_card", "reading", "inspecting", "proving_chip", "comparing_face", "deciding"];
const STEP_OF = { turning_head: "comparing_face", comparing_by_eye: "comparing_face" };
const SIGNS = {
  opening: "card", waiting_for_card: "card", reading: "read", inspecting: "read", proving_chip: "read",
  comparing_face: "camera", turning_head: "camera", comparing_by_eye: "eye", deciding: "read",
};
const LIVE_MILLISECONDS = 250;
const STATUS_MILLISECONDS = 2000;

const part = (id) => document.getElementById(id);
const text = (key) => TEXTS[key] ?? key;
let session = null;
let stream = null;
let view = null;
let liveTimer = null;

function show(id, visible) { part(id).hidden = !visible; }

function say(look, sign, headline, what, next, owner) {
  part("band").dataset.look = look;
  part("sign").setAttribute("href", `#i-${sign}`);
  part("headline").textContent = headline;
  part("what").textContent = what ?? "";
  part("next-owner").textContent = owner ? `${text("next_action")} · ${text(`owner_${owner}`)}` : text("next_action");
  part("next-text").textContent = next ?? "";
  show("next", Boolean(next));
  document.title = `${headline} – ${text("title")}`;
}

function panel(name) {
  for (const id of ["start", "working", "result"]) { show(id, id === name); }
  document.body.dataset.state = name;
}

function idle() {
  leave();
  sessionStorage.removeItem("session");
  session = view = null;
  part("start").reset();
  clearErrors();
  picture("portrait", null);
  picture("live", null);
  show("hint", false);
  show("progress", false);
  say("idle", "person", text("idle_title"), text("idle_text"));
  panel("start");
  part("access").focus();
}

function leave() {
  if (stream) { stream.close(); stream = null; }
  clearInterval(liveTimer);
  liveTimer = null;
}

// -- starting ------------------------------------------------------------------------------------

function accessFrom(typed) {
  const given = typed.trim();
  if (/^\d{6}$/.test(given)) { return { can: given }; }
  if (/^\d{12}$/.test(given)) { return { citizen_number: given }; }
  if (given.includes("|")) { return { qr: given }; }
  if (given.includes("<")) { return { mrz: given.toUpperCase() }; }
  return null;
}

function fieldError(id, sentence) {
  const error = part(`${id}-error`);
  error.textContent = sentence ?? "";
  error.hidden = !sentence;
  const field = part(id);
  if (!field) { return; }
  if (sentence) { field.setAttribute("aria-invalid", "true"); field.focus(); } else { field.removeAttribute("aria-invalid"); }
}

function clearErrors() { for (const id of ["access", "consent", "form", "reason"]) { fieldError(id, null); } }

async function start(event) {
  event.preventDefault();
  clearErrors();
  const access = accessFrom(part("access").value);
  if (!access) { fieldError("access", text("access_error")); return; }
  if (!part("consent").checked) { fieldError("consent", text("fault_CONSENT_MISSING")); return; }
  const order = { purpose: part("purpose").value, access, consent: true, language: LANGUAGE };
  const answer = await call("POST", "/v1/sessions", order);
  if (answer.problem) { fieldError(answer.problem === "ACCESS_SECRET_MALFORMED" ? "access" : "form", sentence(answer)); return; }
  part("access").value = "";
  watch(answer.id);
}

function sentence(answer) {
  return answer.problem === "ACCESS_SECRET_MALFORMED" ? text("access_error") : TEXTS[`fault_${answer.problem}`] ?? text("agent_gone");
}

async function call(method, path, body) {
  try {
    const response = await fetch(path, { method, headers: HEADERS, body: body && JSON.stringify(body) });
    const content = await response.json();
    return response.ok ? content : { problem: content.code };
  } catch {
    return { problem: "agent_gone" };
  }
}

// -- watching ------------------------------------------------------------------------------------

function watch(id) {
  session = id;
  sessionStorage.setItem("session", id);
  panel("working");
  // Not on "cancel": a scanner that sends a second Enter would end the visit.
  part("band").focus();
  stream = new EventSource(`/v1/sessions/${id}/events`);
  stream.addEventListener("session", (message) => render(JSON.parse(message.data)));
  stream.onerror = async () => {
    // The stream ends after the verdict, and also when the agent was restarted and knows nothing of us.
    const found = await call("GET", `/v1/sessions/${id}`);
    if (session !== id) { return; }
    if (found.problem === "COUNTER_SESSION_UNKNOWN") { idle(); } else if (!found.problem) { render(found); }
  };
}

function render(next) {
  if (next.id !== session) { return; }
  view = next;
  showPictures();
  if (view.verdict) { verdict(view.verdict); return; }
  if (view.state === "cancelled") { finish(); say("incomplete", "incomplete", text("cancelled"), text("cancelled_text")); part("details").replaceChildren(); part("holder").replaceChildren(); return; }
  working();
}

function working() {
  panel("working");
  const direction = view.challenge.direction;
  // The arrow points as the teller and the live picture show it: the customer's left is on our right.
  if (direction) { say("work", direction === "left" ? "right" : "left", text(`turn_${direction}`), text("turn_text")); } else {
    say("work", SIGNS[view.state], text(`now_${view.state}`), text(`now_${view.state}_text`));
  }
  markSteps(STEP_OF[view.state] ?? view.state);
  const { done, total } = view.progress;
  show("progress", view.state === "reading");
  part("progress").value = total ? Math.round((100 * done) / total) : 0;
  const byEye = view.state === "comparing_by_eye";
  if (byEye && part("manual").hidden) { showSteps(false); show("manual", true); part("reason").focus(); }
  if (!byEye) { showSteps(true); show("manual", false); }
  part("manual-cause").textContent = view.manual_cause ? text(`fault_${view.manual_cause}`) : "";
}

function showSteps(visible) { show("steps", visible); show("steps-title", visible); }

function markSteps(current) {
  const at = STEPS.indexOf(current);
  for (const item of part("steps").children) {
    const index = STEPS.indexOf(item.dataset.step);
    item.dataset.at = index < at ? "done" : index === at ? "current" : "pending";
    item.querySelector(".spoken").textContent = text(item.dataset.at);
  }
}

function showPictures() {
  const base = `/v1/sessions/${view.id}`;
  if (view.has_portrait && part("portrait").hidden) { picture("portrait", `${base}/portrait.jpg`); }
  if (!view.has_portrait) { picture("portrait", null); }
  if (!view.has_live) { picture("live", null); }
  if (view.has_live && !liveTimer && !view.verdict) {
    liveTimer = setInterval(() => picture("live", `${base}/live.jpg?${Date.now()}`), LIVE_MILLISECONDS);
  }
  if (view.has_live && part("live").hidden) { picture("live", `${base}/live.jpg?${Date.now()}`); }
  const hint = view.hint && text(`fault_${view.hint}`);
  if (hint && part("hint").textContent !== hint) { part("hint").textContent = hint; }
  show("hint", Boolean(hint));
}

function picture(id, source) {
  const image = part(id);
  if (source) { image.src = source; } else { image.removeAttribute("src"); }
  image.hidden = !source;
  show(`${id}-none`, !source);
}

// -- the verdict ---------------------------------------------------------------------------------

function finish() {
  leave();
  show("progress", false);
  panel("result");
  part("again").focus();
  lamps();
}

function verdict(found) {
  finish();
  const verified = found.outcome === "verified";
  const what = verified ? text("verified_text") : found.what;
  const next = verified ? text("verified_next") : found.next;
  say(found.outcome, found.outcome, text(found.outcome), what, next, verified ? null : found.owner);
  list("holder", holderLines(found.holder));
  const seconds = `${found.seconds.toLocaleString(LANGUAGE, { maximumFractionDigits: 1 })} ${text("seconds")}`;
  const { chip, face, status } = found.assurance;
  list("details", [
    [text("chip"), text(`chip_${chip}`)], [text("face"), text(`face_${face}`)], [text("status"), statusText(status)],
    [text("time"), seconds], [text("fault_code"), found.code], [text("session"), view.id],
  ]);
}

// "snapshot(5400s)": what was last heard of the card, so long ago.
function statusText(status) {
  const seconds = /^snapshot\((\d+)s\)$/.exec(status)?.[1];
  if (!seconds) { return text(`status_${status}`); }
  const hours = Math.floor(seconds / 3600);
  const age = hours ? `${hours} ${text("hours")}` : `${Math.ceil(seconds / 60)} ${text("minutes")}`;
  return `${text("status_snapshot")} ${age}`;
}

function holderLines(holder) {
  if (!holder) { return []; }
  const born = holder.date_of_birth?.split("-").reverse().join("/");
  return [
    [text("holder_name"), holder.full_name], [text("holder_citizen_number"), holder.citizen_number],
    [text("holder_date_of_birth"), born], [text("holder_sex"), holder.sex && text(`sex_${holder.sex}`)],
  ];
}

function list(id, lines) {
  const rows = lines.filter(([, value]) => value).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    return [term, detail];
  });
  part(id).replaceChildren(...rows);
}

// -- by eye, cancelling, lamps -------------------------------------------------------------------

async function byEye(matched) {
  const reason = part("reason").value.trim();
  if (reason.length < 3) { fieldError("reason", text("manual_error")); return; }
  fieldError("reason", null);
  const answer = await call("POST", `/v1/sessions/${session}/manual-face`, { matched, reason });
  if (answer.problem) { fieldError("reason", sentence(answer)); } else { part("reason").value = ""; }
}

async function cancel() { if (session && !view?.verdict) { await call("DELETE", `/v1/sessions/${session}`); } }

function lamp(id, on, words) {
  part(id).dataset.on = on;
  if (part(id).textContent !== words) { part(id).textContent = words; }
}

async function lamps() {
  const now = await call("GET", "/v1/status");
  if (now.problem) { lamp("lamp-reader", "no", text("agent_gone")); lamp("lamp-card", "unknown", text("card_off")); return; }
  const words = now.fault ? "reader_missing" : now.busy ? "reader_busy" : "reader_ready";
  lamp("lamp-reader", now.fault ? "no" : "yes", text(words));
  lamp("lamp-card", now.card_present ? "yes" : "unknown", text(now.card_present ? "card_on" : "card_off"));
  const byMachine = now.camera !== "none" && now.engine !== "manual";
  lamp("lamp-face", byMachine ? "yes" : "unknown", text(now.camera === "none" ? "camera_none" : byMachine ? "engine_ready" : "engine_manual"));
  show("take-card", now.card_present && view?.verdict?.outcome !== "verified");
}

part("start").addEventListener("submit", start);
part("manual").addEventListener("submit", (event) => event.preventDefault());
part("manual-yes").addEventListener("click", () => byEye(true));
part("manual-no").addEventListener("click", () => byEye(false));
part("cancel").addEventListener("click", cancel);
part("again").addEventListener("click", idle);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") { return; }
  if (document.body.dataset.state === "working") { cancel(); } else if (document.body.dataset.state === "result") { idle(); }
});

lamps();
setInterval(lamps, STATUS_MILLISECONDS);
const running = sessionStorage.getItem("session");
if (running) { watch(running); } else { panel("start"); }
