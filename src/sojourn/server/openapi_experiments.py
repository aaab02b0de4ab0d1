"""OpenAPI of experiments, made from what may be asked of them."""

from __future__ import annotations

from sojourn.analytics.experiments.asked import Experiment, Experiments
from sojourn.analytics.questions.fields import fields_of
from sojourn.server.experiments import PATH
from sojourn.server.openapi_analytics import asking, named, parameter_of
from sojourn.server.openapi_parts import Json

_ROWS: Json = {"type": "array", "items": {"type": "object"}}
_LISTING: Json = {
    "type": "object",
    "properties": {"experiments": _ROWS, "definition": {"type": "object"}},
    "required": ["experiments", "definition"],
}
_REPORT: Json = {
    "type": "object",
    "properties": {
        "experiment": {"type": "string"},
        "control": {"type": "string"},
        "arms": _ROWS,
        "ratio": {"type": "object", "description": "Whether arms have the people they should have."},
        "comparisons": {
            "type": "array",
            "description": "Each metric in each variant, beside the control.",
            "items": {"type": "object"},
        },
        "warnings": {
            "type": "array",
            "description": "What must be known before a number is read, and what not to conclude.",
            "items": {"type": "string"},
        },
        "definition": {"type": "object", "description": "What the numbers mean."},
    },
    "required": ["experiment", "control", "arms", "ratio", "comparisons", "warnings", "definition"],
}


def experiment_paths() -> Json:
    """Describe the paths of experiments."""
    name = {**named("experiment", "Its name.", {"type": "string"}, is_needed=True), "in": "path"}
    return {
        PATH: {
            "get": {
                "operationId": "listExperiments",
                "summary": "List experiments",
                "description": f"{Experiments.__doc__} As `sojourn experiment list --json`.",
                "parameters": [],
                **asking("experiments", _LISTING),
            }
        },
        PATH + "/{experiment}": {
            "get": {
                "operationId": "reportExperiment",
                "summary": "Report an experiment",
                "description": f"{Experiment.__doc__} As `sojourn experiment report --json`.",
                "parameters": [name, *map(parameter_of, fields_of(Experiment))],
                **asking("experiments", _REPORT),
            }
        },
    }
