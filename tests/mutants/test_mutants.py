import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

HERE = Path(__file__).parent

KILLED_BY = {
    # Stores
    "UpsertingCreate": "test_create_never_overwrites",
    "CreateOverExpired": "test_create_never_overwrites_an_expired_row",
    "ReplaceIgnoresVersion": "test_counters_are_exact",
    "ReplaceAcceptsNewer": "test_replace_compares_the_version",
    "ReplaceCreates": "test_replace_never_creates",
    "ReplaceRevives": "test_replace_never_revives",
    "ReplaceOffByOne": "test_replace_never_revives",
    "ReplaceForgetsFormer": "test_replace_writes_every_field",
    "ReplaceNeverShortens": "test_replace_may_shorten",
    "TouchRevivesExpired": "test_touch_never_revives",
    "TouchResurrects": "test_a_deleted_row_is_gone",
    "TouchShortens": "test_touch_never_shortens",
    "TouchKeepsVersion": "test_touch_moves_the_deadline_only",
    "TouchIgnoresVersion": "test_touch_compares_the_version",
    "LoadOffByOne": "test_expiry_is_exact",
    "SecondClock": "test_stores_have_no_clock",
    "EagerGarbage": "test_a_slow_clock_loses_nothing",
    "SlidingLoad": "test_load_writes_nothing",
    "SharedRow": "test_rows_are_values",
    "TextPayload": "test_payloads_are_opaque_bytes",
    "WholeSeconds": "test_a_created_row_comes_back_equal",
    "EmptyOwner": "test_optional_fields_stay_none",
    "ShortIds": "test_rows_do_not_mix",
    "Tombstone": "test_a_deleted_row_is_gone",
    "AlwaysDeleted": "test_delete_says_whether_there_was_a_row",
    "DeletesWhatItSaw": "test_any_order_of_calls",
    "DeletesTheOwner": "test_delete_spares_the_others",
    "ReadsThenCreates": "test_one_create_wins",
    "ReadsThenReplaces": "test_one_replace_wins",
    "ReadsThenTouches": "test_delete_wins_every_race",
    "HalfAWrite": "test_a_cancelled_write_is_all_or_nothing",
    "LateAnswers": "test_answers_belong_to_their_questions",
    "OneRequestAtATime": "test_many_requests_share_one_object",
    "SweepsTheLiving": "test_a_sweep_spares_the_living",
    "SweepsAll": "test_a_sweep_goes_in_batches",
    "SweepsWhatItRemembers": "test_a_sweep_sees_a_moved_deadline",
    "ForgetsToCount": "test_any_sequence_of_visits",
    "OwnerPrefix": "test_owners_are_compared_exactly",
    "OwnerIgnoringCase": "test_owners_are_compared_exactly",
    "OwnerListsTheDead": "test_an_owner_s_rows_are_listed",
    "OwnerInAnyOrder": "test_an_owner_s_rows_are_listed",
    "FirstOwnerOnly": "test_the_index_follows_the_row",
    "IndexBeforeTheGuard": "test_a_refused_write_moves_no_owner",
    "KeepsNothing": "test_an_owner_s_rows_go_at_once",
    "RevokesTheIndexOnly": "test_a_revoked_row_takes_no_late_write",
    "StaleCache": "test_writes_are_seen_at_once",
    "ForgetsOnClose": "test_rows_outlive_the_object",
    "ClosesOnce": "test_aclose_may_be_called_twice",
    "NowaitIsStale": "test_load_nowait_is_load",
    # Backends
    "SecretIsStored": "test_no_secret_is_at_rest",
    "AnySecretOpens": "test_foreign_tokens_open_nothing",
    "GraceWithoutEnd": "test_the_former_secret_has_a_grace",
    "ConflictsAreOverwritten": "test_different_keys_are_both_kept",
    "WhatIsGoneIsCreated": "test_deletion_wins",
    "WhatIsGoneIsFine": "test_an_expired_session_takes_no_late_write",
    "NothingIsThrottled": "test_reading_writes_once_per_throttle",
    "AbsoluteIsForgotten": "test_the_absolute_timeout_is_exact",
    # Planners
    "LoginKeepsTheSecret": "test_login_kills_the_old_secret",
    "LoginHasAGrace": "test_login_kills_the_old_secret",
    "LogoutKeepsTheCookie": "test_logout_ends_row_and_cookie",
    "LogoutKeepsTheRow": "test_deletion_wins",
    "RenewalHasNoGrace": "test_the_former_secret_has_a_grace",
    "BeginsWithoutACookie": "test_without_a_cookie_nothing_begins",
    "LoginWithoutACookie": "test_without_a_cookie_nothing_begins",
    "GraceIsReadOnly": "test_the_former_secret_has_a_grace",
}

HONEST = {
    "StaleCache": "HonestShared",
    "ForgetsOnClose": "HonestShared",
    "NowaitIsStale": "HonestNowait",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """(suite, test) -> what its failure said, "" if it passed, of one run of all named tests."""
    report = tmp_path_factory.mktemp("mutants") / "report.xml"
    named = {f"Test{mutant}::{test}" for mutant, test in KILLED_BY.items()}
    named |= {f"Test{HONEST.get(m, 'Honest')}::{test}" for m, test in KILLED_BY.items()}
    ids = [f"{HERE / 'suites.py'}::{name}" for name in sorted(named)]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", f"--junitxml={report}", *ids]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    found = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        key = case.get("classname", "").rpartition(".")[2], case.get("name", "").partition("[")[0]
        assert case.find("skipped") is None, key
        assert case.find("error") is None, key
        failure = case.find("failure")
        found[key] = found.get(key, "") or ("" if failure is None else failure.text or "failed")
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", KILLED_BY)
def test_each_mutant_dies_by_its_test(outcomes, mutant):
    """The named test fails on the mutant, and passes on what the mutant was made of."""
    test = KILLED_BY[mutant]
    assert outcomes[f"Test{mutant}", test]
    assert not outcomes[f"Test{HONEST.get(mutant, 'Honest')}", test]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", KILLED_BY)
def test_each_failure_says_what_to_do(outcomes, mutant):
    """The message of a failure names the promise, the calls that broke it, and the remedy."""
    message = outcomes[f"Test{mutant}", KILLED_BY[mutant]]
    # One breaks before it has answered any call.
    names = ["promise", *(["calls"] if mutant != "ClosesOnce" else []), "remedy"]
    parts = [message.find(f"The {name}:") for name in names]
    assert -1 not in parts, message
    assert sorted(parts) == parts


@pytest.mark.timeout(300)
def test_a_long_failure_is_shrunk(outcomes):
    """The state machine's failure is the shortest sequence of visits that Hypothesis found."""
    message = outcomes["TestForgetsToCount", "test_any_sequence_of_visits"]
    steps = [line.strip() for line in message.splitlines() if line.startswith("E   state.")]
    visits = [step for step in steps if re.match(r"E   state\.(wait|sweep|put|log|race)", step)]
    assert ["E   state.wait(seconds=100.0)", "E   state.sweep()"] == visits
