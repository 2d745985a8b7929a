"""Every component in one place, in both themes: the next page is made of these."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template import loader
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.core.errors import Forbidden
from apps.network.rules import EdgeKind
from apps.portal.forms import EtrForm, NoteForm
from apps.portal.pages import for_people, theme_of
from apps.portal.templatetags.portal import TONES


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponseBase:
    """Show the components to staff."""
    if not request.user.is_staff:
        raise Forbidden("Your role does not include this page.")
    wrong = EtrForm({"etr-minutes": "soon"})
    wrong.is_valid()
    context = {
        "actor": viewer,
        "theme": theme_of(request),
        "themes": ("dark", "light"),
        "tones": sorted(set(TONES.values())),
        "words": sorted(TONES),
        "symbols": [
            (kind, state, 50 + 85 * n, 30 + 60 * row)
            for row, state in enumerate(("live", "open"))
            for n, kind in enumerate(EdgeKind.values[2:])
        ],
        "note_form": NoteForm(),
        "wrong_form": wrong,
    }
    drawn = loader.get_template("portal/design.html").render(context, request)
    return HttpResponse(drawn)
