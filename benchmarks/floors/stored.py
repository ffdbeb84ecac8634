"""Floor: read the stored replies with json and print their ids as JSON."""

import json
from pathlib import Path

ids = []
for path in sorted(Path(".rollcall").glob("*/replies/*.reply")):
    reply = json.loads(path.read_bytes().partition(b"\n")[2])
    rows = reply.get("data") or reply.get("models") or []
    ids += [{"id": row.get("id") or row.get("name"), "row": row} for row in rows]
print(json.dumps(ids, indent=2))
