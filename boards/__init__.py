"""The boards of Grafana, written from one set of parts so that they look alike and mean the same: `make boards`."""
