#include "runtime/image/digest.hpp"

// The functions of this one algorithm: EVP brings all of OpenSSL's providers, whose tables are half
// of what a program of ours has to relocate, and to set up, before a command's first digest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <array>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexLength = 64;

bool is_lowercase_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<Digest> Digest::from_hex(std::string_view hex) {
  if (hex.size() != kHexLength || !is_lowercase_hex(hex)) return std::nullopt;
  return Digest(std::string(hex));
}

std::optional<Digest> Digest::try_parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  return from_hex(text.substr(kPrefix.size()));
}

Digest Digest::parse(std::string_view text) {
  if (auto digest = try_parse(text)) return *std::move(digest);
  throw os::Error("'" + std::string(text.substr(0, 100)) +
                  "' is not a digest of the form sha256:<64 lowercase hexadecimal digits>");
}

Digest Digest::of(std::string_view data) {
  Hasher hasher;
  hasher.update(data);
  return hasher.finish();
}

struct Hasher::Context {
  SHA256_CTX sha{};

  void start() {
    if (SHA256_Init(&sha) != 1) throw os::Error("start a sha256 digest: OpenSSL refuses");
  }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) { context_->start(); }
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view data) {
  if (SHA256_Update(&context_->sha, data.data(), data.size()) != 1)
    throw os::Error("compute a sha256 digest: OpenSSL refuses");
}

Digest Hasher::finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> raw{};
  if (SHA256_Final(raw.data(), &context_->sha) != 1)
    throw os::Error("finish a sha256 digest: OpenSSL refuses");
  context_->start();
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(kHexLength);
  for (const unsigned char byte : raw) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  auto digest = Digest::from_hex(hex);
  if (!digest) throw os::Error("finish a sha256 digest: wrong length");
  return *std::move(digest);
}

Digest chain_id(const Digest& parent, const Digest& layer) {
  return parent.empty() ? layer : Digest::of(parent.text() + " " + layer.text());
}

}  // namespace image
