"use strict";
// The slider and the flicker; without this script both pictures stand side by side all the same.
for (const view of document.querySelectorAll(".compare")) {
  const stage = view.querySelector(".stage"), range = view.querySelector("input[type=range]");
  const [exemplar, probe] = document.querySelectorAll(".pair img");
  const place = () => stage.style.setProperty("--at", range.value + "%");
  const drag = (event) => {
    const box = stage.getBoundingClientRect();
    if (event.buttons) { range.value = 100 * (event.clientX - box.left) / box.width; place(); }
  };
  stage.prepend(exemplar.cloneNode(), probe.cloneNode());
  range.addEventListener("input", place);
  stage.addEventListener("pointerdown", drag);
  stage.addEventListener("pointermove", drag);
  view.querySelector("input[type=checkbox]").addEventListener("change", (event) =>
    stage.classList.toggle("flicker", event.target.checked));
  view.hidden = false;
}
