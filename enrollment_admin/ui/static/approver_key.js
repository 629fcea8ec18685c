// An approver's own key: made in this browser and kept in it, where no script can read it out. It signs lists.
"use strict";

const STORE = "keys";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const root = document.getElementById("own-key");

begin().catch(() => show("failed"));

async function begin() {
  if (!window.crypto?.subtle || !window.indexedDB) return show("unavailable");
  for (const button of root.querySelectorAll("[data-make]")) {
    button.addEventListener("click", () => make().then(tell).catch(() => show("failed")));
  }
  const key = await kept("readonly", (keys) => keys.get(root.dataset.officer));
  tell(key);
  if (root.tagName === "FORM") root.addEventListener("submit", (event) => {
    event.preventDefault();
    root.querySelector("button").disabled = true;
    sign(key).then(() => root.submit()).catch(() => show("failed"));
  });
}

function tell(key) {
  const known = root.dataset.keys?.split(" ").filter(Boolean);
  for (const each of root.querySelectorAll("[data-thumbprint]")) each.textContent = key?.thumbprint ?? "";
  const jwk = root.querySelector("textarea");
  if (jwk) jwk.value = key ? JSON.stringify(key.jwk) : "";
  if (!key) show(known?.length ? "elsewhere" : "none");
  else show(known && !known.includes(key.thumbprint) ? "unregistered" : "ready");
}

function show(state) {
  for (const each of root.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== state;
}

async function make() {
  const pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const jwk = { crv, kty, x, y };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(jwk)));
  // RFC 7638: over exactly these members, in this order.
  const key = { jwk, thumbprint: base64url(digest), privateKey: pair.privateKey };
  await kept("readwrite", (keys) => keys.put(key, root.dataset.officer));
  await navigator.storage?.persist?.();
  return key;
}

async function sign(key) {
  const header = JSON.stringify({ alg: "ES256", kid: key.thumbprint, typ: root.dataset.kind });
  const content = root.elements.preparation.value.split(".")[1];
  const signed = new TextEncoder().encode(`${base64url(new TextEncoder().encode(header))}.${content}`);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, signed);
  root.elements.key.value = key.thumbprint;
  root.elements.signature.value = base64url(signature);
}

function base64url(octets) {
  const text = btoa(String.fromCharCode(...new Uint8Array(octets)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function kept(mode, ask) {
  return new Promise((resolve, reject) => {
    const opened = indexedDB.open("approver-keys", 1);
    opened.onupgradeneeded = () => opened.result.createObjectStore(STORE);
    opened.onerror = () => reject(opened.error);
    opened.onsuccess = () => {
      const done = opened.result.transaction(STORE, mode);
      const asked = ask(done.objectStore(STORE));
      done.oncomplete = () => { opened.result.close(); resolve(asked.result); };
      done.onerror = done.onabort = () => { opened.result.close(); reject(done.error); };
    };
  });
}
