#include "manifests/node.hpp"

#include <algorithm>

namespace manifests {

namespace {

template <class Entries>
auto position_of(Entries& entries, std::string_view key) {
  return std::find_if(entries.begin(), entries.end(),
                      [&](const Entry& entry) { return entry.key == key; });
}

Node make_scalar(std::string text, ScalarType type, Position at) {
  Node node;
  node.kind = Kind::scalar;
  node.text = std::move(text);
  node.type = type;
  node.quoted = type == ScalarType::string;
  node.at = std::move(at);
  return node;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  if (kind != Kind::mapping) return nullptr;
  const auto found = position_of(entries, key);
  return found == entries.end() ? nullptr : &found->value;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node& Node::set(std::string key, Node value) {
  if (Node* existing = find(key)) return *existing = std::move(value);
  Position key_at = value.at;
  entries.push_back({std::move(key), std::move(key_at), std::move(value)});
  return entries.back().value;
}

bool Node::erase(std::string_view key) {
  const auto found = position_of(entries, key);
  if (found == entries.end()) return false;
  entries.erase(found);
  return true;
}

Node Node::make_string(std::string text, Position at) {
  return make_scalar(std::move(text), ScalarType::string, std::move(at));
}

Node Node::make_integer(long long value, Position at) {
  return make_scalar(std::to_string(value), ScalarType::integer, std::move(at));
}

Node Node::make_boolean(bool value, Position at) {
  return make_scalar(value ? "true" : "false", ScalarType::boolean, std::move(at));
}

Node Node::make_mapping(Position at) {
  Node node;
  node.kind = Kind::mapping;
  node.at = std::move(at);
  return node;
}

Node Node::make_sequence(Position at) {
  Node node;
  node.kind = Kind::sequence;
  node.at = std::move(at);
  return node;
}

MappingBuilder::MappingBuilder(Node& mapping) : mapping_(mapping) {
  for (std::size_t i = 0; i < mapping.entries.size(); ++i)
    places_.emplace(mapping.entries[i].key, i);
}

void MappingBuilder::set(const std::string& key, Node value) {
  const auto [place, added] = places_.emplace(key, mapping_.entries.size());
  if (!added) {
    mapping_.entries[place->second].value = std::move(value);
    return;
  }
  Position key_at = value.at;
  mapping_.entries.push_back({key, std::move(key_at), std::move(value)});
}

}  // namespace manifests
