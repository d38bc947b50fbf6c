// A page of a real Chromium that notes whatever a page of ours must not do, and is looked at in every form.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { isLoopback } from "./loopback.mjs";
import { packaged } from "./opener.mjs";
import { check } from "./run.mjs";

const LOOKS = [
  { name: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "phone", colorScheme: "light", viewport: { width: 360, height: 740 } },
];

const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export class WatchedPage {
  #faults = [];

  /** `hosted` are origins of the Internet to which the page may be sent. It arrives nowhere: `visits` has the addresses. */
  static async open(context, folder, hosted = []) {
    const watched = new WatchedPage();
    watched.folder = folder;
    watched.hosted = hosted;
    watched.visits = [];
    watched.page = await context.newPage();
    watched.#watch();
    return watched;
  }

  #watch() {
    const fault = (what) => this.#faults.push(what);
    this.page.on("request", (request) => {
      const url = new URL(request.url());
      if (this.hosted.includes(url.origin)) this.visits.push(url);
      else if (/^https?:$/.test(url.protocol) && !isLoopback(url.hostname)) fault(`a request to ${url.origin}`);
    });
    this.page.on("response", (response) => {
      if (response.status() >= 400 && !response.request().isNavigationRequest()) {
        fault(`${response.status()} for ${new URL(response.url()).pathname}`);
      }
    });
    this.page.on("requestfailed", (request) => {
      const url = new URL(request.url());
      if (!this.hosted.includes(url.origin)) fault(`${request.failure()?.errorText} for ${url.pathname}`);
    });
    this.page.on("console", (message) => {
      // Chromium also reports the status of a page that is an error page on purpose.
      const ownStatus = /^Failed to load resource: (the server responded with a status of|net::ERR_NAME_NOT_RESOLVED)/.test(message.text());
      if (["error", "warning"].includes(message.type()) && !ownStatus) fault(`console: ${message.text()}`);
    });
    this.page.on("pageerror", (error) => fault(`script: ${error.message}`));
    this.page.on("dialog", (dialog) => {
      fault(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
  }

  /** Looks at the page as it is: screenshots in every look, and what must hold of every page. */
  async look(name) {
    const { page } = this;
    const seen = await page.evaluate(() => ({
      lang: document.documentElement.lang,
      title: document.title,
      headings: document.querySelectorAll("h1").length,
      frames: window.length,
    }));
    check(seen.lang, `${name}: the page has no language`);
    check(seen.title.trim(), `${name}: the page has no title`);
    check(seen.headings === 1, `${name}: the page has ${seen.headings} main headings`);
    check(seen.frames === 0, `${name}: the page has frames`);
    for (const look of LOOKS) {
      await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize(look.viewport);
      await page.screenshot({ path: path.join(this.folder, `${name}-${look.name}.png`), fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(wide <= 0, `${name} (${look.name}): the page is ${wide} pixels wider than the window`);
      await this.#accessible(`${name} (${look.name})`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(LOOKS[0].viewport);
    this.good(name);
    return seen.title;
  }

  async #accessible(name) {
    await this.page.evaluate(await readFile(packaged("axe-core/axe.min.js"), "utf8"));
    const violations = await this.page.evaluate(async (rules) => {
      const { violations } = await window.axe.run(document, { runOnly: rules });
      return violations.map((violation) => `${violation.id} at ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
    }, WCAG);
    check(violations.length === 0, `${name}: not accessible: ${violations.join("; ")}`);
  }

  /** Throws if the page did anything that it must not. */
  good(name) {
    check(this.#faults.length === 0, `${name}: ${this.#faults.join("; ")}`);
  }

  /** The next address of a hosted origin to which the page was sent. */
  async visit(name) {
    for (let waited = 0; waited < 300; waited++) {
      const url = this.visits.shift();
      if (url) {
        await this.#failed(name);
        return url;
      }
      await this.page.waitForTimeout(100);
    }
    this.good(name);
    throw new Error(`${name} was not found; the page is at ${this.page.url()}`);
  }

  /** Waits for Chromium's own page about a host that is not there. `waitForURL` may give the failure for its own. */
  async #failed(name) {
    for (let waited = 0; waited < 300; waited++) {
      if (this.page.url().startsWith("chrome-error:")) return;
      await this.page.waitForTimeout(100);
    }
    throw new Error(`${name} went on to ${this.page.url()}`);
  }

  /** Waits until the page's address is one that `test` takes. What kept it from going there is said first. */
  async reach(test, name) {
    try {
      await this.page.waitForURL(test);
    } catch (error) {
      // What the page says about it may come later than the failure.
      await this.page.waitForTimeout(500);
      this.good(name);
      throw error;
    }
  }

  /** Writes `text` over what is in the field with this label. */
  async type(label, text) {
    await this.page.getByLabel(label).focus();
    await this.page.keyboard.press("ControlOrMeta+A");
    await this.page.keyboard.type(text);
  }

  /** Moves the focus with the Tab key to the control with this accessible name, which must show that it has it. */
  async tabTo(name) {
    for (let pressed = 0; pressed < 40; pressed++) {
      await this.page.keyboard.press("Tab");
      const focused = await this.page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return undefined;
        const style = getComputedStyle(element);
        return {
          label: (element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText ?? element.innerText ?? "").trim() || element.value || "",
          visible: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none",
        };
      });
      if (focused && name.test(focused.label)) {
        check(focused.visible, `${focused.label}: one cannot see that it has the focus`);
        return focused.label;
      }
    }
    throw new Error(`the Tab key does not reach ${name}`);
  }
}
