"""A wire to a server that delays everything that goes over it. Works where the kernel has no netem."""
import asyncio
import threading


class SlowWire:
    """Listens on a free port and passes all connections on to `target`; each byte is under way for `delay` seconds each way."""

    def __init__(self, target, host="127.0.0.1"):
        self.target, self.host, self.delay = target, host, 0.0
        self.loop, self.up = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.up.wait(10)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self.accept, self.host, 0))
        self.port = self.server.sockets[0].getsockname()[1]
        self.up.set()
        self.loop.run_forever()

    async def accept(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self.carry(reader, far_writer), self.carry(far_reader, writer))

    async def carry(self, reader, writer):
        """Delays, but keeps the bandwidth: the next piece is read while the one before is under way."""
        last = 0.0
        while True:
            try:
                piece = await reader.read(65536)
            except OSError:
                piece = b""
            last = max(last + 1e-6, self.loop.time() + self.delay)  # never past a piece that was sent before
            self.loop.call_at(last, self.pass_on, writer, piece)
            if not piece:
                return

    @staticmethod
    def pass_on(writer, piece):
        if piece:
            writer.write(piece)
        else:
            writer.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
