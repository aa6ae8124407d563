"""The server itself: its start, its end, and what a kill in the middle leaves."""

import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import httpx2
import pytest

from retrieval.verdicts.log import VerdictLog
from tests.serve.conftest import ROOT, free_port, opened, serving

TOKEN = "reviewer-" + "t" * 20


def said(served) -> str:
    return served.log.read_text()


def test_the_command_says_where_the_desk_is_and_ends_with_ctrl_c(data):
    begun = time.monotonic()
    with serving(data) as served:
        took = time.monotonic() - begun
        assert httpx2.get(served.address + "/").status_code == 200
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(20) == 0
    assert f"the desk is at {served.address}/" in said(served)
    assert "closed; what was recorded and kept stays" in said(served)
    assert "Traceback" not in said(served)
    assert took < 20, took  # benchmarks measure how quick it is


def test_it_ends_as_well_where_the_machine_goes_down(data):
    with serving(data) as served:
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(20)
    assert "Traceback" not in said(served)


def test_a_port_that_is_taken_is_said_in_a_line(data):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = run("serve", "--no-browser", "--data", data, "--port", port)
    assert found.returncode == 1
    assert found.stderr == f"artifact: Another program has port {port} on 127.0.0.1. Name another: --port.\n"


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    import sys

    command = [sys.executable, "-m", "cli.main", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--data", "nowhere"], "No catalogue in nowhere"),
        (["--host", "0.0.0.0"], "Others can reach this address, so the desk needs --token-file FILE"),
        (["--address", "ftp://x"], "ftp://x is no address such as https://desk.museum.example/artifact"),
        (["--allow", "nowhere"], "nowhere is no folder"),
        (["--token-file", "nowhere"], "The token file nowhere cannot be read"),
        (["--host", "no such host"], "Cannot listen on no such host"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(data, options, line):
    given = options if "--data" in options else [*options, "--data", data]
    token = data.parent / "tokens"
    token.write_text(f"reviewer {TOKEN}\n")
    if "no such host" in options:
        given = [*given, "--token-file", token]
    found = run("serve", "--no-browser", *given)
    assert found.returncode == 1 and found.stderr.startswith(f"artifact: {line}"), found.stderr
    assert found.stderr.count("\n") == 1


def test_without_the_extra_the_command_says_how_to_get_it(data):
    import sys

    code = "import sys; sys.modules['uvicorn'] = None; sys.argv[0] = 'artifact'; from cli.main import main; main()"
    command = [sys.executable, "-c", code, "serve", "--no-browser", "--data", str(data)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert found.returncode == 1 and "pip install 'artifact-verdict[serve]'" in found.stderr
    assert found.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_kill_in_the_middle_of_an_upload_leaves_nothing(data, inbox):
    before = count(data)
    with serving(data) as served:
        host, port = "127.0.0.1", int(served.address.rpartition(":")[2])
        with socket.create_connection((host, port)) as half:
            half.sendall(
                f"POST /photographs HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 100000\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; "
                'name="photo"; filename="half.jpg"\r\n\r\n'.encode()
                + (inbox / "fine.jpg").read_bytes()[:5000]
            )
            time.sleep(0.5)
            served.process.kill()
            served.process.wait()
    assert count(data) == before
    assert not [path for path in (data / "desk/photographs").rglob("*") if path.is_file()]
    with serving(data) as served:
        assert httpx2.get(served.address + "/").status_code == 200


@pytest.mark.slow
def test_a_kill_right_after_a_photograph_was_taken_doubles_no_verdict(data, inbox):
    before = count(data)
    with serving(data) as served:
        with httpx2.Client(base_url=served.address) as client:
            secret = re.search(r'name="csrf" content="([^"]+)"', client.get("/").text)[1]
            files = {"photo": ("fine.jpg", (inbox / "fine.jpg").read_bytes())}
            client.post("/photographs", data={"csrf": secret}, files=files)
        served.process.kill()
        served.process.wait()
    assert count(data) - before in (0, 1)
    with serving(data):
        time.sleep(1.0)
    assert count(data) - before in (0, 1)


def count(data: Path) -> int:
    with VerdictLog.reading(data) as log:
        return len(log.entries())


@pytest.mark.slow
def test_two_desks_on_one_folder_do_not_disturb_each_other(data, inbox):
    with serving(data) as one, serving(data) as other:
        assert httpx2.get(one.address + "/").status_code == httpx2.get(other.address + "/").status_code == 200


def nginx_of_the_documentation(folder: Path, *, behind: int, listen: int) -> Path:
    """Return a configuration around the block that docs/desk.md shows, with the ports and the certificate of a test."""
    page = (ROOT / "docs/desk.md").read_text("utf-8")
    (server,) = re.findall(r"^```nginx\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for shown, here in {
        "listen 443 ssl": f"listen 127.0.0.1:{listen} ssl",
        "desk.museum.example": "localhost",
        "/etc/ssl/desk.crt": str(folder / "desk.crt"),
        "/etc/ssl/desk.key": str(folder / "desk.key"),
        "127.0.0.1:8765": f"127.0.0.1:{behind}",
    }.items():
        assert shown in server
        server = server.replace(shown, here)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
    text += f"http {{ access_log off; {temporary}\n{server} }}\n"
    (folder / "nginx.conf").write_text(text)
    return folder / "nginx.conf"


@pytest.mark.slow
def test_behind_nginx_with_tls_and_a_prefix_as_documented(data, inbox, tmp_path, chromium):
    nginx = next((path for path in ("/usr/sbin/nginx", "/usr/bin/nginx") if Path(path).exists()), None)
    if nginx is None and not os.environ.get("CI"):
        pytest.skip("needs nginx: apt-get install nginx-light")
    assert nginx, "nginx is missing, and CI has to have it"
    port, listen = free_port(), free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", tmp_path / "desk.key", "-out", tmp_path / "desk.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    tokens = tmp_path / "tokens"
    tokens.write_text(f"reviewer {TOKEN} Anna Berg\n")
    address = f"https://localhost:{listen}/artifact"
    configuration = nginx_of_the_documentation(tmp_path, behind=port, listen=listen)
    with serving(data, "--token-file", tokens, "--address", address, port=port, prefix="/artifact"):
        proxy = subprocess.Popen([nginx, "-p", tmp_path, "-c", configuration], stderr=subprocess.PIPE, text=True)
        try:
            trusted = ssl.create_default_context(cafile=str(tmp_path / "desk.crt"))
            wait_for_nginx(f"{address}/sign-in", trusted, proxy)
            direct = httpx2.get(f"http://127.0.0.1:{port}/", follow_redirects=False)
            assert direct.status_code == 400, "the desk answers to no other name than its address"
            drive(chromium, address, inbox)
        finally:
            proxy.terminate()
            proxy.wait(10)


def wait_for_nginx(address: str, trusted: ssl.SSLContext, proxy: "subprocess.Popen[str]") -> None:
    for _ in range(100):
        try:
            assert httpx2.get(address, verify=trusted).status_code == 200
            return
        except httpx2.TransportError:
            assert proxy.poll() is None, proxy.stderr and proxy.stderr.read()
            time.sleep(0.1)
    raise AssertionError("nginx does not answer")


def drive(chromium, address: str, inbox: Path) -> None:
    """Sign in, bring a photograph, and see its outcome, all below the prefix."""
    with opened(chromium, insecure=True) as page:
        page.goto(f"{address}/queue")
        assert page.url.startswith(f"{address}/sign-in")
        page.fill("#token", TOKEN)
        page.click("main button")
        page.wait_for_url(f"{address}/queue")
        page.goto(f"{address}/")
        assert "Anna Berg" in page.inner_text("header.top")
        page.set_input_files("#photo", inbox / "fine.jpg")
        page.click("button.main")
        page.wait_for_selector("article.work")
        assert page.inner_text(".badge").endswith("consistent")
        cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == "artifact")
        assert cookie["secure"] and cookie["httpOnly"] and cookie["path"] == "/artifact"
