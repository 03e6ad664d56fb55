// Dockerfile instructions that change only an image's configuration, as `import --change` takes
// them: CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "runtime/image/config.hpp"

namespace image {

/// Applies `instructions`, one each, in exec (JSON) or shell form, to `config`, in order. As in a
/// Dockerfile, $NAME and ${NAME} stand for what ENV gave before the instruction (not in CMD,
/// ENTRYPOINT, HEALTHCHECK and SHELL), and an ENTRYPOINT drops an inherited CMD. Throws os::Error
/// that quotes the instruction and says what is wrong with it.
void apply_changes(ImageConfig& config, const std::vector<std::string>& instructions);

}  // namespace image
