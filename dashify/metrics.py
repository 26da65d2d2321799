"""What Dashify counts and times, in Prometheus's terms. One process, one registry."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

http_requests = Counter("dashify_http_requests_total", "HTTP requests answered", ["method", "route", "status"])
http_seconds = Histogram("dashify_http_request_seconds", "Time to answer an HTTP request", ["route"], buckets=_LATENCY)
socket_events = Counter("dashify_socket_events_total", "Socket events received, by outcome", ["event", "outcome"])
sockets_open = Gauge("dashify_sockets_open", "Open sockets of signed-in people on this instance")
lane_batch = Histogram("dashify_lane_batch_changes", "Channel changes committed together",
                       buckets=(1, 2, 4, 8, 16, 32, 64))
lane_seconds = Histogram("dashify_lane_commit_seconds", "Time to commit a batch of channel changes", buckets=_LATENCY)
lane_retries = Counter("dashify_lane_retries_total", "Channel transactions tried again after a conflict")
redis_available = Gauge("dashify_redis_available", "1 while the Redis of a role serves this process", ["role"])
published = Counter("dashify_published_total", "Messages handed to Redis pub/sub, by outcome", ["outcome"])
loop_lag_seconds = Gauge("dashify_loop_lag_seconds", "How late the event loop woke in the last second")
jobs_finished = Counter("dashify_jobs_finished_total", "Jobs that ended a run, by outcome",
                        ["queue", "kind", "outcome"])
job_seconds = Histogram("dashify_job_seconds", "Run time of jobs", ["queue", "kind"],
                        buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300))
queue_jobs = Gauge("dashify_queue_jobs", "Jobs in each state, counted by the scheduler that leads", ["queue", "state"])
queue_oldest_seconds = Gauge("dashify_queue_oldest_seconds", "How long the first due job has waited", ["queue"])
queue_workers = Gauge("dashify_queue_workers", "Live worker processes", ["queue"])
model_calls = Counter("dashify_model_calls_total", "Calls to model hosts, by outcome", ["host", "kind", "outcome"])
model_tokens = Counter("dashify_model_tokens_total", "Tokens that model hosts read (prompt) and wrote (answer)",
                       ["host", "kind"])
model_first_token_seconds = Histogram("dashify_model_first_token_seconds", "Time to the first token of a chat",
                                      ["host"], buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120))
model_waiting = Gauge("dashify_model_waiting", "Questions of this process that wait for a model host")
model_slots_used = Gauge("dashify_model_slots_used", "Slots of a model host that this process holds", ["host"])
model_breaker_open = Gauge("dashify_model_breaker_open", "1 while this process leaves a model host alone",
                           ["host"])
