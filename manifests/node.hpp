// A YAML document as a tree of plain values that know where they came from. This is what the phases
// hand to each other: document makes it, interpolate, merge and canonical rewrite it, decode types
// it.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "manifests/source.hpp"

namespace manifests {

/// How the YAML core schema (as the reference reads it: Compose B10) resolves a scalar.
enum class ScalarType { null, boolean, integer, floating, string, timestamp };

enum class Kind { null, scalar, sequence, mapping };

/// `!reset` and `!override` (Compose B5).
enum class MergeTag { none, reset, override_value };

struct Entry;

struct Node {
  Kind kind = Kind::null;
  Position at;

  std::string text;  ///< of a scalar, as written (after YAML unescaping)
  ScalarType type = ScalarType::null;
  bool quoted = false;  ///< written with quotes, as a block, or tagged !!str: always a string

  std::vector<Node> items;     ///< of a sequence
  std::vector<Entry> entries;  ///< of a mapping, in the order of the file
  MergeTag tag = MergeTag::none;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_mapping() const { return kind == Kind::mapping; }

  /// The value of `key` in a mapping; nullptr when absent or when this is no mapping.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  /// Sets `key` in a mapping: replaces its value or appends it.
  Node& set(std::string key, Node value);
  bool erase(std::string_view key);

  static Node make_string(std::string text, Position at = {});
  static Node make_integer(long long value, Position at = {});
  static Node make_boolean(bool value, Position at = {});
  static Node make_mapping(Position at = {});
  static Node make_sequence(Position at = {});
};

struct Entry {
  std::string key;
  Position key_at;
  Node value;
};

/// Sets many keys of one mapping: Node::set() searches all that are there each time.
class MappingBuilder {
 public:
  /// `mapping` must outlive this, and be changed by nobody else meanwhile.
  explicit MappingBuilder(Node& mapping);
  void set(const std::string& key, Node value);

 private:
  Node& mapping_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace manifests
