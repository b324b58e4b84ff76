const box = document.querySelector(".filter");
const rows = [...document.querySelectorAll(".list>li")];
const input = box.querySelector("input");
box.hidden = rows.length < 8;
input.addEventListener("input", () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  for (const part of document.querySelectorAll("[data-part]")) {
    part.hidden = words.length > 0 && !part.querySelector(".list>li:not([hidden])");
    if (part.tagName === "DETAILS" && words.length) part.open = true;
  }
});
for (const row of rows) {
  const self = document.createElement("a");
  self.className = "self";
  self.href = "#" + row.id;
  self.textContent = "#";
  self.setAttribute("aria-label", "Link to " + row.querySelector("b").textContent);
  row.append(self);
  row.parentElement.classList.add("linked");
}
if (navigator.clipboard) {
  for (const fix of document.querySelectorAll("pre.fix")) {
    const command = fix.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the command");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    fix.classList.add("copy");
    fix.append(button);
  }
}
