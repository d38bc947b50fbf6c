"""A person with a browser, without the browser: visits, cookies, redirects and forms over plain HTTP."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlencode, urljoin, urlsplit

from lib.http_client import httpx

MOST_STEPS = 20
YES = re.compile(r"approve|allow|accept|agree|continue|authori[sz]e|connect|sign[ -]?in|log[ -]?in|yes", re.I)
NO = re.compile(r"den(y|ied)|cancel|reject|refuse|decline|abort|\bno\b|not now", re.I)


@dataclass
class Button:
    name: str | None
    value: str
    label: str = ""


@dataclass
class Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


class Page(HTMLParser):
    """The forms, the title and the text of a page. Only controls inside their form are seen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.title = ""
        self.text = ""
        self._form: Form | None = None
        self._button: Button | None = None
        self._inside: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("title", "script", "style"):
            self._inside.append(tag)
        if tag == "form":
            self._form = Form(given.get("action") or "", (given.get("method") or "get").lower())
            self.forms.append(self._form)
        if self._form is None or "disabled" in given:
            return
        name, value = given.get("name"), given.get("value") or ""
        kind = (given.get("type") or ("submit" if tag == "button" else "text")).lower()
        if tag in ("input", "button") and kind in ("submit", "image"):
            button = Button(name, value, value if tag == "input" else "")
            self._form.buttons.append(button)
            self._button = button if tag == "button" else None
        elif tag == "input" and name and kind in ("checkbox", "radio"):
            if "checked" in given:
                self._form.fields.append((name, given.get("value") or "on"))
        elif tag == "input" and name and kind not in ("button", "reset", "file"):
            self._form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()
        if tag == "form":
            self._form = None
        if tag == "button":
            self._button = None

    def handle_data(self, data: str) -> None:
        if "title" in self._inside:
            self.title += data.strip()
        elif not self._inside:
            self.text = f"{self.text} {data.strip()}".strip()
            if self._button is not None:
                self._button.label = f"{self._button.label} {data.strip()}".strip()

    def approval(self) -> tuple[Form, Button] | None:
        """The form and the button with which a person says yes."""
        answers = [(form, button) for form in self.forms for button in form.buttons]
        refusing = [pair for pair in answers if NO.search(f"{pair[1].label} {pair[1].value}")]
        willing = [pair for pair in answers if pair not in refusing]
        clear = [pair for pair in willing if YES.search(f"{pair[1].label} {pair[1].value}")]
        return next(iter(clear or willing), None)


class Person:
    """Opens addresses, answers pages, and ends at a client's redirect URI."""

    def __init__(self, name: str = "Ada Lovelace", email: str = "ada@example.com") -> None:
        self.filled = {"name": name, "email": email}
        self.pages: list[str] = []
        # As browsers do, take cookies marked Secure from loopback, where there is no TLS.
        policy = DefaultCookiePolicy(secure_protocols=("https", "http"))
        self.cookies = CookieJar(policy)

    async def authorize(self, url: str, redirect_uri: str) -> str:
        """Follows `url` through every page to `redirect_uri`; that address as the person came to it, not visited."""
        async with httpx.AsyncClient(cookies=self.cookies, timeout=20, follow_redirects=False) as browser:
            request = browser.build_request("GET", url)
            for _ in range(MOST_STEPS):
                if str(request.url).split("?")[0] == redirect_uri:
                    return str(request.url)
                response = await browser.send(request)
                if response.has_redirect_location:
                    request = browser.build_request("GET", urljoin(str(request.url), response.headers["location"]))
                    continue
                page = Page(response.text)
                answer = page.approval()
                if response.status_code >= 400 or answer is None:
                    where = str(request.url).split("?")[0]
                    raise RuntimeError(
                        f"{request.method} {where} stopped the sign-in with {response.status_code}: {page.title}: {page.text[:500]}"
                    )
                self.pages.append(page.title)
                request = self._submit(browser, str(request.url), *answer)
            raise RuntimeError(f"the sign-in did not end within {MOST_STEPS} visits")

    def _submit(self, browser: httpx.AsyncClient, page: str, form: Form, button: Button) -> httpx.Request:
        pairs = [(name, self.filled.get(name, value)) for name, value in form.fields]
        if button.name:
            pairs.append((button.name, button.value))
        target = urljoin(page, form.action)
        if form.method != "post":
            return browser.build_request("GET", f"{target.split('?')[0]}?{urlencode(pairs)}")
        origin = urlsplit(page)
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": f"{origin.scheme}://{origin.netloc}",
            "referer": page,
            "sec-fetch-site": "same-origin",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        }
        return browser.build_request("POST", target, content=urlencode(pairs).encode(), headers=headers)
