"""A client of the page without a browser: the same requests, one connection, one cookie."""

import json
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from nextlabel.core.errors import NextlabelError


class PageError(NextlabelError):
    """The page refuses a request, or does not answer."""


class PageClient:
    """A tab of one person.

    Parameters
    ----------
    address : str
        The address that the command printed, with its token.
    tab : str
        The name of the tab, which leases images.
    patience : float
        Seconds after which a request without an answer fails.
    """

    def __init__(self, address: str, tab: str, patience: float = 60.0) -> None:
        url = urlsplit(address)
        self.tab, self.origin = tab, f"{url.scheme}://{url.netloc}"
        self._connection = HTTPConnection(url.hostname or "", url.port, timeout=patience)
        self._cookie = ""
        _, headers, _ = self._exchange("GET", f"{url.path or '/'}?{url.query}")
        self._cookie = headers.get("set-cookie", "").partition(";")[0]
        if not self._cookie:
            raise PageError(
                f"{self.origin} began no session; give the whole address that nextlabel printed",
                code="no-session",
            )

    def get(self, path: str, **query: object) -> Any:
        """Return the JSON at a path."""
        return json.loads(self.content(f"{path}?{urlencode(query)}" if query else path))

    def content(self, path: str) -> bytes:
        """Return the bytes at a path, as those of a picture."""
        return self._exchange("GET", path)[2]

    def post(self, path: str, **fields: object) -> Any:
        """Send JSON, and return the JSON of the reply."""
        return json.loads(self._exchange("POST", path, json.dumps(fields).encode())[2])

    def wait(self, seq: int, patience: float = 600.0) -> dict[str, Any]:
        """Return the project once its model has seen the answer numbered `seq`."""
        ends = time.monotonic() + patience
        while True:
            project: dict[str, Any] = self.get("/api/project")
            model = project["model"]
            if model is not None and model["after_answer"] >= seq:
                return project
            if time.monotonic() > ends:
                raise PageError(
                    f"no model has seen answer {seq} after {patience:.0f} s; trainer.log of the "
                    "project may say why",
                    code="trainer-late",
                )
            time.sleep(0.05)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"Cookie": self._cookie, "Origin": self.origin}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            try:
                response, content = self._sent(method, path, body, headers)
            except RemoteDisconnected:  # it was idle for too long; every request may be repeated
                self._connection.close()
                response, content = self._sent(method, path, body, headers)
        except (OSError, HTTPException) as error:
            self._connection.close()  # the next request connects again
            raise PageError(
                f"{self.origin} does not answer ({error}); start it again", code="page-offline"
            ) from error
        if response.status >= 400:
            raise _refusal(content, response.status, path)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, content

    def _sent(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return response, response.read()


def _refusal(content: bytes, status: int, path: str) -> PageError:
    try:
        fault = json.loads(content)["error"]
        return PageError(fault["message"], code=fault["code"])
    except (ValueError, KeyError, TypeError):
        return PageError(f"{path} answered {status}; see the server's messages", code="page-failed")
