"""Scores Tobit's anomaly detectors on the Numenta Anomaly Benchmark (NAB).

usage: nab.py --data DIR [--program FILE] [--variant METHOD=JSON …] [--json FILE] [NAME …]
DIR: a checkout of github.com/numenta/NAB, or a folder of the same layout with some of its series (data/**/*.csv and
labels/combined_windows.json); NAME: part of a series' path. The series are under the AGPL and are no part of this repository.

One node runs with one rule for each series and detector, with the documented defaults and nothing tuned. Every row is sent once, in the
file's order, as an event with the row's own time; a row on which a rule fires is a detection. Series of 20 and more days get variants with
`seasonality: hour_of_day`; `--variant 'zscore={"threshold": 4}'` adds further ones. The column `runs` counts detections on consecutive
rows once, by the first, as people see them who are told when something begins.

The score is NAB's (Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark", 2015,
arXiv 1510.03336, section II; numbers and edge cases as in the project's nab/sweeper.py, nab/runner.py and config/profiles.json):

  probation   the first 15 % of a file, at most 750 rows, are not scored
  s(y)        2 / (1 + e^(5y)) - 1, the scaled sigmoid; y is a position relative to a window's right edge in window lengths
  in a window the earliest detection counts, others are free: w_tp * s(y) / s(-1), y = -(rows left to the edge + 1) / rows of the window
  missed      -w_fn for each window without detection
  elsewhere   each detection costs: w_fp * s(y), y = rows since the last window / (its rows - 1); -w_fp before the first window or beyond y = 3
  normalised  100 * (score - null) / (perfect - null); null detects nothing (-w_fn a window), perfect everything at once (w_tp a window)

One difference: NAB chooses for each detector and profile the threshold that gives the best score over the whole corpus. A rule has a fixed
threshold, so nothing is optimised here, and comparing with NAB's own figures favours those. NAB's normalised figures are for all of
its 58 series; those for some series can be compared only with others on the same ones (--data may hold results/, see `published`).
"""
import argparse
import bisect
import csv
import datetime
import json
import math
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROFILES = {"standard": (1.0, 0.11, 1.0), "reward_low_FP": (1.0, 0.22, 1.0), "reward_low_FN": (1.0, 0.11, 2.0)}  # tp, fp, fn
METHODS = ("zscore", "iqr", "ema")
SEASONAL_DAYS = 20
BATCH = 500


class Series:
    def __init__(self, name, path, windows):
        self.name = name
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        self.times = [parse_time(row["timestamp"]) for row in rows]
        self.values = [float(row["value"]) for row in rows]
        self.probation = min(math.floor(0.15 * len(rows)), 750)
        # Windows as rows, both ends included. Labels hold the times of rows.
        self.windows = sorted((bisect.bisect_left(self.times, parse_time(a)), bisect.bisect_right(self.times, parse_time(b)) - 1) for a, b in windows)
        self.windows = [(a, b) for a, b in self.windows if a <= b and b >= self.probation]

    @property
    def days(self):
        return (self.times[-1] - self.times[0]).total_seconds() / 86_400


def parse_time(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


def load(folder, names):
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    for name in sorted(labels):
        path = folder / "data" / name
        if path.is_file() and (not names or any(n in name for n in names)):
            yield Series(name, path, labels[name])


# -- the score ----------------------------------------------------------------------------------------------------------

def sigmoid(y):
    return -1.0 if y >= 3 else 2 / (1 + math.exp(5 * y)) - 1


def score(series, detections, profile):
    """Raw score of the detected rows (increasing), with the counts that explain it."""
    w_tp, w_fp, w_fn = PROFILES[profile]
    found, false, total = {}, 0, 0.0
    for row in detections:
        if row < series.probation:
            continue
        inside = next((n for n, (a, b) in enumerate(series.windows) if a <= row <= b), None)
        if inside is not None:
            found.setdefault(inside, row)
            continue
        false += 1
        before = [(a, b) for a, b in series.windows if b < row]
        if not before:
            total -= w_fp
            continue
        a, b = before[-1]
        total += w_fp * sigmoid((row - b) / max(b - a, 1))
    for n, (a, b) in enumerate(series.windows):
        if n in found:
            total += w_tp * sigmoid(-(b - found[n] + 1) / (b - a + 1)) / sigmoid(-1)
        else:
            total -= w_fn
    return {"score": total, "found": len(found), "windows": len(series.windows), "false": false}


def normalise(total, windows, profile):
    w_tp, _, w_fn = PROFILES[profile]
    return 100 * (total + w_fn * windows) / ((w_tp + w_fn) * windows) if windows else float("nan")


# -- Tobit as the detector ----------------------------------------------------------------------------------------------

def detectors(series, variants):
    yield from ((method, {}) for method in METHODS)
    if series.days >= SEASONAL_DAYS:
        yield from ((method + " hour_of_day", {"seasonality": "hour_of_day"}) for method in METHODS)
    for method, config in variants:
        yield method + "".join(f" {name}={value}" for name, value in config.items()), config


def make_rule(node, series, kind, detector, config):
    # The action is what tells the row; the limit on firings is lifted so that none is left out.
    return node.create_rule(
        rule_name=f"{series.name} {detector}", trigger_type="anomaly", timezone="UTC", max_firings_per_minute=1_000_000,
        trigger_spec={"types": [kind], "value_path": "value", "anomaly_method": detector.split()[0], "anomaly_config": config},
        action_spec={"type": "store", "message": "{{row}}"})["rule_id"]


def send(node, series, kind):
    rows = list(zip(series.times, series.values))
    for first in range(0, len(rows), BATCH):
        node.send_events([{"specversion": "1.0", "id": f"{kind}-{row}", "source": "/nab/" + kind, "type": kind, "time": time.isoformat(),
                           "data": {"row": row, "value": value}} for row, (time, value) in enumerate(rows[first:first + BATCH], first)])


def fired_rows(node, rule, wait_until):
    """The rows on which the rule fired, once all its records are there."""
    state = lambda: node.get("/actors/rule/" + rule).data["actor"]["state"]
    fired = state()["fired"]

    def rows():
        found, cursor = [], ""
        while cursor is not None:
            answer = node.get(f"/cep/events?rule_id={rule}&limit=500" + (f"&cursor={cursor}" if cursor else ""))
            found += [int(event["summary"]) for event in answer.data["events"]]
            cursor = answer.json()["metadata"]["next_cursor"]
        return found if len(found) >= fired else None
    found = sorted(wait_until(lambda: [rows()] if fired == 0 or rows() else None, 60, f"{fired} records of {rule}")[0] or [])
    assert len(found) == fired == len(set(found)), (rule, fired, len(found))
    return found


def detect(program, corpus, variants):
    """{series name: {detector: detected rows}}, and what the rules say of themselves."""
    os.environ["TOBIT_PROGRAM"] = str(program)
    sys.path.insert(0, str(ROOT / "tests" / "system"))
    from support.node import Node, wait_until
    quiet = {"TOBIT_LOG_LEVEL": "warning", "TOBIT_HTTP_RATE_LIMIT_PER_IDENTITY": "0", "TOBIT_HTTP_RATE_LIMIT_PER_ADDRESS": "0"}
    out = {}
    with Node(env=quiet) as node:
        node.login()
        for number, series in enumerate(corpus):
            kind = f"nab.s{number}"
            rules = {name: make_rule(node, series, kind, name, config) for name, config in detectors(series, variants)}
            send(node, series, kind)
            out[series.name] = {}
            for name, rule in rules.items():
                done = lambda: node.get("/actors/rule/" + rule).data["actor"]["state"]["evaluated"] == len(series.values)
                wait_until(done, 120, f"all rows of {series.name} judged by {name}", pause=0.1)
                about = node.get("/cep/rules/anomaly-status/" + rule).data
                out[series.name][name] = {"rows": fired_rows(node, rule, wait_until), "level_shifts": about["level_shifts"]}
    return out


# -- report -------------------------------------------------------------------------------------------------------------

def first_of_runs(rows):
    return [row for before, row in zip([None, *rows], rows) if before is None or row != before + 1]


def evaluate(corpus, detected):
    """Rows (series or "all", detector, profile, figures). A series without the variant with hours counts with the plain detector in "all"."""
    names = list(dict.fromkeys(name for found in detected.values() for name in found))
    for name in names:
        for profile in PROFILES:
            sums = {"score": 0.0, "runs": 0.0, "windows": 0, "found": 0, "false": 0}
            for series in corpus:
                own = detected[series.name]
                one = own.get(name, own.get(name.split()[0]))
                figures = score(series, one["rows"], profile)
                figures["runs"] = score(series, first_of_runs(one["rows"]), profile)["score"]
                sums = {key: sums[key] + figures[key] for key in sums}
                if name in own:
                    yield series.name, name, profile, {**normalised(figures, profile), "level_shifts": one["level_shifts"]}
            yield "all", name, profile, normalised(sums, profile)


def normalised(figures, profile):
    return {**figures, **{to: normalise(figures[of], figures["windows"], profile) for to, of in (("nab", "score"), ("nab_runs", "runs"))}}


def published(folder, corpus):
    """NAB's own results on the same series, where DIR/results holds them: (detector, profile, normalised, series found).

    They are right only with the labels that they were computed with; files that disagree about the number of windows show it in the raw scores."""
    for path in sorted(folder.glob("results/*/*_scores.csv")):
        detector = path.parent.name
        profile = path.stem[len(detector) + 1:-len("_scores")].replace("_rate", "")
        with open(path, newline="") as file:
            rows = {row["File"]: float(row["Score"]) for row in csv.DictReader(file) if row["File"]}
        known = [s for s in corpus if s.name in rows]
        if profile in PROFILES and known:
            yield detector, profile, normalise(sum(rows[s.name] for s in known), sum(len(s.windows) for s in known), profile), len(known)


def run(folder, program, names=(), variants=()):
    corpus = list(load(pathlib.Path(folder), names))
    if not corpus:
        sys.exit(f"no series under {folder}: it needs data/**/*.csv and labels/combined_windows.json, as in github.com/numenta/NAB")
    return corpus, list(evaluate(corpus, detect(program, corpus, variants)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--data", required=True)
    parser.add_argument("--program", default=os.environ.get("TOBIT_PROGRAM", str(ROOT / "build" / "release" / "tobit")))
    parser.add_argument("--json", help="also writes the figures there")
    parser.add_argument("--variant", action="append", default=[], help='a further detector, e.g. zscore={"threshold": 4}')
    options = parser.parse_args()
    variants = [(method, json.loads(config)) for method, _, config in (text.partition("=") for text in options.variant)]
    corpus, rows = run(options.data, options.program, options.names, variants)
    for series in corpus:
        print(f"{series.name}: {len(series.values)} rows, {series.days:.0f} days, {series.probation} on probation, {len(series.windows)} windows")
    line = "{:42} {:22} {:14} {:>8} {:>8} {:>8} {:>8} {:>6} {:>6}".format
    print("\n" + line("series", "detector", "profile", "NAB", "runs", "raw", "windows", "false", "shifts"))
    for series, detector, profile, f in rows:
        print(line(series, detector, profile, f"{f['nab']:.1f}", f"{f['nab_runs']:.1f}", f"{f['score']:.2f}", f"{f['found']}/{f['windows']}",
                   f["false"], f.get("level_shifts", "")))
    for detector, profile, value, count in published(pathlib.Path(options.data), corpus):
        print(line(f"published, {count} of {len(corpus)} series", detector, profile, f"{value:.1f}", "", "", "", "", ""))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps([[*row[:3], row[3]] for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
