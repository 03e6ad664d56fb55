#include "orchestrator/cli/language_server.hpp"

#include <algorithm>
#include <filesystem>

#include "manifests/diagnostic.hpp"
#include "manifests/language.hpp"
#include "manifests/load.hpp"
#include "manifests/paths.hpp"

namespace cli {

namespace {

using Json = LanguageServer::Json;

constexpr int kMethodNotFound = -32601;
constexpr int kInvalidParameters = -32602;

std::size_t utf8_length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
}

/// Columns of the protocol count UTF-16 units, unless both sides agreed on bytes.
std::size_t to_bytes(std::string_view line, std::size_t units) {
  std::size_t at = 0;
  for (std::size_t counted = 0; counted < units && at < line.size();) {
    const std::size_t length = utf8_length(static_cast<unsigned char>(line[at]));
    counted += length == 4 ? 2 : 1;
    at += length;
  }
  return std::min(at, line.size());
}

std::size_t to_units(std::string_view line, std::size_t bytes) {
  std::size_t units = 0;
  for (std::size_t at = 0; at < std::min(bytes, line.size());) {
    const std::size_t length = utf8_length(static_cast<unsigned char>(line[at]));
    units += length == 4 ? 2 : 1;
    at += length;
  }
  return units;
}

std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 0; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

struct Columns {
  bool utf8 = false;
  std::size_t in(std::string_view line, std::size_t column) const {
    return utf8 ? std::min(column, line.size()) : to_bytes(line, column);
  }
  std::size_t out(std::string_view line, std::size_t column) const {
    return utf8 ? std::min(column, line.size()) : to_units(line, column);
  }
};

manifests::TextPlace place_of(const Json& parameters, const std::string& text, Columns columns) {
  const Json& position = parameters.at("position");
  const auto line = position.at("line").get<std::size_t>();
  return {line, columns.in(line_of(text, line), position.at("character").get<std::size_t>())};
}

Json position_json(std::string_view line_text, std::size_t line, std::size_t column,
                   Columns columns) {
  return {{"line", line}, {"character", columns.out(line_text, column)}};
}

/// From the place to the end of the word that stands there.
Json range_of(const manifests::Position& at, Columns columns) {
  if (!at)
    return {{"start", {{"line", 0}, {"character", 0}}}, {"end", {{"line", 0}, {"character", 1}}}};
  const std::string_view text = at.source->line(at.line);
  const auto begin = std::min(static_cast<std::size_t>(std::max(at.column, 1) - 1), text.size());
  std::size_t end = text.find_first_of(" \t,]}", begin);
  end = end == std::string_view::npos ? text.size() : end;
  if (end > begin + 1 && text[end - 1] == ':') --end;
  const auto line = static_cast<std::size_t>(at.line - 1);
  return {{"start", position_json(text, line, begin, columns)},
          {"end", position_json(text, line, std::max(end, begin), columns)}};
}

std::string uri_of(const manifests::Position& at, const std::string& directory) {
  return uri_of_path(manifests::join_path(directory, at.source->name));
}

Json diagnostic_json(const manifests::Diagnostic& diagnostic, const std::string& directory,
                     Columns columns) {
  const bool error = diagnostic.severity == manifests::Severity::error;
  Json json = {
      {"range", range_of(diagnostic.at, columns)},
      {"severity", error ? 1 : 2},
      {"source", "stack"},
      {"message", diagnostic.message + (diagnostic.hint.empty() ? "" : "\n" + diagnostic.hint)}};
  if (!diagnostic.suggestion.empty()) json["data"] = {{"suggestion", diagnostic.suggestion}};
  if (diagnostic.related)
    json["relatedInformation"] = Json::array({{{"location",
                                                {{"uri", uri_of(diagnostic.related, directory)},
                                                 {"range", range_of(diagnostic.related, columns)}}},
                                               {"message", diagnostic.related_message}}});
  return json;
}

std::vector<manifests::Diagnostic> find_mistakes(const manifests::LoadOptions& options) {
  try {
    return manifests::load(options).warnings;
  } catch (const manifests::InvalidManifest& invalid) {
    return invalid.diagnostics();
  }
}

/// A file with a usual name is a project's; what lies beside it under such a name belongs to it.
bool has_usual_name(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  static constexpr std::string_view kNames[] = {"compose.yaml",
                                                "compose.yml",
                                                "docker-compose.yml",
                                                "docker-compose.yaml",
                                                "compose.override.yml",
                                                "compose.override.yaml",
                                                "docker-compose.override.yml",
                                                "docker-compose.override.yaml"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

int completion_kind(manifests::Completion::Kind kind) {
  constexpr int kProperty = 10;
  constexpr int kValue = 12;
  constexpr int kReference = 18;
  if (kind == manifests::Completion::Kind::key) return kProperty;
  return kind == manifests::Completion::Kind::value ? kValue : kReference;
}

Json failure(const Json& id, int code, const std::string& message) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

}  // namespace

std::vector<Json> LanguageServer::handle(const Json& message) {
  outgoing_.clear();
  const auto id = message.is_object() && message.contains("id") ? message.at("id") : Json();
  if (!message.is_object() || !message.contains("method")) return {};  // a response, or nonsense
  const Json parameters = message.value("params", Json::object());
  try {
    const auto method = message.at("method").get<std::string>();
    if (id.is_null()) {
      notification(method, parameters);
    } else if (Json result = request(method, parameters); !result.is_discarded()) {
      outgoing_.push_back({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
    } else {
      outgoing_.push_back(failure(id, kMethodNotFound, "no such method: " + method));
    }
  } catch (const Json::exception& malformed) {
    if (!id.is_null()) outgoing_.push_back(failure(id, kInvalidParameters, malformed.what()));
  }
  return std::move(outgoing_);
}

Json LanguageServer::request(const std::string& method, const Json& parameters) {
  if (method == "initialize") return initialize(parameters);
  if (method == "textDocument/completion") return completion(parameters);
  if (method == "textDocument/hover") return hover(parameters);
  if (method == "textDocument/definition") return definition(parameters);
  if (method == "shutdown") {
    shut_down_ = true;
    return nullptr;
  }
  return Json(Json::value_t::discarded);
}

void LanguageServer::notification(const std::string& method, const Json& parameters) {
  if (method == "exit") {
    exit_code_ = shut_down_ ? 0 : 1;
  } else if (method == "textDocument/didOpen") {
    const Json& document = parameters.at("textDocument");
    const auto uri = document.at("uri").get<std::string>();
    open_[uri] = document.at("text").get<std::string>();
    check(uri);
  } else if (method == "textDocument/didChange") {
    const auto uri = parameters.at("textDocument").at("uri").get<std::string>();
    for (const Json& change : parameters.at("contentChanges"))
      open_[uri] = change.at("text").get<std::string>();
    check(uri);
  } else if (method == "textDocument/didSave") {
    check(parameters.at("textDocument").at("uri").get<std::string>());
  } else if (method == "textDocument/didClose") {
    open_.erase(parameters.at("textDocument").at("uri").get<std::string>());
  }
}

Json LanguageServer::initialize(const Json& parameters) {
  const Json general =
      parameters.value("capabilities", Json::object()).value("general", Json::object());
  const Json encodings = general.value("positionEncodings", Json::array());
  utf8_ = std::find(encodings.begin(), encodings.end(), "utf-8") != encodings.end();
  constexpr int kFull = 1;
  return {{"capabilities",
           {{"positionEncoding", utf8_ ? "utf-8" : "utf-16"},
            {"textDocumentSync", {{"openClose", true}, {"change", kFull}, {"save", true}}},
            {"completionProvider", {{"triggerCharacters", {":", " ", "-"}}}},
            {"hoverProvider", true},
            {"definitionProvider", true}}},
          {"serverInfo", {{"name", "stack"}, {"version", STACK_VERSION}}}};
}

const std::string& LanguageServer::text_of(const std::string& uri) const {
  static const std::string kNothing;
  const auto found = open_.find(uri);
  return found == open_.end() ? kNothing : found->second;
}

Json LanguageServer::completion(const Json& parameters) const {
  const std::string& text = text_of(parameters.at("textDocument").at("uri").get<std::string>());
  Json items = Json::array();
  for (const auto& each : manifests::complete(text, place_of(parameters, text, {utf8_}))) {
    Json item = {
        {"label", each.label}, {"kind", completion_kind(each.kind)}, {"insertText", each.insert}};
    if (!each.help.empty()) item["documentation"] = each.help;
    items.push_back(std::move(item));
  }
  return items;
}

Json LanguageServer::hover(const Json& parameters) const {
  const std::string& text = text_of(parameters.at("textDocument").at("uri").get<std::string>());
  const auto markdown = manifests::hover(text, place_of(parameters, text, {utf8_}));
  if (!markdown) return nullptr;
  return {{"contents", {{"kind", "markdown"}, {"value", *markdown}}}};
}

Json LanguageServer::definition(const Json& parameters) const {
  const auto uri = parameters.at("textDocument").at("uri").get<std::string>();
  const std::string& text = text_of(uri);
  const std::string directory = manifests::parent_directory(path_of_uri(uri).value_or("/"));
  std::string other;
  const auto read = [&](const std::string& file) -> std::optional<std::string> {
    const std::string path = manifests::join_path(directory, file);
    if (const auto open = open_.find(uri_of_path(path)); open != open_.end())
      return other = open->second;
    try {
      return other = manifests::read_source(path)->text;
    } catch (const std::system_error&) {
      return std::nullopt;
    }
  };
  const auto found = manifests::find_definition(text, place_of(parameters, text, {utf8_}), read);
  if (!found) return nullptr;
  const std::string& target = found->file.empty() ? text : other;
  const Json at =
      position_json(line_of(target, found->at.line), found->at.line, found->at.column, {utf8_});
  return {{"uri",
           found->file.empty() ? uri : uri_of_path(manifests::join_path(directory, found->file))},
          {"range", {{"start", at}, {"end", at}}}};
}

void LanguageServer::check(const std::string& uri) {
  const auto path = path_of_uri(uri);
  if (!path) return;
  manifests::LoadOptions options{.project_name = "project",
                                 .environment = environment_,
                                 .working_directory = manifests::parent_directory(*path)};
  for (const auto& [open_uri, text] : open_)
    if (const auto open_path = path_of_uri(open_uri)) options.texts.emplace(*open_path, text);
  std::error_code error;
  if (!has_usual_name(*path) || !std::filesystem::exists(*path, error)) options.files = {*path};

  std::map<std::string, Json> by_file{{uri, Json::array()}};
  for (const std::string& told : told_[uri]) by_file.emplace(told, Json::array());
  for (const manifests::Diagnostic& diagnostic : find_mistakes(options)) {
    const std::string file = diagnostic.at ? uri_of(diagnostic.at, options.working_directory) : uri;
    by_file.try_emplace(file, Json::array())
        .first->second.push_back(diagnostic_json(diagnostic, options.working_directory, {utf8_}));
  }
  told_[uri].clear();
  for (auto& [file, diagnostics] : by_file) {
    if (!diagnostics.empty()) told_[uri].insert(file);
    outgoing_.push_back({{"jsonrpc", "2.0"},
                         {"method", "textDocument/publishDiagnostics"},
                         {"params", {{"uri", file}, {"diagnostics", std::move(diagnostics)}}}});
  }
}

std::optional<std::string> path_of_uri(const std::string& uri) {
  constexpr std::string_view kScheme = "file://";
  if (!uri.starts_with(kScheme)) return std::nullopt;
  const std::size_t begin = uri.find('/', kScheme.size());
  if (begin == std::string::npos) return std::nullopt;
  std::string path;
  for (std::size_t i = begin; i < uri.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      return std::string_view("0123456789abcdef").find(static_cast<char>(uri[at] | 0x20));
    };
    if (uri[i] == '%' && i + 2 < uri.size() && digit(i + 1) < 16 && digit(i + 2) < 16) {
      path += static_cast<char>(digit(i + 1) * 16 + digit(i + 2));
      i += 2;
    } else {
      path += uri[i];
    }
  }
  return path;
}

std::string uri_of_path(const std::string& path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~/";
  std::string uri = "file://";
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kHex[byte >> 4U];
    uri += kHex[byte & 0xFU];
  }
  return uri;
}

}  // namespace cli
