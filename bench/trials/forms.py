"""Addresses and paths in the ways in which programs read them."""

import ipaddress


def ipv4_forms(address: ipaddress.IPv4Address) -> list[str]:
    """One address in many spellings, and IPv6 addresses that hold it."""
    number, octets = int(address), address.packed
    first, second, tail = octets[0], octets[1], number & 0xFFFFFF
    groups = f"{number >> 16:x}:{number & 0xFFFF:x}"
    return [
        *(str(number), hex(number), f"0{number:o}", f"{first}.{tail}", f"{hex(first)}.{tail}"),
        *(
            ".".join(map(hex, octets)),
            ".".join(f"0{each:03o}" for each in octets),
            f"{first}.{second}.{number & 0xFFFF}",
        ),
        *(f"::ffff:{address}", f"[::ffff:{address}]", f"::ffff:{groups}", f"0:0:0:0:0:ffff:{address}", f"::{address}"),
        *(f"::ffff:{address}%1", f"64:ff9b::{address}", f"2002:{groups}::1", f"{address}.", f" {address} "),
    ]


ASIDE = [
    "/shop/../admin", "/shop/%2e%2e/admin", "/shop/%2E./admin", "/shop/..%2fadmin", "/shop/..%5cadmin",
    "/shop/..\\admin", "/shop\\..\\admin", "/shop/%252e%252e/admin", "/shop/%252e%252e%252fadmin", "/shop//../../admin",
    "/shop/..;/admin", "/shop/..;x=1/admin", "/shop/.;/..;/admin", "/shop/a/../../admin", "/shop/%25252e%25252e/admin",
    "/shopping", "/Shop", "/shop%2f..%2fadmin", "/sh%00op", "/", "/admin?/shop/", "/admin#/shop/", "/admin;/shop/",
    "/shop/%" + "25" * 20 + "2e%2e/admin", "//shop/", "/x/shop/",
]  # fmt: skip
"""Paths that a server, somewhere, takes for one outside of /shop."""
INSIDE = [
    "/shop", "/shop/", "/shop?a=../../admin", "/shop/cart", "/./shop/cart", "/x/../shop/cart", "/%73hop/c%41rt",
    "/shop/a..b",
]  # fmt: skip
"""Paths in /shop, and how else they are written."""
DISGUISED = [
    "/x/../shop", "/SHOP/a", "/%73hop", "/x/..;/shop/a", "/x/..%2fshop/a", "//shop//a", "/shop;x/a", "/%2573hop",
]  # fmt: skip
"""Paths that a server, somewhere, takes for one in /shop."""
