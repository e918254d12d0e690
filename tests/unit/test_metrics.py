"""What a scrape shows."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.bench import Bench
from tests.support.fakes import SECOND
from tile38py.interfaces.delivery import HookCounters
from tile38py.interfaces.following import LeaderAddress
from tile38py.limits import METRICS_FOLLOWERS_COUNT_MAX
from tile38py.metrics import MetricsExporter


@pytest.fixture
def bench() -> Bench:
    """A server that holds nothing."""
    return Bench()


def scraped(bench: Bench) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples by name, then by the values of their labels, by name."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(
        MetricsExporter(bench.services, lambda: None).collect()().decode()
    ):
        for sample in family.samples:
            labels = tuple(text for _, text in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def value(bench: Bench, name: str) -> float:
    """The one sample of a name."""
    return scraped(bench)[name][()]


def test_tile38s_names_are_there(bench: Bench) -> None:
    names = [
        "tile38_aof_size_bytes",
        "tile38_avg_item_size_bytes",
        "tile38_collections",
        "tile38_hooks",
        "tile38_connected_clients",
        "tile38_connections_received_total",
        "tile38_expired_keys_total",
        "tile38_heap_size_bytes",
        "tile38_in_memory_size_bytes",
        "tile38_memory_max_heap_size_bytes",
        "tile38_memory_reap_released_bytes",
        "tile38_messages_sent_total",
        "tile38_num_cpus",
        "tile38_pid",
        "tile38_pointer_size_bytes",
        "tile38_replication_info",
        "tile38_server_info",
        "tile38_start_time_seconds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
    ]
    assert set(names) <= set(scraped(bench))


def test_each_collection_has_its_samples(bench: Bench) -> None:
    assert "tile38_collection_objects" not in scraped(bench)
    bench.call("SET", "fleet", "a", "POINT", "1", "2")
    bench.call("SET", "fleet", "b", "STRING", "text")
    bench.call("SET", "other", "a", "BOUNDS", "1", "1", "2", "2")
    found = scraped(bench)
    assert found["tile38_collection_objects"] == {("fleet",): 2, ("other",): 1}
    assert found["tile38_collection_strings"] == {("fleet",): 1, ("other",): 0}
    assert found["tile38_collection_weight_bytes"][("fleet",)] > 0


def test_a_key_of_any_bytes_has_a_readable_label(bench: Bench) -> None:
    bench.call(b"SET", b'\xff"\n', b"a", b"POINT", b"1", b"2")
    bench.call(b"SET", b'\xfe"\n', b"a", b"STRING", b"x")
    found = scraped(bench)["tile38_collection_points"]
    assert found == {('\\xff"\n',): 1, ('\\xfe"\n',): 0}


def test_figures_are_shown_on_a_server_that_refuses_its_clients(bench: Bench) -> None:
    bench.call("SET", "fleet", "a", "POINT", "1", "2")
    bench.gates.requires_password = True
    bench.gates.is_read_only = True
    bench.gates.apply()
    assert scraped(bench)["tile38_collection_points"] == {("fleet",): 1}


def test_hooks_messages_are_summed_over_all_hooks(bench: Bench) -> None:
    bench.outbox.total = HookCounters(sent=1, failed=2, retried=3, expired=4, dropped=5, dead=6)
    bench.outbox.waiting_count = 6
    bench.outbox.waiting_bytes = 7
    bench.outbox.oldest_ns = bench.clock.now_ns() - 3 * SECOND
    found = scraped(bench)
    assert {name: samples[()] for name, samples in found.items() if "_hook_" in name} == {
        "tile38_hook_messages_delivered_total": 1,
        "tile38_hook_messages_failed_tries_total": 2,
        "tile38_hook_messages_retries_total": 3,
        "tile38_hook_messages_expired_total": 4,
        "tile38_hook_messages_dropped_total": 5,
        "tile38_hook_messages_dead_total": 6,
        "tile38_hook_queue_messages": 6,
        "tile38_hook_queue_bytes": 7,
        "tile38_hook_queue_oldest_seconds": 3,
        "tile38_hook_queue_max_bytes": 256 << 20,
        "tile38_hook_queue_ttl_seconds": 30,
    }


def test_subscribers_that_were_cut_are_counted(bench: Bench) -> None:
    bench.subscriptions.cut_count = 3
    assert value(bench, "tile38_slow_subscribers_cut_total") == 3


def test_messages_sent_are_those_of_hooks_and_live_connections(bench: Bench) -> None:
    listener = bench.new_client()
    bench.call("SUBSCRIBE", "c", client=listener)
    bench.call("PUBLISH", "c", "text")
    bench.call("PUBLISH", "nobody", "text")
    bench.outbox.total = HookCounters(sent=4)
    assert value(bench, "tile38_messages_sent_total") == 5


def test_a_leader_says_so(bench: Bench) -> None:
    assert scraped(bench)["tile38_replication_info"] == {("", "", "", "leader"): 1}


def test_rewrites_of_the_log_are_counted(bench: Bench) -> None:
    figures = bench.shrinker.figures
    figures.count, figures.failed_count, figures.last_error = 3, 1, "full"
    figures.is_running, figures.written, figures.total = True, 10, 40
    figures.last_ns, figures.size_base = 1_500_000_000, 77
    assert value(bench, "tile38_aof_rewrites_total") == 3
    assert value(bench, "tile38_aof_rewrite_failures_total") == 1
    assert value(bench, "tile38_aof_rewrite_in_progress") == 1
    assert value(bench, "tile38_aof_rewrite_written") == 10
    assert value(bench, "tile38_aof_rewrite_expected") == 40
    assert value(bench, "tile38_aof_rewrite_last_seconds") == 1.5
    assert value(bench, "tile38_aof_rewrite_last_ok") == 0
    assert value(bench, "tile38_aof_base_size_bytes") == 77


def test_followers_are_counted_with_their_lag(bench: Bench) -> None:
    follower = bench.new_client()
    bench.call("AOF", "0", client=follower)
    bench.fake_journal.append(b"x")
    assert follower.listener is not None
    follower.listener.pause()
    bench.fake_journal.flush()
    bench.clock.time_ns += 3 * SECOND
    assert value(bench, "tile38_connected_followers") == 1
    assert value(bench, "tile38_follower_lag_seconds_max") == 3
    assert value(bench, "tile38_follower_messages_dropped_total") == 0


def test_followers_that_announce_themselves_have_labels(bench: Bench) -> None:
    bench.fake_journal.append(b"abc")
    bench.fake_journal.flush()
    for port in range(METRICS_FOLLOWERS_COUNT_MAX + 1):
        follower = bench.new_client()
        bench.call("REPLCONF", "ip-address", "db", client=follower)
        bench.call("REPLCONF", "listening-port", str(port + 1), client=follower)
        bench.call("AOF", "3", client=follower)
    assert scraped(bench)["tile38_follower_offset_bytes"][("db:1",)] == 3
    bench.fake_journal.append(b"d")
    assert follower.listener is not None
    follower.listener.pause()
    bench.fake_journal.flush()
    bench.clock.time_ns += 3 * SECOND
    lags = scraped(bench)["tile38_follower_lag_seconds"]
    assert lags[(f"db:{METRICS_FOLLOWERS_COUNT_MAX + 1}",)] == 3
    assert len(lags) == METRICS_FOLLOWERS_COUNT_MAX


def test_a_follower_shows_its_progress(bench: Bench) -> None:
    assert "tile38_replication_offset_bytes" not in scraped(bench)
    bench.following.leader = LeaderAddress("leader", 9851)
    bench.following.offset = 12
    assert value(bench, "tile38_replication_offset_bytes") == 12
    assert value(bench, "tile38_replication_stale_seconds") == float("inf")
    bench.following.stale_seconds = 7
    assert value(bench, "tile38_replication_stale_seconds") == 7


def test_a_log_that_cannot_be_written_shows(bench: Bench) -> None:
    assert value(bench, "tile38_aof_writable") == 1
    bench.fake_journal.error = "no space left on device"
    assert value(bench, "tile38_aof_writable") == 0


def test_syncs_of_the_log_are_timed(bench: Bench) -> None:
    bench.services.syncs.count, bench.services.syncs.failed_count = 3, 1
    bench.services.syncs.took_ns = 1_500_000_000
    assert value(bench, "tile38_aof_sync_seconds_count") == 3
    assert value(bench, "tile38_aof_sync_seconds_sum") == 1.5
    assert value(bench, "tile38_aof_sync_failures_total") == 1


def test_transactions_are_counted_by_result(bench: Bench) -> None:
    for requests in ("MULTI", "SET f a POINT 1 2", "EXEC"), ("MULTI", "NOPE", "EXEC"):
        for request in requests:
            bench.call(*request.split())
    bench.call("WATCH", "f")
    bench.call("SET", "f", "b", "POINT", "1", "2", client=bench.new_client())
    bench.call("MULTI")
    bench.call("EXEC")
    assert scraped(bench)["tile38_transactions_total"] == {
        ("run",): 1,
        ("refused",): 1,
        ("conflict",): 1,
    }


def test_error_replies_of_the_engine_and_of_the_server_are_counted(bench: Bench) -> None:
    bench.call("SET", "f")
    bench.call("CONFIG", "GET")
    assert value(bench, "tile38_error_replies_total") == 2
    bench.call("SET", "f", "a", "POINT", "1", "2")
    assert value(bench, "tile38_error_replies_total") == 2


def test_scripts_and_their_timeouts_are_counted(bench: Bench) -> None:
    bench.engine.set_script_limit(1)
    bench.call("EVAL", "while true do end", "0")
    assert value(bench, "tile38_timeouts_total") == 1
    bench.call("SCRIPT", "FLUSH")
    bench.call("SCRIPT", "LOAD", "return 1")
    assert value(bench, "tile38_scripts") == 1
    assert value(bench, "tile38_script_text_bytes") == len("return 1")


def test_slow_commands_are_counted(bench: Bench) -> None:
    bench.slow_log.configure(microseconds=0, count_max=1)
    bench.send(b"SERVER\r\nSERVER\r\n")
    assert value(bench, "tile38_slow_commands_total") == 2


def test_tls_connections_and_the_certificate_show(bench: Bench) -> None:
    bench.clients.encrypted = 3
    found = scraped(bench)
    assert found["tile38_tls_connections_received_total"] == {(): 3}
    assert "tile38_tls_certificate_expiry_timestamp_seconds" not in found
    text = MetricsExporter(bench.services, lambda: 1.5e9).collect()().decode()
    assert "tile38_tls_certificate_expiry_timestamp_seconds 1.5e+09\n" in text


def test_memory_is_shown_by_cause(bench: Bench) -> None:
    bench.outbox.memory_bytes = 300
    bench.outbox.connection_count = 2
    found = scraped(bench)
    assert found["tile38_memory_bytes"][("hook_queue",)] == 300
    causes = {"objects", "indexes", "fences", "hook_queue", "clients", "rest"}
    assert {cause for (cause,) in found["tile38_memory_bytes"]} == causes
    assert found["tile38_producers"][()] == 2


def test_commands_are_timed_by_name(bench: Bench) -> None:
    bench.send(b"SET fleet a POINT 1 2\r\nset fleet a POINT 1 2\r\nNOPE x\r\nCONFIG GET x\r\n")
    bench.send(b"TIMEOUT 1 GET fleet a\r\nPING\r\nSUBSCRIBE a\r\nWHATEVER\r\nQUIT\r\n")
    found = scraped(bench)
    counts = {"set": 2, "unknown": 1, "config": 1, "timeout": 1, "ping": 1, "subscribe": 1}
    assert found["tile38_cmd_duration_seconds_count"] == {(n,): c for n, c in counts.items()}
    assert found["tile38_cmd_duration_seconds_sum"][("set",)] > 0
    quantiles = {labels for labels in found["tile38_cmd_duration_seconds"] if labels[0] == "set"}
    assert quantiles == {("set", part) for part in ("0.5", "0.9", "0.95", "0.99")}
    assert found["tile38_cmd_duration_seconds"][("set", "0.5")] > 0
