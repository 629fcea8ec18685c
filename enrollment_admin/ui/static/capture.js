// Shows the chosen picture, takes one with the camera, and keeps a button from being pressed twice.
"use strict";

const MAX_BYTES = 4 * 1024 * 1024;
const WIDTH = 900;
const HEIGHT = 1200;

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button[data-busy]")) {
      button.textContent = button.dataset.busy;
      button.setAttribute("aria-disabled", "true");
      // After the form has been read: a disabled button would not be part of it.
      setTimeout(() => { button.disabled = true; }, 0);
    }
  });
}

const summary = document.getElementById("summary");
if (summary) summary.focus();

const card = document.getElementById("portrait-card");
if (card) startPortrait(card);

function startPortrait(card) {
  const input = document.getElementById("portrait");
  const preview = document.getElementById("preview");
  const video = document.getElementById("camera");
  const openCamera = document.getElementById("open-camera");
  const take = document.getElementById("take");
  const messages = document.getElementById("portrait-messages");
  let shown = null;

  function say(text) {
    messages.replaceChildren();
    if (!text) return;
    const line = document.createElement("p");
    line.className = "field-fault";
    line.textContent = text;
    messages.append(line);
  }

  function show(file) {
    if (shown) URL.revokeObjectURL(shown);
    shown = URL.createObjectURL(file);
    preview.src = shown;
    preview.hidden = false;
    video.hidden = true;
  }

  input.addEventListener("change", () => {
    const file = input.files[0];
    if (!file) return;
    if (file.type !== "image/jpeg") { input.value = ""; say(card.dataset.notJpeg); return; }
    if (file.size > MAX_BYTES) { input.value = ""; say(card.dataset.tooLarge); return; }
    say("");
    show(file);
  });

  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return;
  openCamera.hidden = false;

  openCamera.addEventListener("click", async () => {
    try {
      const wanted = { width: { ideal: 1920 }, height: { ideal: 1440 } };
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      await video.play();
      video.hidden = false;
      preview.hidden = true;
      openCamera.hidden = true;
      take.hidden = false;
      take.focus();
      say("");
    } catch {
      say(card.dataset.noCamera);
    }
  });

  take.addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    // The middle of the picture at 3:4, as the frame on the page shows it.
    const scale = Math.max(WIDTH / video.videoWidth, HEIGHT / video.videoHeight);
    const width = WIDTH / scale;
    const height = HEIGHT / scale;
    canvas.getContext("2d").drawImage(
      video, (video.videoWidth - width) / 2, (video.videoHeight - height) / 2, width, height,
      0, 0, WIDTH, HEIGHT);
    canvas.toBlob((blob) => {
      const chosen = new DataTransfer();
      chosen.items.add(new File([blob], "portrait.jpg", { type: "image/jpeg" }));
      input.files = chosen.files;
      show(blob);
      for (const track of video.srcObject.getTracks()) track.stop();
      take.hidden = true;
      openCamera.hidden = false;
      openCamera.focus();
    }, "image/jpeg", 0.92);
  });
}
