// Looks at a page as WCAG 2.2 AA and the house's own rules do; gives every fault in words.
() => {
  const faults = [];
  const fault = (rule, element, more) => {
    const html = element.outerHTML.replace(/\s+/g, " ").slice(0, 110);
    faults.push(`${rule}: ${html}${more ? " | " + more : ""}`);
  };
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const isShown = (element) => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    return element.checkVisibility() && style.visibility !== "hidden" && box.width > 1 && box.height > 1;
  };
  const shown = (selector) => all(selector).filter((e) => isShown(e) && !e.closest("[aria-hidden=true]"));
  const textOf = (ids) => ids.split(/\s+/).map((id) => (document.getElementById(id) || {}).textContent || "").join(" ");

  // One language, one title, one first heading, no id twice, no reference to nowhere.
  if (!["zh-Hans", "en"].includes(document.documentElement.lang)) fault("lang", document.documentElement);
  if (!document.title.trim()) faults.push("title: none");
  if (all("h1").length !== 1) faults.push(`h1: ${all("h1").length}`);
  const ids = all("[id]").map((e) => e.id);
  ids.filter((id, n) => ids.indexOf(id) !== n).forEach((id) => faults.push(`id twice: ${id}`));
  for (const name of ["aria-describedby", "aria-labelledby", "for", "form"]) {
    all(`[${name}]`).forEach((e) => e.getAttribute(name).split(/\s+/).forEach((id) => {
      if (!document.getElementById(id)) fault(`${name} leads nowhere`, e, id);
    }));
  }
  let level = 1;
  shown("h1, h2, h3, h4").forEach((h) => {
    const next = Number(h.tagName[1]);
    if (next > level + 1) fault("heading skips a level", h);
    level = next;
  });

  // Everything that can be used has a name, and is big enough for a finger.
  shown("input:not([type=hidden]), select, textarea").forEach((e) => {
    const labels = Array.from(e.labels || []).map((l) => l.textContent).join(" ");
    const name = e.getAttribute("aria-labelledby") ? textOf(e.getAttribute("aria-labelledby")) : labels;
    if (!name.trim()) fault("control without a label", e);
    if (e.closest("#answers .question") && !e.closest("fieldset").querySelector("legend").textContent.trim()) {
      fault("question without a name", e);
    }
  });
  shown("a, button, summary").forEach((e) => {
    if (!(e.textContent.trim() || e.getAttribute("aria-label"))) fault("without a name", e);
  });
  shown("input:not([type=hidden]), select, textarea, button, summary, a.button").forEach((e) => {
    const target = /^(checkbox|radio)$/.test(e.type) ? e.closest("label") : e;
    const box = target.getBoundingClientRect();
    if (box.height < 43.5) fault("lower than 44 px", target, box.height);
  });

  // Nothing wider than the screen.
  if (document.documentElement.scrollWidth > innerWidth) {
    faults.push(`wider than the screen: ${document.documentElement.scrollWidth} > ${innerWidth}`);
  }

  // Type is large, and stands out from what is behind it.
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if ((numbers(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !isShown(element) || element.closest(".unseen, script, style")) continue;
    const style = getComputedStyle(element);
    const ratio = contrast(style.color, behind(element));
    if (ratio < 4.5) fault("contrast below 4.5", element, ratio.toFixed(2));
    if (parseFloat(style.fontSize) < 18 && !element.closest("code")) fault("type below 18 px", element, style.fontSize);
  }
  shown("input:not([type=hidden]):not([type=checkbox]):not([type=radio]), select, textarea").forEach((e) => {
    const ratio = contrast(getComputedStyle(e).borderTopColor, behind(e.parentElement));
    if (ratio < 3) fault("border below 3", e, ratio.toFixed(2));
    if (parseFloat(getComputedStyle(e).fontSize) < 18) fault("type below 18 px", e);
  });
  return faults;
}
