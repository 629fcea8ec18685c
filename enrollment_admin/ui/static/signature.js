// A finger or a pen writes on the page; what was written goes into the form as a picture.
"use strict";

startPad(document.getElementById("pad"), document.getElementById("signature"));

function startPad(pad, input) {
  const clear = document.getElementById("clear");
  const pen = pad.getContext("2d");
  let isWriting = false;
  pad.hidden = clear.hidden = false;
  blank();

  function blank() {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, pad.width, pad.height);
    pen.strokeStyle = "#14143c";
    pen.lineWidth = 4;
    pen.lineCap = pen.lineJoin = "round";
  }

  function place(event) {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * pad.width / box.width, (event.clientY - box.top) * pad.height / box.height];
  }

  pad.addEventListener("pointerdown", (event) => {
    isWriting = true;
    pad.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...place(event));
  });

  pad.addEventListener("pointermove", (event) => {
    if (!isWriting) return;
    pen.lineTo(...place(event));
    pen.stroke();
  });

  pad.addEventListener("pointerup", () => {
    isWriting = false;
    pad.toBlob((blob) => {
      const chosen = new DataTransfer();
      chosen.items.add(new File([blob], "signature.png", { type: "image/png" }));
      input.files = chosen.files;
    }, "image/png");
  });

  clear.addEventListener("click", () => {
    blank();
    input.value = "";
  });
}
