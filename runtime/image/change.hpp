// Dockerfile instructions that change only an image's configuration, as `import --change` takes
// them: CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL STOPSIGNAL USER VOLUME WORKDIR SHELL. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/config.hpp"

namespace image {

/// Applies one instruction, in exec (JSON) or shell form, to `config`. Throws os::Error that quotes
/// the instruction and says what is wrong with it. Variables are not expanded.
void apply_change(ImageConfig& config, std::string_view instruction);

}  // namespace image
