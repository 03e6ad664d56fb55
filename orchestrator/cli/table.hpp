// Columns of text, and templates that pick from them. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Rows under upper-case headers; columns stand at least three spaces apart (Compose C1.12).
class Table {
 public:
  explicit Table(std::vector<std::string> headers) : rows_{std::move(headers)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// How many columns of a terminal `text` (UTF-8) takes, wide characters counted as one.
std::size_t display_width(std::string_view text);
/// At most `width` columns, with an ellipsis in place of what is cut.
std::string shorten(std::string_view text, std::size_t width);

/// A template of `--format`: "{{.Name}}: {{json .Ports}}\t…" over the members of an object; \t and
/// \n are what they are in C. Throws UsageError for what it does not know.
std::string fill_template(std::string_view format, const nlohmann::ordered_json& object);
/// The members that a template names, in upper case: the headers of `--format "table …"`.
std::string template_headers(std::string_view format);

/// The rows of a listing in the format that was asked for: "table", "table TEMPLATE", "json" (an
/// object a line) or TEMPLATE. For plain "table", `table` is printed.
std::string render_rows(const std::string& format, const Table& table,
                        const std::vector<nlohmann::ordered_json>& objects);

}  // namespace cli
