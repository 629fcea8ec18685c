// Keys for whoever keys all day, a larger picture, and how much of an upload has gone.
"use strict";

const FIELDS = "input:not([type=hidden]):not([type=radio]), select";

// Enter goes on to the next field and Ctrl+Enter sends: both hands stay on the keys.
document.addEventListener("keydown", (event) => {
  const form = document.querySelector("form[data-keyboard]");
  if (event.key === "F2" && toggleZoom()) { event.preventDefault(); return; }
  if (!form || event.key !== "Enter" || !event.target.matches(FIELDS) || !form.contains(event.target)) return;
  event.preventDefault();
  if (event.ctrlKey) { form.requestSubmit(); return; }
  const fields = [...form.querySelectorAll(FIELDS)];
  const next = fields[fields.indexOf(event.target) + 1] || form.querySelector("button.primary");
  next.focus();
});

const keyed = document.querySelector("form[data-keyboard]");
if (keyed) {
  (keyed.querySelector("[aria-invalid]") || keyed.querySelector(FIELDS)).focus({ preventScroll: true });
  keyed.addEventListener("submit", () => setTimeout(() => { keyed.querySelector("button.primary").disabled = true; }, 0));
}

const zoom = document.querySelector(".zoom");
if (zoom) {
  zoom.hidden = false;
  zoom.querySelector("button").addEventListener("click", toggleZoom);
}

function toggleZoom() {
  const scans = document.querySelector(".scans");
  if (!scans) return false;
  const isLarge = scans.classList.toggle("large");
  document.querySelector(".zoom button").setAttribute("aria-pressed", String(isLarge));
  return true;
}

document.addEventListener("change", (event) => {
  if (event.target.id !== "pages") return;
  const previews = document.querySelector(".previews");
  for (const shown of previews.querySelectorAll("img")) URL.revokeObjectURL(shown.src);
  previews.replaceChildren(...[...event.target.files].map((file) => {
    const line = document.createElement("li");
    const picture = document.createElement("img");
    picture.src = URL.createObjectURL(file);
    picture.alt = file.name;
    line.append(picture, file.name);
    return line;
  }));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-upload]")) return;
  event.preventDefault();
  const shown = form.querySelector(".upload-progress");
  const button = form.querySelector("button");
  const sending = new XMLHttpRequest();
  shown.hidden = false;
  button.disabled = true;
  sending.upload.addEventListener("progress", (part) => {
    const percent = part.lengthComputable ? Math.round(100 * part.loaded / part.total) : 0;
    shown.querySelector("progress").value = percent;
    shown.querySelector("output").textContent = `${percent} %`;
  });
  sending.addEventListener("load", () => {
    const page = new DOMParser().parseFromString(sending.responseText, "text/html");
    history.replaceState(null, "", sending.responseURL);
    document.title = page.title;
    document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
    scrollTo(0, 0);
  });
  // Without an answer the browser sends the form itself, and says in its own words what is wrong.
  sending.addEventListener("error", () => form.submit());
  sending.open("POST", form.action);
  sending.setRequestHeader("Accept", "text/html");
  sending.send(new FormData(form));
});
