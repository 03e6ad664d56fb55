#include "manifests/report.hpp"

namespace manifests {

namespace {

/// A line of a file may be as long as the file.
constexpr std::size_t kMaxExcerpt = 500;

void add_place(Json& object, const Position& at) {
  if (!at) return;
  object["file"] = at.source->name;
  object["line"] = at.line;
  object["column"] = at.column;
}

void add_text(Json& object, const char* key, std::string_view text) {
  if (!text.empty()) object[key] = text;
}

}  // namespace

Json to_json(const Diagnostic& diagnostic) {
  Json object = Json::object();
  object["severity"] = diagnostic.severity == Severity::error ? "error" : "warning";
  object["message"] = diagnostic.message;
  add_place(object, diagnostic.at);
  if (diagnostic.at)
    add_text(object, "excerpt",
             diagnostic.at.source->line(diagnostic.at.line).substr(0, kMaxExcerpt));
  add_text(object, "path", diagnostic.path);
  add_text(object, "hint", diagnostic.hint);
  add_text(object, "suggestion", diagnostic.suggestion);
  if (diagnostic.related) {
    Json related = Json::object();
    add_place(related, diagnostic.related);
    related["message"] = diagnostic.related_message;
    object["related"] = std::move(related);
  }
  return object;
}

Json to_json(const std::vector<Diagnostic>& diagnostics) {
  Json list = Json::array();
  for (const Diagnostic& diagnostic : diagnostics) list.push_back(to_json(diagnostic));
  return {{"diagnostics", std::move(list)}};
}

}  // namespace manifests
