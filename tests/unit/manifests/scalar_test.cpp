#include "manifests/scalar.hpp"

#include <gtest/gtest.h>

namespace manifests {
namespace {

Node plain(const std::string& text) {
  Node node;
  node.kind = Kind::scalar;
  node.text = text;
  node.type = resolve_scalar(text);
  return node;
}

TEST(Scalar, ResolvesBooleansOnlyInTheThreeCasingsOfYaml12) {
  for (const char* text : {"true", "True", "TRUE", "false", "False", "FALSE"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::boolean) << text;
  for (const char* text : {"yes", "no", "on", "off", "y", "n", "tRUE"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::string) << text;
}

TEST(Scalar, ResolvesNull) {
  for (const char* text : {"", "~", "null", "Null", "NULL"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::null) << text;
  EXPECT_EQ(resolve_scalar("nULL"), ScalarType::string);
}

TEST(Scalar, ResolvesIntegersInEveryNotation) {
  for (const char* text : {"12", "+1", "-3", "0x1F", "0b11", "0o17", "017", "1_000"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::integer) << text;
  EXPECT_EQ(integer_value("0x1F"), 31);
  EXPECT_EQ(integer_value("0b11"), 3);
  EXPECT_EQ(integer_value("0o17"), 15);
  EXPECT_EQ(integer_value("017"), 15);
  EXPECT_EQ(integer_value("1_000"), 1000);
  EXPECT_EQ(integer_value("-9223372036854775808"), std::numeric_limits<long long>::min());
  EXPECT_EQ(integer_value("9223372036854775808"), std::nullopt);
  for (const char* text : {"22:22", "190:20:30", "0o8", "0b2", "1e", "--1", "+", "-"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::string) << text;
}

TEST(Scalar, ResolvesFloats) {
  for (const char* text : {"1.", ".5", "1e3", ".inf", "-.inf", ".nan", "08", "1.50"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::floating) << text;
  EXPECT_EQ(number_value("08"), 8.0);
  EXPECT_EQ(resolve_scalar("1e1000"), ScalarType::string);
  EXPECT_EQ(resolve_scalar("1.2.3"), ScalarType::string);
  EXPECT_EQ(resolve_scalar("."), ScalarType::string);
}

TEST(Scalar, ResolvesTimestamps) {
  for (const char* text : {"2024-01-02", "2024-1-2", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05",
                           "2024-01-02T03:04:05.5+01:00"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::timestamp) << text;
  for (const char* text : {"2024-13-02", "2024-01-40", "2024-01", "2024-01-02x"})
    EXPECT_EQ(resolve_scalar(text), ScalarType::string) << text;
}

TEST(Scalar, ReadsAsText) {
  EXPECT_EQ(scalar_text(plain("0x10")), "16");
  EXPECT_EQ(scalar_text(plain("-010")), "-8");
  EXPECT_EQ(scalar_text(plain("True")), "true");
  EXPECT_EQ(scalar_text(plain("1.50")), "1.5");
  EXPECT_EQ(scalar_text(plain("1.0")), "1");
  EXPECT_EQ(scalar_text(plain("100000.0")), "100000");
  EXPECT_EQ(scalar_text(plain("1000000.0")), "1e+06");
  EXPECT_EQ(scalar_text(plain("0.00001")), "1e-05");
  EXPECT_EQ(scalar_text(plain(".inf")), "+Inf");
  EXPECT_EQ(scalar_text(plain(".nan")), "NaN");
  EXPECT_EQ(scalar_text(Node::make_string("0x10")), "0x10");
  EXPECT_EQ(scalar_text(plain("18446744073709551615")), "18446744073709551615");
}

}  // namespace
}  // namespace manifests
