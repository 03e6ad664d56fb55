#include "runtime/build/git_source.hpp"

#include <algorithm>
#include <array>

#include "runtime/build/dockerignore.hpp"
#include "runtime/os/error.hpp"

namespace build {

namespace {

constexpr std::string_view kShorthand = "github.com/";

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw os::Error("the git repository '" + shown_remote(text) + "': " + why);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

/// user@host:path, as ssh and scp write it.
bool is_scp_style(std::string_view text) {
  const auto at = text.find('@');
  const auto colon = text.find(':');
  return at != std::string_view::npos && colon != std::string_view::npos && at < colon &&
         is_name(text.substr(0, at)) && is_name(text.substr(at + 1, colon - at - 1)) &&
         text.size() > colon + 1 && !text.substr(colon).starts_with("://");
}

std::string_view scheme_of(std::string_view text) {
  const auto end = text.find("://");
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

/// Whether git may have made a branch or tag of this name (git-check-ref-format(1)).
bool is_ref(std::string_view ref) {
  if (ref.empty() || ref.front() == '-' || ref.front() == '/' || ref.back() == '/') return false;
  if (ref.find("..") != std::string_view::npos || ref.find("//") != std::string_view::npos ||
      ref.find("@{") != std::string_view::npos || ref.back() == '.')
    return false;
  return std::all_of(ref.begin(), ref.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f &&
           std::string_view("~^:?*[\\").find(c) == std::string_view::npos;
  });
}

bool read_switch(const std::string& whole, const std::string& name, const std::string& value) {
  if (value.empty() || value == "1" || value == "true") return true;
  if (value == "0" || value == "false") return false;
  refuse(whole, name + " is true or false, not '" + value + "'");
}

std::string decode(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

void set_ref(const std::string& whole, GitSource& source, const std::string& ref) {
  if (ref.empty()) return;
  if (!source.ref.empty()) refuse(whole, "several refs are named");
  source.ref = ref;
}

void read_query(const std::string& whole, std::string_view query, GitSource& source) {
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    if (field.empty()) continue;
    const std::string name = decode(field.substr(0, field.find('=')));
    const std::string value =
        field.size() > name.size() ? decode(field.substr(field.find('=') + 1)) : "";
    if (name == "ref")
      set_ref(whole, source, value);
    else if (name == "branch")
      set_ref(whole, source, value.empty() ? "" : "refs/heads/" + value);
    else if (name == "tag")
      set_ref(whole, source, value.empty() ? "" : "refs/tags/" + value);
    else if (name == "subdir")
      source.subdirectory = clean_relative(value);
    else if (name == "checksum" || name == "commit")
      source.checksum = value;
    else if (name == "keep-git-dir")
      source.keep_git_directory = read_switch(whole, name, value);
    else if (name == "submodules")
      source.submodules = read_switch(whole, name, value);
    else
      refuse(whole, "'" + name +
                        "' is unknown; its query may have ref, tag, branch, subdir, checksum, "
                        "keep-git-dir and submodules");
  }
}

void read_fragment(const std::string& whole, const std::string& fragment, GitSource& source) {
  const auto colon = fragment.find(':');
  set_ref(whole, source, fragment.substr(0, colon));
  if (colon != std::string::npos) source.subdirectory = clean_relative(fragment.substr(colon + 1));
}

void check(const std::string& whole, const GitSource& source) {
  if (!source.ref.empty() && !is_ref(source.ref))
    refuse(whole, "'" + source.ref + "' cannot be a branch, tag or commit");
  const std::string& sum = source.checksum;
  if (!sum.empty() && (sum.size() < 7 || sum.size() > 64 ||
                       sum.find_first_not_of("0123456789abcdef") != std::string::npos))
    refuse(whole, "its checksum '" + sum + "' is no commit: at least 7 hexadecimal digits");
  for (const char c : source.remote)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
      refuse(whole, "a space or control character cannot be in a URL");
}

}  // namespace

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string shown_remote(const std::string& remote) {
  const auto begin = remote.find("://");
  if (begin == std::string::npos) return remote;
  const auto end = std::min(remote.find('/', begin + 3), remote.size());
  const auto at = remote.rfind('@', end);
  const auto colon = remote.find(':', begin + 3);
  if (at == std::string::npos || at < begin || colon > at) return remote;
  return remote.substr(0, colon) + ":***" + remote.substr(at);
}

std::optional<GitSource> parse_git_source(const std::string& text, bool shorthand) {
  const auto hash = text.find('#');
  const std::string before = text.substr(0, hash);
  const std::string_view scheme = scheme_of(before);
  const auto question = scheme.empty() ? std::string::npos : before.find('?');
  GitSource source;
  source.remote = before.substr(0, question);
  if (scheme == "http" || scheme == "https") {
    if (!source.remote.ends_with(".git")) return std::nullopt;
  } else if (scheme.empty() && shorthand && before.starts_with(kShorthand) &&
             before.size() > kShorthand.size()) {
    source.remote = "https://" + before;
  } else if (scheme != "ssh" && scheme != "git" && !(scheme.empty() && is_scp_style(before))) {
    return std::nullopt;
  }
  const auto host = source.remote.find("://");
  if (host != std::string::npos) {
    // What begins like an option is none of a program's business that git starts.
    const std::string_view rest = std::string_view(source.remote).substr(host + 3);
    const std::string_view authority = rest.substr(0, rest.find('/'));
    const auto at = authority.rfind('@');
    const std::string_view name =
        at == std::string_view::npos ? authority : authority.substr(at + 1);
    if (name.empty() || name.front() == '-' || authority.front() == '-')
      refuse(text, "it has no host");
  }
  if (question != std::string::npos)
    read_query(text, std::string_view(before).substr(question + 1), source);
  if (hash != std::string::npos) read_fragment(text, text.substr(hash + 1), source);
  check(text, source);
  return source;
}

}  // namespace build
