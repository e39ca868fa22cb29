"""The few pages a person sees in a browser while giving consent."""

from html import escape

from ingest.simulator.users import Application

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px sans-serif;max-width:32em;margin:4em auto;padding:0 1em}}
input,button{{font:inherit;padding:.4em;margin:.2em 0}} code{{font-size:2em}}</style></head>
<body><h1>{title}</h1>
{content}
<p><small>This is the simulated cloud. No real account is involved.</small></p></body></html>
"""


def page(title: str, content: str) -> str:
    """An HTML page; `content` is HTML."""
    return _PAGE.format(title=escape(title), content=content)


def consent(query: str) -> str:
    """The question whether the application may read the owner's systems; posts back to the same query."""
    return page(
        "Authorize the application?",
        f'<form method="post" action="?{escape(query)}">'
        '<p><label>User <input name="user" value="owner"></label></p>'
        '<p><button name="decision" value="approve">Approve</button> '
        '<button name="decision" value="reject">Reject</button></p></form>',
    )


def show_code(code: str) -> str:
    """The vendor's own redirect address: shows the code for copying (2.1)."""
    return page("Your authorization code", f"<p><code>{escape(code)}</code></p>")


def show_error(code: str, text: str) -> str:
    """An error for which there is no address to redirect to (2.3)."""
    message = f'OAuth Error: error="{code}", error_description="{text}"'
    return page("OAuth Error", f"<p>{escape(message)}</p>")


def welcome(names: list[str], application: Application) -> str:
    """What a browser shows at the root: the systems, and how an application signs in (nothing is secret)."""
    systems = "".join(f"<li>{escape(name)}</li>" for name in names)
    pairs = {"key": application.api_key, "client_id": application.client_id}
    pairs |= {"client_secret": application.client_secret}
    shown = "".join(f"<tr><td>{name}</td><td><b>{escape(value)}</b></td></tr>" for name, value in pairs.items())
    return page("Simulated solar cloud", f"<p>Systems here:</p><ul>{systems}</ul><table>{shown}</table>")
