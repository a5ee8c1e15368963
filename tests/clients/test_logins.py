"""Nobody keeps the login from others: not behind the same proxy, not by starting jobs."""

import collections
import threading

import requests
from test_server_api import PASSWORD, SLOW, Server, add_user, assert_error


def test_login_limit_behind_a_proxy(tmp_path):
    add_user(tmp_path, "alice")
    server = Server(tmp_path, "--trust-proxy", "127.0.0.0/8", "--trust-proxy", "10.0.0.0/8")

    def login(forwarded, password="wrong"):
        return requests.get(server.api + "/credentials/basic", auth=("alice", password),
                            headers={"X-Forwarded-For": forwarded})

    codes = [login("6.6.6.6, 203.0.113.5, 10.1.2.3").status_code for _ in range(11)]
    assert codes == [403] * 10 + [429]
    answer = login("203.0.113.5", PASSWORD)
    assert_error(answer, 429, "TooManyRequests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    # What the client wrote itself does not count, another client does.
    assert login("198.51.100.1, 203.0.113.5").status_code == 429
    assert login("203.0.113.5, 198.51.100.1", PASSWORD).status_code == 200
    assert server.stop() == 0


def test_forwarded_addresses_of_strangers_do_not_count(tmp_path):
    add_user(tmp_path, "alice")
    server = Server(tmp_path)
    codes = [requests.get(server.api + "/credentials/basic", auth=("alice", "wrong"),
                          headers={"X-Forwarded-For": f"203.0.113.{i}"}).status_code for i in range(11)]
    assert codes[-1] == 429
    assert server.stop() == 0


def test_who_starts_jobs_leaves_logins_to_others(tmp_path):
    add_user(tmp_path, "alice")
    add_user(tmp_path, "bob")
    server = Server(tmp_path, "--threads", "1").login()
    jobs = [server.create(SLOW) for _ in range(6)]
    ended = threading.Event()
    headers = dict(server.session.headers)

    def start_and_cancel(job):
        with requests.Session() as session:
            session.trust_env = False
            while not ended.is_set():
                session.post(f"{server.api}/jobs/{job}/results", headers=headers, timeout=60)
                session.delete(f"{server.api}/jobs/{job}/results", headers=headers, timeout=60)

    threads = [threading.Thread(target=start_and_cancel, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    codes = collections.Counter(requests.get(server.api + "/credentials/basic", auth=("bob", PASSWORD)).status_code
                                for _ in range(6))
    ended.set()
    for thread in threads:
        thread.join()
    assert codes == {200: 6}
    assert server.stop() == 0
