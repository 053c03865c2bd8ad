"""What routes ask for."""

import inspect

from fastapi.routing import iter_route_contexts

from api.app import create_app
from purple.settings import Settings


def calls(dependant):
    yield dependant.call
    for each in dependant.dependencies:
        yield from calls(each)


def test_nothing_that_a_route_of_the_api_asks_for_takes_a_thread() -> None:
    """FastAPI hands each plain function to a thread, and a request waits for Python's lock on the way back."""
    routes = iter_route_contexts(create_app(Settings(_env_file=None)).routes)
    ours = [route for route in routes if route.path.startswith("/api/v") and hasattr(route, "dependant")]
    asked = {call for route in ours for call in calls(route.dependant)}
    names = {call.__qualname__ for call in asked if inspect.isfunction(call)}
    assert names >= {"known_parameters", "paging.<locals>.query", "service.<locals>.get", "succession.<locals>.tell"}
    runs = {call if inspect.isroutine(call) else type(call).__call__ for call in asked}
    assert [call for call in runs if not inspect.iscoroutinefunction(call)] == []
