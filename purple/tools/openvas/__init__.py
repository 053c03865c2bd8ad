"""OpenVAS and Greenbone: reports in XML."""
