// A mistake in a user's file: what is wrong, where, and what to write instead. All of a run's
// mistakes are collected and reported at once.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "manifests/source.hpp"

namespace manifests {

enum class Severity { warning, error };

struct Diagnostic {
  Severity severity = Severity::error;
  Position at;
  std::string message;
  std::string hint;        ///< what to write or do instead; may be empty
  std::string suggestion;  ///< of the hint, what would stand in the file; may be empty
  std::string path;        ///< dotted path of the value, e.g. "services.web.ports[0]"; may be empty
  Position related;        ///< a second place that matters (base of an override, first definition)
  std::string related_message;
};

/// `compose.yaml:12:5: error: MESSAGE`, the line, a caret under the column, and the hint.
std::string render(const Diagnostic& diagnostic, bool colour = false);

/// Collects what is found while a phase goes on.
class Diagnostics {
 public:
  /// The returned reference holds until the next call, to add hint, path or related place.
  Diagnostic& error(const Position& at, std::string message);
  Diagnostic& warning(const Position& at, std::string message);
  /// What was found last; there must be something.
  Diagnostic& last() { return all_.back(); }
  bool has_errors() const;
  const std::vector<Diagnostic>& all() const { return all_; }
  /// Throws InvalidManifest with everything found when there is an error among it that is not
  /// tolerated. Errors that follow from tolerated ones are dropped first.
  void throw_if_errors();
  /// The errors found so far end nothing yet: what is wrong has been taken out of the model, and
  /// the phases that follow look for more. An error then follows from an earlier one when the path
  /// of either leads to that of the other.
  void tolerate_errors();
  /// Throws InvalidManifest with everything found when there is any error among it.
  void throw_if_any_errors();

 private:
  void drop_consequences();

  std::vector<Diagnostic> all_;
  std::size_t tolerated_ = 0;  ///< of `all_`, how many are
};

/// The user's files are wrong; carries every mistake found.
class InvalidManifest : public std::exception {
 public:
  explicit InvalidManifest(std::vector<Diagnostic> diagnostics);
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::vector<Diagnostic> diagnostics_;
  std::string text_;
};

/// Of `candidates` the one nearest to `word` by edit distance; empty when none is near enough.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace manifests
