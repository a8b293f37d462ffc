"""A TCP proxy that can go deaf, go silent or hang up: the network as it is."""

import socket
import threading


class Proxy:
    """Forwards `host:port` (of its own choosing) to `target`. Directions: "up" to the target, "down" from it."""

    def __init__(self, target, host="127.0.0.1", watch=None):
        self.target = target
        self.watch = watch  # Called with (direction, connection number, bytes) before they are passed on.
        self.accepted = 0
        self.discard = set()  # Directions whose bytes are read and thrown away.
        self.pairs = []
        self.lock = threading.Lock()
        self.listener = socket.create_server((host, 0))
        self.host, self.port = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.accepted += 1
                number = self.accepted
                self.pairs.append((client, server))
            for source, sink, direction in ((client, server, "up"), (server, client, "down")):
                threading.Thread(target=self._pump, args=(source, sink, direction, number), daemon=True).start()

    def _pump(self, source, sink, direction, number):
        try:
            while data := source.recv(65536):
                if direction in self.discard:
                    continue
                if self.watch:
                    self.watch(direction, number, data)
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            hang_up(s)

    def hang_up(self):
        """Ends every connection there is; new ones are welcome."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                hang_up(s)

    def close(self):
        self.listener.close()
        self.hang_up()


def hang_up(s):
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    s.close()
