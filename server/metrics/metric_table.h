// Every metric of the server, in one place: the scrape is compared with it by a test.
#pragma once

#include <string_view>

namespace ddsp::server {

enum class MetricType { kCounter, kGauge, kHistogram };

struct MetricRow {
  std::string_view name;
  MetricType type;
  std::string_view labels;  // separated by commas; "" means none
  std::string_view help;
};

inline constexpr MetricRow kMetricTable[] = {
    {"ddsp_sessions_active", MetricType::kGauge, "model,device", "Sessions that hold a slot."},
    {"ddsp_session_slots", MetricType::kGauge, "model,device", "Sessions that the model can hold."},
    {"ddsp_sessions_started_total", MetricType::kCounter, "model,transport",
     "Sessions that were answered with started."},
    {"ddsp_sessions_ended_total", MetricType::kCounter, "model,reason", "Sessions that ended after their start."},
    {"ddsp_sessions_rejected_total", MetricType::kCounter, "model,reason", "Sessions that were refused."},
    {"ddsp_sessions_shed_total", MetricType::kCounter, "",
     "Live sessions that were sent away, on to another server or not, since all came late (--shed-after-secs)."},
    {"ddsp_sessions_resumed_total", MetricType::kCounter, "model", "Sessions that went on from a snapshot."},
    {"ddsp_session_snapshots_total", MetricType::kCounter, "model", "Snapshots of sessions that were taken."},
    {"ddsp_session_snapshot_bytes", MetricType::kHistogram, "model", "Size of a snapshot, its signature included."},
    {"ddsp_session_setup_seconds", MetricType::kHistogram, "model", "From the config to started."},
    {"ddsp_first_output_seconds", MetricType::kHistogram, "model",
     "From the config to the first audio or features out."},
    {"ddsp_block_latency_seconds", MetricType::kHistogram, "model",
     "From the input that completes a block to the start of its write."},
    {"ddsp_block_queue_seconds", MetricType::kHistogram, "model", "A ready hop's wait for the device."},
    {"ddsp_block_compute_seconds", MetricType::kHistogram, "model", "The step that a hop took part in."},
    {"ddsp_block_encode_seconds", MetricType::kHistogram, "model", "Encoding of a block."},
    {"ddsp_block_deadline_missed_total", MetricType::kCounter, "model",
     "Blocks later than the session's max_block_latency, 40 ms where it names none."},
    {"ddsp_underruns_total", MetricType::kCounter, "model",
     "Gaps that a client hears which plays what it gets, one block held back."},
    {"ddsp_audio_seconds_total", MetricType::kCounter, "model,direction", "Audio taken in and given out."},
    {"ddsp_realtime_factor", MetricType::kGauge, "model,device",
     "Seconds of audio made per second, over the last second."},
    {"ddsp_batch_size", MetricType::kHistogram, "model,device", "Streams of a step."},
    {"ddsp_tick_seconds", MetricType::kHistogram, "model,device", "Duration of a step."},
    {"ddsp_tick_overrun_total", MetricType::kCounter, "model,device", "Steps that took longer than a hop lasts."},
    {"ddsp_device_busy_ratio", MetricType::kGauge, "device",
     "Share of the device threads' time that live sessions took, over about a second."},
    {"ddsp_device_demand_ratio", MetricType::kGauge, "device",
     "Share that all admitted live sessions need at full rate; sessions are refused above --max-device-load."},
    {"ddsp_device_limit_ratio", MetricType::kGauge, "device",
     "Demand above which live sessions are refused (--max-device-load); 0: no bound."},
    {"ddsp_cpu_demand_ratio", MetricType::kGauge, "",
     "Share of the cores, of what other programs leave of them, that all admitted live sessions need at full rate; 0: "
     "not known."},
    {"ddsp_crew_queue_seconds", MetricType::kGauge, "device",
     "Mean wait of what steps gave for a thread that writes it, over about a second."},
    {"ddsp_state_bytes", MetricType::kGauge, "device,kind", "Memory of stream state in slots."},
    {"ddsp_device_memory_bytes", MetricType::kGauge, "device,kind",
     "resident: of the process; limit: of its control group, or of the machine."},
    {"ddsp_memory_reserved_bytes", MetricType::kGauge, "kind",
     "Of the memory budget: what buffers of sessions and bodies of calls may come to."},
    {"ddsp_memory_budget_bytes", MetricType::kGauge, "", "--memory-budget-mib; 0: no bound."},
    {"ddsp_model_load_seconds", MetricType::kHistogram, "model,version", "Loading of a voice, golden test included."},
    {"ddsp_model_state", MetricType::kGauge, "model,version,state", "1 for the state that the voice is in."},
    {"ddsp_server_state", MetricType::kGauge, "state", "1 for the state that the server is in."},
    {"grpc_server_call_started_total", MetricType::kCounter, "method", "Calls that arrived."},
    {"grpc_server_call_duration_seconds", MetricType::kHistogram, "method,status",
     "From a call's arrival to its status."},
    {"ddsp_calls_refused_total", MetricType::kCounter, "reason",
     "Calls without a good token, without the role, or beyond the tenant's quota."},
    {"ddsp_log_lines_dropped_total", MetricType::kCounter, "", "Lines of the log that found no room, or no reader."},
    {"ddsp_trace_spans_total", MetricType::kCounter, "outcome", "Spans: sent to the collector, or dropped."},
    {"process_cpu_seconds_total", MetricType::kCounter, "", "CPU time of the process."},
    {"process_resident_memory_bytes", MetricType::kGauge, "", "Memory that the process holds."},
    {"process_open_fds", MetricType::kGauge, "", "Files and sockets that it has open."},
    {"process_start_time_seconds", MetricType::kGauge, "", "When it was started, in Unix time."},
    {"ddsp_jobs", MetricType::kGauge, "kind,state",
     "Jobs that are not finished; QUEUED and RETRYABLE ones wait for a worker."},
    {"ddsp_jobs_finished_total", MetricType::kCounter, "kind,state", "Jobs that clients and workers have ended."},
    {"ddsp_job_claim_seconds", MetricType::kHistogram, "", "Answers to workers that ask for jobs."},
    {"ddsp_job_wait_seconds", MetricType::kHistogram, "kind", "From when a job could begin to when a worker took it."},
    {"ddsp_job_attempts_total", MetricType::kCounter, "kind", "Jobs that workers took, again and again included."},
    {"ddsp_job_seconds", MetricType::kHistogram, "kind", "From a job's first claim to its end, whatever end."},
    {"ddsp_job_lease_expirations_total", MetricType::kCounter, "", "Workers that went silent with a job."},
    {"ddsp_job_publish_seconds", MetricType::kHistogram, "outcome",
     "Putting a trained voice into service: published, rejected (unfit), failed (to be tried again)."},
    {"ddsp_job_keeper_lag_seconds", MetricType::kGauge, "", "How late the keeper of jobs is with its round."},
    {"ddsp_job_keeper_errors_total", MetricType::kCounter, "",
     "Rounds of the keeper that the database or disk failed."},
    {"ddsp_blob_bytes", MetricType::kGauge, "", "Uploads and results on disk."},
    {"ddsp_blob_quota_bytes", MetricType::kGauge, "", "What they may come to."},
    {"ddsp_blob_uploads", MetricType::kGauge, "", "Uploads under way."},
    {"ddsp_build_info", MetricType::kGauge, "version,commit,cuda", "Always 1."},
};

}  // namespace ddsp::server
