#include "tests/support/stack_fixture.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "runtime/os/error.hpp"

namespace support {

namespace {

namespace fs = std::filesystem;

std::string replace_all(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

bool environment_has(const std::string& pid, const std::string& entry) {
  try {
    const std::string all = os::read_file_if_exists("/proc/" + pid + "/environ").value_or("");
    return ('\0' + all).find('\0' + entry + '\0') != std::string::npos;
  } catch (const os::Error&) {
    return false;  // it ended meanwhile
  }
}

// Processes that were started with our run directory: commands, supervisors and monitors.
std::vector<pid_t> processes_of(const std::string& run_directory) {
  std::vector<pid_t> found;
  for (const std::string& name : os::list_directory("/proc"))
    if (std::isdigit(static_cast<unsigned char>(name.front())) != 0 &&
        environment_has(name, "STACK_RUN_DIR=" + run_directory))
      found.push_back(std::stoi(name));
  return found;
}

void kill_now(pid_t pid) {
  if (const auto process = os::Pidfd::open(pid)) process->send_signal(SIGKILL);
}

// Everything in a directory that is not a lock: locks may stay, they hold nothing.
void list_files(const std::string& directory, std::vector<std::string>& found) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory, error))
    if (!entry.is_directory(error) &&
        entry.path().filename().string().find("lock") == std::string::npos)
      found.push_back("file: " + entry.path().string());
}

}  // namespace

StackTest::StackTest() : root_("/var/tmp", "stack-e2e-") {
  const std::string path = root_.path();
  project_ = "e2e" + path.substr(path.rfind('-') + 1);
  std::transform(project_.begin(), project_.end(), project_.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  directory_ = path + "/" + project_;
  os::make_directories(directory_, 0755);
  environment_ = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                  {"HOME", path},
                  {"LC_ALL", "C.UTF-8"},
                  {"STACK_DATA_DIR", data_directory()},
                  {"STACK_RUN_DIR", run_directory()}};
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) environment_[name] = value;
}

void StackTest::SetUp() {
  ASSERT_EQ(::geteuid(), 0U) << "end-to-end tests need root: they make namespaces and mounts";
  before_ = HostSnapshot::take();
  CommandOptions options;
  options.input = TEST_IMAGE;
  const Output imported =
      stack({"import", "--change", R"(CMD ["probe","serve"])", "-", kImage}, options);
  ASSERT_THAT(imported, ExitsWith(0));
}

void StackTest::TearDown() {
  if (::geteuid() != 0) return;
  if (fs::exists(directory_ + "/compose.yaml"))
    stack({"down", "--volumes", "--timeout", "0", "--remove-orphans"});
  expect_nothing_left();
  clear_away();
}

void StackTest::write(const std::string& name, const std::string& text, mode_t mode) const {
  const std::string path = directory_ + "/" + name;
  os::make_directories(fs::path(path).parent_path().string(), 0755);
  os::write_file_atomic(path, text, mode);
}

void StackTest::manifest(const std::string& text) const {
  write("compose.yaml", replace_all(text, "IMAGE", kImage));
}

CommandOptions StackTest::with_defaults(CommandOptions options) const {
  for (const auto& [name, value] : environment_) options.environment.emplace(name, value);
  if (options.working_directory == "/") options.working_directory = directory_;
  return options;
}

Output StackTest::stack(const std::vector<std::string>& arguments, milliseconds timeout) const {
  CommandOptions options;
  options.timeout = timeout;
  return stack(arguments, options);
}

Output StackTest::stack(const std::vector<std::string>& arguments, CommandOptions options) const {
  const milliseconds timeout = options.timeout;
  return start(arguments, std::move(options)).wait(timeout);
}

Command StackTest::start(const std::vector<std::string>& arguments, CommandOptions options) const {
  std::vector<std::string> all = {stack_executable()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Command(all, with_defaults(std::move(options)));
}

std::string StackTest::must(const std::vector<std::string>& arguments) const {
  const Output output = stack(arguments);
  EXPECT_THAT(output, ExitsWith(0)) << "stack " << ::testing::PrintToString(arguments);
  return output.out;
}

void StackTest::up(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"up", "-d"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  must(all);
}

Output StackTest::probe(const std::string& service,
                        const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"exec", "-T", service, "probe"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return stack(all);
}

std::string StackTest::ask(const std::string& service,
                           const std::vector<std::string>& arguments) const {
  const Output output = probe(service, arguments);
  EXPECT_THAT(output, ExitsWith(0)) << "probe " << ::testing::PrintToString(arguments);
  return output.out;
}

std::vector<nlohmann::json> StackTest::containers() const {
  return json_lines(must({"ps", "--all", "--format", "json"}));
}

nlohmann::json StackTest::container(const std::string& service, int number) const {
  const std::vector<nlohmann::json> all = containers();
  const std::string name = project_ + "-" + service + "-" + std::to_string(number);
  for (const nlohmann::json& one : all)
    if (one.value("Name", "") == name) return one;
  for (const nlohmann::json& one : all)  // one with a container_name
    if (number == 1 && one.value("Service", "") == service) return one;
  return {};
}

std::string StackTest::state(const std::string& service, int number) const {
  const nlohmann::json one = container(service, number);
  return one.is_null() ? std::string() : one.value("State", "");
}

std::string StackTest::id(const std::string& service, int number) const {
  const nlohmann::json one = container(service, number);
  return one.is_null() ? std::string() : one.value("ID", "").substr(0, 12);
}

nlohmann::json StackTest::state_record(const std::string& service, int number) const {
  const std::string path = run_directory() + "/containers/" + id(service, number) + "/state.json";
  return nlohmann::json::parse(os::read_file(path));
}

nlohmann::json StackTest::record(const std::string& service, int number) const {
  const std::string path = data_directory() + "/containers/" + id(service, number) + "/record.json";
  return nlohmann::json::parse(os::read_file(path));
}

pid_t StackTest::init_pid(const std::string& service, int number) const {
  return state_record(service, number).at("init").at("pid").get<pid_t>();
}

std::optional<pid_t> StackTest::find_init_pid(const std::string& service, int number) const {
  const std::string path = run_directory() + "/containers/" + id(service, number) + "/state.json";
  const auto text = os::read_file_if_exists(path);
  if (!text) return std::nullopt;
  const nlohmann::json state = nlohmann::json::parse(*text);
  if (!state.contains("init")) return std::nullopt;
  return state["init"].at("pid").get<pid_t>();
}

pid_t StackTest::monitor_pid(const std::string& service, int number) const {
  return state_record(service, number).at("monitor").at("pid").get<pid_t>();
}

std::optional<pid_t> StackTest::supervisor_pid() const {
  for (const pid_t pid : processes_of(run_directory())) {
    const std::string path = "/proc/" + std::to_string(pid) + "/cmdline";
    const std::string command = os::read_file_if_exists(path).value_or("");
    if (command.find(std::string("\0supervise\0", 11)) != std::string::npos) return pid;
  }
  return std::nullopt;
}

int StackTest::published_port(const std::string& service, int target) const {
  const std::string address = must({"port", service, std::to_string(target)});
  const std::size_t colon = address.rfind(':');
  return colon == std::string::npos ? 0 : std::atoi(address.c_str() + colon + 1);
}

std::string StackTest::logs(const std::string& service) const {
  return must({"logs", "--no-log-prefix", "--no-color", service});
}

std::vector<std::string> StackTest::leftovers() const {
  std::vector<std::string> left = HostSnapshot::take().added_since(before_);
  list_files(run_directory(), left);
  list_files(data_directory() + "/containers", left);
  list_files(data_directory() + "/projects", left);
  return left;
}

void StackTest::expect_nothing_left() {
  // The kernel clears a network namespace after its last user is gone, not at once.
  std::vector<std::string> left;
  wait_until([&] { return (left = leftovers()).empty(); }, milliseconds(5000));
  EXPECT_THAT(left, ::testing::IsEmpty()) << "left behind";
}

void StackTest::clear_away() {
  // Only a test that has failed already leaves something for this.
  for (const pid_t pid : processes_of(run_directory())) kill_now(pid);
  for (const std::string& cgroup : stack_cgroups()) {
    if (cgroup.find("/" + project_) == std::string::npos) continue;
    std::istringstream pids(os::read_file_if_exists(cgroup + "/cgroup.procs").value_or(""));
    for (pid_t pid = 0; pids >> pid;) kill_now(pid);
  }
}

std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> result;
  for (const std::string& line : split_lines(text))
    if (!line.empty()) result.push_back(nlohmann::json::parse(line));
  return result;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    result.push_back(line);
  }
  return result;
}

std::string stack_executable() {
  const char* other = std::getenv("STACK_TEST_EXECUTABLE");
  return other != nullptr ? other : STACK_EXECUTABLE;
}

std::string runtime_executable() { return stack_executable() + "-runtime"; }

std::string image_file() { return TEST_IMAGE; }

std::string nss_canary() { return NSS_CANARY; }

std::string examples_directory() { return EXAMPLES_DIRECTORY; }

}  // namespace support
