"""Nmap XML of any size, written as Nmap 7.93 writes it."""

from pathlib import Path

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap -sT -sV -oX x" start="1795512327" version="7.93" xmloutputversion="1.05">
"""
PORT = (
    '<port protocol="tcp" portid="{port}"><state state="open" reason="syn-ack" reason_ttl="0"/>'
    '<service name="http" product="nginx" version="1.22.1" method="probed" conf="10">'
    "<cpe>cpe:/a:igor_sysoev:nginx:1.22.1</cpe></service></port>\n"
)
NAMES = "<hostnames>\n</hostnames>\n"
TAIL = """<runstats><finished time="1795512415" elapsed="87.30" exit="success"/><hosts up="1" down="0" total="1"/>
</runstats>
</nmaprun>
"""

SCRIPT = '<script id="http-vuln-{script}" output="&#xa;  VULNERABLE:&#xa;  State: VULNERABLE&#xa;  IDs:  CVE:{cve}"/>'
SCRIPTS = 100


def one_host(address: str, ports: int, *, names: str = NAMES, flaw: str = "") -> str:
    """A host that is up.

    Args:
        address: of either version.
        ports: how many are open, from 1000 on; of none there is no element either.
        names: the element of its names.
        flaw: what a script says of the first port.
    """
    kind = "ipv6" if ":" in address else "ipv4"
    each = (
        PORT.format(port=1000 + port).replace("</port>", f"{flaw if not port else ''}</port>") for port in range(ports)
    )
    return (
        '<host starttime="1795512327" endtime="1795512415"><status state="up" reason="user-set"/>\n'
        f'<address addr="{address}" addrtype="{kind}"/>\n{names}'
        + (f"<ports>{''.join(each)}</ports>\n" if ports else "")
        + '<times srtt="437" rttvar="2997" to="100000"/>\n</host>\n'
    )


def write(path: Path, hosts: int, ports: int = 10, *, flawed: int = 0, network: int = 10) -> None:
    """A scan of so many hosts with so many open ports each.

    Args:
        path: of the file.
        hosts: how many.
        ports: of each.
        flawed: every so manieth host has a flaw in the first of its ports; 0 is none.
        network: the first part of all addresses.
    """
    with path.open("w") as file:
        file.write(HEAD)
        for host in range(hosts):
            address = f"{network}.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}"
            flaw = SCRIPT.format(script=0, cve="CVE-2020-10000") if flawed and host % flawed == 0 else ""
            file.write(one_host(address, ports, flaw=flaw))
        file.write(TAIL)


def write_flaws(path: Path, flaws: int) -> int:
    """One host on whose ports scripts report flaws, each another CVE at another port.

    Returns:
        How many things are to be seen in it: the flaws, the services they are in, the host.
    """
    ports = -(-flaws // SCRIPTS)
    with path.open("w") as file:
        file.write(HEAD)
        file.write('<host><status state="up" reason="user-set"/>\n<address addr="192.0.2.7" addrtype="ipv4"/>\n<ports>')
        for port in range(ports):
            opening, _, closing = PORT.format(port=1000 + port).rpartition("</port>")
            file.write(opening)
            for script in range(min(SCRIPTS, flaws - port * SCRIPTS)):
                file.write(SCRIPT.format(script=script, cve=f"CVE-2020-{10000 + script}"))
            file.write(f"</port>{closing}")
        file.write(f"</ports>\n</host>\n{TAIL}")
    return flaws + ports + 1
