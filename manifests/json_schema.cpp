#include "manifests/json_schema.hpp"

#include <cmath>

#include "manifests/attribute_help.hpp"
#include "manifests/schema.hpp"

namespace manifests {

namespace {

Json types_of(const Rule& rule) {
  static constexpr std::pair<unsigned, const char*> kTypes[] = {
      {form::null, "null"},     {form::boolean, "boolean"}, {form::integer, "integer"},
      {form::number, "number"}, {form::string, "string"},   {form::list, "array"},
      {form::map, "object"}};
  Json types = Json::array();
  for (const auto& [bit, type] : kTypes)
    if ((rule.forms & bit) != 0) types.push_back(type);
  return types.size() == 1 ? types.front() : types;
}

const char* format_of(Reads reads) {
  switch (reads) {
    case Reads::bytes:
      return "bytes";
    case Reads::duration:
      return "duration";
    case Reads::microseconds:
      return "microseconds";
    case Reads::file_mode:
      return "file-mode";
    case Reads::text:
    case Reads::boolean:
    case Reads::integer:
    case Reads::number:
      break;
  }
  return nullptr;
}

class Converter {
 public:
  Json convert(const Rule& rule) {
    Json schema = Json::object();
    if (const auto help = attribute_help(path_); !help.empty()) schema["description"] = help;
    schema["type"] = types_of(rule);
    add_scalar(rule, schema);
    if ((rule.forms & form::list) != 0) {
      if (rule.item != nullptr) schema["items"] = below(index_segment(0), *rule.item);
      if (rule.unique) schema["uniqueItems"] = true;
    }
    if ((rule.forms & form::map) != 0) add_map(rule, schema);
    return schema;
  }

 private:
  Json below(const std::string& segment, const Rule& rule) {
    const Descent descent(path_, segment);
    return convert(rule);
  }

  static void add_scalar(const Rule& rule, Json& schema) {
    if (const char* format = format_of(rule.reads)) schema["format"] = format;
    if (!rule.words.empty()) {
      // Every other form is let through by naming the words for strings alone.
      Json words = Json::array();
      for (const auto word : rule.words) words.push_back(word);
      if (rule.forms == form::string)
        schema["enum"] = std::move(words);
      else
        schema["anyOf"] = Json::array(
            {Json{{"enum", std::move(words)}}, Json{{"not", Json{{"type", "string"}}}}});
    }
    if (rule.pattern != nullptr) schema["pattern"] = rule.pattern->expression;
    if (rule.minimum < rule.maximum) {
      schema["minimum"] = rule.minimum;
      if (std::isfinite(rule.maximum)) schema["maximum"] = rule.maximum;
    }
  }

  void add_map(const Rule& rule, Json& schema) {
    Json properties = Json::object();
    for (const Rule::Key& key : rule.keys)
      properties[std::string(key.name)] = below(std::string(key.name), *key.rule);
    if (!properties.empty()) schema["properties"] = std::move(properties);
    Json patterns = Json::object();
    if (rule.value != nullptr) {
      const std::string names(rule.names != nullptr ? rule.names->expression : "^.+$");
      patterns[names] = below("*", *rule.value);
    }
    if (rule.extensible) patterns["^x-"] = Json::object();
    if (!patterns.empty()) schema["patternProperties"] = std::move(patterns);
    if (!rule.required.empty()) {
      Json required = Json::array();
      for (const auto key : rule.required) required.push_back(key);
      schema["required"] = std::move(required);
    }
    if (!rule.open) schema["additionalProperties"] = false;
  }

  TreePath path_;
};

}  // namespace

Json json_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "Compose file, as `stack` reads it"}};
  const Json rules = Converter().convert(compose_schema());
  for (const auto& [key, value] : rules.items()) schema[key] = value;
  return schema;
}

}  // namespace manifests
