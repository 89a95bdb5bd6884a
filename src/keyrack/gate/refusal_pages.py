"""Refusals as pages that people can read, in the colours of the brand. One page has all that it needs: no policy lets it load anything."""

from base64 import b64encode
from hashlib import sha256
from html import escape

from markupsafe import Markup

from keyrack.model.brands import Brand
from keyrack.model.colors import brand_sheet
from keyrack.model.refusals import INSUFFICIENT_PERMISSION, SESSION_ENDED, Refused

_STYLE = """
:root{color-scheme:light dark;--ground:light-dark(#f7f7f8,#0e0e10);--surface:light-dark(#fff,#161618);--line:light-dark(#e6e6e9,#29292d);
--text:light-dark(#18181b,#f1f1f3);--soft:light-dark(#5b5b66,#a3a3ad)}
*{box-sizing:border-box}
body{display:grid;place-items:center;min-height:100vh;margin:0;padding:1.5rem;background:var(--ground);color:var(--text);
font:.9375rem/1.55 Inter,system-ui,sans-serif;overflow-wrap:anywhere}
main{width:100%;max-width:27rem}
.product{display:flex;align-items:center;justify-content:center;gap:.6rem;margin:0 0 1.25rem;font-weight:600}
.tile{display:grid;place-items:center;width:2rem;height:2rem;border-radius:.45rem;background:var(--brand);color:var(--on-brand)}
section{padding:1.75rem;border:1px solid var(--line);border-radius:.75rem;background:var(--surface)}
h1{margin:0;font-size:1.25rem;line-height:1.3}
section p{margin:.6rem 0 0}
.soft{color:var(--soft)}
code{font:.85em ui-monospace,monospace}
.actions{display:flex;flex-wrap:wrap;gap:.6rem;margin-top:1.25rem}
a{display:inline-flex;align-items:center;min-height:2.5rem;padding:0 1rem;border:1px solid var(--line);border-radius:.5rem;
color:var(--text);
font-weight:500;text-decoration:none}
a.primary{border-color:transparent;background:var(--brand);color:var(--on-brand)}
:focus-visible{outline:2px solid var(--brand-text);outline-offset:2px}
"""


class RefusalPages:
    """The pages of one brand. `policy` is the content security policy under which they look as they should."""

    def __init__(self, brand: Brand) -> None:
        self._brand = brand
        self._style = brand_sheet(brand.color) + _STYLE
        mark = b64encode(sha256(self._style.encode()).digest()).decode()
        self.policy = f"default-src 'none'; style-src 'sha256-{mark}'; img-src data:; frame-ancestors 'none'; base-uri 'none'"

    def page(self, refused: Refused, root: str, sign_in: str) -> bytes:
        """Return the page for a refusal. `root` is what a proxy or a mount has put in front of this host's paths."""
        name, refusal, remedy = escape(self._brand.name), refused.refusal, refused.refusal.remedy
        if refusal is INSUFFICIENT_PERMISSION:
            # The words of the list are for those who write programs.
            remedy = f"Owners and admins of your {self._brand.words.workspace} can let you do more: ask one of them."
        links = (
            [f'<a class="primary" href="{escape(sign_in)}" data-control="refusal.sign-in">Sign in</a>'] if refusal is SESSION_ENDED else []
        )
        home = self._brand.home or "/"
        back = escape(home if home.startswith("https://") else root + home)
        links.append(f'<a href="{back}" data-control="refusal.home">Back to {name}</a>')
        parts = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{escape(refusal.title)} · {name}</title><link rel="icon" href="data:,"><style>{self._style}</style></head>',
            f'<body><main><p class="product">{self._logo()}{name}</p>',
            f'<section><h1>{escape(refusal.title)}</h1><p>{with_code(refused.detail)}</p><p class="soft">{with_code(remedy)}</p>',
            f'<p class="actions">{"".join(links)}</p></section></main></body></html>',
        ]
        return "".join(parts).encode(errors="replace")

    def _logo(self) -> str:
        if not self._brand.logo:
            return f'<span class="tile" aria-hidden="true">{escape(self._brand.name[0].upper())}</span>'
        return f'<img src="data:image/svg+xml;base64,{b64encode(self._brand.logo.encode()).decode()}" alt="" width="32" height="32">'


def with_code(text: str) -> Markup:
    """Return a refusal's text as HTML in which `what stands in backticks` is code."""
    parts = [Markup("<code>{}</code>").format(part) if number % 2 else Markup.escape(part) for number, part in enumerate(text.split("`"))]
    return Markup("").join(parts)
