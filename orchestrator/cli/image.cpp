// `image inspect|history|ls|prune`, `tag` and `save`.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "orchestrator/cli/space.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/cli/time_text.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/save.hpp"
#include "runtime/image/timestamp.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

image::Image find_image(const image::Store& store, const std::string& name) {
  auto image = store.find(name);
  if (!image) throw os::Error("no such image: " + name);
  return *std::move(image);
}

/// As `docker image inspect` shows it, as far as it makes sense here.
Json inspection(const image::Store& store, const image::Image& image) {
  const Json config = Json::parse(store.layout().read_document(image.id));
  Json tags = Json::array();
  Json digests = Json::array();
  for (const std::string& name : image.names) {
    image::Reference reference = image::Reference::parse(name);
    if (!reference.digest) tags.push_back(reference.familiar());
    const auto pulled = image::pull_record(store, reference);
    reference.tag.clear();
    reference.digest = pulled ? pulled->digest : image.manifest;
    if (pulled) digests.push_back(reference.familiar());
  }
  Json diff_ids = Json::array();
  for (const image::Digest& id : image.diff_ids) diff_ids.push_back(id.text());
  return {{"Id", image.id.text()},
          {"RepoTags", std::move(tags)},
          {"RepoDigests", std::move(digests)},
          {"Digest", image.manifest.text()},
          {"Created", image.created ? image::format_timestamp(*image.created) : ""},
          {"Author", image.config.author},
          {"Architecture", image.config.platform.architecture},
          {"Variant", image.config.platform.variant},
          {"Os", image.config.platform.os},
          {"Size", image.size},
          {"Config", config.value("config", Json::object())},
          {"RootFS", {{"Type", "layers"}, {"Layers", std::move(diff_ids)}}}};
}

int inspect(const image::Store& store, const std::vector<std::string>& names,
            const std::string& format) {
  Json all = Json::array();
  for (const std::string& name : names) all.push_back(inspection(store, find_image(store, name)));
  if (format.empty() || format == "json") {
    write_out(all.dump(4, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  }
  for (const Json& each : all) write_out(fill_template(format, each) + "\n");
  return 0;
}

int history(const image::Store& store, const std::string& name, const std::string& format,
            bool whole) {
  const image::Image image = find_image(store, name);
  const image::Manifest manifest = store.layout().manifest_of(image.manifest);
  const Time now = std::chrono::system_clock::now();
  Table table({"IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"});
  std::vector<Json> objects;
  std::size_t layer = 0;
  for (const image::HistoryEntry& entry : image.config.history) {
    std::int64_t size = 0;
    if (!entry.empty_layer && layer < manifest.layers.size()) size = manifest.layers[layer++].size;
    objects.push_back(
        {{"ID", "<missing>"},
         {"CreatedAt", entry.created ? image::format_timestamp(*entry.created) : ""},
         {"CreatedSince", entry.created ? duration_text(now - *entry.created) + " ago" : "N/A"},
         {"CreatedBy", entry.created_by},
         {"Size", size_text(size)},
         {"Comment", entry.comment}});
  }
  std::reverse(objects.begin(), objects.end());
  if (!objects.empty()) objects.front()["ID"] = whole ? image.id.text() : image.id.short_id();
  for (const Json& object : objects) {
    const std::string by = object["CreatedBy"];
    table.add({object["ID"], object["CreatedSince"], whole ? by : shorten(by, 45), object["Size"],
               object["Comment"]});
  }
  write_out(render_rows(format, table, objects));
  return 0;
}

void save_to(const image::Store& store, const std::vector<image::SavedImage>& images,
             const std::string& output) {
  if (output.empty()) return image::save_images(store, images, STDOUT_FILENO);
  write_beside(output, [&](int fd) { image::save_images(store, images, fd); });
}

}  // namespace

void write_beside(const std::string& path, const std::function<void(int)>& write) {
  const std::string temporary = path + ".unfinished-" + std::to_string(::getpid());
  try {
    const os::UniqueFd fd = os::open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd.get());
    os::check(::rename(temporary.c_str(), path.c_str()),
              [&] { return "rename '" + temporary + "' to '" + path + "'"; });
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

int image_group(Invocation& invocation) {
  std::vector<std::string> words;
  std::string format;
  bool whole = false;
  PruneFlags prune_flags;
  CommandLine& line = invocation.line;
  line.option("--format", format, "FORMAT", "table, json or TEMPLATE");
  line.flag("--no-trunc", whole, "Show instructions whole");
  declare_prune_flags(line, prune_flags);
  line.arguments("inspect|history IMAGE... | prune", words, 1);
  line.example("stack image inspect web:1", "its configuration, layers and digests");
  line.example("stack image inspect --format '{{.Architecture}}' web:1", "one of them");
  line.example("stack image history web:1", "how it was made");
  line.example("stack image prune -a", "remove images that no container uses");
  if (!line.parse()) return 0;
  const std::string verb = words.front();
  words.erase(words.begin());
  require_root(invocation);
  if (verb == "prune") return prune_images(invocation, prune_flags);
  if (verb != "inspect" && verb != "history")
    throw UsageError("unknown command \"" + verb +
                     "\": use inspect, history or prune; `stack images`, `stack rmi`, `stack "
                     "pull` and `stack push` are commands of their own");
  if (words.empty()) throw UsageError("requires the name of an image");
  const image::Store store(invocation.paths.images());
  if (verb == "inspect") return inspect(store, words, format);
  return history(store, words.front(), format.empty() ? "table" : format, whole);
}

int tag(Invocation& invocation) {
  std::vector<std::string> words;
  CommandLine& line = invocation.line;
  line.arguments("IMAGE NAME", words, 2, 2);
  line.example("stack tag web:1 localhost:5000/web:1", "a name that `push` can use");
  if (!line.parse()) return 0;
  require_root(invocation);
  image::Store store(invocation.paths.images());
  store.tag(find_image(store, words.front()), words.back());
  return 0;
}

int save(Invocation& invocation) {
  std::vector<std::string> words;
  std::string output;
  CommandLine& line = invocation.line;
  line.option("-o,--output", output, "FILE", "Write to a file; else standard output");
  line.arguments("IMAGE...", words, 1);
  line.example("stack save web:1 | docker load", "hand an image to Docker");
  line.example("stack save -o images.tar web:1 db:2", "several in one file; `stack load` reads it");
  if (!line.parse()) return 0;
  require_root(invocation);
  if (output.empty() && ::isatty(STDOUT_FILENO) == 1)
    throw UsageError("cannot write an archive to a terminal: use --output FILE or redirect it");
  const image::Store store(invocation.paths.images());
  std::vector<image::SavedImage> images;
  for (const std::string& word : words) {
    image::Image image = find_image(store, word);
    std::vector<std::string> names;
    try {
      const std::string name = image::Reference::parse(word).text();
      if (std::find(image.names.begin(), image.names.end(), name) != image.names.end())
        names.push_back(name);
    } catch (const os::Error&) {
      // An id: the image goes without a name, as with Docker.
    }
    images.push_back({std::move(image), std::move(names)});
  }
  save_to(store, images, output);
  return 0;
}

}  // namespace cli
