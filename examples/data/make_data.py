"""Makes the examples' input files, the same ones every time: a web server's log and a catalogue.

python make_data.py        writes them beside itself
"""

from __future__ import annotations

import json
import random
from pathlib import Path

PATHS = [
    "/",
    "/index.html",
    "/about",
    "/news/{n}",
    "/images/{n}.png",
    "/search?q={w}",
    "/api/v2/items/{n}",
]
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Safari/605.1.15",
    "curl/8.5.0",
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)",
]
WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "glade",
    "heron",
    "inlet",
    "juniper",
    "kelp",
    "larch",
    "mallow",
    "nettle",
    "otter",
]


def access_log(lines: int, rng: random.Random) -> str:
    out = []
    clock = 0
    for _ in range(lines):
        clock += rng.randrange(1, 40)
        path = rng.choice(PATHS).format(n=rng.randrange(1, 400), w=rng.choice(WORDS))
        status = rng.choices([200, 304, 404, 500], [80, 12, 7, 1])[0]
        size = 0 if status == 304 else rng.randrange(200, 60000)
        hour, minute, second = clock // 3600 % 24, clock // 60 % 60, clock % 60
        out.append(
            f"192.0.2.{rng.randrange(1, 255)} - - [07/Mar/2025:{hour:02}:{minute:02}:{second:02}"
            f' +0000] "GET {path} HTTP/1.1" {status} {size} "-" "{rng.choice(AGENTS)}"'
        )
    return "\n".join(out) + "\n"


def catalogue(items: int, rng: random.Random) -> str:
    entries = []
    for number in range(items):
        name = " ".join(rng.sample(WORDS, 2))
        entries.append(
            {
                "id": number + 1000,
                "name": name.title() + rng.choice(["", " \u2116 1", " caf\u00e9", ' "XL"']),
                "price": round(rng.lognormvariate(3, 1), 2),
                "weight": rng.lognormvariate(0, 2),
                "stock": {"shelf": rng.randrange(40), "store": rng.randrange(1000)},
                "tags": rng.sample(WORDS, rng.randrange(5)),
                "discontinued": rng.random() < 0.1,
                "supplier": None if rng.random() < 0.2 else rng.choice(WORDS),
                "measured": [round(rng.gauss(0, 1e-6), 12) for _ in range(rng.randrange(4))],
            }
        )
    return json.dumps({"version": 3, "source": "make_data.py", "items": entries}, indent=1) + "\n"


if __name__ == "__main__":
    folder = Path(__file__).parent
    rng = random.Random(20250307)
    for name, text in {
        "access-small.log": access_log(24, rng),
        "access.log": access_log(1800, rng),
        "catalogue-small.json": catalogue(6, rng),
        "catalogue.json": catalogue(700, rng),
    }.items():
        (folder / name).write_text(text)
