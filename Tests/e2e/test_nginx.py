"""What the outside sees: nginx, with the configuration that production uses."""

import requests

from support.api import CORRELATION, assert_problem


def page(stack, path):
    return requests.get(stack.settings["PLANTOPS_URL"] + path, timeout=10)


def test_the_page_and_its_headers(stack):
    answer = page(stack, "/")
    assert answer.status_code == 200 and "PlantOps" in answer.text
    assert "script" not in answer.headers["Content-Security-Policy"].replace("script-src 'self'", "")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "nginx/" not in answer.headers.get("Server", "")


def test_pages_of_the_dashboard_fall_back_to_it_and_missing_assets_do_not(stack):
    assert page(stack, "/plants/anything").status_code == 200
    assert page(stack, "/assets/missing.js").status_code == 404


def test_metrics_are_not_for_the_outside(stack):
    assert page(stack, "/metrics").status_code == 404


def test_the_api_is_the_same_through_nginx(stack, plant):
    direct = stack.api.get(f"/plants/{plant['id']}", headers={CORRELATION: "through"})
    proxied = stack.web.get(f"/plants/{plant['id']}", headers={CORRELATION: "through"})
    assert proxied.json() == direct.json()
    assert proxied.headers[CORRELATION] == "through"
    assert_problem(stack.web.get("/nothing"), 404)
    body = '{"name": "' + "a" * (3 << 20) + '"}'
    answer = stack.web.post("/plants", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_without_a_backend_nginx_says_so_as_a_problem(fresh_stack):
    fresh_stack.stop("backend")
    answer = fresh_stack.web.get("/plants")
    assert answer.status_code in (502, 503)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    fresh_stack.start("backend")
    assert fresh_stack.web.get("/plants").status_code == 200
