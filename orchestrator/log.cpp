#include "orchestrator/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

namespace orchestrator {

void start_log(const std::string& file) {
  auto log = spdlog::basic_logger_mt("supervisor", file);
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(log));
}

void log_info(const std::string& text) { spdlog::info("{}", text); }
void log_warning(const std::string& text) { spdlog::warn("{}", text); }
void log_error(const std::string& text) { spdlog::error("{}", text); }

}  // namespace orchestrator
