// Splitting a command line into words, the way the reference does (A2 `command`): a shell's quoting
// without its operators.
#include "manifests/values.hpp"

namespace manifests {

namespace {

class Splitter {
 public:
  explicit Splitter(std::string_view line) : line_(line) {}

  Parsed<Strings> run() {
    for (const char c : line_) {
      if (escaped_) {
        take_escaped(c);
      } else if (c == '\\' && !single_quoted_) {
        escaped_ = true;
      } else if (is_blank(c) && !in_span()) {
        end_word();
      } else if (ends_command(c)) {
        break;
      } else if (c == '(' && !quoted() && !opens_substitution()) {
        return malformed();
      } else {
        take(c);
      }
    }
    if (escaped_ || in_span()) return malformed();
    end_word();
    return std::move(words_);
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static Unreadable malformed() { return {"invalid command line string"}; }

  bool quoted() const { return single_quoted_ || double_quoted_ || backquoted_; }
  bool in_span() const { return quoted() || substitution_; }
  bool opens_substitution() const { return !substitution_ && word_.ends_with('$'); }
  bool ends_command(char c) const {
    return !in_span() && std::string_view(";&|<>").find(c) != std::string_view::npos;
  }

  void take_escaped(char c) {
    word_ += c == 't' ? '\t' : c == 'n' ? '\n' : c;
    escaped_ = false;
    has_word_ = true;
  }

  /// A character that belongs to a word, or the quote that opens or closes a span of it.
  void take(char c) {
    if (c == '"' && !single_quoted_ && !substitution_) {
      double_quoted_ = !double_quoted_;
      has_word_ = true;
      return;
    }
    if (c == '\'' && !double_quoted_ && !substitution_) {
      single_quoted_ = !single_quoted_;
      has_word_ = true;
      return;
    }
    if (c == '`' && !single_quoted_ && !double_quoted_ && !substitution_) {
      backquoted_ = !backquoted_;
    }
    if ((c == '(' || c == ')') && !quoted()) substitution_ = !substitution_;
    word_ += c;
    has_word_ = true;
  }

  void end_word() {
    if (has_word_) words_.push_back(std::move(word_));
    word_.clear();
    has_word_ = false;
  }

  std::string_view line_;
  Strings words_;
  std::string word_;
  bool has_word_ = false;  // an empty quoted word is a word
  bool escaped_ = false;
  bool single_quoted_ = false;
  bool double_quoted_ = false;
  bool backquoted_ = false;
  bool substitution_ = false;
};

}  // namespace

Parsed<Strings> split_command(std::string_view line) { return Splitter(line).run(); }

}  // namespace manifests
