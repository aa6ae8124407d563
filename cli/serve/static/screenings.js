"use strict";
// Watch a screening: each part of the page is put in place when it has changed, and nothing else moves.

const live = document.querySelector("#live[data-events]");

if (live) {
  const source = new EventSource(live.dataset.events);
  source.addEventListener("part", (event) => {
    const fresh = new DOMParser().parseFromString(JSON.parse(event.data), "text/html");
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = document.getElementById(part.id);
      if (old.outerHTML === part.outerHTML) continue;
      const [form, same] = [old, part].map((one) => one.querySelector("form"));
      const held = old.contains(document.activeElement) ? document.activeElement : null;
      if (held && form && form.action === same?.action) same.replaceWith(form); // so that the focus can go back
      old.replaceWith(part);
      if (held && part.contains(held)) held.focus();
    }
  });
  source.addEventListener("over", () => source.close());
  let failed = 0;
  source.addEventListener("open", () => { failed = 0; });
  source.addEventListener("error", () => {
    failed += 1;
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10000);  // too many watch
    else if (failed === 3) say("The desk does not answer. What was done is kept.", true);
  });
  addEventListener("pagehide", () => source.close());
}
