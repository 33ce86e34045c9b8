"""A real SMTP server (aiosmtpd, Debian's python3-aiosmtpd) with STARTTLS and AUTH, and one that dies after DATA."""
import email
import email.policy
import socket
import ssl
import subprocess
import sys
import threading
import time

try:
    from aiosmtpd.controller import Controller
except ImportError:  # another Python than the system's
    sys.path.append("/usr/lib/python3/dist-packages")
    from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


def make_certificates(folder):
    """A certificate authority and a certificate for 127.0.0.1; returns the files (authority, certificate, key)."""
    authority, certificate, key = (f"{folder}/{name}" for name in ("ca.pem", "server.pem", "server.key"))

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            "/CN=Test authority", "-keyout", f"{folder}/ca.key", "-out", authority)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout",
            key, "-out", f"{folder}/server.csr")
    with open(f"{folder}/san.cnf", "w", encoding="ascii") as extensions:
        extensions.write("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", f"{folder}/server.csr", "-CA", authority, "-CAkey", f"{folder}/ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", f"{folder}/san.cnf", "-out", certificate)
    return authority, certificate, key


class MailServer:
    """Requires STARTTLS and, with `password`, AUTH of the user `tobit`. `mails` holds what it took."""

    def __init__(self, certificate, key, password=None, refuse=()):
        self.mails, self.lock = [], threading.Condition()
        server = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        class Handler:
            async def handle_RCPT(self, _server, _session, envelope, address, _options):
                if address in refuse:
                    return "550 5.1.1 no such user"
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, _server, session, envelope):
                with server.lock:
                    server.mails.append({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                                         "user": getattr(session, "auth_data", None),
                                         "mail": email.message_from_bytes(envelope.content, policy=email.policy.default)})
                    server.lock.notify_all()
                return "250 2.0.0 queued as test"

        def authenticate(_server, _session, _envelope, _mechanism, data):
            good = password and data.login == b"tobit" and data.password == password.encode()
            return AuthResult(success=bool(good), handled=bool(good), auth_data=data.login.decode())

        class Free(Controller):
            def factory(self):
                return SMTP(self.handler, tls_context=context, require_starttls=True, auth_required=password is not None,
                            authenticator=authenticate, hostname="test")

            def _trigger_server(self):  # the original would connect to port 0
                with socket.create_connection(self.server.sockets[0].getsockname(), timeout=10) as probe:
                    probe.recv(1024)

        self.controller = Free(Handler(), hostname="127.0.0.1", port=0)
        self.controller.start()
        self.port = self.controller.server.sockets[0].getsockname()[1]

    def wait_for(self, count, seconds=15.0):
        end = time.monotonic() + seconds
        with self.lock:
            while len(self.mails) < count:
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"only {len(self.mails)} of {count} mails arrived within {seconds} s")
                self.lock.wait(left)
            return list(self.mails)

    def close(self):
        self.controller.stop()


class DyingMailServer:
    """Takes mails up to the final dot and then closes the connection, or says nothing more."""

    def __init__(self, silent=False):
        self.taken, self.silent, self.stopping = 0, silent, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rwb") as stream:
            def say(text):
                stream.write(text + b"\r\n")
                stream.flush()
            say(b"220 dying ESMTP")
            while line := stream.readline():
                if line.upper().startswith(b"DATA"):
                    say(b"354 go on")
                    while (text := stream.readline()) and text != b".\r\n":
                        pass
                    self.taken += 1
                    if self.silent:
                        self.stopping.wait(60)
                    return
                say(b"250 ok")

    def close(self):
        self.stopping.set()
        self.listener.close()
