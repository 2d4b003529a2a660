"""A real browser on a running stack. Skipped on a laptop without Chromium, a failure in CI."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.stacks.browser.modules import Modules
from tests.stacks.browser.watch import Watch
from tests.stacks.browser.website import Site
from tests.support.deployed_stack import DeployedStack, deployed_stack

ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
LIMIT_MS = 20_000
expect.set_options(timeout=LIMIT_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is missing: install it, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest) -> str:
    """The service's address; SORTIE_URL names one that runs already."""
    elsewhere = os.environ.get("SORTIE_URL")
    return (elsewhere or str(request.getfixturevalue("stack").url)).rstrip("/") + "/"


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """What goes to AWS, on an emulator: with tokens, and below a path of its own."""
    yield from deployed_stack(tmp_path_factory.mktemp("deployed"))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context_ = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light", locale="en-GB")
    context_.set_default_timeout(LIMIT_MS)
    yield context_
    context_.close()


@pytest.fixture
def watch(context: BrowserContext) -> Watch:
    return Watch(context)


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Iterator[Page]:
    """A page that must not have said an error in its console, broken its policy or run a stranger's code."""
    yield context.new_page()
    assert watch.errors == []


@pytest.fixture
def site(page: Page, url: str) -> Site:
    return Site(page, url)


@pytest.fixture(scope="session")
def modules(browser: Browser) -> Iterator[Modules]:
    context = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin")
    yield Modules(context.new_page())
    context.close()
