import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gatehouse import Credential, http, testing
from gatehouse._app import server

from support import fresh


class Requests(unittest.IsolatedAsyncioTestCase):
    async def test_a_request_has_its_query_headers_bearer_and_body(self):
        with testing.http(lambda request: testing.response({"ok": True})) as requests:
            await http.get("https://a.test/x?y=1#z", params={"city": "Tromsø"}, headers={"X-One": "1"}, bearer="t")
            await http.post("https://a.test", json={"a": 1}, bearer=Credential("c"))
        get, post = requests
        self.assertEqual(get.url, "https://a.test/x?y=1&city=Troms%C3%B8")
        self.assertEqual((get.headers["x-one"], get.headers["authorization"]), ("1", "Bearer t"))
        self.assertEqual((post.url, post.body), ("https://a.test/", b'{"a": 1}'))
        self.assertEqual(post.headers["authorization"], "Bearer c")
        self.assertEqual(post.headers["content-type"], "application/json")

    async def test_an_error_status_and_a_body_that_is_no_json_are_errors_without_the_query(self):
        answers = iter([testing.response("no", 503), testing.response("no")])
        with testing.http(lambda request: next(answers)):
            with self.assertRaises(http.HttpError):
                (await http.get("https://a.test/?key=secret")).raise_for_status()
            with self.assertRaises(http.HttpError):
                (await http.get("https://a.test/?key=secret")).json()
        with self.assertRaises(http.HttpError) as raised:
            http.Response(503, url="https://a.test/?key=secret").raise_for_status()
        self.assertEqual(str(raised.exception), "https://a.test/ answered 503")

    async def test_other_urls_are_refused(self):
        for url in ("ftp://a.test", "/path", "https://user:word@a.test", "https://größe.test"):
            with self.assertRaises(http.HttpError):
                await http.get(url)


class Echo(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/redirects":
            self.send_response(302)
            self.send_header("location", "/")
        else:
            self.send_response(418)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


class Native(unittest.TestCase):
    def setUp(self):
        fresh(self)
        listening = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        self.addCleanup(listening.server_close)
        self.addCleanup(listening.shutdown)
        self.base = f"http://127.0.0.1:{listening.server_port}"

        @server.tool
        async def send(path: str, body: str) -> dict:
            response = await http.post(self.base + path, body=body)
            return {"status": response.status, "text": response.text}

    def test_a_response_of_any_status_is_returned_and_a_redirect_is_not_followed(self):
        for path, status in (("/", 418), ("/redirects", 302)):
            result = testing.call("send", {"path": path, "body": "hello"})
            self.assertEqual(result.structured, {"status": status, "text": "hello"})

    def test_a_server_that_is_not_there_is_an_error_that_says_so(self):
        self.base = "http://127.0.0.1:1"
        with self.assertRaisesRegex(http.HttpError, "http://127.0.0.1:1/x cannot be reached"):
            testing.call("send", {"path": "/x?key=secret", "body": "x"})


if __name__ == "__main__":
    unittest.main()
