// What tests of builds share: a Dockerfile as text, the real program, and a look into what came
// out.
#pragma once

#include "tests/support/stack_fixture.hpp"

namespace e2e {

class BuildTest : public support::StackTest {
 protected:
  /// Builds the project's directory with this Dockerfile as `name`.
  support::Output build(const std::string& dockerfile, std::vector<std::string> arguments = {},
                        const std::string& name = "made") {
    write("Dockerfile", dockerfile);
    arguments.insert(arguments.begin(), {"build", "--progress", "plain", "-t", name});
    arguments.push_back(directory());
    return stack(arguments);
  }
  support::Output must_build(const std::string& dockerfile, std::vector<std::string> arguments = {},
                             const std::string& name = "made") {
    support::Output output = build(dockerfile, std::move(arguments), name);
    EXPECT_THAT(output, support::ExitsWith(0));
    return output;
  }
  /// What a command in a container of the image prints.
  std::string in_image(const std::string& command, const std::string& name = "made") {
    manifest("services: {a: {image: '" + name + "', entrypoint: [], command: ['true']}}\n");
    const support::Output output = stack({"run", "--rm", "-T", "a", "sh", "-c", command});
    EXPECT_THAT(output, support::ExitsWith(0));
    return output.out;
  }
  /// The configuration document of an image, by the id that a build printed.
  nlohmann::json config_of(const support::Output& built) {
    const std::string id = built.out.substr(7, 64);
    return nlohmann::json::parse(os::read_file(data_directory() + "/images/blobs/sha256/" + id));
  }
  static std::size_t layers_of(const nlohmann::json& config) {
    return config["rootfs"]["diff_ids"].size();
  }
};

}  // namespace e2e
