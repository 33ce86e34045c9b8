"""Networks of their own for tests: namespaces, veth pairs and a bridge, made and removed here. Needs root."""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True)


def permitted():
    """Whether networks can be made here; else the reason."""
    if os.getuid() != 0:
        return "network namespaces need root"
    name = f"tobit-try-{os.getpid()}"
    try:
        made = run("ip", "netns", "add", name, check=False)
        if made.returncode != 0:
            return f"network namespaces are not permitted here: {made.stderr.strip()}"
        if run("ip", "netns", "exec", name, "nft", "add", "table", "inet", "tobit", check=False).returncode != 0:
            return "nftables are not permitted here"
        return None
    except FileNotFoundError as missing:
        return f"{missing.filename} is not installed"
    finally:
        run("ip", "netns", "del", name, check=False)


class Network:
    """A hub at 10.77.0.1, where the test itself and PostgreSQL live, and a namespace for each node at 10.77.0.11, .12, …"""

    def __init__(self, names):
        self.tag = f"tb{os.getpid() % 100000}"
        self.hub = self.tag + "hub"
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        run("ip", "netns", "add", self.hub)
        self.inside(self.hub, "ip", "link", "set", "lo", "up")
        self.inside(self.hub, "ip", "link", "add", "br0", "type", "bridge")
        self.inside(self.hub, "ip", "addr", "add", "10.77.0.1/24", "dev", "br0")
        self.inside(self.hub, "ip", "link", "set", "br0", "up")
        self.spaces, self.addresses = {}, {}
        for i, name in enumerate(names):
            space, address = f"{self.tag}{name}", f"10.77.0.{11 + i}"
            self.spaces[name], self.addresses[name] = space, address
            run("ip", "netns", "add", space)
            self.inside(self.hub, "ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", space)
            self.inside(self.hub, "ip", "link", "set", f"v{name}", "master", "br0", "up")
            self.inside(space, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
            self.inside(space, "ip", "link", "set", "eth0", "up")
            self.inside(space, "ip", "link", "set", "lo", "up")
            self.inside(space, "nft", "add", "table", "inet", "cut")
            self.inside(space, "nft", "add", "chain", "inet", "cut", "in", "{ type filter hook input priority 0; }")
            self.inside(space, "nft", "add", "chain", "inet", "cut", "out", "{ type filter hook output priority 0; }")
        self.enter(f"/var/run/netns/{self.hub}")

    def enter(self, path):
        """The calling thread, and those that it starts from now on, live in this namespace."""
        file = path if isinstance(path, int) else os.open(path, os.O_RDONLY)
        if libc.setns(file, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        if not isinstance(path, int):
            os.close(file)

    @staticmethod
    def inside(space, *command):
        return run("ip", "netns", "exec", space, *command)

    def place(self, node):
        node.prefix = ["ip", "netns", "exec", self.spaces[node.name]]
        address = self.addresses[node.name]
        node.extra_env.update({"TOBIT_HTTP_ADDRESS": f"{address}:0", "TOBIT_CLUSTER_LISTEN": f"{address}:0", "TOBIT_CLUSTER_ADVERTISE": ""})

    def cut(self, name, *others):
        """Packets between this node and these addresses vanish, in both directions."""
        for other in others:
            address = self.addresses.get(other, other)
            self.inside(self.spaces[name], "nft", "add", "rule", "inet", "cut", "in", "ip", "saddr", address, "drop")
            self.inside(self.spaces[name], "nft", "add", "rule", "inet", "cut", "out", "ip", "daddr", address, "drop")

    def heal(self, name):
        self.inside(self.spaces[name], "nft", "flush", "chain", "inet", "cut", "in")
        self.inside(self.spaces[name], "nft", "flush", "chain", "inet", "cut", "out")

    def close(self):
        self.enter(self.home)
        os.close(self.home)
        for space in [*self.spaces.values(), self.hub]:
            run("ip", "netns", "del", space, check=False)
