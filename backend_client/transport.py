"""Owns every byte between client and backend: pools, proxies, authorities, time-outs, ids.

It never interprets a body, and no cancelled caller ever cancels a request inside httpx.

httpx's pool loses a connection slot for each request cancelled at the wrong moment, until every
request waits for a slot for ever. So each request runs in a task of its own that only its own
time-outs end; an event stream has a pool of its own that is thrown away with it.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import secrets
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from backend_client.bounded_text import BoundedText
from backend_client.endpoint import BackendEndpoint
from backend_client.errors import Garbled, StreamMute, TimedOut, Unreachable
from backend_client.proxies import FindProxy, ProxyChoice
from contract import api

if TYPE_CHECKING:
    import httpx
    from httpx_sse import ServerSentEvent

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 20.0
KEEP_ALIVE_S = 4.0  # below the server's five seconds, so that it never closes first
MAX_CONNECTIONS = 16
MAX_REPLY_BYTES = 64 * 1024 * 1024
CLOSE_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: status, headers with lower-case names, body, and how long it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    elapsed_ms: float


class Transport:
    """HTTP to one backend whose address may change while requests run."""

    def __init__(
        self,
        endpoint: BackendEndpoint | None,
        *,
        client_version: str = "",
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
        find_proxy: FindProxy | None = None,
    ) -> None:
        """`find_proxy` tells the system's proxy for an address; see `ProxyChoice`."""
        self._endpoint = endpoint
        self._client_version = client_version
        self._answer_timeout_s = answer_timeout_s
        self._proxies = ProxyChoice(find_proxy)
        self._client: httpx.AsyncClient | None = None
        self._tls: tuple[str | None, ssl.SSLContext] | None = None
        self._building = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False
        self.latency_ms = 0.0

    @property
    def endpoint(self) -> BackendEndpoint | None:
        """Return where requests go now; None while the backend has not told its address."""
        return self._endpoint

    def swap_endpoint(self, endpoint: BackendEndpoint) -> None:
        """Send everything from now on to `endpoint`; running requests end where they began."""
        if endpoint != self._endpoint:
            self._endpoint = endpoint
            self._retire_pool()

    def renew(self) -> None:
        """Send everything from now on over new connections: the kept ones are likely dead."""
        self._proxies.forget()
        self._retire_pool()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float | None = None,
    ) -> Reply:
        """Do one request to its end and return the answer, whatever its status.

        `timeout_s` bounds the whole exchange. A cancelled caller leaves the request running:
        it may have arrived, so it is let through. Raises Unreachable, TimedOut, Garbled.
        """
        limit_s = self._answer_timeout_s if timeout_s is None else timeout_s
        work = self._exchange(method, path, params, headers, body, limit_s)
        return await self._in_own_task(work, f"{method} {path}", limit_s + CONNECT_TIMEOUT_S)

    async def download(
        self,
        path: str,
        write: Callable[[bytes], None],
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 600.0,
    ) -> Reply:
        """Fetch a large body piece by piece into `write`; a refusal's body is returned instead.

        Raises Unreachable, TimedOut, Garbled and whatever `write` raises.
        """
        work = self._fetch(path, write, headers)
        return await self._in_own_task(work, f"GET {path}", timeout_s)

    @asynccontextmanager
    async def event_stream(
        self, path: str, *, params: Mapping[str, str], headers: Mapping[str, str], mute_s: float
    ) -> AsyncIterator[tuple[Reply, AsyncIterator[ServerSentEvent]]]:
        """Open a stream of server-sent events; its answer's status is in the yielded Reply.

        No byte for `mute_s` seconds raises StreamMute; an end of the stream ends the iterator.
        Leaving the block closes the connection, cancelled or not.
        """
        client = await self._new_client(read_timeout_s=mute_s)
        import httpx_sse

        request_id = new_request_id()
        sent = _headers(request_id, headers) | {"Accept": "text/event-stream"}
        began_s = time.monotonic()
        try:
            with _translated(request_id, stream=True):
                async with client.stream("GET", path, params=params, headers=sent) as response:
                    is_stream = response.status_code == 200
                    body = b"" if is_stream else await _read_bounded(response)
                    source = httpx_sse.EventSource(cast("httpx.Response", BoundedText(response)))
                    async with aclosing(source.aiter_sse()) as events:
                        yield _reply(response, body, request_id, began_s), events
        finally:
            await asyncio.shield(self._spawn(client.aclose(), "close stream"))

    async def close(self) -> None:
        """Let running requests end within two seconds, then drop them; refuse new ones."""
        self._closed = True
        self._retire_pool()
        running = {task for task in self._running if not task.done()}
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=CLOSE_GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    # -- one request -----------------------------------------------------------------------

    async def _in_own_task(self, work: Coroutine[Any, Any, T], name: str, limit_s: float) -> T:
        if self._closed:
            work.close()
            raise Unreachable("The connection to the backend is closed.")
        task = self._spawn(work, name)
        done, _ = await asyncio.wait({task}, timeout=limit_s)
        if not done:
            self._retire_pool()
            raise TimedOut("The backend did not finish its answer in time.")
        return task.result()

    async def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        timeout_s: float,
    ) -> Reply:
        client = await self._pooled_client()
        import httpx

        request_id = new_request_id()
        sent = _headers(request_id, headers)
        began_s = time.monotonic()
        try:
            with _translated(request_id):
                async with client.stream(
                    method,
                    path,
                    params=params,
                    headers=sent,
                    content=body,
                    timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
                ) as response:
                    reply = _reply(response, await _read_bounded(response), request_id, began_s)
        except TimedOut:
            self._retire_pool(client)
            raise
        self.latency_ms = reply.elapsed_ms
        return reply

    async def _fetch(
        self, path: str, write: Callable[[bytes], None], headers: Mapping[str, str] | None
    ) -> Reply:
        client = await self._pooled_client()
        request_id = new_request_id()
        began_s = time.monotonic()
        with _translated(request_id):
            async with client.stream(
                "GET", path, headers=_headers(request_id, headers)
            ) as response:
                if response.status_code not in {200, 206}:
                    return _reply(response, await _read_bounded(response), request_id, began_s)
                async for piece in response.aiter_bytes():
                    write(piece)
                return _reply(response, b"", request_id, began_s)

    def _spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=f"transport: {name}")
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that an abandoned request's failure is no warning

    # -- pools -----------------------------------------------------------------------------

    async def _pooled_client(self) -> httpx.AsyncClient:
        async with self._building:
            while self._client is None:
                endpoint = self._endpoint
                client = await self._new_client(read_timeout_s=self._answer_timeout_s)
                if endpoint is self._endpoint:
                    self._client = client
                else:  # the backend moved meanwhile
                    await client.aclose()
            return self._client

    async def _new_client(self, *, read_timeout_s: float) -> httpx.AsyncClient:
        """Build a pool on a worker thread: import, authorities and OpenSSL's set-up take long."""
        endpoint = self._endpoint
        if endpoint is None:
            raise Unreachable("The backend has not started yet.")
        try:
            return await asyncio.to_thread(self._build_client, endpoint, read_timeout_s)
        except (OSError, ValueError, _invalid_url()) as fault:
            detail = "The settings of the connection (proxy, authorities) can't be used."
            raise Unreachable(detail) from fault

    def _build_client(self, endpoint: BackendEndpoint, read_timeout_s: float) -> httpx.AsyncClient:
        _import_httpx()
        import httpx

        proxy = self._proxies.lead_to(endpoint)
        return httpx.AsyncClient(
            base_url=endpoint.url,
            headers={
                "Authorization": f"Bearer {endpoint.token}",
                api.CLIENT_VERSION: self._client_version,
            },
            verify=self._tls_context(endpoint),
            proxy=proxy or None,
            trust_env=False,  # all that is the environment's to say stands in `proxy`
            timeout=httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=KEEP_ALIVE_S),
        )

    def _tls_context(self, endpoint: BackendEndpoint) -> ssl.SSLContext | bool:
        if endpoint.url.startswith("http://"):
            return False  # plain http exists on loopback alone; nothing to verify
        if self._tls is None or self._tls[0] != endpoint.ca_file:
            self._tls = (endpoint.ca_file, _load_authorities(endpoint.ca_file))
        return self._tls[1]

    def _retire_pool(self, suspect: httpx.AsyncClient | None = None) -> None:
        """Let the next request build a new pool; the old one is closed once nobody uses it."""
        old = self._client
        if old is None or (suspect is not None and suspect is not old):
            return
        self._client = None
        users = {task for task in self._running if not task.done()}
        self._spawn(_close_after(old, users), "retire pool")


def new_request_id() -> str:
    """Return a random id by which both sides' logs name one request."""
    return secrets.token_hex(8)


async def _close_after(client: httpx.AsyncClient, users: set[asyncio.Task[Any]]) -> None:
    try:
        others = users - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=ANSWER_TIMEOUT_S)
    finally:
        await client.aclose()


def _import_httpx() -> None:
    """Import in a worker thread: it takes about 90 ms that no window should wait for.

    The last one is what httpcore would import within the first request.
    """
    # httpx's own command line, with click, rich and pygments where these are installed: 200 modules
    # and 6 MB that no request needs; httpx does without when it is not there.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # "not there"
    for name in ("httpx_sse", "httpcore", "anyio._backends._asyncio"):
        importlib.import_module(name)
    if importlib.util.find_spec("sniffio") is None:
        # httpcore tries to import it whenever it makes a lock, several times a request; where it
        # is not there each try looks through every folder of the path.
        sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # documented: "not there"


def _invalid_url() -> type[Exception]:
    import httpx

    return httpx.InvalidURL


def _headers(request_id: str, extra: Mapping[str, str] | None) -> dict[str, str]:
    return {api.REQUEST_ID: request_id} | dict(extra or {})


@contextmanager
def _translated(request_id: str, *, stream: bool = False) -> Iterator[None]:
    """Turn every error of httpx into one of backend_client.errors."""
    import httpx
    import httpx_sse

    try:
        yield
    except httpx.ReadTimeout as fault:
        if stream:
            raise StreamMute("The event stream went silent.", request_id=request_id) from fault
        raise TimedOut("The backend did not answer in time.", request_id=request_id) from fault
    except httpx.ConnectTimeout as fault:
        raise Unreachable("The backend can't be reached.", request_id=request_id) from fault
    except httpx.TimeoutException as fault:
        raise TimedOut("The backend did not answer in time.", request_id=request_id) from fault
    except httpx.RemoteProtocolError as fault:
        if "disconnected" in str(fault) or "peer closed" in str(fault):
            raise Unreachable("The connection broke off.", request_id=request_id) from fault
        raise Garbled("The answer was not HTTP.", request_id=request_id) from fault
    except (httpx.DecodingError, httpx_sse.SSEError, UnicodeDecodeError) as fault:
        raise Garbled("The answer can't be read.", request_id=request_id) from fault
    except httpx.HTTPError as fault:
        if isinstance(_root_cause(fault), ssl.SSLCertVerificationError):
            detail = "The backend's certificate is not trusted by this computer."
            raise Unreachable(detail, request_id=request_id) from fault
        raise Unreachable("The backend can't be reached.", request_id=request_id) from fault
    except (httpx.InvalidURL, httpx.StreamError, ssl.SSLError, UnicodeError) as fault:
        raise Unreachable("The backend can't be reached.", request_id=request_id) from fault


def _root_cause(fault: BaseException) -> BaseException:
    while (inner := fault.__cause__ or fault.__context__) is not None:
        fault = inner
    return fault


def _load_authorities(ca_file: str | None) -> ssl.SSLContext:
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


async def _read_bounded(response: httpx.Response) -> bytes:
    pieces = bytearray()
    async for piece in response.aiter_bytes():
        pieces += piece
        if len(pieces) > MAX_REPLY_BYTES:
            raise Garbled("The backend's answer is far too long.")
    return bytes(pieces)


def _reply(response: httpx.Response, body: bytes, request_id: str, began_s: float) -> Reply:
    return Reply(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=body,
        request_id=request_id,
        elapsed_ms=(time.monotonic() - began_s) * 1000,
    )
