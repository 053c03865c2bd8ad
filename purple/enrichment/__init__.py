"""Publications of others: where each comes from, and what is taken of it.

A parser is a pure function from a byte stream to facts with their keys, and once, anywhere, an `About`.
"""

from pathlib import Path

from purple.domain.enrichment import Dataset
from purple.enrichment import attack, capec, cve, cwe, epss, kev
from purple.enrichment.publishing import Outlet, Published

SHIPPED = Path(__file__).parent / "shipped"
"""A folder as `--from` takes it."""

PUBLISHED = {
    Dataset.KEV: Published(
        urls=("https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",),
        files="known_exploited_vulnerabilities*.json*",
        parse=kev.parse,
        least=500,
    ),
    Dataset.EPSS: Published(
        urls=("https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",),
        files="epss_scores-*.csv*",
        parse=epss.parse,
        least=100_000,
    ),
    Dataset.CVE: Published(
        urls=("https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-{year}.json.gz",),
        files="nvdcve-2.0-*.json*",
        parse=cve.parse,
        least=1_000,
        years_from=2002,
        meta=True,
    ),
    Dataset.CWE: Published(
        urls=("https://cwe.mitre.org/data/xml/cwec_latest.xml.zip",),
        files="cwec_*.xml*",
        parse=cwe.parse,
        least=500,
    ),
    Dataset.CAPEC: Published(
        urls=("https://capec.mitre.org/data/xml/capec_latest.xml",),
        files="capec_*.xml*",
        parse=capec.parse,
        least=300,
    ),
    Dataset.ATTACK: Published(
        urls=(
            "https://raw.githubusercontent.com/mitre-attack/attack-stix-data/master/enterprise-attack/enterprise-attack.json",
        ),
        files="enterprise-attack*.json*",
        parse=attack.parse,
        least=300,
    ),
}

__all__ = ["PUBLISHED", "SHIPPED", "Outlet", "Published"]
