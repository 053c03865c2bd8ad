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
TAIL = """<runstats><finished time="1795512415" elapsed="87.30" exit="success"/><hosts up="1" down="0" total="1"/>
</runstats>
</nmaprun>
"""


def write(path: Path, hosts: int, ports: int = 10) -> None:
    """A scan of so many hosts with so many open ports each."""
    with path.open("w") as file:
        file.write(HEAD)
        for host in range(hosts):
            address = f"10.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}"
            file.write(
                '<host starttime="1795512327" endtime="1795512415"><status state="up" reason="user-set"/>\n'
                f'<address addr="{address}" addrtype="ipv4"/>\n<hostnames>\n</hostnames>\n<ports>'
            )
            for port in range(ports):
                file.write(PORT.format(port=1000 + port))
            file.write('</ports>\n<times srtt="437" rttvar="2997" to="100000"/>\n</host>\n')
        file.write(TAIL)
