"""The description of the HTTP interface is made of its OpenAPI."""

from limner.page.describe import described


def test_fields_kinds_and_answers_are_told():
    form = {
        "photo": {"type": "string", "format": "binary", "description": "The <file>."},
        "reference": {"type": "array", "items": {}, "description": "Others."},
        "samples": {"type": "integer", "minimum": 1, "maximum": 8, "description": "How many."},
        "background": {"type": "string", "enum": ["keep", "clean"], "description": "What of it."},
    }
    body = {"content": {"multipart/form-data": {"schema": {"properties": form}}}}
    answers = {"503": {"description": "Full."}}
    restore = {"post": {"summary": "Restores", "requestBody": body, "responses": answers}}
    page = described({"info": {"title": "limner"}, "paths": {"/restore": restore}})
    assert "<code>POST /restore</code>" in page and "The &lt;file&gt;." in page
    for kind in ("<td>file</td>", "<td>files</td>", "<td>integer, 1 to 8</td>", "<td>keep or clean</td>"):
        assert kind in page
    assert "<code>503</code> Full." in page
