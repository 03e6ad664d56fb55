// `cp` and `export`: files into and out of containers.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "orchestrator/cli/commands.hpp"
#include "orchestrator/cli/console.hpp"
#include "orchestrator/cli/container_view.hpp"
#include "orchestrator/cli/copy_place.hpp"
#include "orchestrator/cli/project.hpp"
#include "orchestrator/cli/request.hpp"
#include "orchestrator/container_root.hpp"
#include "runtime/image/tree_extract.hpp"
#include "runtime/image/tree_pack.hpp"
#include "runtime/os/error.hpp"

namespace cli {

namespace {

struct CopyFlags {
  std::vector<std::string> words;
  int index = 0;
  bool all = false;
  bool archive = false;
  bool follow_link = false;
};

os::UniqueFd root_of(const Invocation& invocation, const ContainerView& view) {
  const bool up = view.is_up() && view.monitor && view.monitor->init;
  return orchestrator::open_container_root(invocation.paths, view.record,
                                           up ? view.monitor->init->pid : 0);
}

std::vector<ContainerView> containers_of(const Invocation& invocation, const std::string& project,
                                         const std::string& service, const CopyFlags& flags) {
  auto views = view_containers(invocation.paths, project);
  std::erase_if(views, [&](const ContainerView& view) {
    return view.record.service != service || (view.record.oneoff && !flags.all) ||
           (flags.index > 0 && view.record.number != flags.index);
  });
  if (views.empty())
    throw os::Error("no container found for service \"" + service + "\"" +
                    (flags.index > 0 ? " with number " + std::to_string(flags.index) : ""));
  std::sort(views.begin(), views.end(), [](const ContainerView& one, const ContainerView& other) {
    return one.record.number < other.record.number;
  });
  return views;
}

std::string on_host(const std::string& path) { return std::filesystem::absolute(path).string(); }

/// Packs on a thread of its own what `unpack` takes from the other end of a pipe.
void stream(int object, const std::string& name,
            const std::function<void(const image::ByteSource&)>& unpack) {
  os::Pipe pipe = os::make_pipe();
  std::exception_ptr failure;
  std::thread packer([&, end = std::move(pipe.write)]() mutable {
    try {
      image::pack_tree(object, name, end.get());
    } catch (...) {
      failure = std::current_exception();
    }
    end.reset();
  });
  std::exception_ptr unpack_failure;
  try {
    unpack(image::read_source(pipe.read.get(), "the files"));
  } catch (...) {
    unpack_failure = std::current_exception();
  }
  pipe.read.reset();  // a packer that still writes fails
  packer.join();
  if (unpack_failure) std::rethrow_exception(unpack_failure);
  if (failure) std::rethrow_exception(failure);
}

void copy_into(int root, const std::string& path, const CopySource& source,
               const image::ExtractOptions& options) {
  const CopyTarget target =
      choose_copy_target(root, path, source.name, source.is_directory, source.content_only);
  stream(source.object.get(), target.name, [&](const image::ByteSource& bytes) {
    image::extract_tree(bytes, root, target.directory, options);
  });
}

void copy_out(const Invocation& invocation, const ContainerView& view, const std::string& from,
              const CopyEnd& to, const CopyFlags& flags) {
  const os::UniqueFd root = root_of(invocation, view);
  CopySource source;
  try {
    source = open_copy_source(root.get(), from, flags.follow_link);
  } catch (const os::Error& error) {
    if (error.code() != ENOENT) throw;
    throw os::Error("Could not find the file " + from + " in container " + view.record.name);
  }
  if (to.is_stream())
    return image::pack_tree(source.object.get(), source.content_only ? "." : source.name,
                            STDOUT_FILENO);
  // What a container holds must not become a program of ours with more rights than its caller.
  const image::ExtractOptions options{.keep_owner = flags.archive};
  const os::UniqueFd host = os::open_file("/", O_PATH | O_DIRECTORY);
  copy_into(host.get(), on_host(to.path), source, options);
}

void copy_in(const Invocation& invocation, const ContainerView& view, const CopyEnd& from,
             const std::string& to, const CopyFlags& flags) {
  const image::ExtractOptions options{
      .keep_owner = flags.archive, .keep_special = true, .follow_links = true};
  const os::UniqueFd root = root_of(invocation, view);
  if (from.is_stream())
    return image::extract_tree(image::read_source(STDIN_FILENO, "standard input"), root.get(), to,
                               options);
  const os::UniqueFd host = os::open_file("/", O_PATH | O_DIRECTORY);
  const CopySource source = open_copy_source(host.get(), on_host(from.path), flags.follow_link);
  copy_into(root.get(), to, source, options);
}

}  // namespace

int cp(Invocation& invocation) {
  CopyFlags flags;
  CommandLine& line = invocation.line;
  line.option("--index", flags.index, "N", "Which container of the service");
  line.flag("--all", flags.all, "Containers of `run` too");
  line.flag("-a,--archive", flags.archive, "Keep owners (else all is root's)");
  line.flag("-L,--follow-link", flags.follow_link, "Copy what the source links to");
  line.arguments("SERVICE:PATH PATH|- | PATH|- SERVICE:PATH", flags.words, 2, 2);
  line.example("stack cp web:/etc/nginx .", "a directory out of the first container");
  line.example("stack cp page.html web:/srv/", "a file into all containers of web");
  line.example("stack cp web:/srv/. - | tar -t", "as a tar");
  if (!line.parse()) return 0;
  const CopyEnd from = parse_copy_end(flags.words[0]);
  const CopyEnd to = parse_copy_end(flags.words[1]);
  if (!from.service.empty() && !to.service.empty())
    throw os::Error("copying between services is not supported");
  if (from.service.empty() && to.service.empty()) throw os::Error("unknown copy direction");
  if (to.is_stream() && ::isatty(STDOUT_FILENO) == 1)
    throw os::Error("a tar is not written to a terminal: redirect it");
  require_root(invocation);
  const std::string& service = from.service.empty() ? to.service : from.service;
  const Project project = find_project(invocation, {service});
  auto views = containers_of(invocation, project.name, service, flags);
  if (!from.service.empty() || from.is_stream()) views.resize(1);
  EventPrinter progress(invocation.style);
  for (const ContainerView& view : views) {
    progress.print(
        orchestrator::protocol::progress("Container", view.record.name, "Copying", false));
    if (from.service.empty())
      copy_in(invocation, view, from, to.path, flags);
    else
      copy_out(invocation, view, from.path, to, flags);
    progress.print(orchestrator::protocol::progress("Container", view.record.name, "Copied", true));
  }
  progress.finish();
  return 0;
}

int export_files(Invocation& invocation) {
  std::vector<std::string> services;
  std::string output;
  CopyFlags flags;
  CommandLine& line = invocation.line;
  line.option("-o,--output", output, "FILE", "Write there, not to standard output");
  line.option("--index", flags.index, "N", "Which container of the service");
  line.arguments("SERVICE", services, 1, 1);
  line.example("stack export web > web.tar", "the files of a container, without its volumes");
  line.example("stack export web | stack import - web:saved", "as an image");
  if (!line.parse()) return 0;
  if (output.empty() && ::isatty(STDOUT_FILENO) == 1)
    throw os::Error("a tar is not written to a terminal: use --output or redirect it");
  require_root(invocation);
  const Project project = find_project(invocation, services);
  const ContainerView view =
      containers_of(invocation, project.name, services.front(), flags).front();
  const os::UniqueFd root = orchestrator::open_container_layers(invocation.paths, view.record);
  os::UniqueFd file;
  if (!output.empty()) file = os::open_file(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  image::pack_tree(root.get(), ".", file ? file.get() : STDOUT_FILENO);
  return 0;
}

}  // namespace cli
