#include "orchestrator/cli/table.hpp"

#include <algorithm>
#include <sstream>

#include "orchestrator/cli/command_line.hpp"

namespace cli {

namespace {

constexpr std::size_t kGap = 3;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string shorten(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::size_t end = 0;
  std::size_t taken = 0;
  while (end < text.size()) {
    if (!continues(text[end]) && ++taken == width) break;
    ++end;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - display_width(row[i]) + kGap, ' ');
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
  }
  return text;
}

namespace {

using Json = nlohmann::ordered_json;

std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 't' || text[i + 1] == 'n'))
      result += text[++i] == 't' ? '\t' : '\n';
    else
      result += text[i];
  }
  return result;
}

std::string value_text(const Json& value, bool as_json) {
  if (as_json || value.is_structured())
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump();
}

struct Field {
  std::string name;
  std::string function;  ///< json, upper, lower, or none
};

Field parse_field(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string first, second, surplus;
  words >> first >> second >> surplus;
  Field field{.name = second.empty() ? first : second, .function = second.empty() ? "" : first};
  const bool known = field.function.empty() || field.function == "json" ||
                     field.function == "upper" || field.function == "lower";
  if (!surplus.empty() || !known || field.name.empty() || field.name.front() != '.')
    throw UsageError("template {{" + std::string(text) +
                     "}}: write {{.Name}}, {{json .Name}}, {{upper .Name}} or {{lower .Name}}");
  field.name.erase(0, 1);
  return field;
}

template <class Replace>
std::string fill(std::string_view format, Replace&& replace) {
  std::string result;
  while (!format.empty()) {
    const auto begin = format.find("{{");
    result += format.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const auto end = format.find("}}", begin);
    if (end == std::string_view::npos) throw UsageError("template: {{ without }}");
    result += replace(parse_field(format.substr(begin + 2, end - begin - 2)));
    format.remove_prefix(end + 2);
  }
  return result;
}

void change_case(std::string& text, const std::string& function) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (function == "upper") c = static_cast<char>(std::toupper(byte));
    if (function == "lower") c = static_cast<char>(std::tolower(byte));
  }
}

std::vector<std::string> split_tabs(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, '\t');) cells.push_back(cell);
  return cells;
}

}  // namespace

std::string fill_template(std::string_view format, const Json& object) {
  return fill(unescape(format), [&](const Field& field) {
    if (field.name.empty()) return value_text(object, true);
    const auto found = object.find(field.name);
    if (found == object.end()) throw UsageError("template: there is no field ." + field.name);
    std::string text = value_text(*found, field.function == "json");
    change_case(text, field.function);
    return text;
  });
}

std::string template_headers(std::string_view format) {
  return fill(unescape(format), [](const Field& field) {
    std::string text;
    for (const char c : field.name) {  // RunningFor → RUNNING FOR
      const bool new_word = std::isupper(static_cast<unsigned char>(c)) != 0 && !text.empty() &&
                            std::islower(static_cast<unsigned char>(text.back())) != 0;
      if (new_word) text += ' ';
      text += c;
    }
    change_case(text, "upper");
    return text;
  });
}

std::string render_rows(const std::string& format, const Table& table,
                        const std::vector<Json>& objects) {
  if (format.empty() || format == "table") return table.text();
  std::string text;
  if (format == "json") {
    for (const Json& object : objects)
      text += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    return text;
  }
  if (format.starts_with("table ")) {
    const std::string_view columns = std::string_view(format).substr(6);
    Table chosen(split_tabs(template_headers(columns)));
    for (const Json& object : objects) chosen.add(split_tabs(fill_template(columns, object)));
    return chosen.text();
  }
  for (const Json& object : objects) text += fill_template(format, object) + "\n";
  return text;
}

}  // namespace cli
