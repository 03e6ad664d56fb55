// The supervisor's own log: what it was asked and what went wrong, for whoever wants to know.
#pragma once

#include <string>

namespace orchestrator {

/// From now on lines go to this file; before that, to standard output. Throws when it cannot be
/// opened.
void start_log(const std::string& file);

void log_info(const std::string& text);
void log_warning(const std::string& text);
void log_error(const std::string& text);

}  // namespace orchestrator
