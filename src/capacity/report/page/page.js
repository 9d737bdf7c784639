// What the page does besides being read: shows the figures under the pointer (or under the arrow keys) on a chart, and
// copies commands. Everything else works without it. Texts only ever become text here, never markup.

(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.append(tip);

  for (const chart of document.querySelectorAll(".chart")) {
    const tips = JSON.parse(chart.querySelector("script").textContent).sort(
      (one, other) => one[0] - other[0],
    );
    if (tips.length > 0) listen(chart, tips);
  }
  for (const command of document.querySelectorAll(".command")) offerCopy(command);
  document.addEventListener("scroll", () => hide(null), { passive: true });

  function listen(chart, tips) {
    let shown = -1;
    chart.tabIndex = 0;
    chart.addEventListener("pointermove", (event) => {
      const svg = visible(chart);
      const box = svg.getBoundingClientRect();
      const [left, , right] = plotOf(svg);
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const at = (x - left) / (right - left);
      shown = nearest(tips, at);
      show(chart, tips[shown], event.clientY);
    });
    chart.addEventListener("pointerleave", () => hide(chart));
    chart.addEventListener("blur", () => hide(chart));
    chart.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return hide(chart);
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      event.preventDefault();
      const step = event.key === "ArrowLeft" ? -1 : 1;
      shown = Math.min(Math.max(shown + step, 0), tips.length - 1);
      show(chart, tips[shown], chart.getBoundingClientRect().top + 40);
    });
  }

  function visible(chart) {
    return [...chart.querySelectorAll("svg")].find((svg) => svg.getBoundingClientRect().width > 0);
  }

  function plotOf(svg) {
    return svg.dataset.plot.split(" ").map(Number);
  }

  function nearest(tips, at) {
    let best = 0;
    for (let index = 1; index < tips.length; index++)
      if (Math.abs(tips[index][0] - at) < Math.abs(tips[best][0] - at)) best = index;
    return best;
  }

  function show(chart, [at, text], clientY) {
    const svg = visible(chart);
    const [left, , right] = plotOf(svg);
    const x = left + at * (right - left);
    const cursor = svg.querySelector(".cursor");
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    cursor.setAttribute("visibility", "visible");
    tip.textContent = text;
    tip.hidden = false;
    const box = svg.getBoundingClientRect();
    const point = box.left + (x / svg.viewBox.baseVal.width) * box.width;
    const room = tip.getBoundingClientRect();
    const isRight = point + 14 + room.width < document.documentElement.clientWidth;
    tip.style.left = `${Math.max(4, isRight ? point + 14 : point - 14 - room.width)}px`;
    tip.style.top = `${Math.max(4, Math.min(clientY - room.height / 2, innerHeight - room.height - 4))}px`;
  }

  function hide(chart) {
    tip.hidden = true;
    for (const cursor of (chart ?? document).querySelectorAll(".cursor"))
      cursor.setAttribute("visibility", "hidden");
  }

  function offerCopy(command) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.querySelector("code").textContent);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(command.querySelector("code"));
        button.textContent = "selected";
      }
      setTimeout(() => {
        button.textContent = "copy";
      }, 1500);
    });
    command.append(button);
  }
})();
