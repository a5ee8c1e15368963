"""A twincube server of its own, and requests to it."""
import base64
import http.client
import json
import signal
import socket
import subprocess
import time
import urllib.parse

from common import Failed


class Server:
    def __init__(self, args, *options):
        start = time.perf_counter()
        command = [args.twincube, "serve", "--listen", "127.0.0.1:0", "--data", args.data, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        words = [w for w in line.split() if w.startswith("http")]
        if not words:
            raise Failed(f"the server printed no URL: {line!r}")
        self.host = urllib.parse.urlsplit(words[0]).netloc
        connection = self.connect()
        self.ask(connection, "GET", "/openeo/1.2/")
        self.start = time.perf_counter() - start
        connection.close()

    def connect(self):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @staticmethod
    def ask(connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise Failed(f"{method} {path}: {reply.status} {text[:300]!r}")
        return text

    def login(self, user, password):
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        connection = self.connect()
        text = self.ask(connection, "GET", "/openeo/1.2/credentials/basic", None, {"Authorization": f"Basic {basic}"})
        connection.close()
        return {"Authorization": f"Bearer basic//{json.loads(text)['access_token']}",
                "Content-Type": "application/json"}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.process.stdout.close()
