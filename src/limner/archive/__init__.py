"""Archives: folders of photographs by the hundred thousand, restored by runs that may be killed, together with others.

What became of each photograph stands in a manifest beside the results (`manifest.py`); `plan.py` says what is left to
do, `claims.py` shares it among processes, `work.py` does it, `status.py` and `verify.py` tell."""
