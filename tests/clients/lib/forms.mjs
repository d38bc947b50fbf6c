// Reads the forms of an HTML page the way a browser would submit them.
import { load } from "cheerio";

const YES = /approve|allow|accept|agree|continue|authori[sz]e|connect|sign[ -]?in|log[ -]?in|yes/i;
const NO = /den(y|ied)|cancel|reject|refuse|decline|abort|\bno\b|not now/i;

/**
 * The page at `url`: its title, its visible text, and its forms. A form has `method`, `action` (absolute), `fields`
 * ([name, value] pairs, without buttons) and `buttons`.
 */
export function readPage(html, url) {
  const $ = load(html);
  const base = new URL($("base[href]").attr("href") ?? url, url);
  const target = (address) => new URL(address || url, base);
  const forms = $("form")
    .toArray()
    .map((element) => {
      const form = $(element);
      const method = (form.attr("method") ?? "get").toLowerCase();
      const id = form.attr("id");
      const controls = form.find("input, select, textarea, button").add(id ? $(`[form="${id}"]`) : []);
      const fields = [];
      const buttons = [];
      controls.each((_, control) => {
        const node = $(control);
        if (node.attr("disabled") !== undefined || node.closest("fieldset[disabled]").length > 0) return;
        const name = node.attr("name");
        const kind = kindOf(control.tagName.toLowerCase(), node.attr("type"));
        if (kind === "submit") {
          buttons.push({
            name,
            value: node.attr("value") ?? "",
            label: (control.tagName.toLowerCase() === "input" ? node.attr("value") : node.text())?.trim() ?? "",
            action: node.attr("formaction") === undefined ? undefined : target(node.attr("formaction")),
            method: node.attr("formmethod")?.toLowerCase(),
          });
        } else if (name && kind === "choice") {
          if (node.attr("checked") !== undefined) fields.push([name, node.attr("value") ?? "on"]);
        } else if (name && kind === "text") {
          fields.push([name, String(node.val() ?? "")]);
        }
      });
      return { method, action: target(form.attr("action")), fields, buttons };
    });
  $("script, style, head").remove();
  return { title: load(html)("title").text().trim(), text: $("body").text().replace(/\s+/g, " ").trim(), forms };
}

function kindOf(tag, type) {
  const kind = (type ?? (tag === "button" ? "submit" : "text")).toLowerCase();
  if (tag === "select" || tag === "textarea") return "text";
  if (kind === "submit" || kind === "image") return "submit";
  if (tag === "button" || kind === "button" || kind === "reset" || kind === "file") return "none";
  return kind === "checkbox" || kind === "radio" ? "choice" : "text";
}

/** The form and the button with which a person says yes (or, if `deny`, no). Undefined if there are none. */
export function findAnswer(page, deny = false) {
  const wanted = deny ? NO : YES;
  const unwanted = deny ? YES : NO;
  const says = (button, words) => words.test(button.label) || words.test(button.value);
  const answers = page.forms.flatMap((form) => form.buttons.map((button) => ({ form, button })));
  return (
    answers.find(({ button }) => says(button, wanted) && !says(button, unwanted)) ??
    (deny ? undefined : answers.find(({ button }) => !says(button, unwanted)))
  );
}

/** The request that pressing `button` of `form` makes: its URL, and the body of a POST. */
export function submission(form, button, filled = {}) {
  const pairs = form.fields.map(([name, value]) => [name, filled[name] ?? value]);
  if (button?.name) pairs.push([button.name, button.value]);
  const body = new URLSearchParams(pairs).toString();
  const url = new URL(button?.action ?? form.action);
  if ((button?.method ?? form.method) === "post") return { method: "POST", url, body };
  url.search = body;
  return { method: "GET", url };
}
