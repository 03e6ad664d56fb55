// One manifest as text through the back half of the pipeline, for tests of what it means.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "manifests/canonical.hpp"
#include "manifests/decode.hpp"
#include "manifests/normalize.hpp"
#include "manifests/schema.hpp"
#include "manifests/select.hpp"
#include "manifests/validate.hpp"
#include "tests/unit/manifests/yaml.hpp"

namespace manifests {

/// The completed model of `text`, in project "p"; what is wrong goes to `diagnostics`.
inline Stack stack_of(const std::string& text, Diagnostics& diagnostics) {
  const Node tree = yaml(text);
  validate_schema(tree, diagnostics);
  if (diagnostics.has_errors()) return {};
  Node model = canonical(tree, diagnostics);
  set_defaults(model);
  if (diagnostics.has_errors()) return {};
  Stack stack = decode(model, diagnostics);
  if (diagnostics.has_errors()) return stack;
  stack.name = "p";
  validate_resources(stack, diagnostics);
  normalize(stack, {{"HOME", "/root"}, {"SET", "value"}});
  resolve_contents(stack, {{"HOME", "/root"}, {"SET", "value"}});
  apply_profiles(stack, {});
  validate(stack, diagnostics);
  return stack;
}

/// Same, where nothing is wrong.
inline Stack stack_of(const std::string& text) {
  Diagnostics diagnostics;
  Stack stack = stack_of(text, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    EXPECT_EQ(diagnostic.severity, Severity::warning) << render(diagnostic);
  }
  return stack;
}

/// The service "a" of `attributes`, each line of which stands under it.
inline Service service_of(const std::string& attributes) {
  std::string text = "services:\n  a:\n    image: i\n";
  for (std::size_t from = 0; from < attributes.size();) {
    const auto end = std::min(attributes.find('\n', from), attributes.size());
    text += "    " + attributes.substr(from, end - from) + "\n";
    from = end + 1;
  }
  Stack stack = stack_of(text + "volumes: {v: , n: }\nnetworks: {net: , other: }\n");
  return stack.services["a"];
}

/// The messages of all errors of `text`, one a line.
inline std::string errors_of(const std::string& text) {
  Diagnostics diagnostics;
  stack_of(text, diagnostics);
  std::string messages;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::error) messages += diagnostic.message + "\n";
  }
  return messages;
}

}  // namespace manifests
