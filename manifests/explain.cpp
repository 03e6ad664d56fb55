#include "manifests/explain.hpp"

#include <algorithm>

#include "manifests/dotenv.hpp"
#include "manifests/environment.hpp"
#include "manifests/project.hpp"
#include "manifests/variables.hpp"

namespace manifests {

namespace {

std::optional<std::string> value_in(const Variables& variables, const std::string& name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::nullopt : std::optional(found->second);
}

/// What one environment file says; one that cannot be read says nothing, load() complains of it.
VariableSource from_file(const std::string& file, const std::string& name,
                         const Variables& environment) {
  VariableSource source{.where = "the environment file " + file};
  Variables variables;
  VariablePlaces places;
  Diagnostics reported_by_load;
  try {
    parse_env_file(read_source(file, {}, FileKind::regular), EnvFormat::dotenv,
                   lookup_in(environment), variables, reported_by_load, &places);
  } catch (const std::system_error&) {
    return source;
  }
  source.value = value_in(variables, name);
  if (const auto place = places.find(name); place != places.end()) source.at = place->second;
  return source;
}

std::vector<VariableSource> sources_of(const LoadOptions& options, const ProjectPlace& place,
                                       const std::string& name) {
  std::vector<VariableSource> sources;
  sources.push_back(
      {.where = "the process environment", .value = value_in(options.environment, name)});
  for (const std::string& file : place.env_files)
    sources.push_back(from_file(file, name, options.environment));
  const auto winner =
      std::find_if(sources.begin(), sources.end(),
                   [](const VariableSource& source) { return source.value.has_value(); });
  if (winner != sources.end()) winner->wins = true;
  return sources;
}

VariableEffect effect_of(const VariableUse& use, const Variables& environment) {
  const Expansion expansion = expand(use.variable.text, lookup_in(environment));
  VariableEffect effect{.path = use.path, .at = use.at, .text = use.variable.text};
  if (expansion.failure == Expansion::Failure::none) effect.value = expansion.text;
  return effect;
}

std::vector<VariableEffect> services_with(const std::string& name, const LoadOptions& options) {
  std::vector<VariableEffect> effects;
  const Loaded loaded = load(options);
  for (const auto& [service_name, service] : loaded.stack.services) {
    const auto found = service.environment.find(name);
    if (found == service.environment.end()) continue;
    const std::string path = "services." + service_name + ".environment." + name;
    const Position* at = loaded.stack.position(path);
    effects.push_back({.path = path, .at = at ? *at : Position{}, .value = found->second});
  }
  return effects;
}

std::string place_text(const Position& at) {
  if (!at) return {};
  return at.source->name + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::string quoted(const std::optional<std::string>& value) {
  return value ? "\"" + *value + "\"" : "not set";
}

Json json_of(const Position& at) {
  if (!at) return nullptr;
  return {{"file", at.source->name}, {"line", at.line}, {"column", at.column}};
}

Json json_of(const std::optional<std::string>& value) { return value ? Json(*value) : Json(); }

}  // namespace

Explanation explain_variable(const LoadOptions& options, const std::string& name) {
  Diagnostics reported_by_load;
  const ProjectPlace place = find_project(options, reported_by_load);
  Explanation explanation{.name = name, .sources = sources_of(options, place, name)};
  LoadOptions as_written = options;
  as_written.interpolate = false;
  for (const VariableUse& use : variable_uses(load_model(as_written).model))
    if (use.variable.name == name) explanation.uses.push_back(effect_of(use, place.environment));
  try {
    explanation.services = services_with(name, options);
  } catch (const InvalidManifest&) {
    // A variable that is required and missing is what is being explained.
  }
  return explanation;
}

std::string to_text(const Explanation& explanation) {
  std::string text;
  const auto winner = std::find_if(explanation.sources.begin(), explanation.sources.end(),
                                   [](const VariableSource& source) { return source.wins; });
  const bool set = winner != explanation.sources.end();
  text += explanation.name + (set ? " is " + quoted(winner->value) : " is not set") + "\n";
  for (const VariableSource& source : explanation.sources) {
    const std::string place = place_text(source.at);
    text += std::string("  ") + (source.wins ? "* " : "  ") +
            (place.empty() ? source.where : place) + ": " + quoted(source.value) + "\n";
  }
  if (!explanation.uses.empty()) text += "Named by\n";
  for (const VariableEffect& use : explanation.uses)
    text += "  " + place_text(use.at) + ": " + use.path + ": " + use.text + " is " +
            (use.value ? quoted(use.value) : std::string("an error: a value is required")) + "\n";
  if (!explanation.services.empty()) text += "Given to containers\n";
  for (const VariableEffect& service : explanation.services)
    text += "  " + place_text(service.at) + (service.at ? ": " : "") + service.path + " is " +
            quoted(service.value) + "\n";
  if (explanation.uses.empty() && explanation.services.empty()) text += "Nothing names it.\n";
  return text;
}

Json to_json(const Explanation& explanation) {
  Json sources = Json::array();
  Json value;
  for (const VariableSource& source : explanation.sources) {
    if (source.wins) value = json_of(source.value);
    sources.push_back({{"where", source.where},
                       {"at", json_of(source.at)},
                       {"value", json_of(source.value)},
                       {"wins", source.wins}});
  }
  const auto effects = [](const std::vector<VariableEffect>& list) {
    Json array = Json::array();
    for (const VariableEffect& effect : list)
      array.push_back({{"path", effect.path},
                       {"at", json_of(effect.at)},
                       {"text", effect.text},
                       {"value", json_of(effect.value)}});
    return array;
  };
  return {{"name", explanation.name},
          {"value", value},
          {"sources", std::move(sources)},
          {"uses", effects(explanation.uses)},
          {"services", effects(explanation.services)}};
}

}  // namespace manifests
