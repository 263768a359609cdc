"""Tests of the TCP fault proxy against a plain echo server.

They do not test what applications make of the faults.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.tcp_proxy import TcpProxy, garbled


def _echo(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            return


def _serve(server: socket.socket, threads: list[threading.Thread]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        thread = threading.Thread(target=_echo, args=(connection,))
        thread.start()
        threads.append(thread)


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        acceptor = threading.Thread(target=_serve, args=(server, threads))
        acceptor.start()
        with TcpProxy(server.getsockname()[1]) as running:
            yield running
        server.shutdown(socket.SHUT_RDWR)
    acceptor.join(60)
    for thread in threads:
        thread.join(60)


def _connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=60)


def _read(connection: socket.socket, size_bytes: int) -> bytes:
    """Read until so many bytes, the end of the stream or a reset."""
    got = b""
    try:
        while len(got) < size_bytes and (data := connection.recv(size_bytes - len(got))):
            got += data
    except ConnectionError:
        pass
    return got


def _is_dead(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"x")
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def _new_connection_is_dead(proxy: TcpProxy) -> bool:
    try:
        with _connect(proxy) as fresh:
            return _is_dead(fresh)
    except ConnectionResetError:
        return True


def test_passes_large_data_both_ways_and_counts_it(proxy: TcpProxy) -> None:
    payload = bytes(range(256)) * 4096
    with _connect(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(payload,))
        sender.start()
        assert _read(client, len(payload)) == payload
        sender.join(60)
    assert (proxy.accepted, proxy.bytes_up, proxy.bytes_down) == (1, len(payload), len(payload))


def test_half_closed_connection_still_delivers_the_answer(proxy: TcpProxy) -> None:
    with _connect(proxy) as client:
        client.sendall(b"last words")
        client.shutdown(socket.SHUT_WR)
        assert _read(client, 100) == b"last words"


def test_cut_kills_live_and_new_connections_until_restored(proxy: TcpProxy) -> None:
    with _connect(proxy) as live:
        live.sendall(b"a")
        assert _read(live, 1) == b"a"
        proxy.cut()
        assert _is_dead(live)
    assert _new_connection_is_dead(proxy)
    proxy.restore()
    with _connect(proxy) as healed:
        healed.sendall(b"b")
        assert _read(healed, 1) == b"b"


def test_cut_once_lets_new_connections_pass(proxy: TcpProxy) -> None:
    with _connect(proxy) as live:
        live.sendall(b"a")
        assert _read(live, 1) == b"a"
        proxy.cut_once()
        assert _is_dead(live)
    with _connect(proxy) as fresh:
        fresh.sendall(b"b")
        assert _read(fresh, 1) == b"b"


def test_refuse_then_restore_keeps_the_port(proxy: TcpProxy) -> None:
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        _connect(proxy)
    proxy.restore()
    assert proxy.port == port
    with _connect(proxy) as client:
        client.sendall(b"a")
        assert _read(client, 1) == b"a"


def test_stall_holds_data_back_and_restore_delivers_it(proxy: TcpProxy) -> None:
    with _connect(proxy) as client:
        proxy.stall()
        client.sendall(b"waiting")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        proxy.restore()
        client.settimeout(60)
        assert _read(client, 7) == b"waiting"


def test_slow_limits_the_rate(proxy: TcpProxy) -> None:
    proxy.slow(bytes_per_s=20_000)
    with _connect(proxy) as client:
        started = time.monotonic()
        client.sendall(bytes(4_000))
        assert len(_read(client, 4_000)) == 4_000
        assert time.monotonic() - started >= 0.2


def test_garble_flips_bytes_on_the_way_down_only(proxy: TcpProxy) -> None:
    proxy.garble()
    with _connect(proxy) as client:
        client.sendall(b"hello world")
        assert _read(client, 11) == garbled(b"hello world") != b"hello world"


def test_cut_after_up_bytes_forwards_exactly_those(proxy: TcpProxy) -> None:
    proxy.cut_after(up_bytes=4)
    with _connect(proxy) as client:
        client.sendall(b"0123456789")
        _read(client, 100)
    assert proxy.bytes_up == 4
    with _connect(proxy) as fresh:
        fresh.sendall(b"whole")
        assert _read(fresh, 5) == b"whole"


def test_cut_after_down_bytes_delivers_exactly_those(proxy: TcpProxy) -> None:
    proxy.cut_after(down_bytes=4)
    with _connect(proxy) as client:
        client.sendall(b"0123456789")
        assert _read(client, 100) == b"0123"


def test_cut_after_no_bytes_lets_nothing_through(proxy: TcpProxy) -> None:
    proxy.cut_after(down_bytes=0)
    with _connect(proxy) as client:
        client.sendall(b"0123456789")
        assert _read(client, 100) == b""


def test_target_that_is_away_ends_the_connection(proxy: TcpProxy) -> None:
    with socket.socket() as unused:  # held, so that nobody else listens there
        unused.bind(("127.0.0.1", 0))
        proxy.retarget(unused.getsockname()[1])
        assert _new_connection_is_dead(proxy)
