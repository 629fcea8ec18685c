// One hand decides: 1 to 4 choose, Enter sends. While a sentence is typed the keys write.
"use strict";

const form = document.getElementById("decision-form");

if (form) document.addEventListener("keydown", (event) => {
  if (event.target.matches("textarea, input:not([type=radio])") || event.altKey || event.ctrlKey || event.metaKey) return;
  const choice = form.querySelector(`input[data-key="${CSS.escape(event.key)}"]`);
  if (!choice) return;
  choice.checked = true;
  choice.focus();
  event.preventDefault();
});
