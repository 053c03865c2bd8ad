"""An nginx that is weak on purpose: obsolete TLS, a short self-signed key, exposed files."""

import os
import pwd
import subprocess
from pathlib import Path

from purple.toolkit.packages import find_program

CONFIG = """
daemon off; master_process off; pid {home}/nginx.pid; error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; server_tokens on; default_type text/plain; types {{ text/html html; }}
  client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3;
  uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;
  server {{ listen 127.0.0.1:{http}; root {home}/site; location / {{ autoindex on; }} }}
  server {{
    listen 127.0.0.1:{https} ssl; root {home}/site; location / {{ autoindex on; }}
    ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/key.pem;
    ssl_protocols {protocols}; ssl_ciphers {ciphers}; ssl_prefer_server_ciphers on;
  }}
}}
"""
SITE = {
    "index.html": "<!doctype html><html><body><h1>Intranet of the lab</h1><a href='/files/'>files</a></body></html>\n",
    ".env": "DB_PASSWORD=made-up-by-the-lab\n",
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/config": "[core]\n\trepositoryformatversion = 0\n",
    "files/notes.txt": "Nothing here.\n",
    "backup.sql": "-- made up\n",
}


def start(home: Path, http: int, https: int, *, weak_tls: bool = True) -> subprocess.Popen[bytes]:
    """Start nginx on two loopback ports.

    Raises:
        PackagesUnavailableError: nginx or openssl is not here and cannot be had.
    """
    nginx = find_program("nginx", packages=("nginx",))
    openssl = find_program("openssl", packages=("openssl",))
    for name, text in SITE.items():
        path = home / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    bits = "1024" if weak_tls else "2048"
    argv = [str(openssl.path), "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-days", "30"]
    argv += ["-subj", "/CN=lab.invalid", "-keyout", str(home / "key.pem"), "-out", str(home / "cert.pem")]
    subprocess.run(argv, check=True, capture_output=True, env=os.environ | openssl.environment)
    protocols = "TLSv1 TLSv1.1 TLSv1.2" if weak_tls else "TLSv1.2 TLSv1.3"
    ciphers = "ALL:@SECLEVEL=0" if weak_tls else "ECDHE+AESGCM"
    config = home / "nginx.conf"
    config.write_text(CONFIG.format(home=home, http=http, https=https, protocols=protocols, ciphers=ciphers))
    argv = [str(nginx.path), "-p", str(home), "-c", str(config)]
    if os.geteuid() == 0:
        # without a master nginx stays who it is; it is the lab's own account that shows only made-up files
        argv += ["-g", f"user {pwd.getpwuid(0).pw_name};"]
    with (home / "nginx.log").open("ab") as log:
        return subprocess.Popen(argv, env=os.environ | nginx.environment, stdout=log, stderr=log)
