// Image archives made by hand, in every form that load() takes.
#include "runtime/image/layer_stack.hpp"
#include "runtime/image/manifest.hpp"
#include "tests/unit/runtime/image/store_fixture.hpp"

namespace image {
namespace {

using support::TarBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

std::string blob_path(const std::string& content) {
  return "blobs/sha256/" + Digest::of(content).hex();
}

Descriptor describe(const std::string& content, std::string_view type) {
  return {std::string(type),
          Digest::of(content),
          static_cast<std::int64_t>(content.size()),
          std::nullopt,
          {}};
}

/// An image of the given layers (uncompressed tars), as documents.
struct SampleImage {
  explicit SampleImage(const std::vector<std::string>& tars, const std::string& platform = "",
                       const std::string& compression = "") {
    ImageConfig image_config;
    image_config.platform = platform.empty() ? host_platform() : parse_platform(platform);
    image_config.cmd = {"run"};
    Manifest document;
    for (const std::string& tar : tars) {
      image_config.diff_ids.push_back(Digest::of(tar));
      layers.push_back(compress(tar, compression));
      document.layers.push_back(describe(
          layers.back(),
          std::string(media_type::kLayer) + (compression.empty() ? "" : "+" + compression)));
    }
    config = format_config(image_config);
    document.config = describe(config, media_type::kConfig);
    manifest = format_manifest(document);
    entry = describe(manifest, media_type::kManifest);
    entry.platform = image_config.platform;
  }

  void put(std::map<std::string, std::string>& files) const {
    for (const std::string& layer : layers) files[blob_path(layer)] = layer;
    files[blob_path(config)] = config;
    files[blob_path(manifest)] = manifest;
  }

  std::vector<std::string> layers;
  std::string config;
  std::string manifest;
  Descriptor entry;
};

/// An OCI layout with these entries in its index.
std::map<std::string, std::string> layout_of(const std::vector<SampleImage>& images,
                                             const std::vector<Descriptor>& entries) {
  std::map<std::string, std::string> files{{"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"}};
  for (const SampleImage& image : images) image.put(files);
  Index index;
  index.manifests = entries;
  files["index.json"] = format_index(index);
  return files;
}

std::string tar_of_files(const std::map<std::string, std::string>& files) {
  TarBuilder tar;
  for (const auto& [name, content] : files) tar.file(name, content);
  return tar.finish();
}

Descriptor named(Descriptor entry, const std::string& name) {
  entry.annotations[std::string(kRefNameAnnotation)] = name;
  return entry;
}

class LoadTest : public StoreFixture {
 protected:
  std::vector<std::string> load(const std::string& archive) {
    return store_.load(stream(archive).get());
  }
  std::vector<std::string> load(const std::map<std::string, std::string>& files) {
    return load(tar_of_files(files));
  }
  void expect_refused(const std::map<std::string, std::string>& files, const std::string& why) {
    try {
      load(files);
      ADD_FAILURE() << "loaded, where this was expected: " << why;
    } catch (const os::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
    EXPECT_TRUE(store_.list().empty());
    EXPECT_TRUE(temporary().empty());
    EXPECT_TRUE(blobs().empty());
    EXPECT_TRUE(layers().empty());
  }

  std::string lower_ = TarBuilder().directory("d").file("d/a", "lower").finish();
  std::string upper_ = TarBuilder().file("d/.wh.a", "").file("d/b", "upper").finish();
};

TEST_F(LoadTest, DockerArchiveWithLinksAndSeveralNames) {
  const SampleImage image({lower_, upper_});
  // The layers come after the manifest, one of them as a link: all orders occur.
  const std::string archive =
      TarBuilder()
          .file("manifest.json", R"([{"Config":"c.json","RepoTags":["app:v1","reg.io/app:v2"],)"
                                 R"("Layers":["1/layer.tar","2/layer.tar"]}])")
          .symlink("2/layer.tar", "../shared/layer.tar")
          .file("shared/layer.tar", upper_)
          .file("1/layer.tar", lower_)
          .file("c.json", image.config)
          .finish();
  EXPECT_THAT(load(archive), ElementsAre("docker.io/library/app:v1", "reg.io/app:v2"));
  const auto found = store_.find("app:v1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, Digest::of(image.config)) << "the id is that of the configuration's bytes";
  const LayerStack stack(store_.layer_directories(*found));
  EXPECT_EQ(stack.read_file("d/b", 100), "upper");
  EXPECT_EQ(stack.read_file("d/a", 100), std::nullopt);
  expect_sound();
}

TEST_F(LoadTest, DockerArchiveOutsideAndLayersCompressed) {
  const SampleImage image({lower_});
  const std::string archive = tar_of_files(
      {{"manifest.json", R"([{"Config":"c.json","RepoTags":null,"Layers":["l.tar"]}])"},
       {"c.json", image.config},
       {"l.tar", compress(lower_, "gzip")}});
  EXPECT_THAT(load(compress(archive, "xz")), ElementsAre(Digest::of(image.config).text()));
  EXPECT_TRUE(store_.find(Digest::of(image.config).text()));
  expect_sound();
}

TEST_F(LoadTest, OciArchiveKeepsTheManifestsBytes) {
  const SampleImage image({lower_, upper_}, "", "zstd");
  EXPECT_THAT(load(layout_of({image}, {named(image.entry, "reg.io/team/app:v1")})),
              ElementsAre("reg.io/team/app:v1"));
  EXPECT_EQ(store_.find("reg.io/team/app:v1")->manifest, Digest::of(image.manifest));
  expect_sound();
  EXPECT_THAT(load(layout_of({image}, {named(image.entry, "other:1")})),
              ElementsAre("docker.io/library/other:1"));
  EXPECT_EQ(store_.find("other:1")->names.size(), 2U);
}

TEST_F(LoadTest, OciLayoutDirectory) {
  const SampleImage image({lower_});
  const std::string path = directory_.path() + "/layout";
  for (const auto& [name, content] : layout_of({image}, {image.entry})) {
    os::make_directories(std::filesystem::path(path + "/" + name).parent_path().string());
    os::write_file_atomic(path + "/" + name, content);
  }
  EXPECT_THAT(store_.load(path), ElementsAre(Digest::of(image.config).text()));
  expect_sound();
  // What the store writes is a layout itself.
  Store second(directory_.path() + "/second");
  EXPECT_EQ(second.load(root()).size(), 1U);
  EXPECT_EQ(second.list().at(0).id, Digest::of(image.config));
}

TEST_F(LoadTest, HybridTakesNamesFromTheManifestList) {
  const SampleImage image({lower_});
  auto files = layout_of({image}, {named(image.entry, "v1")});
  files["manifest.json"] = R"([{"Config":")" + blob_path(image.config) +
                           R"(","RepoTags":["app:v1"],"Layers":[")" + blob_path(lower_) + R"("]}])";
  EXPECT_THAT(load(files), ElementsAre("docker.io/library/app:v1"));
}

TEST_F(LoadTest, AnIndexGivesThePlatformAskedFor) {
  const SampleImage arm({lower_}, "linux/arm64");
  const SampleImage amd({upper_}, "linux/amd64");
  Index index;
  index.manifests = {arm.entry, amd.entry};
  const std::string nested = format_index(index);
  auto files = layout_of({arm, amd}, {named(describe(nested, media_type::kIndex), "app:v1")});
  files[blob_path(nested)] = nested;
  LoadOptions options;
  options.platform = parse_platform("linux/arm64");
  store_.load(stream(tar_of_files(files)).get(), options);
  EXPECT_EQ(store_.find("app:v1")->manifest, Digest::of(arm.manifest));
  options.platform = parse_platform("linux/amd64");
  store_.load(stream(tar_of_files(files)).get(), options);
  EXPECT_EQ(store_.find("app:v1")->manifest, Digest::of(amd.manifest));
  options.platform = parse_platform("linux/riscv64");
  EXPECT_THROW(store_.load(stream(tar_of_files(files)).get(), options), os::Error);
}

TEST_F(LoadTest, SharedLayersAreUnpackedOnce) {
  const SampleImage base({lower_});
  const SampleImage derived({lower_, upper_});
  load(layout_of({base, derived}, {named(base.entry, "base:1"), named(derived.entry, "app:1")}));
  EXPECT_EQ(layers().size(), 2U);
  EXPECT_EQ(store_.layer_directories(*store_.find("base:1"))[0],
            store_.layer_directories(*store_.find("app:1"))[1]);
}

TEST_F(LoadTest, WrongDigestsAreRefused) {
  const SampleImage image({lower_});
  auto files = layout_of({image}, {named(image.entry, "app:1")});
  files[blob_path(lower_)] = upper_;
  expect_refused(files, "is damaged");

  files = layout_of({image}, {named(image.entry, "app:1")});
  files[blob_path(image.config)] = "{}";
  expect_refused(files, "is damaged");

  Descriptor larger = image.entry;
  larger.size += 1;
  expect_refused(layout_of({image}, {larger}), "announced");
}

TEST_F(LoadTest, AWrongDiffIdIsRefused) {
  const SampleImage image({lower_});
  expect_refused({{"manifest.json", R"([{"Config":"c","RepoTags":["app:1"],"Layers":["l"]}])"},
                  {"c", image.config},
                  {"l", upper_}},
                 "a layer's content has digest");
  expect_refused({{"manifest.json", R"([{"Config":"c","RepoTags":["app:1"],"Layers":[]}])"},
                  {"c", image.config}},
                 "diff ids");
}

TEST_F(LoadTest, AWrongDiffIdIsRefusedThoughTheLayerIsThere) {
  const SampleImage good({lower_});
  load(layout_of({good}, {named(good.entry, "app:1")}));
  // Claims the layer that is unpacked already, and brings another blob for it.
  auto files = std::map<std::string, std::string>{
      {"manifest.json", R"([{"Config":"c","RepoTags":["evil:1"],"Layers":["l"]}])"},
      {"c", good.config},
      {"l", upper_}};
  EXPECT_THROW(load(files), os::Error);
  EXPECT_FALSE(store_.find("evil:1"));
}

TEST_F(LoadTest, WhatIsNoImageArchiveIsRefused) {
  expect_refused({{"file", "x"}}, "no image archive");
  expect_refused({{"manifest.json", "{}"}}, "not a JSON array");
  expect_refused({{"manifest.json", "[]"}}, "no image that can be run");
  expect_refused({{"manifest.json", R"([{"Config":"../../../etc/passwd","Layers":[]}])"}},
                 "leaves the root");
  expect_refused({{"manifest.json", R"([{"Config":"c","Layers":[]}])"}}, "missing");
  EXPECT_THROW(load("nonsense"), os::Error);
  EXPECT_THROW(store_.load(directory_.path() + "/missing"), os::Error);
}

TEST_F(LoadTest, LinksInAnArchiveAreNames) {
  const std::string looped =
      TarBuilder().symlink("manifest.json", "a").symlink("a", "manifest.json").finish();
  EXPECT_THROW(load(looped), os::Error);
  EXPECT_THROW(load(TarBuilder().symlink("manifest.json", "/etc/passwd").finish()), os::Error);
}

}  // namespace
}  // namespace image
