#include "manifests/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cstdint>
#include <map>
#include <sstream>
#include <unordered_map>

#include "manifests/scalar.hpp"
#include "manifests/syntax.hpp"
#include "manifests/tree_path.hpp"
#include "manifests/utf8.hpp"

namespace manifests {

namespace {

[[noreturn]] void reject(const Position& at, std::string message, std::string hint = {}) {
  Diagnostics diagnostics;
  diagnostics.error(at, std::move(message)).hint = std::move(hint);
  diagnostics.throw_if_errors();
  throw InvalidManifest({});
}

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

void require_text(const std::shared_ptr<const Source>& source) {
  const std::string_view text = source->text;
  Position at{.source = source, .line = 1, .column = 1};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) reject(at, "invalid UTF-8: the byte is not text");
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool allowed = byte >= 0x20 ? byte != 0x7F : byte == '\n' || byte == '\r' || byte == '\t';
    if (!allowed) reject(at, "control characters are not allowed");
    i += length;
    ++at.column;
    if (byte == '\n') {
      ++at.line;
      at.column = 1;
    }
  }
}

/// The text of a `!!binary` scalar (RFC 4648 base64, blanks between).
std::string decode_base64(const Position& at, std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string decoded;
  std::uint32_t bits = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    const std::size_t value = c == '=' ? 0 : kAlphabet.find(c);
    if (value == std::string_view::npos || (padding > 0 && c != '='))
      reject(at, "!!binary value contains invalid base64 data");
    if (c == '=') ++padding;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    if (++digits % 4 != 0) continue;
    for (int shift = 16; shift >= 0; shift -= 8)
      decoded += static_cast<char>((bits >> shift) & 0xFF);
  }
  if (digits % 4 != 0 || padding > 2) reject(at, "!!binary value contains invalid base64 data");
  for (; padding > 0 && !decoded.empty(); --padding) decoded.pop_back();
  for (std::size_t i = 0; i < decoded.size();) {
    const std::size_t length = utf8_length(std::string_view(decoded).substr(i));
    if (length == 0 || decoded[i] == '\0') reject(at, "!!binary value is not text");
    i += length;
  }
  return decoded;
}

/// What a file may still make of itself.
struct Budget {
  std::size_t nodes = kMaxNodes;
  std::size_t aliased = kMaxAliasedNodes;
};

/// The keys of a mapping, `<<` too, and where each stands.
class KeyPlaces {
 public:
  /// Where `key` stands already; nullptr when it did not, and does now.
  const Position* add(const std::string& key, const Position& at) {
    if (const Position* known = find(key)) return known;
    places_.emplace_back(key, at);
    if (places_.size() == kFew)
      for (std::size_t i = 0; i < places_.size(); ++i) index_.emplace(places_[i].first, i);
    else if (places_.size() > kFew)
      index_.emplace(key, places_.size() - 1);
    return nullptr;
  }

 private:
  /// So many are found faster by looking at each.
  static constexpr std::size_t kFew = 12;

  const Position* find(const std::string& key) const {
    if (places_.size() >= kFew) {
      const auto found = index_.find(key);
      return found == index_.end() ? nullptr : &places_[found->second].second;
    }
    for (const auto& [known, at] : places_)
      if (known == key) return &at;
    return nullptr;
  }

  std::vector<std::pair<std::string, Position>> places_;
  std::unordered_map<std::string, std::size_t> index_;
};

/// A collection that is being read, with the state of its current entry.
struct Frame {
  Node node;
  std::size_t anchor = 0;
  Node key;  ///< of a mapping, while its value is awaited
  bool has_key = false;
  KeyPlaces seen;
  std::vector<std::pair<Position, Node>> merged;  ///< values of `<<`, until the mapping ends
};

/// Builds the tree of one document from the parser's events.
class Composer : public YAML::EventHandler {
 public:
  Composer(std::shared_ptr<const Source> source, Budget& budget, Diagnostics* warnings)
      : source_(std::move(source)), budget_(budget), warnings_(warnings) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.at = position(mark);
    complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      reject(position(mark), "an anchor cannot contain an alias to itself");
    if (found->second.size > budget_.aliased)
      reject(position(mark),
             "aliases unfold to more than " + std::to_string(kMaxAliasedNodes) + " values");
    budget_.aliased -= found->second.size;
    complete(found->second.node, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    complete(scalar(mark, tag, value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override {
    merge_bases(frames_.back());
    close();
  }

 private:
  struct Anchored {
    Node node;
    std::size_t size = 0;
  };

  Position position(const YAML::Mark& mark) const {
    return {.source = source_, .line = mark.line + 1, .column = mark.column + 1};
  }

  MergeTag merge_tag(const std::string& tag, const YAML::Mark& mark) const {
    if (tag == "!reset") return MergeTag::reset;
    if (tag == "!override") return MergeTag::override_value;
    if (tag.size() > 1 && tag.front() == '!' && warnings_ != nullptr) {
      Diagnostic& diagnostic =
          warnings_->warning(position(mark), "the tag `" + tag + "` means nothing and is ignored");
      diagnostic.suggestion = nearest(tag, {"!reset", "!override"});
      if (!diagnostic.suggestion.empty())
        diagnostic.hint = "did you mean `" + diagnostic.suggestion + "`?";
    }
    return MergeTag::none;
  }

  Node scalar(const YAML::Mark& mark, const std::string& tag, const std::string& value) const {
    Node node;
    node.kind = Kind::scalar;
    node.at = position(mark);
    node.text = value;
    node.tag = merge_tag(tag, mark);
    // The parser calls a plain scalar "?" and a quoted or block one "!".
    const bool plain = tag == "?" || tag.empty() || node.tag != MergeTag::none;
    node.type = plain ? resolve_scalar(value) : tagged_type(node.at, tag, value);
    node.quoted = node.type == ScalarType::string && !plain;
    if (tag.starts_with(kCoreTag) && tag.ends_with(":binary"))
      node.text = decode_base64(node.at, value);
    if (node.type == ScalarType::null) {
      node.kind = Kind::null;
      node.text.clear();
    }
    return node;
  }

  static ScalarType tagged_type(const Position& at, const std::string& tag,
                                const std::string& value) {
    if (!tag.starts_with(kCoreTag)) return ScalarType::string;
    const std::string name = tag.substr(kCoreTag.size());
    static const std::map<std::string, ScalarType> kTypes = {{"null", ScalarType::null},
                                                             {"bool", ScalarType::boolean},
                                                             {"int", ScalarType::integer},
                                                             {"float", ScalarType::floating},
                                                             {"timestamp", ScalarType::timestamp}};
    const auto wanted = kTypes.find(name);
    if (wanted == kTypes.end()) return ScalarType::string;
    const ScalarType found = resolve_scalar(value);
    const bool widened = wanted->second == ScalarType::floating && found == ScalarType::integer;
    if (found != wanted->second && !widened)
      reject(at, "cannot decode '" + value + "' as a !!" + name);
    return wanted->second;
  }

  void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (frames_.size() >= kMaxNesting)
      reject(position(mark), "nested deeper than " + std::to_string(kMaxNesting) + " levels");
    Frame frame;
    frame.node.kind = kind;
    frame.node.at = position(mark);
    frame.node.tag = merge_tag(tag, mark);
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    complete(std::move(frame.node), frame.anchor);
  }

  static std::size_t count(const Node& node) {
    std::size_t total = 1;
    for (const Node& item : node.items) total += count(item);
    for (const Entry& entry : node.entries) total += count(entry.value);
    return total;
  }

  void spend(const Position& at, std::size_t nodes) {
    if (nodes > budget_.nodes)
      reject(at, "more than " + std::to_string(kMaxNodes) + " values in one file");
    budget_.nodes -= nodes;
  }

  /// Puts a finished node where it belongs: the document, a sequence, or a mapping's key or value.
  void complete(Node node, YAML::anchor_t anchor) {
    spend(node.at, 1);
    if (anchor != 0) {
      const std::size_t size = count(node);
      spend(node.at, size);
      anchors_[anchor] = {.node = node, .size = size};
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_sequence()) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.has_key) {
      frame.has_key = false;
      if (is_merge_key(frame.key))
        frame.merged.emplace_back(frame.key.at, std::move(node));
      else
        add_entry(frame, std::move(node));
    } else {
      begin_entry(frame, std::move(node));
    }
  }

  static bool is_merge_key(const Node& key) { return key.text == "<<" && !key.quoted; }

  void begin_entry(Frame& frame, Node key) {
    if (!key.is_scalar() || key.type != ScalarType::string)
      reject(key.at, "non-string key " + place() + ": " + key_text(key), "put the key in quotes");
    if (const Position* known = frame.seen.add(key.text, key.at)) {
      Diagnostics diagnostics;
      Diagnostic& diagnostic =
          diagnostics.error(key.at, "mapping key \"" + key.text + "\" already defined at line " +
                                        std::to_string(known->line));
      diagnostic.related = *known;
      diagnostic.related_message = "first defined here";
      diagnostics.throw_if_errors();
    }
    frame.key = std::move(key);
    frame.has_key = true;
  }

  static void add_entry(Frame& frame, Node value) {
    // An absent value has no place of its own: the parser shows the token that follows.
    if (value.is_null()) value.at = frame.key.at;
    frame.node.entries.push_back({frame.key.text, frame.key.at, std::move(value)});
  }

  /// The path of the mapping that is being read, as in "in services.web" or "at top level".
  std::string place() const {
    TreePath path;
    for (std::size_t i = 0; i + 1 < frames_.size(); ++i) {
      const Frame& frame = frames_[i];
      path.push_back(frame.node.is_sequence() ? index_segment(frame.node.items.size())
                                              : frame.key.text);
    }
    return path.empty() ? "at top level" : "in " + dotted(path);
  }

  static std::string key_text(const Node& key) {
    if (key.is_null()) return "<nil>";
    return key.is_scalar() ? scalar_text(key) : "a collection";
  }

  /// Adds what `<<` brings: explicit keys win, of several maps the first that has the key.
  static void merge_bases(Frame& frame) {
    for (auto& [at, value] : frame.merged) {
      std::vector<Node> bases;
      if (value.is_mapping()) {
        bases.push_back(std::move(value));
      } else if (value.is_sequence()) {
        bases = std::move(value.items);
      } else {
        reject(at, "map merge requires map or sequence of maps as the value");
      }
      for (Node& base : bases) {
        if (!base.is_mapping())
          reject(at, "map merge requires map or sequence of maps as the value");
        for (Entry& entry : base.entries)
          if (frame.seen.add(entry.key, entry.key_at) == nullptr)
            frame.node.entries.push_back(std::move(entry));
      }
    }
  }

  std::shared_ptr<const Source> source_;
  Budget& budget_;
  Diagnostics* warnings_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  Node root_;
};

[[noreturn]] void reject_syntax(const SyntaxMistake& mistake) {
  Diagnostics diagnostics;
  Diagnostic& diagnostic = diagnostics.error(mistake.at, "cannot parse YAML: " + mistake.message);
  diagnostic.hint = mistake.hint;
  diagnostic.suggestion = mistake.suggestion;
  diagnostics.throw_if_errors();
  throw InvalidManifest({});
}

/// The name of the alias that stands at `at`.
std::string alias_at(const Position& at) {
  std::string_view rest = at.source->line(at.line);
  rest = rest.substr(std::min(rest.size(), static_cast<std::size_t>(at.column - 1)));
  if (rest.starts_with('*')) rest.remove_prefix(1);
  return std::string(rest.substr(0, rest.find_first_of(" \t,]}")));
}

/// The parser takes a quote that is open at the end of a text for a closed one. One that is open
/// where a document ends it refuses, so a text that may have one is given such an end.
std::string with_end(std::string_view text) {
  std::string ended(text);
  bool has_content = false;
  for (std::size_t at = 0; at < text.size() && !has_content;) {
    const std::size_t first = std::min(text.find_first_not_of(" \t\r", at), text.size());
    has_content = first < text.size() && text[first] != '\n' && text[first] != '#';
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  const bool has_quote = text.find_first_of("\"'") != std::string_view::npos;
  if (has_content && has_quote && text.ends_with('\n')) ended += "...\n";
  return ended;
}

}  // namespace

std::vector<Node> parse_documents(const std::shared_ptr<const Source>& source,
                                  Diagnostics* warnings) {
  require_text(source);
  std::string_view text = source->text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<Node> documents;
  Budget budget;
  try {
    std::istringstream stream(with_end(text));
    YAML::Parser parser(stream);
    for (;;) {
      Composer composer(source, budget, warnings);
      if (!parser.HandleNextDocument(composer)) break;
      documents.push_back(composer.take());
      if (!documents.back().is_mapping()) {
        Position at = documents.back().at;
        reject(at, "top-level object must be a mapping");
      }
    }
  } catch (const YAML::Exception& error) {
    const bool known = !error.mark.is_null();
    const Position at{.source = source,
                      .line = known ? error.mark.line + 1 : 1,
                      .column = known ? error.mark.column + 1 : 1};
    if (error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR))
      reject(at, "unknown anchor '" + alias_at(at) + "' referenced");
    const bool open_quote = error.msg == YAML::ErrorMsg::DOC_IN_SCALAR;
    reject_syntax(find_syntax_mistake(at, open_quote ? "a quote is never closed" : error.msg));
  }
  return documents;
}

}  // namespace manifests
