/* What makes the pages better where there is script. Nothing here is needed: every page works
   without. No library, no build; old browsers of old machines understand it. */
(function () {
  "use strict";

  function all(selector, root) {
    return Array.prototype.slice.call((root || document).querySelectorAll(selector));
  }

  all("[data-script]").forEach(function (element) { element.hidden = false; });
  all("[data-no-script]").forEach(function (element) { element.hidden = true; });

  // An error summary, or the word that something was done, is where reading goes on.
  var first = document.querySelector("[data-focus]");
  if (first) { first.focus(); }

  all("[data-show-password]").forEach(function (tick) {
    var input = document.getElementById(tick.getAttribute("data-show-password"));
    tick.addEventListener("change", function () { input.type = tick.checked ? "text" : "password"; });
  });

  // A link of the summary leads to the question: into its first control.
  all(".error-summary a").forEach(function (link) {
    link.addEventListener("click", function (event) {
      var target = document.getElementById(link.hash.slice(1));
      if (!target) { return; }
      var control = target.matches("input") ? target : target.querySelector("[data-value], input:not([type=hidden])");
      event.preventDefault();
      target.scrollIntoView();
      (control || target).focus({ preventScroll: true });
    });
  });

  // Back to a page that was sent, or once more: the browser would ask, or show a page of its own.
  // What was typed is saved, and at the form.
  var again = document.querySelector("form[data-again]");
  if (again && window.history.replaceState) {
    window.history.replaceState(null, "", again.getAttribute("data-again"));
  }

  // Two touches on a button are one.
  all("form[data-once]").forEach(function (form) {
    var sent = 0;
    form.addEventListener("submit", function (event) {
      var now = Date.now();
      if (now - sent < 3000) { event.preventDefault(); return; }
      sent = now;
    });
  });

  var form = document.getElementById("answers");
  if (!form || !window.fetch || !window.URLSearchParams) { return; }

  var state = form.querySelector("[data-save-state]");
  var waiting = {};
  var timer = null;
  var isSaving = false;
  var isLeaving = false;

  function words(name) { return form.getAttribute("data-" + name); }
  function questions() { return all("[data-ask]", form); }
  function named(question, member) {
    return all("[name='" + member + "." + question.getAttribute("data-ask") + "']", question);
  }

  function hasValue(question) {
    return named(question, "value").some(function (control) {
      return /^(radio|checkbox)$/.test(control.type) ? control.checked && control.value : control.value.trim();
    });
  }

  function isAnswered(question) {
    var confirm = named(question, "confirm")[0];
    var missing = named(question, "missing").some(function (radio) { return radio.checked && radio.value; });
    return Boolean(hasValue(question) || missing || (confirm && confirm.checked));
  }

  // What the page says would be refused is not counted; an odd value needs its reason.
  function isReady(question) {
    var sure = named(question, "sure")[0];
    var note = named(question, "note")[0];
    var isExplained = sure && sure.checked && note && note.value.trim();
    var isOdd = question.classList.contains("odd") && !isExplained;
    return isAnswered(question) && !isOdd && !question.classList.contains("wrong");
  }

  function countWords(list) {
    var done = list.filter(isReady).length;
    return words("count-words").replace("{done}", done).replace("{all}", list.length);
  }

  function count() {
    all("[data-count]").forEach(function (place) {
      var id = place.getAttribute("data-count");
      var root = id === "all" ? form : document.getElementById(id);
      place.textContent = countWords(all("[data-ask]", root));
    });
  }

  function mark(question) {
    question.classList.toggle("answered", isReady(question));
    var confirm = named(question, "confirm")[0];
    if (confirm) { confirm.closest("label").classList.toggle("on", confirm.checked); }
  }

  // Confirming and writing something else exclude each other: the later touch counts.
  function settle(question, control) {
    // What was odd is not there any more; the next check sees anew.
    if (/^(value|confirm|missing)[.]/.test(control.name)) { question.classList.remove("odd"); }
    var confirm = named(question, "confirm")[0];
    var isMissing = control.name.indexOf("missing.") === 0 && control.value && control.checked;
    if (control === confirm && confirm.checked || isMissing) {
      named(question, "value").forEach(function (each) {
        if (/^(radio|checkbox)$/.test(each.type)) { each.checked = false; } else { each.value = ""; }
      });
      if (isMissing && confirm) { confirm.checked = false; }
    }
    if (control.hasAttribute("data-value") && hasValue(question) && confirm) { confirm.checked = false; }
    if (control.hasAttribute("data-value") && hasValue(question) || control === confirm && confirm.checked) {
      named(question, "missing").forEach(function (radio) { radio.checked = radio.value === ""; });
    }
  }

  function tell(name, isTrouble) {
    state.textContent = name ? words(name) : "";
    state.classList.toggle("trouble", Boolean(isTrouble));
  }

  function complain(question, error) {
    var place = question.querySelector("[data-error]");
    place.textContent = error || "";
    place.parentNode.hidden = !error;
    question.classList.toggle("wrong", Boolean(error));
    named(question, "value").forEach(function (control) {
      if (error) { control.setAttribute("aria-invalid", "true"); } else { control.removeAttribute("aria-invalid"); }
    });
  }

  function bodyOf(list) {
    var body = new URLSearchParams();
    all("input[type=hidden]", form).forEach(function (input) {
      if (input.name.indexOf(".") < 0) { body.append(input.name, input.value); }
    });
    list.forEach(function (question) {
      all("input, select, textarea", question).forEach(function (control) {
        if (!control.name || /^(radio|checkbox)$/.test(control.type) && !control.checked) { return; }
        body.append(control.name, control.value);
      });
    });
    return body;
  }

  function later(delay) {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  }

  function save(isLast) {
    var list = questions().filter(function (question) { return waiting[question.getAttribute("data-ask")]; });
    if (!list.length || isSaving && isLast !== true) { return; }
    waiting = {};
    isSaving = true;
    tell("saving");
    fetch(words("drafts"), {
      method: "POST", body: bodyOf(list), credentials: "same-origin", keepalive: isLast === true,
      headers: { Accept: "application/json" }
    }).then(function (answer) {
      if (answer.status === 401) { throw new Error("login"); }
      if (!answer.ok) { throw new Error("trouble"); }
      return answer.json();
    }).then(function (saved) {
      isSaving = false;
      list.forEach(function (question) {
        var ask = question.getAttribute("data-ask");
        var found = saved.questions[ask];
        if (!found) { return; }
        named(question, "base")[0].value = found.base || "";
        // What was typed since is looked at in its turn.
        if (!waiting[ask]) { complain(question, found.error); }
        mark(question);
      });
      count();
      tell("saved");
      if (Object.keys(waiting).length) { later(300); }
    }).catch(function (error) {
      isSaving = false;
      list.forEach(function (question) { waiting[question.getAttribute("data-ask")] = true; });
      if (isLeaving) { return; }
      tell(error.message === "login" ? "login" : "not-saved", true);
      if (error.message === "login") { offerLogin(); }
      later(error.message === "login" ? 15000 : 5000);
    });
  }

  function offerLogin() {
    var link = document.createElement("a");
    link.href = words("login-address");
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = words("login-link");
    state.appendChild(document.createTextNode(" "));
    state.appendChild(link);
  }

  form.addEventListener("input", function (event) {
    var question = event.target.closest("[data-ask]");
    if (!question) { return; }
    settle(question, event.target);
    mark(question);
    count();
    waiting[question.getAttribute("data-ask")] = true;
    // While somebody writes, nothing is judged; when they leave the field it is.
    later(2500);
  });
  form.addEventListener("change", function (event) {
    if (event.target.closest("[data-ask]")) { later(50); }
  });
  form.addEventListener("submit", function (event) {
    // The browser's own page for "no network" would take what was typed with it.
    if (navigator.onLine === false) { event.preventDefault(); tell("not-saved", true); return; }
    isLeaving = true; 
    clearTimeout(timer);
    waiting = {};
  });
  window.addEventListener("online", function () { later(0); });
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") { save(true); }
  });

  questions().forEach(mark);
  count();
})();
