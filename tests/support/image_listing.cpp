#include "tests/support/image_listing.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

namespace support {

namespace {

using nlohmann::json;

struct Node {
  std::string facts;  ///< type, mode, owner
  std::string rest;   ///< content, target, attributes, time
  bool directory = false;
  bool operator==(const Node&) const = default;
};
using Tree = std::map<std::string, std::shared_ptr<Node>>;

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  char digits[3];
  for (std::size_t i = 0; i < size; ++i) {
    std::snprintf(digits, sizeof digits, "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

std::string sha256(const std::string& content) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ::EVP_Digest(content.data(), content.size(), digest, &size, ::EVP_sha256(), nullptr);
  return hex(digest, size);
}

// In quotes where a reader can make something of it.
std::string shown(const std::string& content) {
  if (content.size() > 600) return std::to_string(content.size()) + " " + sha256(content);
  return json(content).dump(-1, ' ', true, json::error_handler_t::replace);
}

void for_each_entry(const Reader& reader, const std::function<void(archive_entry*)>& visit) {
  archive_entry* entry = nullptr;
  for (int result; (result = archive_read_next_header(reader.get(), &entry)) != ARCHIVE_EOF;) {
    if (result < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(reader.get()));
    visit(entry);
  }
}

Reader make_reader() {
  Reader reader(archive_read_new(), &archive_read_free);
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_all(reader.get());
  return reader;
}

std::string content_of(const Reader& reader, archive_entry* entry) {
  std::string content;
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  while (archive_read_data_block(reader.get(), &data, &size, &offset) == ARCHIVE_OK) {
    content.resize(static_cast<std::size_t>(offset));
    content.append(static_cast<const char*>(data), size);
  }
  content.resize(static_cast<std::size_t>(archive_entry_size(entry)));
  return content;
}

std::map<std::string, std::string> read_files(const std::string& path) {
  const Reader reader = make_reader();
  if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 16) != ARCHIVE_OK)
    throw std::runtime_error(archive_error_string(reader.get()));
  std::map<std::string, std::string> files;
  for_each_entry(reader, [&](archive_entry* entry) {
    const std::string name = archive_entry_pathname(entry);
    if (archive_entry_filetype(entry) == S_IFREG) files[name] = content_of(reader, entry);
  });
  return files;
}

std::string attributes(archive_entry* entry) {
  std::map<std::string, std::string> sorted;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
    sorted[name] = hex(static_cast<const unsigned char*>(value), size);
  std::string text;
  for (const auto& [key, bytes] : sorted) text += " {" + key + "=" + bytes + "}";
  return text;
}

std::string time_that_was_set(archive_entry* entry) {
  const time_t time = archive_entry_mtime(entry);
  const bool set = time >= 1'000'000'000 && time < 1'400'000'000;
  return set ? " @" + std::to_string(time) : std::string();
}

std::string device(archive_entry* entry) {
  const dev_t number = archive_entry_rdev(entry);
  return " " + std::to_string(major(number)) + ":" + std::to_string(minor(number));
}

std::shared_ptr<Node> node_of(const Reader& reader, archive_entry* entry) {
  char mode[16];
  std::snprintf(mode, sizeof mode, "%04o", archive_entry_perm(entry));
  const std::string owner =
      std::to_string(archive_entry_uid(entry)) + ":" + std::to_string(archive_entry_gid(entry));
  const std::string facts = " " + std::string(mode) + " " + owner;
  auto node = std::make_shared<Node>();
  switch (archive_entry_filetype(entry)) {
    case S_IFDIR:
      *node = {"dir" + facts, "", true};
      break;
    case S_IFLNK:
      *node = {"link " + owner, std::string(" -> ") + archive_entry_symlink(entry)};
      break;
    case S_IFIFO:
      *node = {"fifo" + facts, ""};
      break;
    case S_IFCHR:
      *node = {"char" + facts, device(entry)};
      break;
    case S_IFBLK:
      *node = {"block" + facts, device(entry)};
      break;
    default:
      *node = {"file" + facts, " " + shown(content_of(reader, entry))};
  }
  node->rest += attributes(entry) + time_that_was_set(entry);
  return node;
}

void erase_below(Tree& tree, const std::string& path) {
  const std::string prefix = path == "/" ? path : path + "/";
  for (auto at = tree.upper_bound(prefix); at != tree.end() && at->first.starts_with(prefix);)
    at = tree.erase(at);
}

void put(Tree& tree, const std::string& path, std::shared_ptr<Node> node) {
  if (!node->directory) erase_below(tree, path);
  tree[path] = std::move(node);
}

std::string clean(std::string name) {
  if (name.starts_with("./")) name.erase(0, 1);
  if (!name.starts_with("/")) name.insert(0, "/");
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name == "/." ? "/" : name;
}

// Whiteouts speak of the layers below alone, wherever in the archive they stand.
void apply_layer(Tree& tree, const std::string& tar) {
  Tree above;
  const Reader reader = make_reader();
  if (archive_read_open_memory(reader.get(), tar.data(), tar.size()) != ARCHIVE_OK)
    throw std::runtime_error(archive_error_string(reader.get()));
  for_each_entry(reader, [&](archive_entry* entry) {
    const std::string path = clean(archive_entry_pathname(entry));
    const std::size_t slash = path.rfind('/');
    const std::string name = path.substr(slash + 1);
    const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
    if (name == ".wh..wh..opq") {
      erase_below(tree, parent);
    } else if (name.starts_with(".wh.")) {
      const std::string hidden = clean(parent + "/" + name.substr(4));
      erase_below(tree, hidden);
      tree.erase(hidden);
    } else if (const char* first = archive_entry_hardlink(entry)) {
      const auto found = above.find(clean(first));
      if (found == above.end()) throw std::runtime_error(path + ": a link to what is not there");
      above[path] = found->second;
    } else {
      above[path] = node_of(reader, entry);
    }
  });
  for (const auto& [path, node] : above) put(tree, path, node);
}

std::string list_tree(const Tree& tree, const Tree& base) {
  std::string text;
  std::map<const Node*, std::string> seen;
  for (const auto& [path, node] : tree) {
    const auto before = base.find(path);
    if (before != base.end() && (before->second == node || *before->second == *node)) continue;
    const auto [first, is_new] = seen.emplace(node.get(), path);
    text += is_new ? node->facts + " " + path + node->rest : "file = " + first->second + " " + path;
    text += "\n";
  }
  for (const auto& [path, node] : base)
    if (!tree.contains(path)) text += "gone " + path + "\n";
  return text;
}

std::string list_config(const json& document) {
  std::string text;
  for (const auto& [key, value] : document.at("config").items())
    if (!value.is_null() && value != "" && value != json::object() && value != json::array())
      text += "config " + key + " " + value.dump() + "\n";
  if (const std::string author = document.value("author", ""); !author.empty())
    text += "author " + json(author).dump() + "\n";
  for (const json& entry : document.at("history")) {
    if (entry.value("comment", "") != "buildkit.dockerfile.v0") continue;
    const std::string empty = entry.value("empty_layer", false) ? " (empty)" : "";
    text += "history" + empty + " " + json(entry.value("created_by", "")).dump() + "\n";
  }
  return text;
}

// Names are bytes; libarchive wants a locale that leaves them alone.
class Utf8 {
 public:
  Utf8() : own_(::newlocale(LC_ALL_MASK, "C.UTF-8", nullptr)), before_(::uselocale(own_)) {}
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;
  ~Utf8() {
    ::uselocale(before_);
    ::freelocale(own_);
  }

 private:
  locale_t own_, before_;
};

}  // namespace

std::string list_image(const std::string& archive) {
  const Utf8 locale;
  const std::map<std::string, std::string> files = read_files(archive);
  const json manifest = json::parse(files.at("manifest.json")).at(0);
  Tree tree, base;
  bool first = true;
  for (const json& layer : manifest.at("Layers")) {
    apply_layer(tree, files.at(layer.get<std::string>()));
    if (first && tree.contains("/bin/busybox")) base = tree;
    first = false;
  }
  return list_tree(tree, base) +
         list_config(json::parse(files.at(manifest.at("Config").get<std::string>())));
}

}  // namespace support
