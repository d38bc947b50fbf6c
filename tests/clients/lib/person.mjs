// A person with a browser, without the browser: visits, cookies, redirects and forms over plain HTTP.
import http from "node:http";
import { CookieJar } from "tough-cookie";
import { findAnswer, readPage, submission } from "./forms.mjs";
import { isLoopback } from "./loopback.mjs";
import { STEP_TIMEOUT_SECONDS } from "./run.mjs";

const MOST_STEPS = 20;
const MOST_BYTES = 1024 * 1024;

export class Person {
  /** Fills `name` and `email` into a sign-in form that asks for them. `deny` presses the other button. */
  constructor({ name = "Ada Lovelace", email = "ada@example.com", deny = false } = {}) {
    this.filled = { name, email };
    this.deny = deny;
    this.jar = new CookieJar(undefined, { allowSpecialUseDomain: true, allowSecureOnLocal: true });
    /** The pages answered with a form, by title. */
    this.pages = [];
  }

  /**
   * Opens `authorizationUrl`, answers every page, and goes where the redirects lead until one leads to `redirectUri`.
   * That last address is visited too, unless `visitCallback` is false. Returns it.
   */
  async authorize(authorizationUrl, redirectUri, { visitCallback = true } = {}) {
    const end = new URL(redirectUri);
    // A browser counts an address that another program opened as the person's own.
    let request = { method: "GET", url: new URL(authorizationUrl), from: undefined };
    for (let visits = 0; visits < MOST_STEPS; visits++) {
      if (isAt(request.url, end)) {
        if (visitCallback) await this.send(request);
        return request.url;
      }
      const answer = await this.send(request);
      const location = answer.headers.location;
      if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
        request = redirected(request, answer.status, new URL(location, request.url));
        continue;
      }
      const page = readPage(answer.body, request.url);
      const choice = findAnswer(page, this.deny);
      if (answer.status >= 400 || choice === undefined) {
        throw new Error(
          `${request.method} ${withoutQuery(request.url)} stopped the sign-in with ${answer.status}: ${page.title}: ${page.text.slice(0, 500)}`,
        );
      }
      this.pages.push(page.title);
      request = { ...submission(choice.form, choice.button, this.filled), from: request.url };
    }
    throw new Error(`the sign-in did not end within ${MOST_STEPS} visits; the last was ${withoutQuery(request.url)}`);
  }

  /** Sends one request as a browser navigates. Origins stand for sites, so that SameSite counts between local ports. */
  async send(request) {
    const { url, method, body, from } = request;
    if (url.protocol !== "http:" || !isLoopback(url.hostname)) {
      throw new Error(`the sign-in leaves loopback for ${url.origin}`);
    }
    const own = from === undefined || (from.origin === url.origin && !request.crossed);
    const context = own ? "strict" : method === "GET" ? "lax" : "none";
    const cookies = await this.jar.getCookieString(url.href, { sameSiteContext: context });
    const headers = {
      accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      "accept-language": "en-GB,en;q=0.9",
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
      "upgrade-insecure-requests": "1",
      "sec-fetch-site": from === undefined ? "none" : own ? "same-origin" : "cross-site",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
      "sec-fetch-user": "?1",
      ...(cookies && { cookie: cookies }),
      ...(from !== undefined && from.origin === url.origin && { referer: from.href }),
      ...(method === "POST" && {
        origin: request.crossed ? "null" : from.origin,
        "content-type": "application/x-www-form-urlencoded",
        "content-length": String(Buffer.byteLength(body)),
      }),
    };
    const answer = await exchange(url, method, headers, body);
    for (const cookie of answer.headers["set-cookie"] ?? []) {
      await this.jar.setCookie(cookie, url.href, { sameSiteContext: context, ignoreError: false });
    }
    return answer;
  }
}

/** The request after a redirect: 307 and 308 keep method and body. */
function redirected(request, status, url) {
  const keeps = status === 307 || status === 308;
  const crossed = request.crossed || (request.from !== undefined && url.origin !== request.url.origin);
  return {
    method: keeps ? request.method : "GET",
    url,
    body: keeps ? request.body : undefined,
    from: request.from,
    crossed,
  };
}

function isAt(url, end) {
  return url.origin === end.origin && url.pathname === end.pathname;
}

function withoutQuery(url) {
  return url.origin + url.pathname;
}

function exchange(url, method, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port || 80, path: url.pathname + url.search, method, headers: { host: url.host, ...headers }, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => {
          text += part;
          if (text.length > MOST_BYTES) request.destroy(new Error(`${withoutQuery(url)} sent more than ${MOST_BYTES} bytes`));
        });
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: text }));
      },
    );
    request.setTimeout(STEP_TIMEOUT_SECONDS * 1000, () => {
      request.destroy(new Error(`${withoutQuery(url)} sent nothing for ${STEP_TIMEOUT_SECONDS} s`));
    });
    request.on("error", reject);
    request.end(body);
  });
}
