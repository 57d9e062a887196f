"""Screenshots of every kind of page of a built site, for people to look at.

    PYTHONPATH=tests python tests/support/screenshots.py SITE OUT [--pages PATH …] [--all]

One PNG for each page, colour scheme and width: `OUT/<page>-<light|dark>-<width>.png`.
"""

import argparse
from pathlib import Path

from support.browser import PHONE, WIDE, chromium, file_base, tab
from support.site_pages import sample

TALLEST = 4000


def shoot(site: Path, out: Path, pages: list[str]) -> list[str]:
    """Write the screenshots; return what went wrong on the pages, which need not stop it."""
    out.mkdir(parents=True, exist_ok=True)
    troubles = []
    with chromium() as browser:
        for scheme in ("light", "dark"):
            for width in (WIDE, PHONE):
                with tab(browser, file_base(site), scheme=scheme, width=width) as opened:
                    for path in pages:
                        page = opened.open(path)
                        height = int(opened.ask("document.documentElement.scrollHeight"))
                        name = path.removesuffix(".html").replace("/", "-")
                        page.screenshot(
                            path=out / f"{name}-{scheme}-{width}.png",
                            full_page=True,
                            clip={"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)},
                        )
                    troubles += opened.troubles
                    opened.troubles.clear()
    return troubles


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", nargs="*", help="paths within the site; one of each kind else")
    options = parser.parse_args()
    pages = options.pages or sample(options.site, of_each=1)
    for trouble in shoot(options.site, options.out, pages):
        print(trouble)  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
