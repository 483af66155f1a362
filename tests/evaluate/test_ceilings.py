"""The ceilings: what a perfect net and a constant one get, and that every net that restores is asked."""

import pytest
import torch

from limner.evaluate.ceilings import TIMESTEPS, errors_by_timestep, main
from limner.methods.schedules import difface_schedule


def test_a_perfect_guess_has_no_error_and_the_mean_has_all():
    clean = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    schedule = difface_schedule("sample")
    perfect = errors_by_timestep(schedule, clean, lambda noisy, t: clean)
    assert perfect == ", ".join(f"{t}: 0.000" for t in TIMESTEPS)
    constant = errors_by_timestep(schedule, clean, lambda noisy, t: clean.mean(dim=0).expand_as(clean))
    assert constant == ", ".join(f"{t}: 1.000" for t in TIMESTEPS)


@pytest.mark.slow
def test_every_net_that_restores_is_asked(shared, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["ceilings", "--data", str(shared / "faces"), "--limit", "2"])
    main()
    lines = capsys.readouterr().out.splitlines()
    nets = {line.split(":")[0] for line in lines}
    assert nets == {
        *("difface-estimator", "difface-prior", "vqgan", "clrface-vqgan", "refldm", "ldbfr-stage-a"),
        *("clrface-prior", "clrface-encoder", "clrface-irn", "clrface", "identity"),
    }
    likeness = {line.split(":")[2]: float(line.split("identity ")[1][:5]) for line in lines if "references" in line}
    assert likeness[" the truth"] > likeness[" none"]


@pytest.mark.parametrize("limit", ["1", "-1"])
def test_too_few_faces_are_refused(shared, monkeypatch, limit, capsys):
    monkeypatch.setattr("sys.argv", ["ceilings", "--data", str(shared / "faces"), "--limit", limit])
    with pytest.raises(SystemExit):
        main()
    assert "--limit takes 2 or more" in capsys.readouterr().err
