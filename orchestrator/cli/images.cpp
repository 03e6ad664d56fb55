// `images`, `rmi`, `import`, `load`: the image store.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/planning.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/store.hpp"
#include "runtime/image/timestamp.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/fd.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

struct Name {
  std::string repository = "<none>";
  std::string tag = "<none>";
};

Name split_name(const std::string& reference) {
  try {
    const image::Reference parsed = image::Reference::parse(reference);
    image::Reference bare = parsed;
    bare.tag.clear();
    bare.digest.reset();
    return {.repository = bare.familiar(), .tag = parsed.tag.empty() ? "<none>" : parsed.tag};
  } catch (const os::Error&) {
    return {};
  }
}

Json describe(const std::string& container, const std::string& reference,
              const image::Image& image) {
  const Name name = split_name(reference);
  const std::string created = image.created ? image::format_timestamp(*image.created) : "";
  return {{"ID", image.id.text()},
          {"ContainerName", container},
          {"Repository", name.repository},
          {"Tag", name.tag},
          {"Platform", image.config.platform.text()},
          {"Size", image.size},
          {"Created", created},
          {"LastTagTime", created}};
}

/// An object per container of the project, or per name in the store.
std::vector<Json> list_images(const Invocation& invocation, const image::Store& store,
                              const std::optional<Project>& project,
                              const std::vector<std::string>& services) {
  std::vector<Json> objects;
  if (!project) {
    for (const image::Image& image : store.list()) {
      if (image.names.empty()) objects.push_back(describe("", "", image));
      for (const std::string& name : image.names) objects.push_back(describe("", name, image));
    }
    return objects;
  }
  for (const ContainerView& view :
       of_services(view_containers(invocation.paths, project->name), services))
    if (const auto image = store.find(view.record.image_id))
      objects.push_back(describe(view.record.name, view.record.image, *image));
  return objects;
}

std::string images_table(const std::vector<Json>& objects, bool with_containers, Time now) {
  std::vector<std::string> headers{"REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"};
  if (with_containers) headers.insert(headers.begin(), "CONTAINER");
  Table table(std::move(headers));
  for (const Json& object : objects) {
    const std::string created = object["Created"].get<std::string>();
    std::vector<std::string> row{
        object["Repository"],
        object["Tag"],
        object["Platform"],
        object["ID"].get<std::string>().substr(7, 12),
        size_text(object["Size"].get<std::int64_t>()),
        created.empty() ? "N/A" : duration_text(now - time_of(created)) + " ago"};
    if (with_containers) row.insert(row.begin(), object["ContainerName"].get<std::string>());
    table.add(std::move(row));
  }
  return table.text();
}

}  // namespace

int images(Invocation& invocation) {
  std::vector<std::string> services;
  std::string format = "table";
  bool quiet = false;
  bool all = false;
  CommandLine& line = invocation.line;
  line.flag("-a,--all", all, "All images of this machine, not those of the project");
  line.flag("-q,--quiet", quiet, "Only ids");
  line.option("--format", format, "FORMAT", "table or json");
  line.arguments("[SERVICE...]", services);
  line.example("stack images", "what the project's containers were made from");
  line.example("stack images -a", "all that is in the store");
  if (!line.parse()) return 0;
  if (format != "table" && format != "json")
    throw UsageError("unsupported format \"" + format + "\": use table or json");
  require_root(invocation);
  const image::Store store(invocation.paths.images());
  std::optional<Project> project;
  if (!all) project = find_project(invocation, services);
  const std::vector<Json> objects = list_images(invocation, store, project, services);
  if (quiet) {
    std::set<std::string> ids;
    for (const Json& object : objects) ids.insert(object["ID"].get<std::string>().substr(7));
    for (const std::string& id : ids) write_out(id + "\n");
  } else if (format == "json") {
    write_out(Json(objects).dump() + "\n");
  } else {
    write_out(images_table(objects, project.has_value(), std::chrono::system_clock::now()));
  }
  return 0;
}

int import(Invocation& invocation) {
  image::ImportOptions options;
  std::vector<std::string> words;
  std::string platform;
  CommandLine& line = invocation.line;
  line.list("-c,--change", options.changes, "INSTRUCTION",
            "A Dockerfile instruction: CMD ENV EXPOSE USER WORKDIR …");
  line.option("--base", options.base, "IMAGE", "Lay the files on top of this image");
  line.option("-m,--message", options.message, "TEXT", "For the image's history");
  line.option("--platform", platform, "OS/ARCH", "The host's unless given");
  line.arguments("FILE|- [NAME]", words, 1, 2);
  line.example("tar -C tree -c . | stack import - site:1", "an image from a directory");
  line.example("stack import --base site:1 -c 'CMD [\"/serve\"]' more.tar site:2",
               "and one on top of it");
  if (!line.parse()) return 0;
  require_root(invocation);
  if (!platform.empty()) options.platform = image::parse_platform(platform);
  invocation.paths.make();
  image::Store store(invocation.paths.images());
  os::UniqueFd file;
  if (words.front() != "-") file = os::open_file(words.front(), O_RDONLY);
  const int input = file ? file.get() : STDIN_FILENO;
  const image::Image image =
      store.import_tar(input, words.size() > 1 ? words.back() : std::string(), options);
  write_out(image.id.text() + "\n");
  return 0;
}

int load(Invocation& invocation) {
  std::string input;
  bool quiet = false;
  CommandLine& line = invocation.line;
  line.option("-i,--input", input, "FILE", "The archive, or a directory; else standard input");
  line.flag("-q,--quiet", quiet, "Print nothing");
  line.example("docker save nginx | stack load", "take an image over from Docker");
  line.example("stack load -i images.tar.gz", "from a file");
  if (!line.parse()) return 0;
  require_root(invocation);
  invocation.paths.make();
  image::Store store(invocation.paths.images());
  if (input.empty() && ::isatty(STDIN_FILENO) == 1)
    throw UsageError("requested load from stdin, but stdin is a terminal: use --input FILE");
  const auto names = input.empty() ? store.load(STDIN_FILENO) : store.load(input);
  for (const std::string& name : names) {
    if (quiet) break;
    const bool is_id = name.starts_with("sha256:");
    write_out(is_id ? "Loaded image ID: " + name + "\n"
                    : "Loaded image: " + image::Reference::parse(name).familiar() + "\n");
  }
  return 0;
}

int rmi(Invocation& invocation) {
  std::vector<std::string> references;
  bool force = false;
  CommandLine& line = invocation.line;
  line.flag("-f,--force", force, "Take the name from an image that is in use");
  line.arguments("IMAGE...", references, 1);
  line.example("stack rmi site:1", "remove a name, and the image with its last one");
  line.example("stack rmi 4f2a9c", "by the beginning of its id");
  if (!line.parse()) return 0;
  require_root(invocation);
  image::Store store(invocation.paths.images());
  const os::FileLock alone = store.claims_excluded();
  const auto records = orchestrator::read_records(invocation.paths);
  const std::set<image::Digest> in_use = orchestrator::images_in_use(invocation.paths, store);
  for (const std::string& reference : references) {
    const auto image = store.find(reference);
    if (!image) throw os::Error("no such image: " + reference);
    for (const auto& record : records)
      if (!force && record.image_id == image->id.text())
        throw os::Error("image " + reference + " is used by container " + record.name +
                        ": remove that first, or use --force");
    const image::RemoveResult removed = store.remove(reference, force, in_use);
    for (const std::string& name : removed.untagged)
      write_out("Untagged: " + image::Reference::parse(name).familiar() + "\n");
    for (const image::Digest& id : removed.deleted) write_out("Deleted: " + id.text() + "\n");
  }
  return 0;
}

}  // namespace cli
