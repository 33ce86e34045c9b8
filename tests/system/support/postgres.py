"""A private PostgreSQL server that a test may stop, freeze and restart."""
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    def __init__(self, host="127.0.0.1"):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.home = tempfile.mkdtemp(prefix="tobit-postgres.")
        self.host, self.port = host, free_port()
        self.prefix = []
        if os.getuid() == 0:
            self.prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", f"HOME={self.home}"]
            shutil.chown(self.home, "nobody", "nogroup")
        self.run("initdb", "-D", self.home + "/db", "-U", "tobit", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        with open(self.home + "/db/pg_hba.conf", "a") as rules:
            rules.write("host all all 10.0.0.0/8 trust\n")
        self.databases = 0
        self.start()

    def run(self, program, *arguments, check=True):
        return subprocess.run([*self.prefix, f"{self.bin}/{program}", *arguments], check=check, capture_output=True, text=True)

    def start(self):
        options = f"-h {self.host} -p {self.port} -k {self.home} -c max_connections=200 -c fsync=off -c full_page_writes=off"
        # No pipes: the server would keep them open.
        subprocess.run([*self.prefix, f"{self.bin}/pg_ctl", "-D", self.home + "/db", "-w", "-l", self.home + "/log", "start", "-o", options],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self, mode="immediate"):
        self.run("pg_ctl", "-D", self.home + "/db", "-m", mode, "-w", "stop", check=False)

    def signal(self, number):
        """To the server and all of its sessions."""
        with open(self.home + "/db/postmaster.pid") as file:
            parent = int(file.readline())
        children = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True).stdout.split()
        for process in [parent, *map(int, children)]:
            os.kill(process, number)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def new_database(self):
        self.databases += 1
        name = f"test_{self.databases}"
        self.run("createdb", "-h", self.home, "-p", str(self.port), "-U", "tobit", name)
        return name

    def url(self, name, host=None):
        return f"postgresql://tobit@{host or self.host}:{self.port}/{name}"

    def sql(self, name, text):
        """Rows as lists of texts."""
        done = self.run("psql", "-h", self.home, "-p", str(self.port), "-U", "tobit", "-d", name, "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                        "-c", text)
        return [line.split("\t") for line in done.stdout.splitlines() if line]

    def close(self):
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
