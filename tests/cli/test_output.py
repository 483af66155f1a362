"""What a terminal shows and a console's encoding holds."""

import json

from limner.cli.output import emit, plain, say, table

HOSTILE = "\x1b[31mred\x07\u202egpj.caf\udce9\n"


def test_a_terminal_never_obeys_a_files_name(capsys):
    say(f"{HOSTILE}: done")
    table(["name"], [[f"[bold]{HOSTILE}"]])
    told = capsys.readouterr()
    assert told.err == "\\x1b[31mred\\x07\\u202egpj.caf\\udce9\\n: done\n"
    assert "\x1b" not in told.out and "[bold]\\x1b[31mred" in told.out
    assert plain("Großmutter 1911 祖母") == "Großmutter 1911 祖母"


def test_json_is_ascii_and_gives_every_name_back(capsys):
    emit({"photo": f"Портрет {HOSTILE}"})
    out = capsys.readouterr().out
    assert out.isascii() and json.loads(out) == {"photo": f"Портрет {HOSTILE}"}
