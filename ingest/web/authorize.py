"""The pages of consent: the link to the vendor with a field for pasting, and the address that the vendor returns to.

They work without a script, and without the stylesheet. What changes something needs a `state` that was given out here,
works once and expires; so another site can neither start nor finish a consent.
"""

from collections.abc import Callable

from flask import Blueprint, Response, render_template_string, request

from ingest.auth.consent import ConsentFlow, Seen, StateRefused
from ingest.core.errors import IngestError
from ingest.enphase.oauth import ConsentAnswer, TokenPair, answer_of, local_port, read_answer

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{{ title }}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/page.css">
</head>
<body>
<div class="frame">
<header class="top">{% if home %}<a class="brand" href="{{ home }}">{% include "brand.html" %}</a>
{% else %}<span class="brand">{% include "brand.html" %}</span>{% endif %}</header>
<main><section class="card consent">
<h1>{{ title }}</h1>
{% if sentence %}<p class="state {{ 'bad' if wrong else 'good' }}" role="{{ 'alert' if wrong else 'status' }}">
{{ sentence | words }}</p>{% endif %}
{% if systems %}<p>Systems seen:</p><ul>{% for name in systems %}<li>{{ name }}</li>{% endfor %}</ul>{% endif %}
{% for line in lines %}<p>{{ line | words }}</p>{% endfor %}
{% if link %}
<ol>
<li><p><a href="{{ link }}" rel="noreferrer noopener"{% if not returns %} target="_blank"{% endif %}>Open the
consent page of Enphase</a>, log in as the owner of the system, and approve.</p></li>
<li>{% if returns %}<p>Your browser comes back here by itself. Should it not, paste the address that it ended at:</p>
{% else %}<p>A page with a code follows. Paste the code, or the whole address of that page:</p>{% endif %}
<form method="post" action="/authorize/{{ account }}">
<input type="hidden" name="state" value="{{ state }}">
<p><label for="answer">Code or address</label>
<input id="answer" name="answer" required autofocus autocomplete="off" autocapitalize="none" spellcheck="false"></p>
<p><button class="button">Authorize {{ account }}</button></p>
</form></li>
</ol>
{% elif account %}<p><a href="/authorize/{{ account }}">Begin again</a></p>{% endif %}
{% if home %}<p><a href="{{ home }}">To the status page</a></p>{% endif %}
</section></main>
</div>
</body>
</html>
"""


Ended = Callable[[str, Seen | IngestError], None]
"""Told what came of a consent: the account, and the systems seen or why there is no authorization."""


def blueprint(flow: ConsentFlow, ended: Ended = lambda *_: None, home: str = "/") -> Blueprint:
    """The routes `/authorize/ACCOUNT`, `/oauth/callback`, and the redirect address where that is on this machine.

    `home` is the address of the status page, empty where there is none.
    """
    pages = Blueprint("consent", __name__)
    clerk = _Clerk(flow, ended, home)
    pages.add_url_rule("/authorize/<account>", "ask", clerk.ask, methods=["GET"])
    pages.add_url_rule("/authorize/<account>", "paste", clerk.paste, methods=["POST"])
    returns = local_port(flow.authorizer.app)
    for path in {"/oauth/callback", returns[2] if returns else "/oauth/callback"}:
        pages.add_url_rule(path, "callback", clerk.callback, methods=["GET"])
    return pages


class _Clerk:
    def __init__(self, flow: ConsentFlow, ended: Ended, home: str) -> None:
        self._flow, self._ended, self._home = flow, ended, home

    def ask(self, account: str) -> Response:
        """The question, or why there is none."""
        return self._unasked(account) or self._question(account)

    def paste(self, account: str) -> Response:
        """What was pasted into the field."""
        if (unasked := self._unasked(account)) is not None:
            return unasked
        text, state = request.form.get("answer", ""), request.form.get("state", "")
        answer = read_answer(text)
        try:
            if answer.code or answer.error:
                self._flow.check_form(account, state, answer)
            return self._welcome(account, self._conclude(account, answer))
        except IngestError as error:
            return self._question(account, str(error))

    def callback(self) -> Response:
        """The vendor sends the owner's browser back."""
        answer = answer_of(request.args)
        account = ""
        try:
            account = self._flow.redeem(answer)
            return self._welcome(account, self._conclude(account, answer))
        except IngestError as error:
            again = account or self._only()
            advice = "; begin again" if isinstance(error, StateRefused) else ""
            return self._page("Not authorized", f"{error}{advice}.", account=again, wrong=True)

    def _conclude(self, account: str, answer: ConsentAnswer) -> TokenPair:
        try:
            return self._flow.conclude(account, answer)
        except IngestError as error:
            self._ended(account, error)
            raise

    def _only(self) -> str:
        names = [name for name, kind in self._flow.kinds.items() if kind == "consent"]
        return names[0] if len(names) == 1 else ""

    def _unasked(self, account: str) -> Response | None:
        """The answer for an account of which nobody needs to be asked."""
        kind = self._flow.kinds.get(account)
        if kind is None:
            known = ", ".join(self._flow.kinds)
            return self._page("No such account", f"The configuration has these accounts: {known}.", 404, wrong=True)
        if kind == "login":
            return self._page("Nothing to do", f"Account {account} logs in by itself, with its username and password.")
        if kind == "user":
            return self._page("Nothing to do", f"Account {account} has its user_id, which never ends.")
        return None

    def _question(self, account: str, wrong: str = "") -> Response:
        try:
            link, state = self._flow.ask(account)
        except IngestError as error:
            return self._page("Not possible now", str(error), 503, wrong=True)
        returns = local_port(self._flow.authorizer.app) is not None
        if not wrong and self._is_authorized(account):
            sentence = (
                f"Account {account} is authorized already, and renewed by itself. Consenting once more does no harm."
            )
            return self._page(f"Authorize {account}", sentence, 200, account, link=link, state=state, returns=returns)
        more = {"link": link, "state": state, "returns": returns}
        return self._page(f"Authorize {account}", wrong, 400 if wrong else 200, account, wrong=bool(wrong), **more)

    def _is_authorized(self, account: str) -> bool:
        try:
            stored = self._flow.authorizer.stored(account)
        except IngestError:
            return False
        return stored is not None and not stored.dead

    def _welcome(self, account: str, token: TokenPair) -> Response:
        try:
            seen = self._flow.see(account, token)
        except IngestError as error:
            seen = Seen(trouble=str(error))
        self._ended(account, seen)
        lines = [line for line in (seen.trouble, seen.first_poll) if line]
        return self._page("Authorized", f"Account {account} is authorized.", systems=seen.systems, lines=lines)

    def _page(
        self, title: str, sentence: str, status: int = 0, account: str = "", *, wrong: bool = False, **more: object
    ) -> Response:
        html = render_template_string(
            _PAGE, title=title, sentence=sentence, wrong=wrong, account=account, home=self._home, **more
        )
        status = status or (400 if wrong else 200)
        return Response(html, status, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
