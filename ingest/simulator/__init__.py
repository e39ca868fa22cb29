"""A cloud of one's own: the vendor's API with simulated systems, for demonstrations and tests.

It shares no code with the rest of the program, so that a misreading of the API cannot hide on both sides.
"""

from ingest.simulator.answers import Answer
from ingest.simulator.caller import Caller
from ingest.simulator.cloud import Call, Cloud
from ingest.simulator.demo import demo_sites
from ingest.simulator.faults import FAULTS, RATES, Faults, faults_from
from ingest.simulator.quota import PLANS
from ingest.simulator.server import SimulatedServer, serve
from ingest.simulator.site import Site
from ingest.simulator.users import (
    API_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    PARTNER_PASSWORD,
    PARTNER_USER,
    Application,
    enlighten_id,
    v2_code,
)

__all__ = [
    "API_KEY",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "FAULTS",
    "PARTNER_PASSWORD",
    "PARTNER_USER",
    "PLANS",
    "RATES",
    "Answer",
    "Application",
    "Call",
    "Caller",
    "Cloud",
    "Faults",
    "SimulatedServer",
    "Site",
    "demo_sites",
    "enlighten_id",
    "faults_from",
    "serve",
    "v2_code",
]
