"use strict";
// What the pages of the desk share: messages, and bringing photographs.

const csrf = document.querySelector("meta[name=csrf]")?.content ?? "";

function say(text, problem = false) {
  const line = document.createElement("p");
  line.textContent = text;
  line.className = problem ? "remark" : "";
  document.getElementById("said").replaceChildren(line);
  setTimeout(() => line.remove(), problem ? 15000 : 6000);
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrf;
});
document.addEventListener("htmx:responseError", (event) => {
  const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  say(page.querySelector(".remark")?.textContent.trim() ?? "That did not work. Try again.", true);
});
document.addEventListener("htmx:sendError", () => say("The desk does not answer. Is it still running?", true));

for (const form of document.querySelectorAll("form[data-bring]")) {
  const drop = form.querySelector(".drop"), judge = form.querySelector("button.main");
  const shown = form.querySelector(".progress"), inputs = [...form.querySelectorAll("input[type=file]")];

  function send(more) { // what is chosen, and what was dropped or pasted beside it
    if (judge.disabled) return; // it is being sent
    const files = [...inputs.flatMap((input) => [...input.files]), ...more];
    if (!files.length) {
      say("Choose a photograph first.", true);
      return;
    }
    judge.disabled = true;
    const body = new FormData(form);
    body.delete("photo");
    for (const file of files) body.append("photo", file, file.name || "pasted.png");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => {
      shown.hidden = false;
      shown.querySelector("progress").value = event.loaded / event.total;
      shown.querySelector("span").textContent = `${Math.round((100 * event.loaded) / event.total)} % sent`;
    };
    request.onload = () => {
      shown.hidden = true;
      if (request.status === 200) {
        location.href = JSON.parse(request.responseText).next;
        return;
      }
      judge.disabled = false;
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      say(page.querySelector(".remark")?.textContent.trim() ?? "That did not work. Try again.", true);
    };
    request.onerror = () => {
      shown.hidden = true;
      judge.disabled = false;
      say("The photographs could not be sent. Is the desk still running?", true);
    };
    request.send(body);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send([]);
  });
  for (const input of inputs) input.required = false;
  form.querySelector("#camera").addEventListener("change", (event) => {
    if (event.target.files.length) send([]);
  });
  addEventListener("pageshow", () => {
    judge.disabled = false; // also where somebody comes back to this page
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) send(event.clipboardData.files);
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) send(event.dataTransfer.files);
  });
}
