"""A real OpenID Connect provider (npm oidc-provider) on loopback, as tests/clients has it, for tools that log in."""

import json
import pathlib
import shutil
import subprocess

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "tests" / "clients" / "oidc_provider.mjs"
AUDIENCE, ID = "https://conformance.example.org", "loopback"
REDIRECT = "http://localhost:8899/callback"  # nobody is sent there
# How the Python client logs in by its own authenticate_oidc(): as a program, with a secret.
LOGIN = {"OPENEO_AUTH_METHOD": "client_credentials", "OPENEO_AUTH_PROVIDER_ID": ID,
         "OPENEO_AUTH_CLIENT_ID": "service", "OPENEO_AUTH_CLIENT_SECRET": "a secret of the tests"}


class Provider:
    """Runs until stop(). `settings` is the file for `serve --oidc`; None, the reason in `missing`, without Node."""

    def __init__(self, work):
        self.settings, self.process, self.missing = None, None, ""
        if not shutil.which("node") or not shutil.which("npm"):
            self.missing = "node and npm, for the OpenID Connect provider"
            return
        folder = work / "oidc-provider"
        if not (folder / "node_modules" / "oidc-provider").exists():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "install", "--silent", "--no-fund", "oidc-provider@8"], cwd=folder, check=True)
        script = shutil.copy(SCRIPT, folder)  # Node looks for modules beside the script
        self.process = subprocess.Popen(["node", script, AUDIENCE, REDIRECT], text=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        client = {"id": "cli", "grant_types": ["authorization_code+pkce", "refresh_token"], "redirect_urls": [REDIRECT]}
        self.settings = work / "oidc.json"
        self.settings.write_text(json.dumps({"providers": [
            {"id": ID, "title": "oidc-provider", "issuer": self.process.stdout.readline().strip(),
             "audience": [AUDIENCE], "scopes": ["openid", "profile"], "default_clients": [client]}]}))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)
