"""A server that webhooks are sent to. It counts by idempotency key and behaves as badly as a test wants."""
import collections
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Call:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body, self.at = path, headers, body, time.time()

    def json(self):
        return json.loads(self.body)

    @property
    def key(self):
        return self.headers.get("idempotency-key")


class Receiver:
    """Listens on a free loopback port. `behave(path)` returns a status, or "hang", "close", "stream", "html"."""

    def __init__(self, behave=None, host="127.0.0.1"):
        self.calls, self.lock, self.stopping = [], threading.Condition(), threading.Event()
        self.behave = behave or (lambda call: 200)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("content-length") or 0)
                call = Call(self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length))
                with receiver.lock:
                    receiver.calls.append(call)
                    receiver.lock.notify_all()
                what = receiver.behave(call)
                if what == "hang":
                    receiver.stopping.wait(60)
                    self.close_connection = True
                elif what == "close":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                elif what == "stream":
                    self.send_response(200)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    try:
                        while not receiver.stopping.is_set():
                            self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                    except OSError:
                        pass
                    self.close_connection = True
                else:
                    status, kind, body = what if isinstance(what, tuple) else (what, "application/json", b"{}")
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = serve

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

            def handle_error(self, request, client_address):
                pass

        self.server = Server((host, 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def wait_for(self, count, seconds=10.0):
        """Waits until at least `count` calls came in; returns all."""
        end = time.monotonic() + seconds
        with self.lock:
            while len(self.calls) < count:
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"only {len(self.calls)} of {count} calls arrived within {seconds} s")
                self.lock.wait(left)
            return list(self.calls)

    def by_key(self):
        with self.lock:
            return collections.Counter(call.key for call in self.calls)

    def close(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
