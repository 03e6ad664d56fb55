// A registry in memory, and images in it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/image/pull.hpp"
#include "runtime/image/push.hpp"
#include "tests/support/fake_registry.hpp"
#include "tests/unit/runtime/image/store_fixture.hpp"

namespace image {

using support::FakeRegistry;
using support::ServedAnswer;
using support::ServedRequest;

class RegistryTest : public StoreFixture {
 protected:
  /// An image of these layers (tars), under `tag`. Returns the digest of its manifest.
  std::string publish(const std::string& tag, const std::vector<std::string>& layers,
                      const std::string& architecture = "amd64") {
    nlohmann::json config = {
        {"architecture", architecture},
        {"os", "linux"},
        {"config", {{"Cmd", {"/x"}}}},
        {"rootfs", {{"type", "layers"}, {"diff_ids", nlohmann::json::array()}}}};
    nlohmann::json manifest = {{"schemaVersion", 2},
                               {"mediaType", media_type::kManifest},
                               {"layers", nlohmann::json::array()}};
    for (const std::string& layer : layers) {
      config["rootfs"]["diff_ids"].push_back(Digest::of(layer).text());
      manifest["layers"].push_back({{"mediaType", media_type::kLayer},
                                    {"digest", registry_.add_blob(layer)},
                                    {"size", layer.size()}});
    }
    const std::string text = config.dump();
    manifest["config"] = {{"mediaType", media_type::kConfig},
                          {"digest", registry_.add_blob(text)},
                          {"size", text.size()}};
    return registry_.add_manifest(tag, manifest.dump(), std::string(media_type::kManifest));
  }

  /// A tar with one file of `size` bytes that do not repeat.
  static std::string big_layer(const std::string& name, std::size_t size, unsigned seed = 1) {
    std::string content(size, '\0');
    for (char& c : content) {
      seed = seed * 1664525U + 1013904223U;
      c = static_cast<char>(seed >> 24U);
    }
    return tar_of(name, content);
  }

  Reference reference(const std::string& rest) const {
    return Reference::parse(registry_.host() + "/" + rest);
  }
  PullOptions options() {
    PullOptions options;
    options.registry = registry_options();
    options.platform = Platform{"linux", "amd64", ""};
    return options;
  }
  RegistryOptions registry_options() {
    RegistryOptions options;
    options.environment = {{"HOME", directory_.path()}};
    options.sleep = [this](std::chrono::milliseconds time) {
      const std::lock_guard lock(mutex_);
      pauses_.push_back(time);
    };
    return options;
  }
  PullResult pull_it(const std::string& rest = "app:1") {
    return pull(store_, reference(rest), options());
  }
  std::string failure_of(const std::string& rest = "app:1") {
    try {
      pull_it(rest);
    } catch (const os::Error& error) {
      return error.what();
    }
    return "it went well";
  }
  std::vector<std::string> downloads() const { return os::list_directory(root() + "/downloads"); }
  std::string content(const Image& image, const std::string& name) {
    return os::read_file(store_.layer_directories(image).front() + "/" + name);
  }

  std::mutex mutex_;
  std::vector<std::chrono::milliseconds> pauses_;
  FakeRegistry registry_{[](const std::string& bytes) { return Digest::of(bytes).text(); }};
};

}  // namespace image
