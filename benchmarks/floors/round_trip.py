"""Floor: ruamel.yaml's round trip of a file, as a tool that keeps comments would do it."""

import sys
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML

source = Path(sys.argv[1])
yaml = YAML()
yaml.preserve_quotes = True
data = yaml.load(source.read_text(encoding="utf-8"))
out = StringIO()
yaml.dump(data, out)
source.with_suffix(".ruamel").write_text(out.getvalue(), encoding="utf-8", newline="\n")
