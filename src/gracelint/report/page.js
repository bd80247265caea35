(() => {
  "use strict";
  const form = document.querySelector("form");
  const launches = [...document.querySelectorAll("details[data-verdict]")];
  const shown = form.querySelector("output");

  function filter() {
    const verdicts = new Set([...form.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value));
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const launch of launches) {
      const fits = verdicts.has(launch.dataset.verdict) && words.every((word) => launch.dataset.words.includes(word));
      launch.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${launches.length} shown`;
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = launches.filter((launch) => !launch.open);
    for (const launch of closed) launch.open = true;
  });
  addEventListener("afterprint", () => {
    for (const launch of closed) launch.open = false;
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
