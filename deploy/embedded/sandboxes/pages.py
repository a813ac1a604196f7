"""The look of the sandboxes' pages: plain HTML, one style, no script; SANDBOX is written on each."""

from collections.abc import Iterable
from html import escape


def page(title: str, content: str) -> str:
    """A whole page; `title` is escaped, `content` is markup."""
    return _PAGE.replace("{title}", escape(title)).replace("{content}", content)


def button(action: str, label: str, *, kind: str = "", note: str = "") -> str:
    """A form of one button that posts `action` to its own page."""
    says = f"<small>{escape(note)}</small>" if note else ""
    return (
        f'<form method="post"><button class="{escape(kind)}" name="action" value="{escape(action)}">'
        f"{escape(label)}</button>{says}</form>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of names and values."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs) + "</dl>"


def notice(text: str, *, kind: str = "") -> str:
    """A sentence in a box."""
    return f'<p class="notice {escape(kind)}" role="status">{escape(text)}</p>'


def link(address: str, label: str) -> str:
    """A link; addresses that are not http are shown as text only."""
    if not address.startswith(("http://", "https://")):
        return f"<p>{escape(label)}</p>"
    return f'<p><a href="{escape(address)}">{escape(label)}</a></p>'


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · sandbox</title>
<style>
:root { color-scheme: light dark; --paper: #f5f4f0; --card: #fff; --ink: #1c1e2b; --dim: #5f6275; --line: #dddbd3;
  --accent: #2c3a8f; --on-accent: #fff; --soft: #eceefa; --bad: #a3221b; --bad-soft: #fdeceb; --warn: #fff3c4;
  --on-warn: #4a3500 }
@media (prefers-color-scheme: dark) { :root { --paper: #10121c; --card: #191c2a; --ink: #eceef6; --dim: #a0a5ba;
  --line: #2d3145; --accent: #f3cf72; --on-accent: #1c1808; --soft: #24283b; --bad: #ff9d95; --bad-soft: #3a1d1f;
  --warn: #4a3a05; --on-warn: #ffe9a6 } }
*, *::before, *::after { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
.sandbox { margin: 0; padding: .6rem 1rem; background: var(--warn); color: var(--on-warn); text-align: center }
main { max-width: 30rem; margin: 2rem auto 4rem; padding: 1.5rem; background: var(--card); border-radius: 14px;
  border: 1px solid var(--line) }
main.wide { max-width: 64rem }
h1 { font-size: 1.3rem; margin: 0 0 .3rem; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
.amount { font-size: 2rem; font-weight: 650; margin: .2rem 0 1rem }
dl { display: grid; grid-template-columns: auto 1fr; gap: .2rem 1rem; margin: 0 0 1.2rem; font-size: .92rem }
dt { color: var(--dim) }
dd { margin: 0; overflow-wrap: anywhere }
form { margin: .6rem 0 }
button { font: inherit; width: 100%; padding: .65rem 1rem; border-radius: 10px; border: 1px solid var(--line);
  background: var(--soft); color: var(--ink); cursor: pointer }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600 }
button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
small { display: block; color: var(--dim); margin: .15rem .2rem 0 }
a { color: var(--accent) }
.notice { padding: .7rem .9rem; border-radius: 10px; background: var(--soft) }
.notice.bad { background: var(--bad-soft); color: var(--bad) }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; padding: .4rem .9rem .4rem 0; border-top: 1px solid var(--line); white-space: nowrap }
td form { display: inline-block; margin: 0 .3rem .3rem 0 }
td button { width: auto; padding: .2rem .6rem; font-size: .85rem }
.scroll { overflow-x: auto }
p { overflow-wrap: anywhere }
</style>
</head>
<body>
<p class="sandbox"><strong>SANDBOX</strong> No real money moves here. Do not type a real card or send real coins.</p>
{content}
</body>
</html>
"""
