"""The addresses of the desk for programs."""

from __future__ import annotations

from starlette.routing import Route

from cli.serve.api import catalogue, description, photographs, screenings, verdicts

ROUTES = (
    Route("/api/openapi.json", description.show, name="api_description"),
    Route("/api/photographs", photographs.take, methods=["POST"], name="api_photographs"),
    Route("/api/photographs/{job}", photographs.judged, name="api_photograph"),
    Route("/api/verdicts", verdicts.verdicts, name="api_verdicts"),
    Route("/api/verdicts/{number:int}", verdicts.verdict, name="api_verdict"),
    Route("/api/verdicts/{number:int}/reviews", verdicts.review, methods=["POST"], name="api_reviews"),
    Route("/api/review", verdicts.waiting, name="api_review"),
    Route("/api/objects", catalogue.objects, name="api_objects"),
    Route("/api/objects/{object_id:path}", catalogue.one_object, name="api_object"),
    Route("/api/object", catalogue.one_object, name="api_object_asked"),
    Route("/api/status", catalogue.status, name="api_status"),
    Route("/api/screenings", screenings.screenings, name="api_screenings"),
    Route("/api/screenings/{number:int}", screenings.screening, name="api_screening"),
)
