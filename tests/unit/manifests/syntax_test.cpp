#include "manifests/syntax.hpp"

#include <gtest/gtest.h>

#include "manifests/diagnostic.hpp"
#include "manifests/document.hpp"

namespace manifests {
namespace {

/// "LINE: MESSAGE" of a text that is no YAML.
std::string mistake(const std::string& text) {
  auto source = std::make_shared<Source>();
  source->name = "f";
  source->text = text;
  try {
    parse_documents(source);
  } catch (const InvalidManifest& invalid) {
    const Diagnostic& found = invalid.diagnostics().front();
    return std::to_string(found.at.line) + ": " + found.message + " | " + found.suggestion;
  }
  return "none";
}

TEST(Syntax, NamesTheLineWithoutAColonNotTheOneAfterIt) {
  EXPECT_EQ(mistake("a:\n  image nginx\n  user: u\n"),
            "2: cannot parse YAML: a colon is missing after `image` | image: nginx");
  EXPECT_EQ(mistake("a:\n  user: u\n  image:nginx\n  b: c\n"),
            "3: cannot parse YAML: a blank is missing after the colon of `image` | image: nginx");
}

TEST(Syntax, NamesALineThatIsIndentedLikeNoOther) {
  EXPECT_EQ(mistake("a:\n    b: 1\n  c: 2\n").substr(0, 30), "3: cannot parse YAML: the inde");
  EXPECT_EQ(mistake("a:\n  b: 1\n    c: 2\n").substr(0, 34), "3: cannot parse YAML: this line is");
  EXPECT_EQ(mistake("a:\n\tb: 1\n"), "2: cannot parse YAML: a tab indents this line | ");
}

TEST(Syntax, NamesWhereABracketOrQuoteOpens) {
  EXPECT_EQ(mistake("a: 1\nb: [x,\nc: 2\n"),
            "2: cannot parse YAML: the bracket [ is never closed | ]");
  EXPECT_EQ(mistake("a: \"x\nb: 2\n"), "1: cannot parse YAML: the quote \" is never closed | \"");
}

TEST(Syntax, LetsTextOfSeveralLinesBe) {
  EXPECT_EQ(mistake("a: |\n  some text\n  more\nb: >-\n  and here\nc: word\n  goes on\n"
                    "d: 'x\n  y'\n- broken\n")
                .substr(0, 3),
            "10:");
}

}  // namespace
}  // namespace manifests
