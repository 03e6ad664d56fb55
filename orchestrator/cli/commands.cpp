#include "orchestrator/cli/commands.hpp"

#include <algorithm>

namespace cli {

namespace {

constexpr Command kCommands[] = {
    {"up", "Create and start containers", up},
    {"down", "Stop and remove containers and networks", down},
    {"ps", "List containers", ps},
    {"logs", "Show what containers have said", logs},
    {"exec", "Run a program in a running container", exec},
    {"attach", "Take over the standard streams of a container", attach},
    {"cp", "Copy files into and out of containers", cp},
    {"export", "Write the files of a container as a tar", export_files},
    {"run", "Run one container of a service beside it", run},
    {"create", "Create containers without starting them", create},
    {"start", "Start containers that exist", start},
    {"stop", "Stop containers, keep them", stop},
    {"restart", "Stop and start containers", restart},
    {"kill", "Send a signal to containers", kill},
    {"pause", "Freeze containers", pause},
    {"unpause", "Let frozen containers go on", unpause},
    {"rm", "Remove stopped containers", rm},
    {"scale", "Set how many containers services have", scale},
    {"wait", "Wait until containers have stopped", wait},
    {"port", "Show where a port is published", port},
    {"top", "Show processes", top},
    {"stats", "Show memory, CPU time and processes", stats},
    {"events", "Follow what happens to containers", events},
    {"ls", "List running projects", ls},
    {"config", "Check the file and show what it means", config},
    {"convert", "", config},
    {"lsp", "Speak the Language Server Protocol, for editors", lsp},
    {"build", "Build images", build},
    {"images", "List the images of the containers", images},
    {"pull", "Fetch images from registries", pull},
    {"push", "Send images to registries", push},
    {"tag", "Give an image another name", tag},
    {"login", "Tell a registry who you are", login},
    {"logout", "Forget who you are to a registry", logout},
    {"image", "Look at images: inspect, history, prune", image_group},
    {"import", "Make an image from a tar of a file system", import},
    {"load", "Load images from an archive", load},
    {"save", "Write images to an archive", save},
    {"bundle", "Write the stack with its images to one file", bundle},
    {"rmi", "Remove images", rmi},
    {"network", "Make, list and remove networks that stacks share", network},
    {"volume", "Make, list and remove volumes", volume},
    {"volumes", "List the volumes of the project", volumes},
    {"df", "Show what takes how much space", df},
    {"prune", "Remove what nothing uses", prune},
    {"doctor", "Find and repair what a crash left", doctor},
    {"version", "Show the version", version},
    {"supervise", "", supervise},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto* found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                   [&](const Command& command) { return command.name == name; });
  return found == std::end(kCommands) ? nullptr : found;
}

}  // namespace cli
