// What a build takes from shared caches before its first step, and gives to them after its last.
#pragma once

#include "runtime/build/session.hpp"

namespace build {

/// A cache that is not there or not to be had is a warning: the steps run.
void open_shared_caches(Session& session);
/// Throws os::Error for a cache that cannot be written, unless its location says to ignore that.
void write_shared_caches(Session& session);

/// Fills `directory` with what another machine's cache mount of this key held. False, and the
/// directory as it was, when no cache has it.
bool fill_from_shared(Session& session, const std::string& key, const std::string& directory);

}  // namespace build
