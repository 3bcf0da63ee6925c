#include <herald/report.hpp>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace herald {

report_sink log_sink(bool verbose) {
  // A logger of its own, not spdlog's default: a library does not change its user's logger.
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("herald", std::move(sink));
  logger->set_level(spdlog::level::info);
  return [logger = std::move(logger), verbose](const report& r) {
    if (r.failure()) {
      logger->log(r.kind == report::gave_up || r.kind == report::zombie ? spdlog::level::err : spdlog::level::warn,
                  r.to_string());
    } else if (verbose) {
      logger->log(spdlog::level::info, r.to_string());
    }
  };
}

}  // namespace herald
