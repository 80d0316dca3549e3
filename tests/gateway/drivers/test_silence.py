from lamplighter_gateway.drivers.silence import ANSWER_S, Silence, Step

BEAT_S = 60.0


def test_a_lamp_that_speaks_is_never_asked():
    silence = Silence({"a": BEAT_S}, 0.0)
    for beat in range(1, 100):
        assert silence.step(beat * BEAT_S) == Step()
        assert not silence.heard("a", beat * BEAT_S)


def test_asked_after_three_heartbeats_and_silent_without_an_answer():
    silence = Silence({"a": BEAT_S}, 0.0)
    assert silence.step(179.9) == Step()
    assert silence.step(180.0) == Step(ask=("a",))
    assert silence.step(180.0 + ANSWER_S) == Step(silent=("a",))
    assert silence.silent == ("a",)


def test_an_answer_in_time_is_enough():
    silence = Silence({"a": BEAT_S}, 0.0)
    silence.step(180.0)
    assert not silence.heard("a", 181.0)
    assert silence.step(200.0) == Step()
    assert silence.silent == ()


def test_a_silent_lamp_is_asked_now_and_then_and_welcomed_back():
    silence = Silence({"a": BEAT_S}, 0.0)
    asked = [now for now in range(0, 2000, 10) if silence.step(float(now)).ask]
    assert asked[0] == 180
    assert 8 <= len(asked) <= 11
    assert silence.heard("a", 2000.0)
    assert not silence.heard("a", 2001.0)
    assert silence.silent == ()


def test_a_whole_field_is_not_asked_at_once():
    silence = Silence({f"lamp-{n}": BEAT_S for n in range(100)}, 0.0)
    assert len(silence.step(180.0).ask) == 20
    assert len(silence.step(181.0).ask) == 20
