// containerd's hosts.toml: the part of TOML that such files are written in.
#include <algorithm>

#include "runtime/image/registry_config.hpp"
#include "runtime/image/url.hpp"
#include "runtime/image/words.hpp"
#include "runtime/os/error.hpp"

namespace image {

namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  HostsFile read() {
    for (std::string line; next_line(line);) {
      if (line.empty()) continue;
      if (line.front() == '[') {
        open_table(line);
      } else {
        assign(line);
      }
    }
    return std::move(file_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw os::Error("line " + std::to_string(number_) + ": " + why);
  }

  /// The next line without comment and outer blanks; an array that goes on joins its lines.
  bool next_line(std::string& line) {
    line.clear();
    int depth = 0;
    bool any = false;
    while (!rest_.empty() && (!any || depth > 0)) {
      const auto end = std::min(rest_.find('\n'), rest_.size());
      std::string_view raw = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      any = true;
      char quote = '\0';
      std::string kept;
      for (std::size_t i = 0; i < raw.size(); ++i) {
        const char c = raw[i];
        if (quote != '\0') {
          if (c == quote) quote = '\0';
        } else if (c == '"' || c == '\'') {
          quote = c;
        } else if (c == '#') {
          break;
        } else if (line.find('=') != std::string::npos || kept.find('=') != std::string::npos) {
          depth += c == '[' ? 1 : c == ']' ? -1 : 0;
        }
        kept += c;
      }
      line += std::string(trim(kept));
    }
    return any;
  }

  std::string string_value(std::string_view text) const {
    text = trim(text);
    if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') ||
        text.back() != text.front())
      fail("a string in quotes is expected, not '" + std::string(text.substr(0, 100)) + "'");
    return std::string(text.substr(1, text.size() - 2));
  }

  std::vector<std::string> strings_value(std::string_view text) const {
    text = trim(text);
    if (!text.starts_with('[')) return {string_value(text)};
    if (!text.ends_with(']')) fail("a list is not closed");
    text = text.substr(1, text.size() - 2);
    std::vector<std::string> values;
    while (!trim(text).empty()) {
      const auto comma = std::min(text.find(','), text.size());
      if (const auto item = trim(text.substr(0, comma)); !item.empty())
        values.push_back(string_value(item));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return values;
  }

  void open_table(const std::string& line) {
    const std::string_view name = trim(std::string_view(line).substr(1, line.rfind(']') - 1));
    if (!name.starts_with("host.")) fail("unknown table [" + std::string(name) + "]");
    std::string_view rest = name.substr(5);
    if (rest.empty() || (rest.front() != '"' && rest.front() != '\''))
      fail("the host's URL must be in quotes");
    const auto close = rest.find(rest.front(), 1);
    if (close == std::string_view::npos) fail("the host's URL is not closed");
    std::string url(rest.substr(1, close - 1));
    rest.remove_prefix(close + 1);
    in_header_ = rest == ".header";
    if (in_header_) return;
    if (!rest.empty()) fail("unknown table [" + std::string(name) + "]");
    if (url.find("://") == std::string::npos) url.insert(0, "https://");
    file_.hosts.emplace_back();
    file_.hosts.back().url = Url::parse(url).text();
    file_.hosts.back().push = false;
  }

  void assign(const std::string& line) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) fail("'" + line.substr(0, 100) + "' is no name = value");
    std::string name(trim(std::string_view(line).substr(0, equals)));
    const std::string_view value = trim(std::string_view(line).substr(equals + 1));
    if (file_.hosts.empty()) {
      if (name == "server") file_.server = string_value(value);
      return;
    }
    Endpoint& host = file_.hosts.back();
    if (in_header_) {
      if (name.size() > 1 && (name.front() == '"' || name.front() == '\''))
        name = string_value(name);
      for (const std::string& each : strings_value(value)) host.headers.emplace_back(name, each);
    } else if (name == "capabilities") {
      const std::vector<std::string> list = strings_value(value);
      const auto has = [&](const char* what) {
        return std::find(list.begin(), list.end(), what) != list.end();
      };
      host.pull = has("pull");
      host.resolve = has("resolve");
      host.push = has("push");
    } else if (name == "ca") {
      for (const std::string& path : strings_value(value)) host.tls.authorities += path + "\n";
    } else if (name == "client") {
      const std::vector<std::string> pair = strings_value(value);
      host.tls.certificate = pair.front();
      host.tls.key = pair.back();
    } else if (name == "skip_verify") {
      host.tls.verify = value != "true";
    } else if (name == "override_path") {
      host.origin = value == "true" ? "override" : "";
    }
  }

  std::string_view rest_;
  HostsFile file_;
  int number_ = 0;
  bool in_header_ = false;
};

}  // namespace

HostsFile parse_hosts_file(std::string_view toml) { return Reader(toml).read(); }

}  // namespace image
