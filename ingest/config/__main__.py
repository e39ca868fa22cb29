"""`python -m ingest.config` prints the JSON Schema of the configuration."""

import json
import sys

from ingest.config.schema import json_schema

if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
