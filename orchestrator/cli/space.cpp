// `df` and `prune`: what takes how much space, and giving back what nothing uses.
#include "orchestrator/cli/space.hpp"

#include <unistd.h>

#include <iostream>

#include "manifests/values.hpp"
#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/registry_session.hpp"
#include "orchestrator/cli/table.hpp"
#include "orchestrator/cli/time_text.hpp"
#include "orchestrator/planning.hpp"
#include "orchestrator/record.hpp"
#include "orchestrator/volumes.hpp"
#include "runtime/build/builder.hpp"
#include "runtime/image/cache_record.hpp"
#include "runtime/image/duration.hpp"
#include "runtime/image/reference.hpp"
#include "runtime/image/usage.hpp"
#include "runtime/os/disk_usage.hpp"
#include "runtime/os/error.hpp"
#include "runtime/os/file.hpp"

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

/// One line of `df`.
struct Row {
  std::string type;
  std::size_t total = 0;
  std::size_t active = 0;
  std::int64_t bytes = 0;
  std::int64_t reclaimable = 0;
};

std::set<std::string> volumes_in_use(const orchestrator::Paths& paths) {
  std::set<std::string> names;
  for (const auto& record : orchestrator::read_records(paths))
    for (const orchestrator::VolumeUse& use : record.volumes) names.insert(use.name);
  return names;
}

Row image_row(const image::StoreUsage& usage, const std::set<image::Digest>& in_use) {
  Row row{.type = "Images", .total = usage.images.size(), .bytes = usage.image_bytes};
  for (const image::ImageUsage& each : usage.images)
    if (in_use.contains(each.image.id)) ++row.active;
  row.reclaimable = usage.image_bytes - usage.active_bytes;
  return row;
}

Row container_row(const orchestrator::Paths& paths, os::DiskUsage& disk) {
  Row row{.type = "Containers"};
  for (const auto& record : orchestrator::read_records(paths)) {
    const std::int64_t bytes = disk.add(paths.container(record.short_id()));
    const auto status = orchestrator::read_status(paths, record.short_id());
    const bool runs = status && (status->state == "running" || status->state == "paused" ||
                                 status->state == "restarting");
    ++row.total;
    row.active += runs ? 1 : 0;
    row.bytes += bytes;
    if (!runs) row.reclaimable += bytes;
  }
  row.bytes += disk.add(paths.containers());
  return row;
}

Row volume_row(const orchestrator::Paths& paths, os::DiskUsage& disk) {
  Row row{.type = "Local Volumes"};
  const std::set<std::string> used = volumes_in_use(paths);
  for (const auto& volume : orchestrator::VolumeStore(paths.volumes()).list()) {
    const std::int64_t bytes = disk.add(paths.volumes() + "/" + volume.name);
    ++row.total;
    row.bytes += bytes;
    if (used.contains(volume.name))
      ++row.active;
    else
      row.reclaimable += bytes;
  }
  row.bytes += disk.add(paths.volumes());
  return row;
}

std::string reclaimable_text(const Row& row) {
  const std::string text = size_text(row.reclaimable);
  if (row.bytes == 0) return text;
  return text + " (" + std::to_string(row.reclaimable * 100 / row.bytes) + "%)";
}

Json row_object(const Row& row) {
  return {{"Type", row.type},
          {"TotalCount", std::to_string(row.total)},
          {"Active", std::to_string(row.active)},
          {"Size", size_text(row.bytes)},
          {"Reclaimable", reclaimable_text(row)},
          {"Bytes", row.bytes},
          {"ReclaimableBytes", row.reclaimable}};
}

std::string verbose_text(const image::StoreUsage& usage) {
  Table table({"REPOSITORY", "TAG", "IMAGE ID", "SIZE", "SHARED SIZE", "UNIQUE SIZE"});
  for (const image::ImageUsage& each : usage.images) {
    std::vector<std::string> names = each.image.names;
    if (names.empty()) names.emplace_back();
    for (const std::string& name : names) {
      std::string repository = "<none>";
      std::string tag = "<none>";
      if (!name.empty()) {
        image::Reference reference = image::Reference::parse(name);
        if (!reference.tag.empty()) tag = reference.tag;
        reference.tag.clear();
        reference.digest.reset();
        repository = reference.familiar();
      }
      table.add({repository, tag, each.image.id.short_id(), size_text(each.bytes),
                 size_text(each.shared), size_text(each.bytes - each.shared)});
    }
  }
  return "\nImages space usage:\n\n" + table.text();
}

bool confirmed(const PruneFlags& flags, const std::string& what) {
  if (flags.force || ::isatty(STDIN_FILENO) != 1) return true;
  write_err("This will remove " + what + ".\nAre you sure you want to continue? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

image::ReclaimOptions reclaim_options(const PruneFlags& flags) {
  image::ReclaimOptions options;
  options.all = flags.all;
  options.until = parse_until(flags.filters, std::chrono::system_clock::now());
  if (!flags.keep.empty()) {
    const auto parsed = manifests::parse_bytes(flags.keep);
    if (const auto* bad = std::get_if<manifests::Unreadable>(&parsed))
      throw UsageError("--keep-storage \"" + flags.keep + "\": " + bad->reason);
    options.keep = std::get<manifests::Bytes>(parsed).value;
  }
  return options;
}

void print_removed(const image::RemoveResult& removed) {
  for (const std::string& name : removed.untagged)
    write_out("untagged: " + image::Reference::parse(name).familiar() + "\n");
  for (const image::Digest& id : removed.deleted) write_out("deleted: " + id.text() + "\n");
}

/// What builds keep, unless it was used during the last week (or since `until`): records of steps,
/// whose layers go with them, and cache mounts.
void prune_build_cache(const orchestrator::Paths& paths, const image::Layout& layout,
                       const image::ReclaimOptions& options) {
  namespace fs = std::filesystem;
  if (options.keep > 0) return;  // what is kept is counted in images; a build's cache is of them
  const auto now = fs::file_time_type::clock::now();
  auto before = options.all ? now + std::chrono::hours(1) : now - std::chrono::hours(7 * 24);
  if (options.until)
    before = now - std::chrono::duration_cast<fs::file_time_type::duration>(
                       std::chrono::system_clock::now() - *options.until);
  const std::string records = image::cache_directory(layout);
  for (const std::string& name : os::list_directory(records)) {
    std::error_code error;
    const auto used = fs::last_write_time(records + "/" + name, error);
    if (!error && used < before) os::remove_tree(records + "/" + name);
  }
  build::prune_mounts(paths.cache(), before, options.all);
}

/// Needs claims_excluded().
void reclaim(const Invocation& invocation, image::Store& store, image::ReclaimOptions options) {
  options.in_use = orchestrator::images_in_use(invocation.paths, store);
  print_removed(store.reclaim(options));
}

/// Volumes of no container: anonymous ones, with `all` those with a name as well.
void prune_volumes(const Invocation& invocation, bool all) {
  orchestrator::VolumeStore store(invocation.paths.volumes());
  const std::set<std::string> used = volumes_in_use(invocation.paths);
  for (const auto& volume : store.list()) {
    if (used.contains(volume.name) || (!volume.anonymous && !all)) continue;
    store.remove(volume.name);
    write_out("deleted volume: " + volume.name + "\n");
  }
}

std::int64_t bytes_of(const std::string& path) { return os::DiskUsage().add(path); }

}  // namespace

void declare_prune_flags(CommandLine& line, PruneFlags& flags) {
  line.flag("-a,--all", flags.all, "Also images that have a name, and the whole build cache");
  line.flag("-f,--force", flags.force, "Do not ask");
  line.list("--filter", flags.filters, "until=TIME", "Only what was made before, or that long ago");
  line.option("--keep-storage", flags.keep, "SIZE", "Stop when no more than this is left");
}

std::optional<image::Timestamp> parse_until(const std::vector<std::string>& filters,
                                            image::Timestamp now) {
  std::optional<image::Timestamp> until;
  for (const std::string& filter : filters) {
    if (!filter.starts_with("until="))
      throw UsageError("invalid filter \"" + filter + "\": use until=TIME");
    const auto time = parse_time(std::string_view(filter).substr(6), now);
    if (!time)
      throw UsageError("invalid filter \"" + filter +
                       "\": give a time (2026-01-31, 2026-01-31T09:30:00Z) or how long ago (24h)");
    until = *time;
  }
  return until;
}

int prune_images(Invocation& invocation, const PruneFlags& flags) {
  const image::ReclaimOptions options = reclaim_options(flags);
  if (!confirmed(flags, flags.all ? "all images without a container using them"
                                  : "all images without a name that no container uses"))
    return 1;
  invocation.paths.make();
  const std::int64_t before = bytes_of(invocation.paths.images());
  image::Store store(invocation.paths.images());
  const os::FileLock alone = store.claims_excluded();
  reclaim(invocation, store, options);
  write_out("Total reclaimed space: " +
            size_text(std::max<std::int64_t>(0, before - bytes_of(invocation.paths.images()))) +
            "\n");
  return 0;
}

int df(Invocation& invocation) {
  std::string format = "table";
  bool verbose = false;
  CommandLine& line = invocation.line;
  line.flag("-v,--verbose", verbose, "Each image by itself");
  line.option("--format", format, "FORMAT", "table, json or TEMPLATE");
  line.example("stack df", "what takes how much, and how much could be had back");
  line.example("stack df --format '{{.Type}}: {{.Bytes}}'", "for programs");
  if (!line.parse()) return 0;
  require_root(invocation);
  const orchestrator::Paths& paths = invocation.paths;
  paths.make();
  const image::Store store(paths.images());
  os::DiskUsage disk;
  const auto in_use = orchestrator::images_in_use(paths, store);
  const image::StoreUsage usage = image::measure(store, in_use, disk);
  std::vector<Row> rows{image_row(usage, in_use), container_row(paths, disk),
                        volume_row(paths, disk)};
  const std::int64_t cache = usage.cache_bytes + disk.add(paths.cache());
  rows.push_back({.type = "Build Cache",
                  .total = image::cache_keys(image::cache_directory(store.layout())).size(),
                  .bytes = cache,
                  .reclaimable = cache});
  const std::int64_t unfinished = disk.add(store.layout().downloads_directory()) +
                                  disk.add(store.layout().temporary_directory()) +
                                  disk.add(store.layout().blob_directory()) +
                                  disk.add(store.layout().layers_directory());
  rows.push_back({.type = "Unfinished", .bytes = unfinished, .reclaimable = unfinished});
  rows.push_back({.type = "Records", .bytes = disk.add(paths.data)});
  Row total{.type = "Total"};
  for (const Row& row : rows) {
    total.bytes += row.bytes;
    total.reclaimable += row.reclaimable;
  }
  rows.push_back(total);
  Table table({"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"});
  std::vector<Json> objects;
  for (const Row& row : rows) {
    const bool counted = row.type != "Unfinished" && row.type != "Records" && row.type != "Total";
    table.add({row.type, counted ? std::to_string(row.total) : "",
               counted ? std::to_string(row.active) : "", size_text(row.bytes),
               reclaimable_text(row)});
    objects.push_back(row_object(row));
  }
  write_out(render_rows(format, table, objects));
  if (verbose && format == "table") write_out(verbose_text(usage));
  return 0;
}

int prune(Invocation& invocation) {
  PruneFlags flags;
  bool volumes = false;
  CommandLine& line = invocation.line;
  declare_prune_flags(line, flags);
  line.flag("--volumes", volumes,
            "Also volumes that no container uses; named ones only with --all");
  line.example("stack prune", "what interrupted work left, and images without a name");
  line.example("stack prune --all", "all images that no container uses, and the build cache");
  line.example("stack prune --all --keep-storage 10GB",
               "the oldest, until no more than that stays");
  if (!line.parse()) return 0;
  if (volumes && !flags.filters.empty())
    throw UsageError("--volumes and --filter until= are incompatible");
  require_root(invocation);
  const image::ReclaimOptions options = reclaim_options(flags);
  std::string what = flags.all ? "all images that no container uses, and the build cache"
                               : "all images without a name that no container uses";
  if (volumes)
    what += flags.all ? ", and all volumes that no container uses"
                      : ", and all anonymous volumes that no container uses";
  if (!confirmed(flags, what)) return 1;
  invocation.paths.make();
  const std::int64_t before = bytes_of(invocation.paths.data);
  image::Store store(invocation.paths.images());
  const os::FileLock alone = store.claims_excluded();
  if (volumes) prune_volumes(invocation, flags.all);
  prune_build_cache(invocation.paths, store.layout(), options);
  reclaim(invocation, store, options);
  write_out("Total reclaimed space: " +
            size_text(std::max<std::int64_t>(0, before - bytes_of(invocation.paths.data))) + "\n");
  return 0;
}

}  // namespace cli
