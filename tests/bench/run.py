"""Measures Tobit against its targets and prints machine, medians and ratios.

usage: run.py [--runs N] [--keep] [NAME …]     NAME: part of a benchmark's name; --keep writes a file under results/

Load generator and node share the machine, so absolute numbers are lower bounds that drift; quote medians and ratios.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))
BUILD = pathlib.Path(os.environ.get("TOBIT_BENCH_BUILD", ROOT / "build" / "release"))
os.environ.setdefault("TOBIT_PROGRAM", str(BUILD / "tobit"))
from support.node import Node, wait_until  # noqa: E402

BENCHMARKS = []


def benchmark(function):
    BENCHMARKS.append(function)
    return function


class Figures:
    """name -> list of measured values, with unit and target."""

    def __init__(self):
        self.rows = {}

    def add(self, name, value, unit, target=None, better="more"):
        row = self.rows.setdefault(name, {"unit": unit, "target": target, "better": better, "values": []})
        row["values"].append(value)


def program(name):
    path = next((p for p in [BUILD / name, *BUILD.glob(f"tests/bench/**/{name}")] if p.is_file()), None)
    return str(path) if path else None


def run_lines(figures, name, *arguments, timeout=300):
    """Runs a benchmark program; its lines `bench NAME VALUE UNIT [more|less TARGET]` become figures."""
    path = program(name)
    if not path:
        print(f"  {name} is not built, skipped")
        return
    run_command_lines(figures, name, [path, *arguments], timeout)


def run_command_lines(figures, name, command, timeout):
    output = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if output.returncode != 0:
        print(f"  {name} failed with exit code {output.returncode}: {output.stderr[-400:]}")
    for line in output.stdout.splitlines():
        match = re.match(r"bench (.+?) ([-+0-9.e]+) (\S+)(?: (more|less) ([-+0-9.e]+))?$", line)
        if match:
            target = float(match.group(5)) if match.group(5) else None
            figures.add(match.group(1), float(match.group(2)), match.group(3), target, match.group(4) or "more")


def wrk(url, connections, seconds, script="", headers=()):
    """Runs wrk with a Lua script; returns requests/s, percentiles in ms (50, 75, 90, 95, 99), bad answers, socket errors."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + "\nfunction done(_, latency, _) print('p95us ' .. latency:percentile(95)) end\n")
        file.flush()
        text = subprocess.run(command + ["-s", file.name, url], capture_output=True, text=True, timeout=seconds + 60).stdout
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", text).group(1))
    unit = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
    percentile = {p: float(v) * unit[u] for p, v, u in re.findall(r"^\s+(\d+)%\s+([0-9.]+)(us|ms|s|m)$", text, re.M)}
    percentile["95"] = float(re.search(r"^p95us ([0-9.]+)", text, re.M).group(1)) / 1e3
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.+)", text)
    return rate, percentile, int(bad.group(1)) if bad else 0, errors.group(1) if errors else ""


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1))


QUIET = {"TOBIT_LOG_LEVEL": "warning", "TOBIT_HTTP_RATE_LIMIT_PER_IDENTITY": "0", "TOBIT_HTTP_RATE_LIMIT_PER_ADDRESS": "0"}


@benchmark
def edge(figures):
    """HTTP edge of a real node: simple GET, and a request that asks an entity."""
    with Node(env=QUIET) as node:
        for connections, target in ((64, 40_000), (256, None), (1000, 30_000)):
            rate, latency, bad, errors = wrk(node.url + "/healthz", connections, 5)
            figures.add(f"GET /healthz, {connections} clients", rate, "req/s", target)
            figures.add(f"GET /healthz, {connections} clients, p99", latency["99"], "ms", None, "less")
            if bad or errors:
                print(f"  {connections} clients: {bad} bad answers, {errors}")
        import socket
        idle = [socket.create_connection(node.address) for _ in range(1000)]
        for connection in idle:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in idle:
            connection.recv(4096)
        before, begun = cpu_seconds(node.process.pid), time.monotonic()
        time.sleep(5)
        share = (cpu_seconds(node.process.pid) - before) / (time.monotonic() - begun)
        figures.add("CPU of a node with 1,000 idle clients", share * 100, "%core", 2, "less")
        rate, _, _, _ = wrk(node.url + "/healthz", 64, 3)
        figures.add("GET /healthz, 64 clients beside 1,000 idle ones", rate, "req/s")
        for connection in idle:
            connection.close()
        rule = node.create_rule(rule_name="asked", trigger_type="event", trigger_spec={"field": "x", "op": ">", "value": 1})
        header = "Authorization: Bearer " + node.token
        rate, latency, bad, errors = wrk(f"{node.url}/cep/rules/{rule['rule_id']}", 256, 5, headers=[header])
        figures.add("GET of one rule, 256 clients", rate, "req/s", 25_000)
        rate, percentile, bad, errors = wrk(f"{node.url}/actors/rule/{rule['rule_id']}", 256, 5, headers=[header])
        figures.add("request that asks an entity, 256 clients", rate, "req/s", 25_000)
        figures.add("request that asks an entity, 256 clients, p95", percentile["95"], "ms", 20, "less")
        if bad or errors:
            print(f"  asking: {bad} bad answers, {errors}")
    run_lines(figures, "edge_bench")
    run_lines(figures, "route_bench")


@benchmark
def intake(figures):
    """Durable NDJSON over HTTP: 1,000 events a request, SQLite, acknowledged after the commit."""
    with Node(env=QUIET) as node:
        node.login()
        script = '''
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-ndjson"
wrk.headers["Authorization"] = "Bearer %s"
local n = 0
local prefix = string.format("%%x-", math.random(0, 0x7fffffff))
function request()
  n = n + 1
  local lines = {}
  local id = prefix .. n
  for i = 1, 1000 do
    lines[i] = '{"specversion":"1.0","id":"' .. id .. '-' .. i .. '","source":"/bench/host-17","type":"host.metrics","time":"2026-01-01T00:00:00Z","data":{"cpu":12.5,"memory":61,"host":"srv-erp-01"}}'
  end
  return wrk.format(nil, nil, nil, table.concat(lines, "\\n"))
end
''' % node.token
        rate, latency, bad, errors = wrk(node.url + "/cep/events/ingest", 4, 8, script)
        accepted = re.search(r'tobit_events_ingested_total\{outcome="accepted"\} ([0-9.e+]+)', node.get("/metrics").body.decode())
        figures.add("durable intake over HTTP", float(accepted.group(1)) / 8, "events/s", 100_000)
        figures.add("durable intake over HTTP, p99", latency["99"], "ms", 50, "less")
        if bad or errors:
            print(f"  intake: {bad} bad answers, {errors}")
    run_lines(figures, "intake_bench")


@benchmark
def webhook(figures):
    """From event received to webhook sent at 1,000 events/s."""
    path = program("webhook_bench")
    if not path:
        print("  webhook_bench is not built, skipped")
        return
    with Node(env=QUIET) as node:
        node.login()
        output = subprocess.run([path, node.url, node.token, "1000", "8"], capture_output=True, text=True, timeout=120)
        for name, value, unit, target in re.findall(r"^bench (.+?) ([-+0-9.e]+) (\S+)(?: less ([0-9.]+))?$", output.stdout, re.M):
            figures.add(name, float(value), unit, float(target) if target else None, "less")
        if output.returncode:
            print("  webhook_bench failed:", output.stderr[-400:])


@benchmark
def entities(figures):
    """Messages to local entities, what a call context costs, memory, start with 100,000 definitions."""
    run_lines(figures, "entity_bench", timeout=600)


@benchmark
def ledger(figures):
    """Scheduled ticks per second through the ledger."""
    run_lines(figures, "ledger_bench")


@benchmark
def rules(figures):
    """Conditions and windows per second, and 8,000 rules on one stream."""
    run_lines(figures, "rule_bench")
    run_lines(figures, "pattern_bench")
    run_lines(figures, "ruleset_bench")
    run_lines(figures, "alert_bench")
    run_lines(figures, "backtest_bench")


@benchmark
def cluster_deaths(figures):
    """A real cluster: kills, freezes, a drain; time until everything answers again."""
    import cluster
    cluster.deaths(figures)


@benchmark
def cluster_nodes(figures):
    """Rule evaluation at one, two and three nodes."""
    import cluster
    cluster.throughput(figures)


@benchmark
def outbound(figures):
    """The outgoing HTTP client: throughput, and what it adds at a steady rate."""
    run_lines(figures, "outbound_bench")


@benchmark
def telemetry(figures):
    """What a count, a span and a published item cost per message."""
    run_lines(figures, "telemetry_bench")


@benchmark
def cluster_links(figures):
    """Frames between two nodes on loopback, plain and with TLS, next to Erlang's distribution in the same run."""
    run_lines(figures, "link_bench", timeout=600)
    if not shutil.which("escript"):
        print("  erlang-base is not installed, nothing to compare with")
        return
    run_command_lines(figures, "erlang_peer", [str(ROOT / "tests" / "bench" / "erlang_peer.escript")], 300)
    for name in list(figures.rows):
        ours = figures.rows.get(name.replace("link Erlang,", "link plain,"))
        if not name.startswith("link Erlang,") or not ours:
            continue
        theirs, what = figures.rows[name]["values"][-1], name.removeprefix("link Erlang, ")
        ratio = ours["values"][-1] / theirs if what.startswith("one way") else theirs / ours["values"][-1]
        figures.add(f"links plain against Erlang, {what} (above 1: ours is faster)", ratio, "x")


@benchmark
def startup(figures):
    """A node with many defined rules: import, start, memory."""
    count = int(os.environ.get("TOBIT_BENCH_RULES", "100000"))
    with Node(env=QUIET) as node:
        empty = resident_kib(node.process.pid)
        node.login()
        for first in range(0, count, 5000):
            lines = "\n".join(json.dumps({"rule_name": f"bench {i}", "trigger_type": "event", "trigger_spec":
                                          {"types": [f"t{i % 1000}"], "field": "v", "op": ">", "value": i}})
                              for i in range(first, first + 5000))
            answer = node.post("/cep/rules/import", lines, headers={"Content-Type": "application/x-ndjson", "X-Request-Timeout": "60"}, timeout=300)
            assert answer.status == 200, answer
        node.stop(30)
        begun = time.monotonic()
        node.start(120)
        figures.add(f"start with {count:,} defined rules", time.monotonic() - begun, "s", 10, "less")
        figures.add("memory of a sleeping rule", (resident_kib(node.process.pid) - empty) * 1024 / count, "bytes", 2048, "less")


@benchmark
def nab(figures):
    """The anomaly detectors on the Numenta Anomaly Benchmark; TOBIT_NAB_DIR names a checkout of it."""
    folder = os.environ.get("TOBIT_NAB_DIR")
    if not folder:
        print("  TOBIT_NAB_DIR is not set, skipped: clone github.com/numenta/NAB (its data are under the AGPL and not part of this repository)")
        return
    import nab as scorer
    _, rows = scorer.run(folder, os.environ["TOBIT_PROGRAM"])
    for series, detector, profile, found in rows:
        if series == "all":
            figures.add(f"NAB, {detector}, {profile}", found["nab"], "of 100")


def machine():
    model = re.search(r"model name\s*: (.+)", open("/proc/cpuinfo").read())
    return {"cpu": model.group(1) if model else "unknown", "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
            "kernel": os.uname().release, "load": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    chosen = [b for b in BENCHMARKS if not options.names or any(n in b.__name__ for n in options.names)]
    if not chosen:
        sys.exit(f"no benchmark is called like that; there are: {', '.join(b.__name__ for b in BENCHMARKS)}")
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    about = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "commit": commit, **machine()}
    print("  ".join(f"{k}: {v}" for k, v in about.items()))
    figures = Figures()
    for run in range(options.runs):
        for function in chosen:
            print(f"[{run + 1}/{options.runs}] {function.__name__}: {function.__doc__.splitlines()[0]}", flush=True)
            try:
                function(figures)
            except (AssertionError, subprocess.TimeoutExpired, AttributeError, KeyError) as failure:
                print(f"  failed: {failure}")
    width = max((len(name) for name in figures.rows), default=10)
    print(f"\n{'figure':{width}}  {'median':>12}  {'min':>12}  {'max':>12}  unit      target   of target")
    for name, row in figures.rows.items():
        median = statistics.median(row["values"])
        ratio = ""
        if row["target"]:
            share = median / row["target"] if row["better"] == "more" else row["target"] / max(median, 1e-9)
            ratio = f"{row['target']:>9,.0f}   {share:.2f}x{'' if share >= 1 else '  MISSED'}"
        print(f"{name:{width}}  {median:12,.2f}  {min(row['values']):12,.2f}  {max(row['values']):12,.2f}  {row['unit']:8}{ratio}")
    if options.keep:
        path = ROOT / "tests" / "bench" / "results" / f"{about['date'][:10]}-{commit}.json"
        path.write_text(json.dumps({"about": about, "figures": figures.rows}, indent=1) + "\n")
        print(f"\nkept in {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
